#include "base/buf.h"

#include "base/scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

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
    int length = vsnprintf(NULL, 0, format, args);
    if (length >= 0 && ph_buf_reserve(buf, (size_t)length) == 0) {
        vsnprintf(buf->data + buf->size_bytes, (size_t)length + 1, format, again);
        buf->size_bytes += (size_t)length;
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
    for (; *text; text++) {
        const char *entity = entities[(unsigned char)*text];
        if (entity)
            ph_buf_text(buf, entity);
        else
            ph_buf_char(buf, *text);
    }
}

void ph_buf_json(struct ph_buf *buf, const char *text)
{
    struct ph_scan scan = ph_scan_over(text, strlen(text));
    ph_buf_char(buf, '"');
    while (!ph_scan_done(&scan)) {
        const char *s = scan.next;
        if (!ph_scan_utf8(&scan)) {
            ph_buf_text(buf, PH_UTF8_REPLACEMENT);
            scan.next++;
        } else if (*s == '"' || *s == '\\') {
            ph_buf_printf(buf, "\\%c", *s);
        } else if ((unsigned char)*s < 0x20) {
            ph_buf_printf(buf, "\\u%04x", (unsigned char)*s);
        } else {
            ph_buf_append(buf, s, (size_t)(scan.next - s));
        }
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
