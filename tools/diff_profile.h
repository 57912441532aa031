/* diff_profile.h - the difference of two profiles as a profile, for the tools that read one. */
#ifndef PH_TOOLS_DIFF_PROFILE_H
#define PH_TOOLS_DIFF_PROFILE_H

#include "base/buf.h"
#include "base/error.h"
#include "model/heap_types.h"
#include "model/profile.h"

/* One side of a difference. */
struct ph_diff_end {
    struct ph_profile *profile;
    const char *name; /* of its file, for errors */
};

/**
 * ph_diff_pprof_write() - append @now - @base as gzipped protobuf, just as `go tool pprof -diff_base` makes it in
 * memory: the samples of the base negated and with the label pprof::base=true, by which pprof knows what percentages
 * are of. @base is used up: only ph_profile_free() may follow.
 * Source: google/pprof internal/driver/fetch.go, profile/profile.go (SetLabel, Scale), internal/report/report.go.
 * speedscope refuses negative values (its src/lib/profile.ts): for it, take folded stacks.
 *
 * 0; -EINVAL if the two have not the same sample types, named in @error; -ENOMEM.
 */
int ph_diff_pprof_write(const struct ph_diff_end *base, const struct ph_diff_end *now, struct ph_buf *out,
                        struct ph_error *error);

/**
 * ph_diff_folded_write() - append "stack base new", a line a stack, with the values of sample type @metric, whatever
 * the profile calls it (growth/metric.h): what difffolded.pl of FlameGraph writes, and what flamegraph.pl and inferno
 * draw with the growth in red. Names are demangled; both profiles are used up: only ph_profile_free() may follow.
 *
 * 0; -EINVAL if one of them has no such type; -ENOMEM.
 */
int ph_diff_folded_write(const struct ph_diff_end *base, const struct ph_diff_end *now, enum ph_heap_type metric,
                         struct ph_buf *out, struct ph_error *error);

#endif
