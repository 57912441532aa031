/* fuzz_folded_read.c - folded stacks, read and written again. */
#include "model/folded.h"
#include "sound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void require_readable(const struct ph_profile *profile)
{
    struct ph_error error = {0};
    struct ph_buf out = PH_BUF_INIT;
    struct ph_profile *again = NULL;
    require(ph_folded_write(profile, 0, &out) == 0, "write folded", "failed");
    require(ph_folded_read(out.data, out.size_bytes, "space", "bytes", &again, &error) == 0, "read folded back",
            error.text);
    require_equal_totals(profile, again);
    ph_profile_free(again);
    ph_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct ph_profile *profile = NULL;
    struct ph_error error = {0};
    int status = ph_folded_read((const char *)data, size_bytes, "space", "bytes", &profile, &error);
    if (status < 0) {
        require_refusal(status, &error);
        return 0;
    }
    require_readable(profile);
    require_sound(profile);
    return 0;
}
