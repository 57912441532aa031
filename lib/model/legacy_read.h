/*
 * legacy_read.h - the text heap profiles of gperftools and Go ("heap profile: …"), into a profile.
 *
 *   heap profile: IN_N: IN_B [AL_N: AL_B] @ heap_v2/RATE       also heap/RATE*2, heapz_v2/RATE, heapprofile
 *   IN_N: IN_B [AL_N: AL_B] @ 0xADDR 0xADDR …
 *   #<TAB>0xADDR<TAB>function+0xOFFSET<TAB>file:line           Go's, after debug=1: symbols of the sample above
 *   MAPPED_LIBRARIES: / # runtime.MemStats and what follows
 *
 * heap_v2 and heap are sampled: unbiased here as pprof does (profile/legacy_profile.go, scaleHeapSample).
 */
#ifndef PH_MODEL_LEGACY_READ_H
#define PH_MODEL_LEGACY_READ_H

#include "base/error.h"
#include "model/profile.h"

#include <stdbool.h>
#include <stddef.h>

bool ph_legacy_is(const char *text, size_t size_bytes);

/** ph_legacy_read() - as ph_pprof_read(), for text; errors name line and column. */
int ph_legacy_read(const char *text, size_t size_bytes, struct ph_profile **ret_profile, struct ph_error *error);

#endif
