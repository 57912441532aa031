#include "tools/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *const ph_colour_words[] = {"auto", "always", "never", NULL};

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

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value;
}

/* Source of NO_COLOR: no-color.org, "present and not an empty string". */
bool ph_terminal_has_colour(enum ph_colour colour)
{
    const char *kind = getenv("TERM");
    if (colour != PH_COLOUR_AUTO)
        return colour == PH_COLOUR_ALWAYS;
    return isatty(STDOUT_FILENO) && !is_set("NO_COLOR") && !(kind && strcmp(kind, "dumb") == 0);
}

/* Asked without setlocale(), so that numbers are written and read as in C. */
bool ph_terminal_has_utf8(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (!locale)
        return false;
    bool is = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    freelocale(locale);
    return is;
}
