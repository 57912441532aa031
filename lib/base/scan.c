#include "base/scan.h"

#include <errno.h>
#include <string.h>

void ph_scan_blanks(struct ph_scan *scan)
{
    while (scan->next < scan->end && (*scan->next == ' ' || *scan->next == '\t'))
        scan->next++;
}

struct ph_scan ph_scan_line(struct ph_scan *scan)
{
    size_t left = (size_t)(scan->end - scan->next);
    const char *newline = left ? memchr(scan->next, '\n', left) : NULL;
    struct ph_scan line = {scan->next, scan->next, newline ? newline : scan->end};
    scan->next = newline ? newline + 1 : scan->end;
    if (line.end > line.start && line.end[-1] == '\r')
        line.end--;
    return line;
}

bool ph_scan_decimal(struct ph_scan *scan, uint64_t *ret_value)
{
    uint64_t value = 0;
    const char *next = scan->next;
    for (; next < scan->end && *next >= '0' && *next <= '9'; next++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*next - '0'), &value))
            return false;
    if (next == scan->next)
        return false;
    scan->next = next;
    *ret_value = value;
    return true;
}

/* A table, not branches: a heap dump of 100,000 stacks has tens of millions of these digits. */
static const signed char hex_digit[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static inline uint64_t hex_value(char c)
{
    return (uint64_t)hex_digit[(unsigned char)c];
}

/* Four digits at once: their look-ups do not wait for one another. False if one of them is none. */
static inline bool hex_group(const char *next, uint64_t *ret_group)
{
    uint64_t a = hex_value(next[0]), b = hex_value(next[1]), c = hex_value(next[2]), d = hex_value(next[3]);
    *ret_group = (a << 12) + (b << 8) + (c << 4) + d - 0x1111;
    return a && b && c && d;
}

bool ph_scan_hex(struct ph_scan *scan, uint64_t *ret_value)
{
    uint64_t value = 0, group;
    const char *next = scan->next;
    for (; scan->end - next >= 4 && !(value >> 48) && hex_group(next, &group); next += 4)
        value = value << 16 | group;
    for (; next < scan->end && hex_digit[(unsigned char)*next]; next++) {
        if (value >> 60)
            return false;
        value = value << 4 | (uint64_t)(hex_digit[(unsigned char)*next] - 1);
    }
    if (next == scan->next)
        return false;
    scan->next = next;
    *ret_value = value;
    return true;
}

/* How many bytes the character that begins with @first has, 0 if none begins so (RFC 3629, section 4). */
static size_t utf8_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

/* Overlong forms, surrogates and what lies beyond U+10FFFF: told by the second byte (RFC 3629, section 4). */
static bool is_utf8_pair(unsigned char first, unsigned char second)
{
    static const struct {
        unsigned char first, lowest, highest;
    } rows[] = {{0xe0, 0xa0, 0xbf}, {0xed, 0x80, 0x9f}, {0xf0, 0x90, 0xbf}, {0xf4, 0x80, 0x8f}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].first == first)
            return second >= rows[i].lowest && second <= rows[i].highest;
    return true;
}

bool ph_scan_utf8(struct ph_scan *scan)
{
    const unsigned char *s = (const unsigned char *)scan->next;
    size_t left = (size_t)(scan->end - scan->next);
    size_t length = left ? utf8_length(s[0]) : 0;
    if (length == 0 || length > left || (length > 1 && !is_utf8_pair(s[0], s[1])))
        return false;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return false;
    scan->next += length;
    return true;
}

struct ph_scan_place ph_scan_where(const struct ph_scan *scan)
{
    struct ph_scan_place place = {1, 1};
    for (const char *c = scan->start; c < scan->next; c++) {
        place.column++;
        if (*c == '\n')
            place = (struct ph_scan_place){place.line + 1, 1};
    }
    return place;
}

int ph_parse_size(const char *text, uint64_t *ret_bytes)
{
    static const struct {
        const char *suffix;
        uint64_t factor;
    } units[] = {
        {"", 1},
        {"B", 1},
        {"K", UINT64_C(1) << 10},
        {"KiB", UINT64_C(1) << 10},
        {"M", UINT64_C(1) << 20},
        {"MiB", UINT64_C(1) << 20},
        {"G", UINT64_C(1) << 30},
        {"GiB", UINT64_C(1) << 30},
        {"T", UINT64_C(1) << 40},
        {"TiB", UINT64_C(1) << 40},
        {"kB", 1000},
        {"KB", 1000},
        {"MB", 1000000},
        {"GB", 1000000000},
        {"TB", UINT64_C(1000000000000)},
    };
    struct ph_scan scan = ph_scan_over(text, strlen(text));
    uint64_t value;
    if (!ph_scan_decimal(&scan, &value))
        return scan.end > scan.start && *text >= '0' && *text <= '9' ? -ERANGE : -EINVAL;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(scan.next, units[i].suffix) != 0)
            continue;
        if (__builtin_mul_overflow(value, units[i].factor, &value))
            return -ERANGE;
        *ret_bytes = value;
        return 0;
    }
    return -EINVAL;
}

int ph_parse_count(const char *text, uint64_t max, uint64_t *ret_count)
{
    size_t length = strlen(text);
    if (length == 0 || strspn(text, "0123456789") != length)
        return -EINVAL;
    struct ph_scan scan = ph_scan_over(text, length);
    uint64_t value;
    if (!ph_scan_decimal(&scan, &value) || value > max)
        return -ERANGE;
    *ret_count = value;
    return 0;
}
