/* Threads that block all signals are sampled once they have waited, and see nothing of it. */
#include "captures_fixture.h"

#include "probe/guard.h"

#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define OF_LIBC     (UINT64_C(3) << 31) /* 32 and 33, which it keeps for itself */
#define ALL_BUT_TWO (~(UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1)))

/* As the kernel has it: pthread_sigmask() leaves out what libc keeps for itself. */
static uint64_t mask_of_kernel(void)
{
    uint64_t mask = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask));
    return mask;
}

static uint64_t mask_of_host(void)
{
    sigset_t set;
    uint64_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    memcpy(&mask, &set, sizeof(mask));
    return mask;
}

static void block_all(void)
{
    uint64_t all = ~UINT64_C(0);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
}

/* ---- A thread that blocks all, waits and burns ---- */

struct worker {
    pid_t tid; /* atomic */
    volatile bool is_to_end;
    uint64_t open_mask; /* atomic; the kernel's, as soon as it is not all */
    uint64_t told_mask; /* what the host was told then */
    uint64_t last_mask; /* the kernel's, at the end */
    uint64_t thread_mask, child_mask;
};

static void *tell_mask(void *ret_mask)
{
    *(uint64_t *)ret_mask = mask_of_kernel();
    return NULL;
}

static void look(struct worker *worker)
{
    uint64_t mask = mask_of_kernel();
    if (worker->open_mask || mask == ALL_BUT_TWO)
        return;
    worker->told_mask = mask_of_host();
    __atomic_store_n(&worker->open_mask, mask, __ATOMIC_RELEASE);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    block_all();
    __atomic_store_n(&worker->tid, gettid(), __ATOMIC_RELEASE);
    while (!worker->is_to_end) {
        poll(NULL, 0, 1);
        look(worker);
        burn_ms(1);
    }
    worker->last_mask = mask_of_kernel();
    return NULL;
}

static void end(struct worker *worker, pthread_t thread)
{
    worker->is_to_end = true;
    pthread_join(thread, NULL);
}

static uint64_t wait_until_open(struct worker *worker)
{
    uint64_t mask = 0;
    for (int i = 0; i < 2000 && !mask; i++) {
        usleep(10000);
        mask = __atomic_load_n(&worker->open_mask, __ATOMIC_ACQUIRE);
    }
    return mask;
}

static void a_thread_that_blocks_all_signals_is_sampled_when_it_has_waited(void **state)
{
    (void)state;
    struct worker worker = {.tid = 0};
    pthread_t thread = thread_of_host(work, &worker);
    wait_for_tid(&worker.tid);
    sample_begin(100);
    ph_sampling_arm(worker.tid);
    assert_true(drain_at_least(worker.tid, 5) >= 5);
    uint64_t mask = wait_until_open(&worker);
    sample_end();
    assert_int_equal(__builtin_popcountll(ALL_BUT_TWO & ~mask), 1);
    assert_int_equal(worker.told_mask | OF_LIBC, ALL_BUT_TWO);
    usleep(50000);
    end(&worker, thread);
    assert_int_equal(worker.last_mask, ALL_BUT_TWO);
}

static void without_a_profile_nothing_is_changed(void **state)
{
    (void)state;
    struct worker worker = {.tid = 0};
    pthread_t thread = thread_of_host(work, &worker);
    wait_for_tid(&worker.tid);
    usleep(100000);
    end(&worker, thread);
    assert_int_equal(worker.open_mask, 0);
    assert_int_equal(worker.last_mask, ALL_BUT_TWO);
}

/* ---- What it makes ---- */

static int child_mask_fd[2];

static void *make_others(void *argument)
{
    struct worker *worker = argument;
    pthread_t other;
    block_all();
    __atomic_store_n(&worker->tid, gettid(), __ATOMIC_RELEASE);
    poll(NULL, 0, 1);
    worker->open_mask = mask_of_kernel();
    pthread_create(&other, NULL, tell_mask, &worker->thread_mask);
    pthread_join(other, NULL);
    poll(NULL, 0, 1);
    pid_t child = fork();
    if (child == 0) {
        uint64_t mask = mask_of_kernel();
        _exit(write(child_mask_fd[1], &mask, sizeof(mask)) != sizeof(mask));
    }
    waitpid(child, NULL, 0);
    worker->last_mask = mask_of_kernel();
    return NULL;
}

static void threads_and_children_get_the_mask_that_the_host_has_set(void **state)
{
    (void)state;
    struct worker worker = {.tid = 0};
    assert_int_equal(pipe(child_mask_fd), 0);
    sample_begin(100);
    pthread_t thread = thread_of_host(make_others, &worker);
    pthread_join(thread, NULL);
    sample_end();
    assert_int_equal(read(child_mask_fd[0], &worker.child_mask, sizeof(uint64_t)), sizeof(uint64_t));
    close(child_mask_fd[0]);
    close(child_mask_fd[1]);
    assert_int_equal(__builtin_popcountll(ALL_BUT_TWO & ~worker.open_mask), 1);
    assert_int_equal(worker.thread_mask | OF_LIBC, ALL_BUT_TWO);
    assert_int_equal(worker.child_mask, ALL_BUT_TWO);
    assert_int_equal(__builtin_popcountll(ALL_BUT_TWO & ~worker.last_mask), 1); /* waitpid() is a wait, too */
}

static void *spawn(void *argument)
{
    uint64_t *seen = argument;
    sigset_t none;
    sigemptyset(&none);
    block_all();
    poll(NULL, 0, 1);
    seen[0] = mask_of_kernel();
    pid_t child = vfork();
    if (child == 0) {
        pthread_sigmask(SIG_SETMASK, &none, NULL);
        poll(NULL, 0, 1);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    seen[1] = mask_of_kernel();
    seen[2] = mask_of_host();
    return NULL;
}

static void what_a_child_of_vfork_does_is_its_own(void **state)
{
    (void)state;
    uint64_t seen[3];
    sample_begin(100);
    pthread_t thread = thread_of_host(spawn, seen);
    pthread_join(thread, NULL);
    sample_end();
    assert_int_equal(__builtin_popcountll(ALL_BUT_TWO & ~seen[0]), 1);
    assert_int_equal(seen[1], seen[0]);
    assert_int_equal(seen[2] | OF_LIBC, ALL_BUT_TWO);
}

/* ---- The host sets its mask ---- */

static void *set_masks(void *argument)
{
    uint64_t *seen = argument;
    sigset_t all, before;
    sigfillset(&all);
    block_all();
    poll(NULL, 0, 1);
    seen[0] = mask_of_kernel();
    pthread_sigmask(SIG_SETMASK, &all, &before);
    memcpy(&seen[1], &before, sizeof(uint64_t));
    seen[2] = mask_of_kernel();
    poll(NULL, 0, 1);
    seen[3] = mask_of_kernel();
    pthread_sigmask(SIG_UNBLOCK, &all, NULL);
    poll(NULL, 0, 1);
    seen[4] = mask_of_kernel();
    return NULL;
}

static void what_the_host_sets_holds_until_it_waits_again(void **state)
{
    (void)state;
    uint64_t seen[5];
    sample_begin(100);
    pthread_t thread = thread_of_host(set_masks, seen);
    pthread_join(thread, NULL);
    sample_end();
    uint64_t ours = ALL_BUT_TWO & ~seen[0];
    assert_int_equal(__builtin_popcountll(ours), 1);
    assert_true(seen[1] & ours);
    assert_int_equal(seen[2] | OF_LIBC, ALL_BUT_TWO);
    assert_int_equal((seen[3] | OF_LIBC) ^ ours, ALL_BUT_TWO);
    assert_int_equal(seen[4] & ~OF_LIBC, 0);
}

/* ---- A handler that interrupts a call which holds the signal off ---- */

static uint64_t mask_in_handler;

static void on_alarm(int number)
{
    (void)number;
    poll(NULL, 0, 1);
    mask_in_handler = mask_of_kernel();
}

static void *be_interrupted(void *argument)
{
    __atomic_store_n((pid_t *)argument, gettid(), __ATOMIC_RELEASE);
    poll(NULL, 0, 20000);
    return NULL;
}

static bool is_behind_handler, may_end; /* atomic */

/* Its mask at the end, after a wait without a profile. */
static void *be_interrupted_and_wait_on(void *tid)
{
    be_interrupted(tid);
    __atomic_store_n(&is_behind_handler, true, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&may_end, __ATOMIC_ACQUIRE))
        sched_yield();
    poll(NULL, 0, 1);
    return (void *)(uintptr_t)mask_of_kernel();
}

static void a_handler_that_waits_lets_nothing_in(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_alarm}, before;
    pid_t tid = 0;
    sigaction(SIGALRM, &action, &before);
    sample_begin(100);
    pthread_t thread = thread_of_host(be_interrupted, &tid);
    wait_until_blocked(wait_for_tid(&tid));
    syscall(SYS_tgkill, getpid(), tid, SIGALRM);
    pthread_join(thread, NULL);
    sample_end();
    sigaction(SIGALRM, &before, NULL);
    assert_int_equal(__builtin_popcountll(mask_in_handler & ~(UINT64_C(1) << (SIGALRM - 1))), 1);
}

/* One that blocks all while it runs, on a thread that blocks nothing, in a call that was there before the profile. */
static void a_handler_with_all_blocked_lets_nothing_in_and_leaves_the_mask(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_alarm}, before;
    pid_t tid = 0;
    sigfillset(&action.sa_mask);
    sigaction(SIGALRM, &action, &before);
    pthread_t thread = thread_of_host(be_interrupted_and_wait_on, &tid);
    wait_until_blocked(wait_for_tid(&tid));
    sample_begin(100);
    syscall(SYS_tgkill, getpid(), tid, SIGALRM);
    while (!__atomic_load_n(&is_behind_handler, __ATOMIC_ACQUIRE))
        usleep(1000);
    sample_end();
    __atomic_store_n(&may_end, true, __ATOMIC_RELEASE);
    void *mask;
    pthread_join(thread, &mask);
    sigaction(SIGALRM, &before, NULL);
    assert_int_equal(mask_in_handler | OF_LIBC, ALL_BUT_TWO);
    assert_int_equal((uintptr_t)mask, 0);
}

/* One that blocks and restores, as libraries do, on a thread that blocks ours and not its. */
static void block_and_restore(int number)
{
    sigset_t all, before;
    (void)number;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void *let_in_and_be_interrupted(void *argument)
{
    uint64_t *seen = argument, mask = ~(UINT64_C(1) << (SIGALRM - 1));
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
    poll(NULL, 0, 1);
    seen[0] = mask_of_kernel();
    syscall(SYS_tgkill, getpid(), gettid(), SIGALRM);
    seen[1] = mask_of_kernel();
    sample_end();
    poll(NULL, 0, 1);
    seen[2] = mask_of_kernel();
    return NULL;
}

static void a_handler_that_blocks_and_restores_changes_nothing(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = block_and_restore}, before;
    uint64_t seen[3], all = ALL_BUT_TWO & ~(UINT64_C(1) << (SIGALRM - 1));
    sigaction(SIGALRM, &action, &before);
    sample_begin(100);
    pthread_t thread = thread_of_host(let_in_and_be_interrupted, seen);
    pthread_join(thread, NULL);
    sigaction(SIGALRM, &before, NULL);
    assert_int_equal(__builtin_popcountll(all & ~seen[0]), 1);
    assert_int_equal(seen[1] | OF_LIBC, seen[0] | OF_LIBC);
    assert_int_equal(seen[2] | OF_LIBC, all | OF_LIBC);
}

/* ---- A signal of the host's own, with that number ---- */

static void a_signal_of_the_hosts_own_reaches_the_one_that_takes_it(void **state)
{
    (void)state;
    struct worker worker = {.tid = 0};
    const struct timespec patience = {10, 0};
    sigset_t one, before;
    uint64_t open;
    int number = 0;
    sample_begin(100);
    pthread_t thread = thread_of_host(work, &worker);
    open = wait_until_open(&worker);
    while (!(ALL_BUT_TWO & ~open & UINT64_C(1) << number))
        number++;
    sigemptyset(&one);
    sigaddset(&one, ++number);
    pthread_sigmask(SIG_BLOCK, &one, &before);
    for (int i = 0; i < 20; i++) {
        usleep(3000);
        kill(getpid(), number);
        assert_int_equal(sigtimedwait(&one, NULL, &patience), number);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    sample_end();
    end(&worker, thread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_that_blocks_all_signals_is_sampled_when_it_has_waited),
        cmocka_unit_test(without_a_profile_nothing_is_changed),
        cmocka_unit_test(threads_and_children_get_the_mask_that_the_host_has_set),
        cmocka_unit_test(what_a_child_of_vfork_does_is_its_own),
        cmocka_unit_test(what_the_host_sets_holds_until_it_waits_again),
        cmocka_unit_test(a_handler_that_waits_lets_nothing_in),
        cmocka_unit_test(a_handler_that_blocks_and_restores_changes_nothing),
        cmocka_unit_test(a_signal_of_the_hosts_own_reaches_the_one_that_takes_it),
        cmocka_unit_test(a_handler_with_all_blocked_lets_nothing_in_and_leaves_the_mask),
    };
    return cmocka_run_group_tests(tests, captures_setup, NULL);
}
