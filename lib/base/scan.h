/*
 * scan.h - a cursor over bytes that may be hostile, and the numbers people write in options.
 *
 * A cursor never reads at or past its end, allocates nothing and needs no NUL. Any thread; async-signal-safe.
 */
#ifndef PH_BASE_SCAN_H
#define PH_BASE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ph_scan {
    const char *start, *next, *end;
};

static inline struct ph_scan ph_scan_over(const char *text, size_t size_bytes)
{
    return (struct ph_scan){text, text, size_bytes ? text + size_bytes : text}; /* C knows no NULL + 0 */
}

static inline bool ph_scan_done(const struct ph_scan *scan)
{
    return scan->next == scan->end;
}

/** ph_scan_char() / ph_scan_text() - step over what is expected; false, not moved, if something else stands there. */
static inline bool ph_scan_char(struct ph_scan *scan, char c)
{
    if (scan->next == scan->end || *scan->next != c)
        return false;
    scan->next++;
    return true;
}

static inline bool ph_scan_text(struct ph_scan *scan, const char *text)
{
    size_t length = strlen(text);
    if ((size_t)(scan->end - scan->next) < length || memcmp(scan->next, text, length) != 0)
        return false;
    scan->next += length;
    return true;
}

/** ph_scan_blanks() - step over blanks and tabs, not over line ends. */
void ph_scan_blanks(struct ph_scan *scan);

/** ph_scan_line() - step over the rest of the line and its end. The line, without "\n" or "\r\n", is returned. */
struct ph_scan ph_scan_line(struct ph_scan *scan);

/** ph_scan_decimal(), ph_scan_hex() - an unsigned number without prefix; false, not moved, for none or one over 64 bits. */
bool ph_scan_decimal(struct ph_scan *scan, uint64_t *ret_value);
bool ph_scan_hex(struct ph_scan *scan, uint64_t *ret_value);

/** ph_scan_utf8() - step over one character; false, not moved, at the end or before bytes that are no UTF-8.
 * PH_UTF8_REPLACEMENT (U+FFFD) is what one writes for such a byte. */
bool ph_scan_utf8(struct ph_scan *scan);
#define PH_UTF8_REPLACEMENT "\xef\xbf\xbd"

/** Where the cursor stands, counted from 1: for messages, so they may take time. Columns are bytes. */
struct ph_scan_place {
    size_t line, column;
};
struct ph_scan_place ph_scan_where(const struct ph_scan *scan);

/**
 * ph_parse_size() - "512KiB", "2MiB", "1G", "4096": bytes. K, M, G, T and KiB, MiB, GiB, TiB are powers of 1024;
 * kB, KB, MB, GB, TB powers of 1000. 0; -EINVAL for anything else; -ERANGE for more than 64 bits.
 */
int ph_parse_size(const char *text, uint64_t *ret_bytes);

/** ph_parse_count() - decimal digits only, at most @max. 0, -EINVAL, -ERANGE. */
int ph_parse_count(const char *text, uint64_t max, uint64_t *ret_count);

#endif
