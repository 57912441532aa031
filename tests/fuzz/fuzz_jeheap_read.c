/* fuzz_jeheap_read.c - jemalloc's heap dump, with all frames and with some left out. */
#include "model/jeheap_read.h"
#include "sound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static enum ph_frame_rule drop_some(void *context, uint64_t address, uint32_t mapping)
{
    (void)context;
    return (address ^ mapping) % 3 ? PH_FRAME_KEEP : PH_FRAME_DROP;
}

static struct ph_profile *read_dump(const uint8_t *data, size_t size_bytes, const struct ph_jeheap_options *options)
{
    struct ph_error error = {0};
    struct ph_profile *profile = ph_profile_new();
    int status = ph_jeheap_read(profile, (const char *)data, size_bytes, options, &error);
    if (status == 0)
        return profile;
    require_refusal(status, &error);
    ph_profile_free(profile);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    const struct ph_jeheap_options options = {.rule = drop_some};
    struct ph_profile *whole = read_dump(data, size_bytes, NULL);
    struct ph_profile *thinned = read_dump(data, size_bytes, &options);
    require(!whole == !thinned, "frames left out", "the answer is another one");
    if (whole) {
        require_equal_totals(whole, thinned);
        require_sound(whole);
        require_sound(thinned);
    }
    return 0;
}
