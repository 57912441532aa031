#include "base/visible.h"

#include <stdbool.h>
#include <stdint.h>

/* The length of the well-formed UTF-8 sequence at @text (Unicode 15, table 3-7), 0 if there is none. */
static size_t sequence_length(const unsigned char *text, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80 ? 1 : text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : text[0] >= 0xc0 ? 2 : 0;
    if (length == 0 || text[0] > 0xf4)
        return 0;
    uint32_t code = length == 1 ? text[0] : text[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    *ret_code = code;
    return length;
}

/* C0, DEL and C1 drive the terminal; the bidirectional marks reorder what stands around them. */
static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

void ph_visible(struct ph_buf *out, const char *text)
{
    const unsigned char *next = (const unsigned char *)text;
    while (*next) {
        uint32_t code = 0;
        size_t length = sequence_length(next, &code);
        if (length > 0 && !is_control(code))
            ph_buf_append(out, next, length);
        else
            for (size_t i = 0; i < (length ? length : 1); i++)
                ph_buf_printf(out, "\\x%02x", next[i]);
        next += length ? length : 1;
    }
}

size_t ph_visible_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

size_t ph_visible_cut(const char *text, size_t width)
{
    size_t bytes = 0;
    for (; text[bytes]; bytes++)
        if (((unsigned char)text[bytes] & 0xc0) != 0x80 && width-- == 0)
            break;
    return bytes;
}
