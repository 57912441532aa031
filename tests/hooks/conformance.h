/*
 * conformance.h - what the files of test_conformance share: one call of each hook, by family.
 *
 * CALL(name) begins the body of call_<name>(): call @f, which is the hook or the libc function behind it, in this @way, and
 * tell what came of it. A CALL() for what is no hook (yet) does no harm; a hook without its CALL() does not link.
 */
#ifndef PH_TESTS_CONFORMANCE_H
#define PH_TESTS_CONFORMANCE_H

#include <errno.h>

enum way {
    BAD,   /* with arguments that are refused, if there are any */
    GOOD,  /* with arguments that work; what is waited for is there */
    BLOCK, /* waits for what never comes: cancellation points only */
};

struct outcome {
    long value;
    int error;
};

typedef void any_function(void);

#define CALL(hook)                                                                                                 \
    static struct outcome do_##hook(__typeof__(hook) *f, enum way way);                                            \
    struct outcome call_##hook(any_function *f, enum way way);                                                     \
    struct outcome call_##hook(any_function *f, enum way way)                                                      \
    {                                                                                                              \
        return do_##hook((__typeof__(hook) *)f, way);                                                              \
    }                                                                                                              \
    static struct outcome do_##hook(__typeof__(hook) *f, enum way way)

static inline struct outcome outcome(long value)
{
    return (struct outcome){value, errno};
}

/* conformance_fixture.c; none of these goes through a hook, most work in a vfork child */
void discard(int fd);
int bound_socket(void);
int connected_listener(int *ret_client);

/* A socket with "abcde" to be read; with nothing for BLOCK; -1 for BAD. */
int readable(enum way way);

/* The @count bytes at @text as a number, with @count itself. */
long digest(const char *text, long count);

/* A child process that ends with status 7, for BLOCK never before its parent. Made by a bare clone(). */
int child_that_ends(enum way way);

/* @signal_number pending for this thread, and blocked. */
void make_pending(int signal_number);

#endif
