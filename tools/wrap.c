#include "tools/wrap.h"

#include <stdbool.h>
#include <string.h>

/* Where the next word goes. */
struct wrap {
    FILE *out;
    size_t column;
    bool has_words; /* on this line */
};

static void end_line(struct wrap *wrap)
{
    fputc('\n', wrap->out);
    wrap->column = 0;
    wrap->has_words = false;
}

static void add_word(struct wrap *wrap, const char *word, size_t length, size_t indent, size_t width)
{
    if (wrap->has_words && wrap->column + 1 + length > width)
        end_line(wrap);
    size_t blank_count = wrap->has_words ? 1 : indent - wrap->column;
    fprintf(wrap->out, "%*s%.*s", (int)blank_count, "", (int)length, word);
    wrap->column += blank_count + length;
    wrap->has_words = true;
}

void ph_wrap(const char *text, size_t at, size_t indent, size_t width, FILE *out)
{
    struct wrap wrap = {out, at, false};
    if (at > 0 && at + 2 > indent)
        end_line(&wrap);
    while (*text) {
        size_t length = strcspn(text, " \n");
        if (length > 0)
            add_word(&wrap, text, length, indent, width);
        text += length;
        if (*text == '\n')
            end_line(&wrap);
        text += *text != '\0';
    }
    end_line(&wrap);
}
