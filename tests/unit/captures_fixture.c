#include "captures_fixture.h"

#include "base/clock.h"
#include "probe/activate.h"
#include "probe/thread.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define POLL_US   2000
#define POLLS_MAX 10000

/* ---- Burning ---- */

static volatile bool stop;
static volatile uint64_t sink;

__attribute__((noinline)) void burn(void)
{
    for (int i = 0; i < 10000; i++)
        sink += (uint64_t)i;
}

void burn_ms(int milliseconds)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    int64_t end_ns = now.tv_sec * PH_NS_PER_S + now.tv_nsec + milliseconds * PH_NS_PER_MS;
    do {
        burn();
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while (now.tv_sec * PH_NS_PER_S + now.tv_nsec < end_ns);
}

void *burn_until_stopped(void *tid)
{
    __atomic_store_n((pid_t *)tid, gettid(), __ATOMIC_RELEASE);
    while (!stop)
        burn();
    return NULL;
}

void *block_all_and_burn(void *tid)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    return burn_until_stopped(tid);
}

void burn_start(void)
{
    stop = false;
}

void burn_stop(void)
{
    stop = true;
}

/* ---- Threads ---- */

static int burn_in_clone(void *tid)
{
    burn_until_stopped(tid);
    return 0;
}

pid_t clone_that_burns(char *stack_high)
{
    static pid_t tid;
    tid = 0;
    int made = clone(burn_in_clone, stack_high,
                     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, &tid);
    assert_true(made > 0);
    wait_for_tid(&tid);
    return made;
}

void wait_for_end(pid_t tid)
{
    for (int i = 0; i < POLLS_MAX && syscall(SYS_tgkill, getpid(), tid, 0) == 0; i++)
        usleep(POLL_US);
}

pid_t wait_for_tid(const pid_t *tid)
{
    while (!__atomic_load_n(tid, __ATOMIC_ACQUIRE))
        sched_yield();
    return *tid;
}

/* A line of digits: the call, its arguments and where it is; a thread that is in none says "running". */
static void read_call(pid_t tid, char *ret_line, size_t capacity)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)tid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(ret_line, (int)capacity, file))
        ret_line[0] = '\0';
    if (file)
        fclose(file);
}

void wait_until_blocked(pid_t tid)
{
    char line[256] = "", before[256];
    for (int i = 0; i < POLLS_MAX; i++) {
        memcpy(before, line, sizeof(before));
        read_call(tid, line, sizeof(line));
        if (line[0] >= '0' && line[0] <= '9' && strcmp(line, before) == 0)
            return;
        usleep(POLL_US);
    }
    fail_msg("the thread does not wait");
}

pthread_t thread_of_host(void *(*body)(void *), void *argument)
{
    struct ph_guard guard;
    pthread_t thread;
    assert_true(ph_guard_enter(&guard));
    assert_int_equal(ph_thread_create(&guard, &thread, NULL, body, argument), 0);
    ph_guard_leave(&guard);
    return thread;
}

/* ---- Captures ---- */

void sample_begin(unsigned hz)
{
    assert_int_equal(ph_sampling_begin(hz, STACK_BYTES), 0);
}

struct ph_sampling_counts sample_end(void)
{
    struct ph_sampling_counts counts;
    drain(0);
    ph_sampling_end(&counts);
    return counts;
}

uint64_t drain(pid_t tid)
{
    struct ph_capture capture;
    uint64_t count = 0;
    while (ph_sampling_take(&capture)) {
        count += tid == 0 || capture.tid == tid ? capture.count : 0;
        ph_sampling_give_back(&capture);
    }
    return count;
}

uint64_t drain_at_least(pid_t tid, uint64_t count)
{
    uint64_t drained = drain(tid);
    for (int i = 0; i < POLLS_MAX && drained < count; i++) {
        usleep(POLL_US);
        drained += drain(tid);
    }
    return drained;
}

uintptr_t behind_syscall(const void *function)
{
    const uint8_t *code = function;
    for (size_t i = 0; i < 512; i++)
        if (code[i] == 0x0f && code[i + 1] == 0x05)
            return (uintptr_t)code + i + 2;
    return 0;
}

int status_of(pid_t child)
{
    int status = -1;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        fail_msg("the child ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

int captures_setup(void **state)
{
    (void)state;
    ph_activation_init(NULL);
    return 0;
}
