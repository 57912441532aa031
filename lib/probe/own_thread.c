/* own_thread.c - the making of our own threads, and two in reserve. */
#include "probe/allocator.h"
#include "probe/counters.h"
#include "probe/fork.h"
#include "probe/thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define OWN_STACK_BYTES ((size_t)512 * 1024)
#define SPARE_COUNT     2 /* the endpoint and one collector */
#define SPARE_NAME      "porthole/spare"
#define SPARE_MOMENTS   40 /* 0.2 s */

/* What a thread of ours is to do; on the heap until it has begun. */
struct own_work {
    char name[16];
    void *(*body)(void *);
    void *argument;
};

static void *run_own(void *argument)
{
    struct own_work work = *(struct own_work *)argument;
    free(argument);
    prctl(PR_SET_NAME, work.name);
    return work.body(work.argument);
}

/* @stack_bytes: 0 for what the C library thinks right. */
static int create_detached(struct own_work *work, size_t stack_bytes)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int result = pthread_attr_init(&attributes);
    if (result != 0)
        return -result;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (stack_bytes)
        pthread_attr_setstacksize(&attributes, stack_bytes);
    result = ph_thread_create_own(&thread, &attributes, run_own, work);
    pthread_attr_destroy(&attributes);
    return -result;
}

static int make_thread(const char *name, void *(*body)(void *), void *argument)
{
    struct own_work *work = malloc(sizeof(*work));
    if (!work)
        return -ENOMEM;
    *work = (struct own_work){.body = body, .argument = argument};
    strncpy(work->name, name, sizeof(work->name) - 1);

    /* The new thread inherits the mask: no signal meant for the host is ever delivered to one of ours. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = create_detached(work, OWN_STACK_BYTES);
    if (result == -EINVAL)
        result = create_detached(work, 0); /* the host's thread-local variables, which lie there too, take more */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result < 0)
        free(work);
    return result;
}

/* ---- Spares ---- */

enum spare_state {
    NOT_MADE,
    PARKED,
    TAKEN, /* its work is being written */
    AT_WORK,
    TO_END,
};

static struct spare {
    int state; /* enum spare_state; atomic; a futex */
    struct own_work work;
} spares[SPARE_COUNT];

static void enter(struct spare *spare, enum spare_state state)
{
    __atomic_store_n(&spare->state, state, __ATOMIC_RELEASE);
    syscall(SYS_futex, &spare->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static bool move(struct spare *spare, int from, enum spare_state to)
{
    return __atomic_compare_exchange_n(&spare->state, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void *wait_for_work(void *argument)
{
    struct spare *spare = argument;
    for (;;) {
        int state = __atomic_load_n(&spare->state, __ATOMIC_ACQUIRE);
        if (state == TO_END) {
            enter(spare, NOT_MADE);
            return NULL;
        }
        if (state != AT_WORK) {
            ph_park();
            syscall(SYS_futex, &spare->state, FUTEX_WAIT_PRIVATE, state, NULL, NULL, 0);
            ph_unpark();
            continue;
        }
        prctl(PR_SET_NAME, spare->work.name);
        spare->work.body(spare->work.argument);
        prctl(PR_SET_NAME, SPARE_NAME);
        ph_allocator_leave_own();     /* as at the end of a thread: give back what the work held */
        move(spare, AT_WORK, PARKED); /* or it is TO_END by now */
    }
}

void ph_own_spares_make(void)
{
    for (size_t i = 0; i < SPARE_COUNT; i++)
        if (move(&spares[i], NOT_MADE, PARKED) && make_thread(SPARE_NAME, wait_for_work, &spares[i]) < 0) {
            enter(&spares[i], NOT_MADE);
            ph_degrade(PH_DEGRADED_SPARES);
        }
}

/* One that is at work ends after it: it has the descriptors of a window that is no more. */
static void release(struct spare *spare)
{
    if (move(spare, PARKED, TO_END) || move(spare, AT_WORK, TO_END)) /* no second store: it may have ended by now */
        syscall(SYS_futex, &spare->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void ph_own_spares_release(void)
{
    for (size_t i = 0; i < SPARE_COUNT; i++)
        release(&spares[i]);
}

void ph_own_spares_forget(void)
{
    memset(spares, 0, sizeof(spares));
}

static bool use_spare(const char *name, void *(*body)(void *), void *argument)
{
    for (size_t i = 0; i < SPARE_COUNT; i++) {
        if (!move(&spares[i], PARKED, TAKEN))
            continue;
        spares[i].work = (struct own_work){.body = body, .argument = argument};
        strncpy(spares[i].work.name, name, sizeof(spares[i].work.name) - 1);
        enter(&spares[i], AT_WORK);
        return true;
    }
    return false;
}

/* A spare is parked a moment after the answer it made was sent, and the client may be back by then. */
static bool wait_for_spare(const char *name, void *(*body)(void *), void *argument)
{
    const struct timespec moment = {.tv_nsec = 5 * 1000 * 1000};
    for (int i = 0; i < SPARE_MOMENTS; i++) {
        if (use_spare(name, body, argument))
            return true;
        nanosleep(&moment, NULL);
    }
    return false;
}

int ph_own_thread(const char *name, void *(*body)(void *), void *argument)
{
    int result = make_thread(name, body, argument);
    return result < 0 && ph_on_own_thread() && wait_for_spare(name, body, argument) ? 0 : result;
}
