/* fuzz_pprof_read.c - pprof's protobuf, gzipped or bare. */
#include "sound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct ph_profile *profile = NULL;
    struct ph_error error = {0};
    int status = ph_pprof_read((const char *)data, size_bytes, &profile, &error);
    if (status < 0)
        require_refusal(status, &error);
    else
        require_sound(profile);
    return 0;
}
