/* wake_calls.h - the calls that wake a forked child, for test_wake.c. */
#ifndef PH_TESTS_WAKE_CALLS_H
#define PH_TESTS_WAKE_CALLS_H

#include <stddef.h>

struct wake_call {
    const char *name;
    void (*act)(void); /* returns within a second or so */
};

extern const struct wake_call wake_calls[];
extern const size_t wake_call_count;

void wake_by_poll(void);

/* With one byte to be read. */
int wake_full_pipe(void);
int wake_full_socket(void);

#endif
