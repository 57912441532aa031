/* cpu_legacy_write.h - a CPU profile as gperftools writes it: for google-pprof and other old tools. */
#ifndef PH_MODEL_CPU_LEGACY_WRITE_H
#define PH_MODEL_CPU_LEGACY_WRITE_H

#include "base/buf.h"
#include "model/profile.h"

/**
 * ph_cpu_legacy_write() - append words of 64 bits, in the order of this machine: a header with the period, for each sample its
 * count, the number of its addresses and these, leaf first; an end; then the mappings as text.
 * @profile: its first type counts samples; the period is in nanoseconds.
 *
 * Samples without a stack are left out: the format has none. Memory that runs out is in the buffer's status.
 * Source: "Profiler binary data file format" of gperftools (docs/cpuprofile-fileformat.html).
 */
void ph_cpu_legacy_write(const struct ph_profile *profile, struct ph_buf *out);

#endif
