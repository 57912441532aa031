#include "tools/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

size_t ph_terminal_width(void)
{
    struct winsize size;
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
