/* hostile.h - input that ends where memory ends: a parser that reads one byte too many is killed. */
#ifndef PH_TESTS_HOSTILE_H
#define PH_TESTS_HOSTILE_H

#include "base/error.h"

#include <stddef.h>

struct hostile {
    char *pages, *end; /* end: of what can be read */
    size_t size_bytes; /* with the page that cannot */
};

/** hostile_init() - room for @max_bytes; hostile_put() - copy @bytes so that they end where the room ends. */
void hostile_init(struct hostile *hostile, size_t max_bytes);
const char *hostile_put(struct hostile *hostile, const void *bytes, size_t size_bytes);
void hostile_fini(struct hostile *hostile);

/** What a parser answers; it releases what it has read. */
typedef int hostile_parser(const char *bytes, size_t size_bytes, struct ph_error *error);

/** hostile_cut() - the whole input is read, and the input cut behind each of its bytes gives 0, or an error with a text.
 * Returns how many cuts were refused. */
size_t hostile_cut(hostile_parser *parse, const void *bytes, size_t size_bytes);

/** hostile_refuse() - the input is refused with @status and exactly this @text. */
void hostile_refuse(hostile_parser *parse, const void *bytes, size_t size_bytes, int status, const char *text);

/** hostile_read_golden() - a file of tests/golden; free() it. */
char *hostile_read_golden(const char *name, size_t *ret_size_bytes);

#endif
