/*
 * buf.h - a growing byte buffer, for text and wire formats.
 *
 * Failure is sticky: after an append that ran out of memory every further append does nothing, and
 * ph_buf_status() tells once at the end. One thread at a time. The probe does not use it: it allocates.
 */
#ifndef PH_BASE_BUF_H
#define PH_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct ph_buf {
    char *data; /* size bytes and a NUL that size does not count; NULL while empty */
    size_t size_bytes;
    size_t capacity_bytes;
    int failed; /* 0, or -ENOMEM once an append failed */
};

#define PH_BUF_INIT                                                                                                \
    {                                                                                                              \
        NULL, 0, 0, 0                                                                                              \
    }

/** ph_buf_fini() - release the storage; the buffer is empty and usable again. */
void ph_buf_fini(struct ph_buf *buf);

/** ph_buf_reserve() - make room for @more_bytes beyond the present size. 0, or -ENOMEM (sticky). */
int ph_buf_reserve(struct ph_buf *buf, size_t more_bytes);

void ph_buf_append(struct ph_buf *buf, const void *bytes, size_t size_bytes);
void ph_buf_text(struct ph_buf *buf, const char *text);
void ph_buf_char(struct ph_buf *buf, char c);
void ph_buf_printf(struct ph_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ph_buf_vprintf(struct ph_buf *buf, const char *format, va_list args);

/** ph_buf_html() - @text with & < > " ' escaped; ph_buf_json() - @text as a JSON string, quotes included;
 * bytes that are no UTF-8 become U+FFFD. */
void ph_buf_html(struct ph_buf *buf, const char *text);
void ph_buf_json(struct ph_buf *buf, const char *text);

/** ph_buf_status() - 0, or -ENOMEM if any append so far was lost. */
int ph_buf_status(const struct ph_buf *buf);

/**
 * ph_buf_take() - hand the bytes to the caller, who frees them with free(); the buffer is empty afterwards.
 * @ret_size: may be NULL. Returns "" on the heap for an empty buffer; NULL only if the buffer has failed.
 */
char *ph_buf_take(struct ph_buf *buf, size_t *ret_size);

#endif
