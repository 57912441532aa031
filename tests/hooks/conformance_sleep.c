/* Waiting for time to pass, or for a semaphore. */
#include "conformance.h"

#include <semaphore.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define LONG_S 1000

static struct timespec duration(enum way way)
{
    return (struct timespec){way == BLOCK ? LONG_S : 0, way == BAD ? -1 : 1000};
}

CALL(nanosleep)
{
    struct timespec asked = duration(way), rest = {4711, 4711};
    struct outcome seen = outcome(f(&asked, &rest));
    seen.value = seen.value * 10000 + rest.tv_sec; /* written only when it is interrupted */
    return seen;
}

CALL(clock_nanosleep)
{
    struct timespec asked = duration(way);
    return (struct outcome){f(CLOCK_MONOTONIC, 0, &asked, NULL), 0};
}

CALL(usleep)
{
    return outcome(f(way == BLOCK ? LONG_S * 1000000U : 100)); /* no argument is refused */
}

CALL(sleep)
{
    return outcome((long)f(way == BLOCK ? LONG_S : 0));
}

/* A semaphore at one; at nothing, if it is not to be had. What it stands at afterwards is part of the outcome. */
static void make_semaphore(sem_t *semaphore, enum way way)
{
    sem_init(semaphore, 0, way == GOOD);
    errno = 0;
}

static struct outcome waited(struct outcome seen, sem_t *semaphore)
{
    int left = -1;
    sem_getvalue(semaphore, &left);
    seen.value = seen.value * 10 + left;
    return seen;
}

/* A time that has passed long since; for BLOCK, one that never comes. */
static struct timespec end_of_wait(enum way way)
{
    return (struct timespec){way == BLOCK ? INT32_MAX : 1, 0};
}

CALL(sem_wait)
{
    sem_t semaphore;
    make_semaphore(&semaphore, way == BLOCK ? BLOCK : GOOD);
    return waited(outcome(f(&semaphore)), &semaphore);
}

CALL(sem_timedwait)
{
    sem_t semaphore;
    struct timespec end = end_of_wait(way);
    make_semaphore(&semaphore, way);
    return waited(outcome(f(&semaphore, &end)), &semaphore);
}

CALL(sem_clockwait)
{
    sem_t semaphore;
    struct timespec end = end_of_wait(way);
    make_semaphore(&semaphore, way);
    return waited(outcome(f(&semaphore, CLOCK_MONOTONIC, &end)), &semaphore);
}
