/* sound.h - what every reader promises of a profile, whatever its input was. */
#ifndef PH_FUZZ_SOUND_H
#define PH_FUZZ_SOUND_H

#include "model/check.h"
#include "model/pprof_read.h"
#include "model/pprof_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void require(bool holds, const char *what, const char *detail)
{
    if (holds)
        return;
    fprintf(stderr, "%s: %s\n", what, detail);
    abort();
}

/* A refusal says why, and is one of those that the headers name. */
static inline void require_refusal(int status, const struct ph_error *error)
{
    require(status == -EINVAL || status == -EFBIG || status == -EOVERFLOW, "refused with", strerror(-status));
    require(error->code == status && error->text[0] != '\0', "refused without a reason", error->text);
}

/* Sums that saturate depend on the order: equality is asked for where none can. */
static inline bool is_summable(const struct ph_profile *profile, uint32_t type)
{
    __extension__ unsigned __int128 sum = 0;
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        int64_t value = ph_profile_values(profile, i)[type];
        sum += value < 0 ? -(uint64_t)value : (uint64_t)value;
    }
    return sum <= INT64_MAX;
}

static inline void require_equal_totals(const struct ph_profile *a, const struct ph_profile *b)
{
    require(a->type_count == b->type_count, "round trip", "other sample types");
    for (uint32_t i = 0; i < a->type_count; i++)
        if (is_summable(a, i) && is_summable(b, i))
            require(ph_profile_total(a, i) == ph_profile_total(b, i), "round trip", "other totals");
}

/* Takes the profile: consistent, and the same once written as pprof and read back. */
static inline void require_sound(struct ph_profile *take_profile)
{
    struct ph_error error = {0};
    struct ph_buf out = PH_BUF_INIT;
    struct ph_profile *again = NULL;
    require(ph_profile_check(take_profile, &error) == 0, "check", error.text);
    require(ph_pprof_write(take_profile, &out, &error) == 0, "write", error.text);
    require(ph_pprof_read(out.data, out.size_bytes, &again, &error) == 0, "read back", error.text);
    require_equal_totals(take_profile, again);
    ph_profile_free(again);
    ph_profile_free(take_profile);
    ph_buf_fini(&out);
}

#endif
