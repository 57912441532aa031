#include "probe/capture.h"

#include "base/clock.h"
#include "probe/activate.h"
#include "probe/context.h"
#include "probe/guard.h"
#include "probe/readable.h"
#include "probe/signal.h"
#include "probe/timers.h"
#include "probe/wait.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE_BYTES     ((uintptr_t)4096)
#define RED_ZONE_BYTES ((uintptr_t)128)
#define SLOT_BYTES     (PAGE_BYTES + PH_CAPTURE_STACK_BYTES)
#define RING_MIN       128
#define RING_MAX       1024
#define TRIES          8 /* slots of the ring that a handler looks at */

/* From the stack pointer to its end, the main thread's stack; the kernel keeps at least so much apart from what else is mapped
 * (mmap_base() in Linux). */
#define MAIN_STACK_MAX ((uintptr_t)128 << 20)

/* The word of a slot: the state in its low 8 bits; above it, as far as a payload has room, a count of its uses. */
#define STATE_MASK UINT32_C(0xff)
#define USE_MASK   UINT32_C(0x7fffff00)
#define USE_ONE    UINT32_C(0x100)

enum slot_state {
    FREE,
    ASKED,   /* a signal is under way */
    WRITING, /* by a handler */
    READY,
    READING,
    GIVEN_UP, /* while it is written */
};

/* The stack begins on a page of its own. By the count of uses a late signal finds that it is not meant any more. */
struct slot {
    uint32_t word; /* atomic */
    struct ph_capture capture;
    uint8_t stack[] __attribute__((aligned(4096)));
};

struct slots {
    uint8_t *memory; /* atomic; count of SLOT_BYTES each; never unmapped */
    uint32_t count;
};

static struct slots ring, tickets;
static uint32_t ring_open;                          /* atomic */
static size_t stack_limit_bytes;                    /* of the ring's */
static uint32_t ring_hint;                          /* atomic: where the next handler looks first */
static uint32_t read_place;                         /* of the reader */
static uint64_t read_count;                         /* of the reader: of those captured */
static uint64_t captured_count, dropped_full_count; /* atomic */

static struct slot *slot_at(const struct slots *slots, uint32_t place)
{
    return (struct slot *)(slots->memory + (size_t)place * SLOT_BYTES);
}

static enum slot_state state_of(uint32_t word)
{
    return (enum slot_state)(word & STATE_MASK);
}

static uint32_t load(const struct slot *slot)
{
    return __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE);
}

static void store(struct slot *slot, uint32_t word)
{
    __atomic_store_n(&slot->word, word, __ATOMIC_RELEASE);
}

static bool move(struct slot *slot, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&slot->word, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* ---- The handler ---- */

/* A stack that is not the one the thread was made with: a coroutine's, an alternate one. */
static size_t readable_bytes_sig(uintptr_t low, size_t limit_bytes)
{
    uintptr_t end = (low & ~(PAGE_BYTES - 1)) + PAGE_BYTES;
    while (end - low < limit_bytes && ph_is_readable_sig((const void *)end))
        end += PAGE_BYTES;
    return end - low < limit_bytes ? end - low : limit_bytes;
}

/* Leaf functions keep values below the stack pointer (AMD64 ABI, 3.2.2): OpenSSL's assembly its caller's stack pointer. */
static uintptr_t with_red_zone_sig(uintptr_t sp)
{
    uintptr_t low = sp - RED_ZONE_BYTES;
    bool same_page = (low & ~(PAGE_BYTES - 1)) == (sp & ~(PAGE_BYTES - 1));
    return same_page || ph_is_readable_sig((const void *)(low & ~(PAGE_BYTES - 1))) ? low : sp;
}

static bool holds(const struct ph_thread *record, uintptr_t sp)
{
    uintptr_t low = record->stack_low ? record->stack_low : record->stack_high - MAIN_STACK_MAX;
    return record->stack_high && sp < record->stack_high && sp >= low;
}

/* What lies behind a coroutine's stack is not this thread's: another may unmap it at any time. The kernel copies up to what is not there. */
static bool copy_safely_sig(uint8_t *to, struct ph_capture *capture)
{
    struct iovec local = {to, capture->stack_bytes},
                 remote = {(void *)(uintptr_t)capture->stack_low, local.iov_len};
    long count = syscall(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1, 0);
    if (count <= 0)
        return false;
    capture->stack_is_cut = (size_t)count == capture->stack_bytes;
    capture->stack_bytes = (size_t)count;
    return true;
}

/* memcpy() of this object would be the host's, if that brings one. */
static void copy_sig(uint8_t *to, const uint8_t *from, size_t size_bytes)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size_bytes) : : "memory");
}

static void copy_known_sig(uint8_t *to, const struct ph_thread *record, struct ph_capture *capture,
                           size_t limit_bytes)
{
    size_t bytes = record->stack_high - capture->stack_low;
    capture->stack_high = record->stack_high;
    capture->stack_is_cut = bytes > limit_bytes;
    capture->stack_bytes = capture->stack_is_cut ? limit_bytes : bytes;
    copy_sig(to, (const uint8_t *)capture->stack_low, capture->stack_bytes);
}

static void copy_unknown_sig(uint8_t *to, struct ph_capture *capture, size_t limit_bytes)
{
    capture->stack_bytes = limit_bytes;
    if (copy_safely_sig(to, capture))
        return;
    capture->stack_bytes =
        readable_bytes_sig(capture->stack_low, limit_bytes); /* some filters forbid to ask that way */
    capture->stack_is_cut = capture->stack_bytes == limit_bytes;
    copy_sig(to, (const uint8_t *)capture->stack_low, capture->stack_bytes);
}

static void fill_sig(struct slot *slot, pid_t tid, const ucontext_t *context, size_t limit_bytes)
{
    const struct ph_thread_slot *own = ph_tls.slot;
    struct ph_capture *capture = &slot->capture;
    *capture = (struct ph_capture){.tid = tid, .count = 1, .stack = slot->stack};
    capture->time_ns = (uint64_t)ph_clock_monotonic_ns();
    capture->label_set = ph_tls.label_set;
    ph_context_registers_sig(context, capture->registers);
    uintptr_t frame, call = ph_wait_call_sig(context, &frame);
    if (call)
        ph_context_at_call_sig(capture->registers, call, frame);
    capture->stack_low = call ? frame + sizeof(frame) : with_red_zone_sig(ph_context_sp_sig(context));
    /* One that was made by a bare clone() may have another thread's variables. */
    const struct ph_thread *record = own && own->record.tid == capture->tid ? &own->record : NULL;
    if (record && holds(record, capture->stack_low))
        copy_known_sig(slot->stack, record, capture, limit_bytes);
    else
        copy_unknown_sig(slot->stack, capture, limit_bytes);
}

static struct slot *claim_sig(void)
{
    uint32_t first = __atomic_fetch_add(&ring_hint, 1, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < TRIES; i++) {
        struct slot *slot = slot_at(&ring, (first + i) % ring.count);
        if (load(slot) == FREE && move(slot, FREE, WRITING))
            return slot;
    }
    return NULL;
}

static void by_timer_sig(pid_t tid, uint32_t overrun_count, const ucontext_t *context)
{
    if (!__atomic_load_n(&ring_open, __ATOMIC_ACQUIRE))
        return;
    struct slot *slot = claim_sig();
    if (!slot) {
        __atomic_fetch_add(&dropped_full_count, 1 + (uint64_t)overrun_count, __ATOMIC_RELAXED);
        return;
    }
    fill_sig(slot, tid, context, stack_limit_bytes);
    slot->capture.count += overrun_count;
    __atomic_fetch_add(&captured_count, 1, __ATOMIC_RELAXED);
    store(slot, READY);
}

/* @payload: the place of the ticket in its low 8 bits, above it the use. */
static void by_asking_sig(uint32_t payload, const ucontext_t *context)
{
    uint32_t place = payload & STATE_MASK, use = payload & USE_MASK;
    if (!__atomic_load_n(&tickets.memory, __ATOMIC_ACQUIRE) || place >= tickets.count)
        return;
    struct slot *slot = slot_at(&tickets, place);
    if (!move(slot, use | ASKED, use | WRITING))
        return;
    fill_sig(slot, slot->capture.tid, context, PH_CAPTURE_STACK_BYTES);
    if (!move(slot, use | WRITING, use | READY))
        store(slot, use | FREE); /* given up meanwhile */
}

void ph_capture_sig(uint32_t payload, const siginfo_t *info, void *interrupted)
{
    ucontext_t *context = interrupted;
    if (ph_activation_is_filtered())
        return; /* any system call may be the host's end */
    ph_wait_interrupted_sig(context);
    if (payload & PH_CAPTURE_BY_TIMER)
        by_timer_sig((pid_t)(payload & ~PH_CAPTURE_BY_TIMER), (uint32_t)info->si_overrun, context);
    else
        by_asking_sig(payload, context);
}

/* ---- The memory ---- */

/* A fork would copy what was written, and the child has no use for it. */
static int map_slots(struct slots *slots, uint32_t count)
{
    if (slots->memory)
        return 0;
    size_t bytes = (size_t)count * SLOT_BYTES;
    uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    madvise(memory, bytes, MADV_DONTFORK);
    slots->count = count;
    __atomic_store_n(&slots->memory, memory, __ATOMIC_RELEASE);
    return 0;
}

/* The reader comes every 20 samples or so; as many threads run meanwhile as there are processors, at 1,000 Hz at most. */
static uint32_t ring_size(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    long count = processors * 40;
    return count < RING_MIN ? RING_MIN : count > RING_MAX ? RING_MAX : (uint32_t)count;
}

int ph_ring_open(size_t stack_bytes)
{
    int result = map_slots(&ring, ring_size());
    if (result < 0)
        return result;
    stack_limit_bytes = stack_bytes < PH_CAPTURE_STACK_BYTES ? stack_bytes : PH_CAPTURE_STACK_BYTES;
    captured_count = dropped_full_count = read_count = 0;
    for (uint32_t place = 0; place < ring.count; place++)
        move(slot_at(&ring, place), READY, FREE); /* what came too late the last time */
    __atomic_store_n(&ring_open, 1, __ATOMIC_RELEASE);
    return 0;
}

/* The stacks' memory goes back; a handler may still be writing one, which does no harm. */
void ph_ring_close(void)
{
    __atomic_store_n(&ring_open, 0, __ATOMIC_RELEASE);
    for (uint32_t place = 0; place < ring.count; place++)
        madvise(slot_at(&ring, place)->stack, PH_CAPTURE_STACK_BYTES, MADV_DONTNEED);
}

void ph_ring_counts(struct ph_sampling_counts *counts)
{
    counts->captured = __atomic_load_n(&captured_count, __ATOMIC_RELAXED);
    counts->dropped_full = __atomic_load_n(&dropped_full_count, __ATOMIC_RELAXED);
}

/* ---- The reader ---- */

/* Each slot lies on pages of its own: looking at all of them in vain costs more than most rounds. */
bool ph_sampling_take(struct ph_capture *ret_capture)
{
    uint64_t captured = __atomic_load_n(&captured_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < ring.count && read_count != captured; i++) {
        struct slot *slot = slot_at(&ring, read_place);
        read_place = (read_place + 1) % ring.count;
        if (load(slot) == READY && move(slot, READY, READING)) {
            *ret_capture = slot->capture;
            read_count++;
            return true;
        }
    }
    return false;
}

void ph_sampling_give_back(const struct ph_capture *capture)
{
    store((struct slot *)(capture->stack - offsetof(struct slot, stack)), FREE);
}

/* ---- Asking ---- */

static pthread_mutex_t tickets_lock = PTHREAD_MUTEX_INITIALIZER; /* of threads of ours only: guards the mapping */

static int claim_ticket(pid_t tid)
{
    for (uint32_t place = 0; place < tickets.count; place++) {
        struct slot *slot = slot_at(&tickets, place);
        uint32_t word = load(slot), next = (word + USE_ONE) & USE_MASK;
        if (state_of(word) != FREE || !move(slot, word, next | READING))
            continue;
        slot->capture.tid = tid;
        store(slot, next | ASKED);
        return (int)place;
    }
    return -EAGAIN;
}

/* To a thread that blocks the signal it is not sent. It would wait, perhaps until the thread executes a program, which it would end; or
 * until the return of a handler, and then seem to have ended the call that this has interrupted. Most block it for a moment only, in our
 * own handler, in a hook: ask again. As long as somebody holds the ticket, one that blocks all lets it in when it has waited. */
static int send_asking(int number, pid_t tid, int ticket)
{
    if (ph_signal_is_blocked(number, tid))
        return 0;
    struct ph_thread_slot *slot = ph_timers_slot_of(tid);
    if (slot && __atomic_load_n(&slot->wait_holds, __ATOMIC_SEQ_CST))
        return -EAGAIN; /* it entered the call before ph_wait_hold(): our signal is not held off there */
    if (slot && !ph_timers_may_ask(slot))
        return -EPERM;
    int result =
        ph_signal_send(number, tid, (load(slot_at(&tickets, (uint32_t)ticket)) & USE_MASK) | (uint32_t)ticket);
    if (slot)
        ph_timers_has_asked(slot);
    return result;
}

int ph_ask(pid_t tid)
{
    if (ph_activation_is_filtered())
        return -EPERM;
    pthread_mutex_lock(&tickets_lock);
    int number = ph_signal_acquire();
    int result = number < 0 ? number : map_slots(&tickets, PH_ASKED_MAX);
    pthread_mutex_unlock(&tickets_lock);
    int ticket = result < 0 ? result : claim_ticket(tid);
    if (ticket < 0)
        return ticket;
    ph_wait_hold(number);
    result = send_asking(number, tid, ticket);
    if (result == 0)
        return ticket;
    ph_unask(ticket);
    return result;
}

int ph_asked(int ticket, struct ph_capture *ret_capture)
{
    const struct slot *slot = slot_at(&tickets, (uint32_t)ticket);
    if (state_of(load(slot)) != READY)
        return -EAGAIN;
    *ret_capture = slot->capture;
    return 0;
}

/* While a handler writes, the ticket is its own to free. */
static void free_ticket(struct slot *slot)
{
    uint32_t use = load(slot) & USE_MASK;
    if (move(slot, use | ASKED, use | FREE) || move(slot, use | READY, use | FREE))
        return;
    if (!move(slot, use | WRITING, use | GIVEN_UP))
        store(slot, use | FREE);
}

/* The hold goes last: as long as a ticket can be answered, calls that begin hold its signal off, and what they are told of is told at
 * their end. A signal later than that finds no ticket; it ends a call no more than one of a timer does. */
void ph_unask(int ticket)
{
    free_ticket(slot_at(&tickets, (uint32_t)ticket));
    ph_wait_release();
}

/* What was mapped is not there in the child, or not to be used: a handler of the parent may be half-way. */
void ph_capture_forked(void)
{
    ring.memory = tickets.memory = NULL;
    ring.count = tickets.count = 0;
    ring_open = 0;
    tickets_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}
