/*
 * sampling_fixture.h - a probe for profiles: what it captures is the test's own stack, in functions with known names; how much, when and
 * for whom, the test says.
 */
#ifndef TESTS_UNIT_SAMPLING_FIXTURE_H
#define TESTS_UNIT_SAMPLING_FIXTURE_H

#include "model/profile.h"
#include "probe/probe.h"

#include <stdbool.h>
#include <stdint.h>

#define SAMPLING_LEAF   "sampling_leaf" /* the functions of a capture's stack, called in this order */
#define SAMPLING_MIDDLE "sampling_middle"
#define SAMPLING_ROOT   "sampling_root"
void sampling_leaf(void);
void sampling_middle(void);
void sampling_root(void);

#define SAMPLING_LOG_MAX 4096

struct sampling {
    struct ph_probe probe;

    /* What the probe does. */
    int begin_result, arm_result, ask_result;
    unsigned captures_left; /* to be taken */
    pid_t capture_tid;
    uint32_t capture_count, capture_label_set;
    int64_t capture_later_ns; /* added to now */
    bool is_cut;              /* captures have the begin of the stack only */
    unsigned checks_left;     /* then the signal is lost; UINT32_MAX: never */
    struct ph_sampling_counts counts;
    bool answers; /* those that are asked */

    /* What was done with it. */
    unsigned hz, begins, ends, taken, given_back, asked, unasked;
    pid_t armed[SAMPLING_LOG_MAX], asked_tids[SAMPLING_LOG_MAX];
    unsigned armed_count;
};

extern struct sampling sampling;

/** sampling_setup() - cmocka setup: all as if nothing went wrong; the calling thread is Porthole's. */
int sampling_setup(void **state);

/** sampling_total() - one value of all samples that have the label and @function among their frames; NULL: any. @tid 0: any. */
int64_t sampling_total(const struct ph_profile *profile, int value, pid_t tid, const char *key, const char *text,
                       const char *function);

bool sampling_has_comment(const struct ph_profile *profile, const char *part);

/* A thread in a function with a known name. */
struct sampling_thread {
    pthread_t thread;
    pid_t tid; /* atomic; 0: it has not begun */
    int fds[2];
    bool is_to_end; /* atomic */
};
void sampling_thread_wait(struct sampling_thread *thread); /* in read(), in "sampling_waits" */
void sampling_thread_burn(struct sampling_thread *thread); /* without a system call, in "sampling_burns" */
ssize_t sampling_waits(struct sampling_thread *thread);
void sampling_burns(struct sampling_thread *thread);
void sampling_thread_end(struct sampling_thread *thread);

#endif
