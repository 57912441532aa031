/* folded.h - folded stacks ("main;serve;parse 4096"), for flame graphs and for plain text tools. */
#ifndef PH_MODEL_FOLDED_H
#define PH_MODEL_FOLDED_H

#include "base/buf.h"
#include "base/error.h"
#include "model/profile.h"

#include <stddef.h>
#include <stdint.h>

/** ph_folded_write() - one line a stack, root first, with the value of @type; samples of value 0 are left out;
 * equal lines are joined. Frames without a name are "module+0xoffset". ';' and line ends in names become ':' and ' '. */
int ph_folded_write(const struct ph_profile *profile, uint32_t type, struct ph_buf *out);

/** ph_folded_read() - as ph_pprof_read(): one sample type @type/@unit. Names with blanks are allowed: the count is the
 * last field. -EINVAL names line and column. */
int ph_folded_read(const char *text, size_t size_bytes, const char *type, const char *unit,
                   struct ph_profile **ret_profile, struct ph_error *error);

#endif
