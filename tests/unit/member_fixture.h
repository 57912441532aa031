/* member_fixture.h - processes of a family that are threads: each serves one abstract socket, as its script says. */
#ifndef PH_TESTS_MEMBER_FIXTURE_H
#define PH_TESTS_MEMBER_FIXTURE_H

#include "family/segment.h"
#include "probe/probe.h"

#include <stdbool.h>
#include <stddef.h>

#define MEMBER_FIRST_PID 5000000 /* above all that Linux gives */

struct member_script {
    const char *answer; /* what is sent, whatever was asked; NULL: nothing, and the connection stays open */
    size_t answer_bytes;
    const char *symbol_answer; /* to a request for names, if it is not NULL; text */
    size_t piece_bytes;        /* 0: all at once */
    bool never_accepts;
    int delay_ms; /* before the answer */
};

struct member_fixture;

/** member_start() - at @porthole/@pid. */
struct member_fixture *member_start(pid_t pid, const struct member_script *script);

/** member_request() - the last request, whole; "" if there was none. */
const char *member_request(const struct member_fixture *member);
unsigned member_request_count(const struct member_fixture *member);
void member_stop(struct member_fixture *member);

/** member_answer() - an HTTP answer of member @pid with that status and body; free() it. */
char *member_answer(pid_t pid, const char *status, const char *body, size_t body_bytes, size_t *ret_bytes);

/** member_row() - as the segment has it. */
struct ph_member member_row(pid_t pid);

/** member_probe - with what the asking needs of the probe. */
extern const struct ph_probe member_probe;

#endif
