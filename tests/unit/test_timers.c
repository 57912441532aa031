/* Timers on the CPU clocks of threads: who has one, and what they count. */
#include "captures_fixture.h"
#include "probe/signal.h"

#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void a_thread_that_burns_is_captured_as_often_as_its_cpu_time_says(void **state)
{
    (void)state;
    sample_begin(250);
    assert_int_equal(ph_sampling_arm(gettid()), 0);
    assert_int_equal(ph_sampling_arm(gettid()), 0); /* it has one */
    uint64_t count = 0;
    for (int i = 0; i < 10; i++) {
        burn_ms(40);
        count += drain(gettid());
    }
    struct ph_sampling_counts counts = sample_end();
    assert_in_range(count, 80, 105); /* 0.4 s at 250 Hz; the clock is read at ticks */
    assert_int_equal(counts.dropped_full, 0);
}

static void a_thread_that_begins_meanwhile_is_captured_and_one_that_ends_leaves_no_timer(void **state)
{
    (void)state;
    pid_t tid = 0;
    burn_start();
    sample_begin(1000);
    pthread_t thread = thread_of_host(burn_until_stopped, &tid);
    uint64_t count = drain_at_least(wait_for_tid(&tid), 20);
    burn_stop();
    pthread_join(thread, NULL);
    sample_end();
    assert_true(count >= 20);
    FILE *timers = fopen("/proc/self/timers", "r");
    if (timers)
        assert_int_equal(fgetc(timers), EOF);
    if (timers)
        fclose(timers);
}

/* ---- While a timer is being made ---- */

static void (*before_timer)(void); /* atomic: called once, by whoever makes the next one */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
    long arguments[6];
    va_list list;
    va_start(list, number);
    for (size_t i = 0; i < 6; i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    void (*before)(void) =
        number == SYS_timer_create ? __atomic_exchange_n(&before_timer, NULL, __ATOMIC_ACQ_REL) : NULL;
    if (before)
        before();
    return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                          arguments[5]);
}

static struct {
    pthread_t thread;
    pid_t tid;
    struct ph_thread_slot *slot;
} former, next;

static sem_t former_may_end;

static void *wait_to_end(void *tid)
{
    __atomic_store_n((pid_t *)tid, gettid(), __ATOMIC_RELEASE);
    sem_wait(&former_may_end);
    return NULL;
}

static void have_the_next_take_its_place(void)
{
    sem_post(&former_may_end);
    pthread_join(former.thread, NULL);
    next.thread = thread_of_host(burn_until_stopped, &next.tid);
    next.slot = ph_timers_slot_of(wait_for_tid(&next.tid));
}

static void a_thread_that_follows_one_that_was_just_being_armed_is_captured(void **state)
{
    (void)state;
    burn_start();
    sem_init(&former_may_end, 0, 0);
    former.thread = thread_of_host(wait_to_end, &former.tid);
    former.slot = ph_timers_slot_of(wait_for_tid(&former.tid));
    sample_begin(1000);
    __atomic_store_n(&before_timer, have_the_next_take_its_place, __ATOMIC_RELEASE);
    assert_int_equal(ph_sampling_arm(former.tid), -ESRCH);
    assert_ptr_equal(next.slot, former.slot);
    uint64_t count = drain_at_least(next.tid, 10);
    burn_stop();
    pthread_join(next.thread, NULL);
    sample_end();
    assert_true(count >= 10);
}

/* ---- Losses ---- */

static void a_full_ring_is_counted(void **state)
{
    (void)state;
    struct ph_sampling_counts counts = {0};
    sample_begin(1000);
    ph_sampling_arm(gettid());
    for (int i = 0; i < 300 && counts.dropped_full == 0; i++) { /* 128 places or more, and a tick may be 10 ms */
        burn_ms(50);
        ph_ring_counts(&counts);
    }
    assert_true(counts.captured >= 100);
    counts = sample_end();
    assert_true(counts.dropped_full > 0);
}

/* ---- Threads and processes of all kinds ---- */

static void a_thread_of_a_bare_clone_can_be_armed(void **state)
{
    (void)state;
    static char memory[1 << 16] __attribute__((aligned(16)));
    burn_start();
    sample_begin(1000);
    pid_t made = clone_that_burns(memory + sizeof(memory));
    assert_int_equal(ph_sampling_arm(made), 0);
    uint64_t count = drain_at_least(made, 10);
    burn_stop();
    sample_end();
    wait_for_end(made);
    assert_true(count >= 10);
}

static void only_one_samples_at_a_time(void **state)
{
    (void)state;
    sample_begin(100);
    assert_int_equal(ph_sampling_begin(100, STACK_BYTES), -EBUSY);
    sample_end();
    sample_begin(100);
    sample_end();
}

static void a_thread_that_has_ended_is_no_thread(void **state)
{
    (void)state;
    sample_begin(100);
    assert_int_equal(ph_sampling_arm(0x3ffffff), -ESRCH);
    assert_int_equal(ph_ask(0x3ffffff), -ESRCH);
    sample_end();
}

/* Less than the kernel needs for a signal's frame: it would end the process. */
static void a_thread_with_a_tiny_signal_stack_is_left_alone(void **state)
{
    (void)state;
    static char tiny[2048];
    struct ph_sampling_counts counts;
    stack_t stack = {.ss_sp = tiny, .ss_size = sizeof(tiny)}, none = {.ss_flags = SS_DISABLE};
    sample_begin(1000);
    ph_sampling_arm(gettid());
    if (sigaltstack(&stack, NULL) < 0) {
        sample_end();
        skip(); /* newer kernels refuse it themselves */
    }
    ph_sampling_arm(gettid());
    assert_int_equal(ph_ask(gettid()), -EPERM);
    burn_ms(50);
    sigaltstack(&none, NULL);
    drain(0);
    ph_sampling_end(&counts);
    assert_int_equal(counts.tiny_stacks, 1);
    int ticket = ph_ask(gettid());
    assert_true(ticket >= 0);
    ph_unask(ticket);
}

static void a_host_that_takes_it_by_a_raw_call_ends_the_sampling(void **state)
{
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } preset = {SIG_IGN, 0, NULL, 0};
    (void)state;
    sample_begin(100);
    assert_true(ph_sampling_check());
    int number = ph_signal_acquire();
    assert_int_equal(syscall(SYS_rt_sigaction, number, &preset, NULL, 8), 0);
    assert_false(ph_sampling_check());
    assert_int_equal(sample_end().lost_signal, 1);
    sample_begin(100);
    assert_true(ph_sampling_check());
    sample_end();
}

static void a_forked_child_samples_by_itself(void **state)
{
    (void)state;
    sample_begin(1000);
    ph_sampling_arm(gettid());
    burn_ms(20);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        burn_ms(20);
        bool was_running = ph_sampling_begin(1000, STACK_BYTES) != 0;
        ph_sampling_arm(gettid());
        burn_ms(100);
        _exit(!was_running && drain(gettid()) > 5 ? 7 : 1);
    }
    int status = status_of(child);
    sample_end();
    assert_int_equal(status, 7);
}

static void *burn_a_while(void *argument)
{
    burn_ms(100);
    return argument;
}

/* It runs no handlers of pthread_atfork(): what the child finds says that timers run. */
static void threads_in_a_child_of_a_bare_fork_have_no_timers(void **state)
{
    (void)state;
    sample_begin(1000);
    pid_t child = _Fork();
    if (child == 0) {
        alarm(20);
        pthread_join(thread_of_host(burn_a_while, NULL), NULL);
        _exit(7);
    }
    int status = status_of(child);
    sample_end();
    assert_int_equal(status, 7);
}

static int begun_count; /* atomic */

static void *wait_for_the_end(void *fd)
{
    char byte;
    __atomic_fetch_add(&begun_count, 1, __ATOMIC_RELEASE);
    return read(*(int *)fd, &byte, 1) < 0 ? fd : NULL;
}

#define QUEUE 40 /* RLIMIT_SIGPENDING */

/* In a child that is the only process of its user. */
static int host_with_many_threads(uid_t user)
{
    const struct rlimit limit = {QUEUE, QUEUE};
    int fds[2];
    if (setresuid(user, user, user) < 0 || setrlimit(RLIMIT_SIGPENDING, &limit) < 0 || pipe(fds) < 0)
        return 1;
    sample_begin(100);
    for (int i = 0; i < 2 * QUEUE; i++)
        thread_of_host(wait_for_the_end, &fds[0]);
    while (__atomic_load_n(&begun_count, __ATOMIC_ACQUIRE) < 2 * QUEUE)
        usleep(1000);
    for (int i = 0; i < QUEUE / 2 - 1; i++) {
        timer_t timer;
        if (timer_create(CLOCK_MONOTONIC, NULL, &timer) < 0)
            return 2;
    }
    return sample_end().unarmed >= QUEUE ? 7 : 3;
}

static void timers_leave_room_for_those_of_the_host(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* timers of the user's other processes count, too */
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        _exit(host_with_many_threads(1000000 + (uid_t)getpid()));
    }
    int status = status_of(child);
    if (status == 1)
        skip(); /* a namespace that does not have that user */
    assert_int_equal(status, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_that_burns_is_captured_as_often_as_its_cpu_time_says),
        cmocka_unit_test(a_thread_that_begins_meanwhile_is_captured_and_one_that_ends_leaves_no_timer),
        cmocka_unit_test(a_thread_that_follows_one_that_was_just_being_armed_is_captured),
        cmocka_unit_test(a_full_ring_is_counted),
        cmocka_unit_test(a_thread_of_a_bare_clone_can_be_armed),
        cmocka_unit_test(only_one_samples_at_a_time),
        cmocka_unit_test(a_thread_that_has_ended_is_no_thread),
        cmocka_unit_test(a_thread_with_a_tiny_signal_stack_is_left_alone),
        cmocka_unit_test(a_host_that_takes_it_by_a_raw_call_ends_the_sampling),
        cmocka_unit_test(a_forked_child_samples_by_itself),
        cmocka_unit_test(threads_in_a_child_of_a_bare_fork_have_no_timers),
        cmocka_unit_test(timers_leave_room_for_those_of_the_host),
    };
    return cmocka_run_group_tests(tests, captures_setup, NULL);
}
