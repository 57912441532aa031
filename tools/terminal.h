/* terminal.h - what stdout is connected to. */
#ifndef PH_TOOLS_TERMINAL_H
#define PH_TOOLS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/** ph_terminal_width() - how many characters fit in a line of stdout; 0 if it is no terminal: do not cut then. */
size_t ph_terminal_width(void);

/** ph_terminal_height() - how many lines it shows; 0 if it is no terminal. */
size_t ph_terminal_height(void);

/* The values of --color, in this order. */
enum ph_colour { PH_COLOUR_AUTO, PH_COLOUR_ALWAYS, PH_COLOUR_NEVER };
extern const char *const ph_colour_words[];

/** ph_terminal_has_colour() - are escape sequences for colour welcome, by --color, NO_COLOR, TERM and terminal? */
bool ph_terminal_has_colour(enum ph_colour colour);

/** ph_terminal_has_utf8() - are characters beyond ASCII, by the locale? */
bool ph_terminal_has_utf8(void);

#endif
