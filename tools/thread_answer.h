/*
 * thread_answer.h - what a server says of its threads: the JSON of /debug/threads.
 *
 * It may be of anybody: what is no number is unknown, what is no text is "". Only the whole has to be what it should: an object with
 * an array of objects "threads".
 */
#ifndef PH_TOOLS_THREAD_ANSWER_H
#define PH_TOOLS_THREAD_ANSWER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PH_THREAD_ANSWER_MAX_BYTES (256 << 20) /* 10,000 threads with 40 frames each are 60 MB */

/* Texts are borrowed from the answer; "" if unknown. */
struct ph_thread_frame {
    uint64_t address, offset; /* offset: in the module; 0 if unknown */
    const char *function, *module, *file;
    int64_t line; /* 0 if unknown */
};

struct ph_thread_wait {
    const char *call, *socket, *peer;
    uint64_t mutex;    /* its address; 0: it waits for none */
    int64_t fd;        /* negative: none */
    int64_t owner_tid; /* of the mutex; 0 if unknown */
    int64_t since_ns;  /* how long; negative: it does not wait, or nobody saw it begin */
};

struct ph_thread_row {
    int64_t pid, tid; /* 0 if unknown */
    const char *name, *state, *truncated;
    const char *labels; /* "key=value, key=value" */
    int64_t cpu_ns;     /* negative if unknown */
    struct ph_thread_wait wait;
    const struct ph_thread_frame *frames; /* leaf first */
    size_t frame_count;
    bool is_shown; /* it passed the filter */
};

/* Each waits for a mutex that the next one holds; the last for one of the first. */
struct ph_thread_cycle {
    int64_t *tids;
    size_t count;
};

struct ph_thread_answer {
    void *root; /* json_t */
    const char *process, *taken_at;
    int64_t pid, duration_ns, interrupted_count; /* negative if unknown */
    struct ph_thread_row *rows;                  /* in the order of the answer */
    size_t row_count, shown_count;
    struct ph_thread_row **by_tid; /* private: the same, ascending */
    struct ph_thread_cycle *cycles;
    size_t cycle_count;
    const char **comments; /* what the server says besides, such as which process of a family did not answer */
    size_t comment_count;
    struct ph_arena text; /* private: what is not in root */
};

/** ph_thread_answer_parse() - 0; -EPROTO if it is no such JSON, with the place in @error; -ENOMEM. All rows are shown. Release with
 * ph_thread_answer_fini(). */
int ph_thread_answer_parse(const char *json, size_t size_bytes, struct ph_thread_answer *ret_answer,
                           struct ph_error *error);
void ph_thread_answer_fini(struct ph_thread_answer *answer);

struct ph_thread_filter {
    const regex_t *name; /* NULL: whatever it is called */
    int64_t waiting_ns;  /* it waits for so long at least; 0: also those that do not */
};

/** ph_thread_answer_filter() - hide all that do not pass. How many of these wait, but nobody knows since when. */
size_t ph_thread_answer_filter(struct ph_thread_answer *answer, const struct ph_thread_filter *filter);

/** ph_thread_answer_json() - append the answer with those threads that are shown; all deadlocks stay. 0 or -ENOMEM. */
int ph_thread_answer_json(const struct ph_thread_answer *answer, struct ph_buf *out);

/** ph_thread_answer_find() - the thread @tid, shown or not; NULL if there is none. */
const struct ph_thread_row *ph_thread_answer_find(const struct ph_thread_answer *answer, int64_t tid);

/** ph_thread_answer_pid_count() - of how many processes the shown threads are. */
size_t ph_thread_answer_pid_count(const struct ph_thread_answer *answer);

#endif
