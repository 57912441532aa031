/* html.h - the frame of the pages. No script, nothing from elsewhere. */
#ifndef PH_SERVER_HTML_H
#define PH_SERVER_HTML_H

#include "base/buf.h"

/** ph_html_begin() - everything up to the first line of the page; ph_html_end() - the rest. */
void ph_html_begin(struct ph_buf *out, const char *title);
void ph_html_end(struct ph_buf *out, const char *version);

/** ph_html_command() - a line to copy; a click selects all of it. */
void ph_html_command(struct ph_buf *out, const char *command);

#endif
