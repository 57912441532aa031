#include "probe/timers.h"

#include "base/clock.h"
#include "probe/activate.h"
#include "probe/capture.h"
#include "probe/signal.h"
#include "probe/thread.h"
#include "probe/wait.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STRANGERS_MAX 256 /* threads without a slot that can have a timer */

/* timer_create() of glibc takes the id of the caller for SIGEV_THREAD_ID only by its own names, and keeps a table. */
#define EVENT_TID(event) ((event)._sigev_un._tid)

/*
 * Of ph_thread_slot.timer_word: the state, and above it a number.
 *
 * Issue: the one that samples finds a thread's slot and makes it a timer; meanwhile the thread may end, and its slot be the next one's.
 * Solution: the thread that ends leaves ENDED, which nobody arms, and one that begins NO_TIMER, before its id is there to be found. BUSY
 * tells for whom: a timer comes into the slot only if it still says so, and what is BUSY for another is of one that has ended.
 */
enum timer_state {
    NO_TIMER,
    BUSY,    /* a timer is being made; the number: for this thread */
    ARMED,   /* the number: the kernel's of the timer */
    ENDED,   /* the thread has, or is about to */
    REFUSED, /* it is counted, and not tried again */
};

/* A thread that the registry does not know. */
struct stranger {
    pid_t tid; /* 0: none */
    int timer;
};

static int signal_number;     /* atomic; 0: no sampling runs */
static pid_t sampled_process; /* a child of _Fork() is not told that it is one */
static unsigned rate_hz;
static uint64_t unarmed_count, tiny_count, lost_count; /* atomic */
static int32_t room; /* atomic: timers that can still be made; each takes one from what the host can queue */
static struct stranger strangers[STRANGERS_MAX]; /* of the thread that samples */
static uint32_t last_number;                     /* atomic, a hint: the slot that was asked for last */

/* ---- The kernel's timers, by raw calls ---- */

/* The CPU clock of a thread, as the kernel numbers them (include/linux/posix-timers.h): also of another than the caller. */
static clockid_t clock_of(pid_t tid)
{
    return (clockid_t)((~(unsigned)tid << 3) | 6);
}

/* Somewhere in the first period: else threads that begin together are all asked in the same moment (as Go does). */
static uint64_t first_ns(pid_t tid, uint64_t period_ns)
{
    uint64_t mixed = ((uint64_t)tid + (uint64_t)ph_clock_monotonic_ns()) * UINT64_C(0x9e3779b97f4a7c15);
    return 1 + (mixed >> 32) * period_ns / (UINT64_C(1) << 32);
}

static int create_timer(pid_t tid, int number)
{
    struct sigevent event;
    int timer = -1;
    memset(&event, 0, sizeof(event));
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = number;
    event.sigev_value = ph_signal_value(PH_CAPTURE_BY_TIMER | (uint32_t)tid);
    EVENT_TID(event) = tid;
    if (syscall(SYS_timer_create, clock_of(tid), &event, &timer) < 0)
        return errno == EINVAL ? -ESRCH : -errno; /* EINVAL: the clock of a thread that is no more */
    uint64_t period_ns = (uint64_t)PH_NS_PER_S / rate_hz, start_ns = first_ns(tid, period_ns);
    struct itimerspec times = {
        .it_interval = {(time_t)(period_ns / PH_NS_PER_S), (long)(period_ns % PH_NS_PER_S)},
        .it_value = {(time_t)(start_ns / PH_NS_PER_S), (long)(start_ns % PH_NS_PER_S)},
    };
    syscall(SYS_timer_settime, timer, 0, &times, NULL);
    return timer;
}

static int make_timer(pid_t tid, int number)
{
    bool has_room = __atomic_fetch_sub(&room, 1, __ATOMIC_RELAXED) > 0;
    int timer = has_room ? create_timer(tid, number) : -EAGAIN;
    if (timer < 0)
        __atomic_fetch_add(&room, 1, __ATOMIC_RELAXED);
    return timer;
}

static void delete_timer(int timer)
{
    syscall(SYS_timer_delete, timer);
    __atomic_fetch_add(&room, 1, __ATOMIC_RELAXED);
}

/* ---- Those of the registry's threads ---- */

static uint64_t pack(enum timer_state state, int number)
{
    return (uint64_t)(uint32_t)number << 8 | state;
}

static enum timer_state state_of(uint64_t word)
{
    return (enum timer_state)(word & 0xff);
}

static int number_of(uint64_t word)
{
    return (int)(uint32_t)(word >> 8);
}

static bool move(struct ph_thread_slot *slot, uint64_t from, uint64_t to)
{
    return __atomic_compare_exchange_n(&slot->timer_word, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* By the thread itself, or by the one that samples; not by both. */
static bool claim(struct ph_thread_slot *slot, pid_t tid)
{
    uint64_t word = __atomic_load_n(&slot->timer_word, __ATOMIC_ACQUIRE), busy = pack(BUSY, tid);
    while (word == NO_TIMER || (state_of(word) == BUSY && word != busy))
        if (__atomic_compare_exchange_n(&slot->timer_word, &word, busy, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            return true;
    return false;
}

/* That of a thread which has ended is left as it was found. */
static int refuse(struct ph_thread_slot *slot, pid_t tid, int result)
{
    if (result == -EAGAIN || result == -ENOMEM)
        __atomic_fetch_add(&unarmed_count, 1, __ATOMIC_RELAXED);
    move(slot, pack(BUSY, tid), result == -ESRCH ? NO_TIMER : REFUSED);
    return result;
}

static int arm_slot(struct ph_thread_slot *slot, pid_t tid)
{
    int number = __atomic_load_n(&signal_number, __ATOMIC_ACQUIRE);
    if (!number || !claim(slot, tid))
        return 0;
    if (__atomic_load_n(&slot->record.tid, __ATOMIC_ACQUIRE) != tid)
        return refuse(slot, tid, -ESRCH);
    if (__atomic_load_n(&slot->tiny_signal_stack, __ATOMIC_SEQ_CST)) {
        __atomic_fetch_add(&tiny_count, 1, __ATOMIC_RELAXED);
        return refuse(slot, tid, -EPERM);
    }
    int timer = make_timer(tid, number);
    if (timer < 0)
        return refuse(slot, tid, timer);
    if (!move(slot, pack(BUSY, tid), pack(ARMED, timer)))
        delete_timer(timer); /* the thread has ended meanwhile, or got a tiny stack */
    return 0;
}

/* Who takes an armed timer out of the word deletes it. What was being made is deleted by who makes it. */
static void leave(struct ph_thread_slot *slot, enum timer_state state)
{
    uint64_t word = __atomic_exchange_n(&slot->timer_word, state, __ATOMIC_SEQ_CST);
    if (state_of(word) == ARMED)
        delete_timer(number_of(word));
}

static void disarm_slot(struct ph_thread_slot *slot)
{
    uint64_t word = __atomic_load_n(&slot->timer_word, __ATOMIC_ACQUIRE);
    bool is_armed = state_of(word) == ARMED;
    if ((is_armed || state_of(word) == REFUSED) && move(slot, word, NO_TIMER) && is_armed)
        delete_timer(number_of(word));
}

void ph_timers_slot_begins(struct ph_thread_slot *slot)
{
    __atomic_store_n(&slot->timer_word, NO_TIMER, __ATOMIC_RELEASE);
}

void ph_timers_thread_begins(struct ph_thread_slot *slot)
{
    if (!__atomic_load_n(&signal_number, __ATOMIC_ACQUIRE) || slot->record.own || getpid() != sampled_process)
        return;
    arm_slot(slot, slot->record.tid);
    if (!__atomic_load_n(&signal_number, __ATOMIC_ACQUIRE))
        disarm_slot(slot); /* it ended in between, and may have passed this slot already */
}

void ph_timers_thread_ends(struct ph_thread_slot *slot)
{
    leave(slot, ENDED);
}

/* ---- Stacks that a signal does not fit on ---- */

/* The thread that samples asks a thread only between these; so once the flag is seen, no signal is under way but one that waits. */
bool ph_timers_may_ask(struct ph_thread_slot *slot)
{
    __atomic_fetch_add(&slot->asking_count, 1, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&slot->tiny_signal_stack, __ATOMIC_SEQ_CST))
        return true;
    ph_timers_has_asked(slot);
    return false;
}

void ph_timers_has_asked(struct ph_thread_slot *slot)
{
    __atomic_fetch_sub(&slot->asking_count, 1, __ATOMIC_SEQ_CST);
}

void ph_timers_shun(struct ph_thread_slot *slot)
{
    __atomic_store_n(&slot->tiny_signal_stack, true, __ATOMIC_SEQ_CST);
    leave(slot, NO_TIMER);
    for (int i = 0; i < 1000 && __atomic_load_n(&slot->asking_count, __ATOMIC_SEQ_CST); i++)
        sched_yield();
}

/* ---- The sampling ---- */

int ph_sampling_begin(unsigned hz, size_t stack_bytes)
{
    if (__atomic_load_n(&signal_number, __ATOMIC_ACQUIRE))
        return -EBUSY;
    if (ph_activation_is_filtered())
        return -EPERM;
    int number = ph_signal_acquire();
    int result = number < 0 ? number : ph_ring_open(stack_bytes);
    if (result < 0)
        return result;
    rate_hz = hz;
    sampled_process = getpid();
    unarmed_count = tiny_count = lost_count = 0;
    room = (int32_t)(ph_signal_queue_left() / 2); /* the rest is the host's, and its user's */
    ph_wait_hold(number);
    __atomic_store_n(&signal_number, number,
                     __ATOMIC_SEQ_CST); /* seen by whoever begins after a slot was found to be armed */
    return 0;
}

/* Callers go through the threads in the order of their ids, which is mostly that of the slots. */
struct ph_thread_slot *ph_timers_slot_of(pid_t tid)
{
    if (tid == getpid() && ph_thread_first())
        return ph_thread_first();
    uint32_t count = ph_thread_slot_count(), from = __atomic_load_n(&last_number, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = (from + i) % count + 1;
        struct ph_thread_slot *slot = ph_thread_slot_at(number);
        if (slot && __atomic_load_n(&slot->record.tid, __ATOMIC_ACQUIRE) == tid) {
            __atomic_store_n(&last_number, number, __ATOMIC_RELAXED);
            return slot;
        }
    }
    return NULL;
}

static struct stranger *find_stranger(pid_t tid)
{
    for (size_t i = 0; i < STRANGERS_MAX; i++)
        if (strangers[i].tid == tid)
            return &strangers[i];
    return NULL;
}

/* Of threads that have ended since; the kernel keeps their timers. */
static void forget_strangers(void)
{
    for (size_t i = 0; i < STRANGERS_MAX; i++)
        if (strangers[i].tid && syscall(SYS_tgkill, getpid(), strangers[i].tid, 0) < 0) {
            delete_timer(strangers[i].timer);
            strangers[i].tid = 0;
        }
}

static int arm_stranger(pid_t tid)
{
    if (find_stranger(tid))
        return 0;
    struct stranger *place = find_stranger(0);
    if (!place) {
        forget_strangers();
        place = find_stranger(0);
    }
    int timer = place ? make_timer(tid, signal_number) : -EAGAIN;
    if (timer >= 0)
        *place = (struct stranger){tid, timer};
    else if (timer == -EAGAIN)
        __atomic_fetch_add(&unarmed_count, 1, __ATOMIC_RELAXED);
    return timer < 0 ? timer : 0;
}

int ph_sampling_arm(pid_t tid)
{
    struct ph_thread_slot *slot = ph_timers_slot_of(tid);
    if (slot && slot->record.own)
        return -EPERM;
    return slot ? arm_slot(slot, tid) : arm_stranger(tid);
}

bool ph_sampling_check(void)
{
    bool holds = ph_signal_holds();
    if (!holds)
        lost_count = 1;
    return holds;
}

void ph_sampling_end(struct ph_sampling_counts *ret_counts)
{
    __atomic_store_n(&signal_number, 0, __ATOMIC_RELEASE);
    ph_wait_release();
    uint32_t count = ph_thread_slot_count();
    for (uint32_t number = 1; number <= count; number++) {
        struct ph_thread_slot *slot = ph_thread_slot_at(number);
        if (slot)
            disarm_slot(slot);
    }
    if (ph_thread_first())
        disarm_slot(ph_thread_first());
    for (size_t i = 0; i < STRANGERS_MAX; i++)
        if (strangers[i].tid)
            delete_timer(strangers[i].timer);
    memset(strangers, 0, sizeof(strangers));
    *ret_counts =
        (struct ph_sampling_counts){.unarmed = unarmed_count, .tiny_stacks = tiny_count, .lost_signal = lost_count};
    ph_ring_counts(ret_counts);
    ph_ring_close();
}

/* Most often there were none: then nothing is written, and no page of the parent copied. */
void ph_timers_forked(void)
{
    uint32_t count = signal_number ? ph_thread_slot_count() : 0;
    for (uint32_t number = 1; number <= count; number++) {
        struct ph_thread_slot *slot = ph_thread_slot_at(number);
        if (slot && slot->timer_word)
            slot->timer_word = NO_TIMER;
    }
    if (ph_thread_first() && ph_thread_first()->timer_word)
        ph_thread_first()->timer_word = NO_TIMER;
    if (signal_number)
        memset(strangers, 0, sizeof(strangers));
    signal_number = 0;
    ph_wait_forked();
}
