/*
 * screen.h - a terminal drawn over again and again, as top(1) and less(1) do, and given back as it was.
 *
 * The other screen of the terminal is used, so that what stood there before stands there again afterwards; keys are
 * read without a line end and not echoed. Both end with ph_screen_close(), at exit(), on a crash, and while the
 * command is stopped by Ctrl-Z. Process-wide: there is one terminal.
 */
#ifndef PH_TOOLS_SCREEN_H
#define PH_TOOLS_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/** ph_screen_is_possible() - is stdout a terminal that can do more than print lines? */
bool ph_screen_is_possible(void);

/** ph_screen_open() - take the terminal. ph_screen_close(): give it back; does nothing if it was not taken, and is
 * async-signal-safe. */
void ph_screen_open(void);
void ph_screen_close(void);

/** ph_screen_keys() - the descriptor where keys come from, for ph_signals_wait(); -1 if there is no keyboard. */
int ph_screen_keys(void);

enum ph_key {
    PH_SCREEN_NO_KEY,
    PH_SCREEN_QUIT, /* q, or the keyboard is gone */
    PH_SCREEN_UP,
    PH_SCREEN_DOWN,
    PH_SCREEN_PAGE_UP,
    PH_SCREEN_PAGE_DOWN,
    PH_SCREEN_TOP,
    PH_SCREEN_BOTTOM,
};

/** ph_screen_key() - the next key that was pressed and means something here. Does not wait. */
enum ph_key ph_screen_key(void);

/** ph_screen_parse_key() - the key that @bytes begin with, PH_SCREEN_NO_KEY for one without meaning. @ret_length: its
 * bytes, of which there is at least one. */
enum ph_key ph_screen_parse_key(const char *bytes, size_t size_bytes, size_t *ret_length);

/* What to show: @text in between, from its line @first_line on, and a line above and below it that stay. */
struct ph_frame {
    const char *head, *text, *foot; /* lines end with '\n' in @text; escape sequences for colour may be in all */
    size_t first_line;
};

/**
 * ph_screen_draw() - show a frame.
 *
 * Returns the first line shown: smaller than asked for if the text ends before. @ret_page_lines: how many fit.
 */
size_t ph_screen_draw(const struct ph_frame *frame, size_t *ret_page_lines);

#endif
