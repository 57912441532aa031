#include "probe/thread.h"

#include "base/clock.h"
#include "probe/allocator.h"
#include "probe/backtrace.h"
#include "probe/counters.h"
#include "probe/last_thread.h"
#include "probe/real.h"
#include "probe/thread_table.h"
#include "probe/timers.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <sys/syscall.h>
#include <unistd.h>

__thread struct ph_tls ph_tls __attribute__((tls_model("initial-exec"), visibility("hidden")));

static pthread_key_t exit_key;
static pthread_once_t exit_key_once = PTHREAD_ONCE_INIT;
static bool exit_key_made;

/* In no table: to be told of its end, and for what it notes of itself while it lives. */
static struct ph_thread_slot main_thread;
static struct ph_thread_slot *main_slot =
    &main_thread; /* atomic; in a forked child that of who forked; NULL: none */

/* Of the dynamic linker: where the stack was when the program began. Above it are its arguments and environment. */
extern void *__libc_stack_end;

static void own_thread_ends(struct ph_thread_slot *slot)
{
    ph_tls.slot = NULL;
    ph_thread_slot_release(slot);
    ph_allocator_leave_own();
}

/* The host's destructors come first: they may still run code of the host, and the last thread may exit here. */
static void thread_ends(void *slot)
{
    if (ph_tls.own) {
        own_thread_ends(slot);
        return;
    }
    if (++ph_tls.end_rounds < PTHREAD_DESTRUCTOR_ITERATIONS && pthread_setspecific(exit_key, slot) == 0)
        return;
    ph_timers_thread_ends(slot);
    ph_tls.slot = NULL;
    ph_allocator_thread_ends();
    if (slot == main_slot)
        __atomic_store_n(&main_slot, NULL, __ATOMIC_RELAXED);
    if (slot != &main_thread)
        ph_thread_slot_release(slot);
    ph_host_thread_ends();
}

static void make_exit_key(void)
{
    exit_key_made = pthread_key_create(&exit_key, thread_ends) == 0;
}

void ph_thread_init(void)
{
    pthread_once(&exit_key_once, make_exit_key);
    if (!exit_key_made || pthread_setspecific(exit_key, &main_thread) != 0)
        ph_host_thread_uncounted();
    else
        ph_tls.slot = &main_thread;
    main_thread.record.stack_high = (uintptr_t)__libc_stack_end;
    main_thread.record.tid = getpid();
}

/* pthread_getattr_np() would tell exactly, but allocates, and the host would find that in its profile. glibc puts
 * the thread's descriptor, pthread_self(), at the top of the stack: nothing of the stack lies above it. */
static void note_stack(struct ph_thread *record, size_t size_bytes)
{
    uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    record->stack_high = (uintptr_t)pthread_self();
    record->stack_low = ((record->stack_high + page_bytes) & ~(page_bytes - 1)) - size_bytes;
}

static size_t stack_size(const pthread_attr_t *attributes)
{
    size_t size_bytes = 0;
    if (attributes) {
        pthread_attr_getstacksize(attributes, &size_bytes);
        return size_bytes;
    }
    pthread_attr_t preset;
    if (pthread_attr_init(&preset) == 0) {
        pthread_attr_getstacksize(&preset, &size_bytes); /* what pthread_create() takes without attributes */
        pthread_attr_destroy(&preset);
    }
    return size_bytes;
}

/* A record that nobody would release when the thread ends is not kept. */
static void keep_record(struct ph_thread_slot *slot)
{
    struct ph_thread *record = &slot->record;
    if (pthread_setspecific(exit_key, slot) != 0) {
        PH_COUNT(threads_unrecorded);
        ph_host_thread_uncounted();
        ph_thread_slot_release(slot);
        return;
    }
    ph_tls.slot = slot;
    note_stack(record, slot->stack_bytes);
    record->started_ns = (uint64_t)ph_clock_monotonic_ns();
    ph_timers_slot_begins(slot);
    __atomic_store_n(&record->tid, gettid(), __ATOMIC_RELEASE);
    ph_timers_thread_begins(slot);
}

static void settle_in(struct ph_thread_slot *slot)
{
    ph_tls.inside = true;
    ph_tls.own = slot->record.own;
    ph_tls.apart = slot->apart;
    if (ph_tls.own) {
        ph_allocator_enter_own();
        uselocale(newlocale(LC_ALL_MASK, "C", NULL)); /* numbers for programs, whatever language the host speaks */
    }
    keep_record(slot);
    ph_tls.inside = false;
}

/* First code on the new thread. The host's function is a tail call: it is the first frame, as without us. */
static void *begin(void *argument)
{
    struct ph_thread_slot *slot = argument;
    void *(*start)(void *) = slot->start;
    void *start_argument = slot->argument;
    settle_in(slot);
    return start(start_argument);
}

static int begin_c11(void *argument)
{
    struct ph_thread_slot *slot = argument;
    thrd_start_t start = slot->start_c11;
    void *start_argument = slot->argument;
    settle_in(slot);
    return start(start_argument);
}

static struct ph_thread_slot *prepare(bool own, const pthread_attr_t *attributes, void *(*start)(void *),
                                      void *argument)
{
    pthread_once(&exit_key_once, make_exit_key);
    struct ph_thread_slot *slot = exit_key_made ? ph_thread_slot_claim() : NULL;
    if (!slot) {
        PH_COUNT(threads_unrecorded);
        return NULL;
    }
    struct ph_thread *record = &slot->record;
    slot->start = start;
    slot->argument = argument;
    slot->stack_bytes = stack_size(attributes);
    slot->apart = ph_tls.apart;
    record->own = own;
    record->stack_low = record->stack_high = 0;
    record->label_set = 0;
    record->wait_frame = record->waits_since_ns = 0;
    slot->tiny_signal_stack = slot->wait_holds = false; /* a thread that was cancelled has left its call open */
    record->frame_count = own ? 0 : (uint32_t)ph_backtrace((void **)record->frames, PH_THREAD_FRAMES_MAX);
    return slot;
}

static int create(struct ph_thread_slot *slot, pthread_t *ret_thread, const pthread_attr_t *attributes)
{
    int result = ph_real()->pthread_create(ret_thread, attributes, begin, slot);
    if (result != 0)
        ph_thread_slot_release(slot);
    return result;
}

int ph_thread_create(struct ph_guard *guard, pthread_t *ret_thread, const pthread_attr_t *attributes,
                     void *(*start)(void *), void *argument)
{
    struct ph_thread_slot *slot = prepare(false, attributes, start, argument);
    if (slot)
        ph_host_thread_begins();
    else
        ph_host_thread_uncounted();
    ph_guard_lend_errno(guard);
    int result = slot ? create(slot, ret_thread, attributes)
                      : ph_real()->pthread_create(ret_thread, attributes, start, argument);
    ph_guard_take_errno(guard);
    if (slot && result != 0)
        ph_host_thread_failed();
    return result;
}

int ph_thread_create_c11(struct ph_guard *guard, thrd_t *ret_thread, thrd_start_t start, void *argument)
{
    struct ph_thread_slot *slot = prepare(false, NULL, NULL, argument);
    if (slot) {
        slot->start_c11 = start;
        ph_host_thread_begins();
    } else {
        ph_host_thread_uncounted();
    }
    ph_guard_lend_errno(guard);
    int result = slot ? ph_real()->thrd_create(ret_thread, begin_c11, slot)
                      : ph_real()->thrd_create(ret_thread, start, argument);
    ph_guard_take_errno(guard);
    if (slot && result != thrd_success) {
        ph_thread_slot_release(slot);
        ph_host_thread_failed();
    }
    return result;
}

int ph_thread_create_own(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*start)(void *),
                         void *argument)
{
    struct ph_thread_slot *slot = prepare(true, attributes, start, argument);
    return slot ? create(slot, ret_thread, attributes) : EAGAIN; /* unrecorded, it would pass for the host's */
}

/* A record that changes while it is copied belongs to a thread that ends: it is left out. */
static bool copy_record(const struct ph_thread_slot *slot, struct ph_thread *ret_thread)
{
    pid_t tid = __atomic_load_n(&slot->record.tid, __ATOMIC_ACQUIRE);
    if (tid == 0)
        return false;
    *ret_thread = slot->record;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&slot->record.tid, __ATOMIC_RELAXED) == tid &&
           ret_thread->frame_count <= PH_THREAD_FRAMES_MAX;
}

struct ph_thread_slot *ph_thread_first(void)
{
    return __atomic_load_n(&main_slot, __ATOMIC_RELAXED);
}

/* The main thread was never created by anyone: its record holds only what it has noted itself. */
static struct ph_thread main_record(void)
{
    struct ph_thread record = {.tid = getpid()};
    const struct ph_thread_slot *slot = ph_thread_first();
    if (slot)
        record = slot->record;
    record.tid = getpid();
    record.slot = 0;
    return record;
}

static bool read_slot(uint32_t number, struct ph_thread *ret_thread)
{
    const struct ph_thread_slot *slot = ph_thread_slot_at(number);
    if (!slot || !copy_record(slot, ret_thread))
        return false;
    ret_thread->slot = number;
    return true;
}

size_t ph_threads(struct ph_thread *ret_threads, size_t capacity)
{
    size_t count = 1;
    pid_t process = getpid(); /* a system call: not for each thread */
    if (capacity)
        ret_threads[0] = main_record();
    uint32_t slots = ph_thread_slot_count();
    for (uint32_t number = 1; number <= slots; number++) {
        struct ph_thread thread;
        if (!read_slot(number, &thread) || thread.tid == process)
            continue;
        if (count < capacity)
            ret_threads[count] = thread;
        count++;
    }
    return count;
}

bool ph_thread_again(uint32_t number, pid_t tid, struct ph_thread *ret_thread)
{
    struct ph_thread thread;
    if (number == 0)
        thread = main_record();
    else if (number > ph_thread_slot_count() || !read_slot(number, &thread))
        return false;
    if (thread.tid != tid)
        return false;
    *ret_thread = thread;
    return true;
}

size_t ph_own_tids(pid_t *ret_tids, size_t capacity)
{
    size_t count = 0;
    uint32_t slots = ph_thread_slot_count();
    for (uint32_t number = 1; number <= slots && count < capacity; number++) {
        const struct ph_thread_slot *slot = ph_thread_slot_at(number);
        pid_t tid = __atomic_load_n(&slot->record.tid, __ATOMIC_ACQUIRE);
        if (tid && slot->record.own)
            ret_tids[count++] = tid;
    }
    return count;
}

void ph_threads_wait(const pid_t *tids, size_t count, int64_t timeout_ns)
{
    const struct timespec moment = {.tv_nsec = 200 * 1000};
    int64_t end_ns = ph_clock_monotonic_ns() + timeout_ns;
    for (size_t i = 0; i < count; i++)
        while (syscall(SYS_tgkill, getpid(), tids[i], 0) == 0 && ph_clock_monotonic_ns() < end_ns)
            syscall(SYS_nanosleep, &moment, NULL);
}

void ph_threads_after_fork(void)
{
    struct ph_thread_slot *kept = ph_tls.slot;
    ph_thread_table_reset(kept);
    ph_own_spares_forget();
    ph_host_threads_forked();
    main_slot = kept;
    if (kept)
        __atomic_store_n(&kept->record.tid, gettid(), __ATOMIC_RELEASE);
}

void ph_thread_carry_labels(uint32_t set)
{
    struct ph_thread_slot *slot = ph_tls.slot;
    __atomic_store_n(&ph_tls.label_set, set, __ATOMIC_RELAXED);
    if (slot)
        __atomic_store_n(&slot->record.label_set, set, __ATOMIC_RELEASE);
}

struct ph_own_scope ph_own_scope_enter(void)
{
    struct ph_own_scope scope = {ph_tls.own, ph_allocator_sampling(false)};
    ph_tls.own = true;
    return scope;
}

void ph_own_scope_leave(struct ph_own_scope scope)
{
    ph_tls.own = scope.was_own;
    ph_allocator_sampling(scope.was_sampling);
}
