/* fuzz_legacy_read.c - the heap text of gperftools and Go, read and written again. */
#include "model/legacy_read.h"
#include "model/legacy_write.h"
#include "sound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* Counts are rounded on the way, so only that it can be read is asked for. */
static void require_readable(const struct ph_profile *profile, bool symbols)
{
    struct ph_error error = {0};
    struct ph_buf out = PH_BUF_INIT;
    struct ph_profile *again = NULL;
    require(ph_legacy_write(profile, symbols, &out) == 0, "write as text", "failed");
    require(ph_legacy_read(out.data, out.size_bytes, &again, &error) == 0, "read the text back", error.text);
    require_sound(again);
    ph_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct ph_profile *profile = NULL;
    struct ph_error error = {0};
    int status = ph_legacy_read((const char *)data, size_bytes, &profile, &error);
    if (status < 0) {
        require_refusal(status, &error);
        return 0;
    }
    require_readable(profile, false);
    require_readable(profile, true);
    require_sound(profile);
    return 0;
}
