/* terminal.h - what stdout is connected to. */
#ifndef PH_TOOLS_TERMINAL_H
#define PH_TOOLS_TERMINAL_H

#include <stddef.h>

/** ph_terminal_width() - how many characters fit in a line of stdout; 0 if it is no terminal: do not cut then. */
size_t ph_terminal_width(void);

/** ph_terminal_height() - how many lines it shows; 0 if it is no terminal. */
size_t ph_terminal_height(void);

#endif
