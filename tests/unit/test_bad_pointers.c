/*
 * What a program gets for a pointer that leads nowhere is what it gets without us: an error of the kernel where that reads it, a crash
 * where libc does. While our signal is held off, when hooks look at more.
 */
#include "captures_fixture.h"

#include "probe/real.h"
#include "probe/signal.h"
#include "probe/wait.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* What glibc's headers declare only to programs that are compiled with _FORTIFY_SOURCE. */
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t capacity);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask,
                size_t capacity);

static void *volatile bad, *volatile none; /* not readable; NULL */
static struct timespec moment = {0, 10000000};
static struct timeval tick = {0, 10000};
static struct iovec vector;
static int epoll, full;     /* a socket in which a byte waits */
static sem_t semaphore;     /* at nothing */
static sigset_t one_signal; /* blocked */
static int number;

/* ---- The calls ---- */

#define BAD(what, name, ...)                                                                                       \
    static long name##_##what(bool is_hooked)                                                                      \
    {                                                                                                              \
        return (is_hooked ? name : ph_real()->name)(__VA_ARGS__);                                                  \
    }
#include "bad_pointers.def"
#undef BAD

static const struct {
    const char *name;
    long (*call)(bool is_hooked);
} calls[] = {
#define BAD(what, name, ...) {#name ": " #what, name##_##what},
#include "bad_pointers.def"
#undef BAD
};

/* ---- What comes of them ---- */

static int run(size_t place, bool is_hooked)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        sigprocmask(SIG_BLOCK, &one_signal, NULL);
        alarm(20); /* for what waits for ever */
        ph_wait_hold(ph_signal_acquire());
        errno = 0;
        long result = calls[place].call(is_hooked);
        _exit(result < 0 ? errno : 128 + (int)(result & 127));
    }
    waitpid(child, &status, 0);
    return status;
}

static void a_bad_pointer_is_refused_by_whom_it_is_refused_without_us(void **state)
{
    (void)state;
    for (size_t place = 0; place < sizeof(calls) / sizeof(calls[0]); place++) {
        int hooked = run(place, true), real = run(place, false);
        if (hooked != real)
            fail_msg("%s: status 0x%x, without us 0x%x", calls[place].name, (unsigned)hooked, (unsigned)real);
    }
}

/* Else nothing above would be told from a call that is not made. */
static void most_of_them_are_refused_by_the_kernel(void **state)
{
    size_t refused_count = 0;
    (void)state;
    for (size_t place = 0; place < sizeof(calls) / sizeof(calls[0]); place++) {
        int status = run(place, false);
        refused_count += WIFEXITED(status) && WEXITSTATUS(status) == EFAULT;
    }
    assert_true(refused_count > sizeof(calls) / sizeof(calls[0]) / 2);
}

static int set_up(void **state)
{
    int pair[2];
    struct epoll_event event = {.events = EPOLLIN};
    bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sem_init(&semaphore, 0, 0);
    sigemptyset(&one_signal);
    sigaddset(&one_signal, SIGUSR2);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (bad == MAP_FAILED || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || send(pair[1], "x", 1, 0) != 1)
        return -1;
    full = pair[0];
    vector = (struct iovec){bad, 1};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, full, &event) < 0 ? -1 : captures_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_pointer_is_refused_by_whom_it_is_refused_without_us),
        cmocka_unit_test(most_of_them_are_refused_by_the_kernel),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
