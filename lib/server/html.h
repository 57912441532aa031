/* html.h - the frame of the pages, and numbers as people read them. No script, nothing from elsewhere. */
#ifndef PH_SERVER_HTML_H
#define PH_SERVER_HTML_H

#include "base/buf.h"

#include <stdint.h>

/** ph_html_begin() - everything up to the first line of the page; ph_html_end() - the rest. */
void ph_html_begin(struct ph_buf *out, const char *title);
void ph_html_end(struct ph_buf *out, const char *version);

/** ph_html_command() - a line to copy; a click selects all of it. */
void ph_html_command(struct ph_buf *out, const char *command);

/** ph_human_bytes() - "4.0 KiB", "212 MiB". ph_human_duration() - "12 s", "3 min 5 s", "4 d 7 h". */
void ph_human_bytes(struct ph_buf *out, uint64_t bytes);
void ph_human_duration(struct ph_buf *out, double seconds);

#endif
