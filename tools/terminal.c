#include "tools/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

/* All zero if it is no terminal. */
static struct winsize measure(void)
{
    struct winsize size = {0};
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        return (struct winsize){0};
    return size;
}

size_t ph_terminal_width(void)
{
    return measure().ws_col;
}

size_t ph_terminal_height(void)
{
    return measure().ws_row;
}
