/*
 * test_leaving.c - a call that waits may be left in the middle: by cancellation, or by a longjmp() out of a signal handler.
 *
 * The hooks must still be cancellation points, and on the thread's way out Porthole must not believe that it is inside:
 * it takes note of a listen() there, and opens its window. That happens once a process, so each call has one of its own.
 */
#include "conformance.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Every hook that is a cancellation point; more do no harm: they are libc's. clang-format does not come to an end here. */
/* clang-format off */
#define POINTS(X) \
    X(accept) X(accept4) X(epoll_wait) X(epoll_pwait) X(epoll_pwait2) X(poll) X(ppoll) X(__poll_chk) X(__ppoll_chk) \
    X(select) X(pselect) X(recv) X(__recv_chk) X(recvfrom) X(__recvfrom_chk) X(recvmsg) X(read) X(__read_chk) \
    X(sigsuspend) X(pause) X(sigwait) X(sigwaitinfo) X(sigtimedwait) X(wait) X(wait3) X(wait4) X(waitpid) X(waitid) \
    X(nanosleep) X(clock_nanosleep) X(usleep) X(sleep) X(sem_wait) X(sem_timedwait) X(sem_clockwait)
/* clang-format on */

#define DECLARE(name) struct outcome call_##name(any_function *f, enum way way);
POINTS(DECLARE)

/* What glibc's headers declare only to programs that are compiled with _FORTIFY_SOURCE. */
extern int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t bytes);
extern int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask,
                       size_t bytes);
extern ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t buffer_size, int flags);
extern ssize_t __recvfrom_chk(int fd, void *buffer, size_t size, size_t buffer_size, int flags,
                              struct sockaddr *address, socklen_t *address_bytes);
extern ssize_t __read_chk(int fd, void *buffer, size_t size, size_t buffer_size);

static const struct point {
    const char *name;
    struct outcome (*call)(any_function *f, enum way way);
    any_function *hook;
} points[] = {
#define ROW(name) {#name, call_##name, (any_function *)name},
    POINTS(ROW)
#undef ROW
};

#define POINT_COUNT (sizeof(points) / sizeof(points[0]))

/* What came of one of them; the exit status of its process. */
enum verdict {
    AS_EXPECTED,
    CAME_BACK,   /* the call returned instead of being left */
    NOT_LEFT,    /* the thread ended otherwise */
    NO_WINDOW,   /* after it, listen() was not taken note of */
    NOT_WAITING, /* it did not get as far as to wait */
};

static const char *const verdicts[] = {
    [CAME_BACK] = "returned",
    [NOT_LEFT] = "could not be left",
    [NO_WINDOW] = "was left, and Porthole believes that the thread is still inside",
    [NOT_WAITING] = "did not wait",
};

struct leaver {
    const struct point *point;
    pid_t tid; /* atomic */
    int by_jump, came_back;
};

static sigjmp_buf way_out;

static void jump_out(int signal_number)
{
    (void)signal_number;
    siglongjmp(way_out, 1);
}

static void note_listen(void *listener)
{
    listen(*(int *)listener, 1);
}

static void *call_and_leave(void *argument)
{
    struct leaver *leaver = argument;
    int listener = bound_socket();
    pthread_cleanup_push(note_listen, &listener);
    if (!leaver->by_jump || sigsetjmp(way_out, 1) == 0) {
        __atomic_store_n(&leaver->tid, gettid(), __ATOMIC_RELEASE);
        leaver->point->call(leaver->point->hook, BLOCK);
        leaver->came_back = 1;
    }
    pthread_cleanup_pop(leaver->by_jump);
    return NULL;
}

static void wait_ms(int milliseconds)
{
    struct timespec time = {0, milliseconds * 1000000L};
    syscall(SYS_nanosleep, &time, NULL);
}

/* The letter of state and the name of a thread of this process; '?' for none. */
static char thread_state(const char *tid, char ret_name[32])
{
    char path[64], text[256] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%s/stat", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    long size = fd < 0 ? -1 : syscall(SYS_read, fd, text, sizeof(text) - 1);
    discard(fd);
    char *name = strchr(text, '('), *end = strrchr(text, ')');
    if (size <= 0 || !name || !end)
        return '?';
    snprintf(ret_name, 32, "%.*s", (int)(end - name - 1), name + 1);
    return end[2];
}

/* Asleep at three looks in a row. */
static int wait_until_waiting(const struct leaver *leaver)
{
    int asleep = 0;
    for (int i = 0; i < 5000 && asleep < 3; i++) {
        char tid[16], name[32];
        snprintf(tid, sizeof(tid), "%d", (int)__atomic_load_n(&leaver->tid, __ATOMIC_ACQUIRE));
        asleep = thread_state(tid, name) == 'S' ? asleep + 1 : 0;
        wait_ms(1);
    }
    return asleep;
}

static int has_control_thread(void)
{
    DIR *threads = opendir("/proc/self/task");
    const struct dirent *entry;
    int found = 0;
    char name[32];
    while (!found && threads && (entry = readdir(threads)))
        found = entry->d_name[0] != '.' && thread_state(entry->d_name, name) != '?' &&
                strcmp(name, "porthole/ctl") == 0;
    if (threads)
        closedir(threads);
    return found;
}

/* Its control thread stays as long as the window. */
static int window_opens(void)
{
    for (int i = 0; i < 1000; i++) {
        if (has_control_thread())
            return 1;
        wait_ms(1);
    }
    return 0;
}

static enum verdict leave(const struct point *point, int by_jump)
{
    struct leaver leaver = {.point = point, .by_jump = by_jump};
    struct sigaction jumping = {.sa_handler = jump_out};
    pthread_t thread;
    void *result = NULL;
    alarm(30);
    sigaction(SIGUSR2, &jumping, NULL);
    pthread_create(&thread, NULL, call_and_leave, &leaver);
    if (!wait_until_waiting(&leaver))
        return NOT_WAITING;
    if (by_jump)
        pthread_kill(thread, SIGUSR2);
    else
        pthread_cancel(thread);
    pthread_join(thread, &result);
    if (leaver.came_back)
        return CAME_BACK;
    if (result != (by_jump ? NULL : PTHREAD_CANCELED))
        return NOT_LEFT;
    return window_opens() ? AS_EXPECTED : NO_WINDOW;
}

static void leave_each(int by_jump)
{
    for (size_t i = 0; i < POINT_COUNT; i++) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0)
            _exit((int)leave(&points[i], by_jump));
        waitpid(pid, &status, 0);
        if (!WIFEXITED(status))
            fail_msg("%s: ended by signal %d", points[i].name, WTERMSIG(status));
        if (WEXITSTATUS(status) != AS_EXPECTED)
            fail_msg("%s %s", points[i].name, verdicts[WEXITSTATUS(status)]);
    }
}

static void calls_that_wait_can_be_cancelled(void **state)
{
    (void)state;
    leave_each(0);
}

static void calls_that_wait_can_be_left_by_longjmp(void **state)
{
    (void)state;
    leave_each(1);
}

/* The window must open at a listen(), and nowhere but in the process itself; the library reads that before main(). */
static void start_as_server(char **arguments)
{
    if (strcmp(getenv("PORTHOLE_START") ? getenv("PORTHOLE_START") : "", "server") == 0)
        return;
    setenv("PORTHOLE_START", "server", 1);
    setenv("PORTHOLE_LISTEN", "off", 1);
    setenv("PORTHOLE_LOG", "quiet", 1);
    execv("/proc/self/exe", arguments);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_that_wait_can_be_cancelled),
        cmocka_unit_test(calls_that_wait_can_be_left_by_longjmp),
    };
    (void)argc;
    start_as_server(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
