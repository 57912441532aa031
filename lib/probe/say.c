#include "probe/say.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512

static struct stat stderr_at_start;
static bool had_stderr;

void ph_say_init(void)
{
    had_stderr = fstat(STDERR_FILENO, &stderr_at_start) == 0;
}

static bool same_stderr(void)
{
    struct stat now;
    return had_stderr && fstat(STDERR_FILENO, &now) == 0 && now.st_dev == stderr_at_start.st_dev &&
           now.st_ino == stderr_at_start.st_ino;
}

/* It may be the host's thread: no waiting for a reader who does not read, no point where the thread may be cancelled, so
 * bare system calls. */
static void write_now(const char *line, size_t size_bytes)
{
    static const struct timespec no_time;
    struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (syscall(SYS_ppoll, &room, 1, &no_time, NULL, 0) == 1 && (room.revents & POLLOUT))
        syscall(SYS_write, STDERR_FILENO, line, size_bytes);
}

/* A reader who is gone is no reason to end the host. */
static void write_without_sigpipe(const char *line, size_t size_bytes)
{
    static const struct timespec no_time;
    sigset_t pipe_only, before, pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    sigpending(&pending);
    write_now(line, size_bytes);
    if (!sigismember(&pending, SIGPIPE))
        syscall(SYS_rt_sigtimedwait, &pipe_only, NULL, &no_time, _NSIG / 8);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void ph_say(const char *text)
{
    int saved_errno = errno;
    char line[LINE_MAX_BYTES];
    int length = snprintf(line, sizeof(line), "porthole: %.*s\n", LINE_MAX_BYTES - 16, text);
    if (length > 0 && same_stderr())
        write_without_sigpipe(line, (size_t)length);
    errno = saved_errno;
}
