/* count_text.h - a profile of counts as text, as Go writes it for debug=1. */
#ifndef PH_SERVER_COUNT_TEXT_H
#define PH_SERVER_COUNT_TEXT_H

#include "base/buf.h"
#include "model/profile.h"

/**
 * ph_count_text_write() - append "NAME profile: total N", then for each sample, largest first, "N @ 0xPC 0xPC …" and
 * "#<TAB>0xPC<TAB>function<TAB>file of the mapping" for each frame, names demangled. Addresses are return addresses.
 * @profile: its first sample type is what is counted. Memory that runs out is in the buffer's status.
 * Source: printCountProfile() in Go's runtime/pprof/pprof.go.
 */
void ph_count_text_write(const struct ph_profile *profile, const char *name, struct ph_buf *out);

#endif
