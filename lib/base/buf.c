#include "base/buf.h"

#include "base/scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256
#define PRINTED_BYTES                                                                                              \
    64 /* most of what is printed is shorter: it is printed once, not once to see how long it is */

void ph_buf_fini(struct ph_buf *buf)
{
    free(buf->data);
    *buf = (struct ph_buf)PH_BUF_INIT;
}

static int grow(struct ph_buf *buf, size_t wanted)
{
    size_t capacity = buf->capacity_bytes ? buf->capacity_bytes : FIRST_CAPACITY;
    while (capacity < wanted) {
        if (capacity > SIZE_MAX / 2)
            return -ENOMEM;
        capacity *= 2;
    }
    char *data = realloc(buf->data, capacity);
    if (!data)
        return -ENOMEM;
    buf->data = data;
    buf->capacity_bytes = capacity;
    return 0;
}

int ph_buf_reserve(struct ph_buf *buf, size_t more_bytes)
{
    if (buf->failed)
        return buf->failed;
    size_t wanted = buf->size_bytes + more_bytes + 1; /* the NUL */
    if (wanted <= more_bytes)
        return buf->failed = -ENOMEM;
    if (wanted > buf->capacity_bytes)
        buf->failed = grow(buf, wanted);
    return buf->failed;
}

void ph_buf_append(struct ph_buf *buf, const void *bytes, size_t size_bytes)
{
    if (ph_buf_reserve(buf, size_bytes) < 0)
        return;
    if (size_bytes)
        memcpy(buf->data + buf->size_bytes, bytes, size_bytes);
    buf->size_bytes += size_bytes;
    buf->data[buf->size_bytes] = '\0';
}

void ph_buf_text(struct ph_buf *buf, const char *text)
{
    ph_buf_append(buf, text, strlen(text));
}

void ph_buf_char(struct ph_buf *buf, char c)
{
    ph_buf_append(buf, &c, 1);
}

void ph_buf_vprintf(struct ph_buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    if (ph_buf_reserve(buf, PRINTED_BYTES) == 0) {
        size_t room = buf->capacity_bytes - buf->size_bytes;
        int length = vsnprintf(buf->data + buf->size_bytes, room, format, args);
        bool fits = length >= 0 && (size_t)length < room;
        if (!fits && length >= 0 && ph_buf_reserve(buf, (size_t)length) == 0)
            fits = vsnprintf(buf->data + buf->size_bytes, (size_t)length + 1, format, again) == length;
        buf->size_bytes += fits ? (size_t)length : 0;
        buf->data[buf->size_bytes] = '\0';
    }
    va_end(again);
}

void ph_buf_printf(struct ph_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ph_buf_vprintf(buf, format, args);
    va_end(args);
}

void ph_buf_html(struct ph_buf *buf, const char *text)
{
    static const char *const entities[256] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;",
    };
    while (*text) {
        size_t plain = strcspn(text, "&<>\"'");
        ph_buf_append(buf, text, plain);
        text += plain;
        if (*text)
            ph_buf_text(buf, entities[(unsigned char)*text++]);
    }
}

/* How many bytes at the cursor stand for themselves. */
static size_t plain_json(struct ph_scan scan)
{
    const char *from = scan.next;
    while (!ph_scan_done(&scan)) {
        unsigned char c = (unsigned char)*scan.next;
        if (c == '"' || c == '\\' || c < 0x20 || !ph_scan_utf8(&scan))
            break;
    }
    return (size_t)(scan.next - from);
}

/* One byte that does not. */
static void escape_json(struct ph_buf *buf, unsigned char c)
{
    if (c == '"' || c == '\\')
        ph_buf_printf(buf, "\\%c", c);
    else if (c < 0x20)
        ph_buf_printf(buf, "\\u%04x", c);
    else
        ph_buf_text(buf, PH_UTF8_REPLACEMENT);
}

void ph_buf_json(struct ph_buf *buf, const char *text)
{
    struct ph_scan scan = ph_scan_over(text, strlen(text));
    ph_buf_char(buf, '"');
    while (!ph_scan_done(&scan)) {
        size_t plain = plain_json(scan);
        ph_buf_append(buf, scan.next, plain);
        scan.next += plain;
        if (!ph_scan_done(&scan))
            escape_json(buf, (unsigned char)*scan.next++);
    }
    ph_buf_char(buf, '"');
}

int ph_buf_status(const struct ph_buf *buf)
{
    return buf->failed;
}

char *ph_buf_take(struct ph_buf *buf, size_t *ret_size)
{
    ph_buf_reserve(buf, 0);
    if (buf->failed)
        return NULL;
    char *data = buf->data;
    data[buf->size_bytes] = '\0';
    if (ret_size)
        *ret_size = buf->size_bytes;
    *buf = (struct ph_buf)PH_BUF_INIT;
    return data;
}
