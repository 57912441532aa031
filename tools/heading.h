/* heading.h - the lines above a table that is made of a profile, and numbers in sentences. */
#ifndef PH_TOOLS_HEADING_H
#define PH_TOOLS_HEADING_H

#include "base/buf.h"
#include "model/profile.h"

#include <stddef.h>
#include <stdint.h>

/** ph_heading_begin() - "process 7 (nginx): ". @subject: made visible already. @program: NULL for that of the first mapping. */
void ph_heading_begin(const struct ph_profile *profile, const char *subject, const char *program,
                      struct ph_buf *out);

/** ph_heading_time() - "taken 2026-07-25 17:20:00; ", local, if the profile tells. */
void ph_heading_time(const struct ph_profile *profile, struct ph_buf *out);

/** ph_heading_count() - "1 sample", "1,234 samples". */
void ph_heading_count(struct ph_buf *out, int64_t count, const char *noun);

/** ph_heading_stacks() - how many samples have a value of @type. */
uint32_t ph_heading_stacks(const struct ph_profile *profile, uint32_t type);

#define PH_HEADING_NOTES_MAX 8 /* many processes may all have the same to tell */

/**
 * ph_heading_comment() - a line "Missing: …" or "Note: …" for a comment that a person should read; nothing for the version and the
 * names of processes, which stand in every profile.
 * @note_count: 0 before the first of them; of notes only the first PH_HEADING_NOTES_MAX are written.
 */
void ph_heading_comment(const char *comment, size_t *note_count, struct ph_buf *out);

/** ph_heading_rest() - after the last one: how many notes were left out, if any. */
void ph_heading_rest(size_t note_count, struct ph_buf *out);

/** ph_heading_missing() - a line "Missing: …" for each process of a family that is not in the profile. */
void ph_heading_missing(const struct ph_profile *profile, struct ph_buf *out);

#endif
