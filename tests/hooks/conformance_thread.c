#include "conformance.h"

#include <pthread.h>
#include <stddef.h>
#include <threads.h>

static void *return_argument(void *argument)
{
    return argument;
}

CALL(pthread_create)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *result = NULL;
    pthread_attr_init(&attributes);
    if (way != GOOD)
        pthread_attr_setstacksize(&attributes, (size_t)1 << 46); /* EAGAIN: no such room */
    errno = 0;
    struct outcome seen = outcome(f(&thread, &attributes, return_argument, (void *)77));
    if (seen.value == 0) {
        pthread_join(thread, &result);
        seen.value += (long)result;
    }
    pthread_attr_destroy(&attributes);
    return seen;
}

static int return_number(void *argument)
{
    return (int)(long)argument;
}

CALL(thrd_create)
{
    thrd_t thread;
    int result = 0;
    (void)way; /* nothing can be wrong with it */
    errno = 0;
    struct outcome seen = outcome(f(&thread, return_number, (void *)78));
    if (seen.value == thrd_success) {
        thrd_join(thread, &result);
        seen.value += result;
    }
    return seen;
}
