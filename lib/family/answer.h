/*
 * answer.h - one HTTP answer of another member, put together from pieces. Input is not trusted.
 *
 * HTTP/1.0 or 1.1 with Content-Length, as every answer of our endpoint is (server/http.c): so one that breaks off is told from
 * a whole one. Neither chunks nor interim answers. One thread at a time.
 */
#ifndef PH_FAMILY_ANSWER_H
#define PH_FAMILY_ANSWER_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define PH_ANSWER_HEAD_MAX ((size_t)16 << 10)

struct ph_answer {
    size_t body_max_bytes; /* set by the caller: longer ones are refused */
    struct ph_buf bytes;   /* head and body */
    size_t head_bytes;     /* 0 until the head is complete */
    size_t body_bytes;     /* as announced */
    unsigned status;       /* 200, …; 0 until the head is complete */
};

/**
 * ph_answer_take() - the next piece.
 * 1 once the answer is complete; 0 if more is to come; -EPROTO for what is no such answer; -EMSGSIZE for a longer body than
 * body_max_bytes; -ENOMEM.
 */
int ph_answer_take(struct ph_answer *answer, const char *bytes, size_t size_bytes);

/** ph_answer_body() - of a complete answer: body_bytes bytes. */
const char *ph_answer_body(const struct ph_answer *answer);

/** ph_answer_header() - the value of a header, cut at @capacity - 1 bytes. False, and "", if it is not there. */
bool ph_answer_header(const struct ph_answer *answer, const char *name, char *ret_value, size_t capacity);

void ph_answer_fini(struct ph_answer *answer);

#endif
