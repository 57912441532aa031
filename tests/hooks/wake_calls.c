/* Each call that can wait, with what makes it return soon. */
#include "wake_calls.h"

#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct timespec short_time = {.tv_nsec = 1000000}, no_time = {0};

int wake_full_pipe(void)
{
    int fds[2];
    if (pipe(fds) < 0 || write(fds[1], "x", 1) != 1)
        _exit(90);
    return fds[0];
}

int wake_full_socket(void)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 || write(fds[1], "x", 1) != 1)
        _exit(90);
    return fds[0];
}

static void ignore(int signal)
{
    (void)signal;
}

/* A signal that ends pause() and sigsuspend(), later than they begin. */
static void signal_later(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    const struct itimerspec soon = {.it_value = {.tv_nsec = 50000000}, .it_interval = {.tv_nsec = 50000000}};
    timer_t timer;
    signal(SIGUSR1, ignore);
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &soon, NULL);
}

static sigset_t pending_signal(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR2);
    return set;
}

void wake_by_poll(void)
{
    poll(NULL, 0, 1);
}

static void by_ppoll(void)
{
    ppoll(NULL, 0, &short_time, NULL);
}

static void by_epoll_wait(void)
{
    struct epoll_event event;
    epoll_wait(epoll_create1(0), &event, 1, 1);
}

static void by_epoll_pwait(void)
{
    struct epoll_event event;
    epoll_pwait(epoll_create1(0), &event, 1, 1, NULL);
}

static void by_epoll_pwait2(void)
{
    struct epoll_event event;
    epoll_pwait2(epoll_create1(0), &event, 1, &short_time, NULL);
}

static void by_select(void)
{
    struct timeval timeout = {.tv_usec = 1000};
    select(0, NULL, NULL, NULL, &timeout);
}

static void by_pselect(void)
{
    pselect(0, NULL, NULL, NULL, &short_time, NULL);
}

static void by_read(void)
{
    char byte;
    if (read(wake_full_pipe(), &byte, 1) != 1)
        _exit(91);
}

static void by_recv(void)
{
    char byte;
    recv(wake_full_socket(), &byte, 1, 0);
}

static void by_recvfrom(void)
{
    char byte;
    recvfrom(wake_full_socket(), &byte, 1, 0, NULL, NULL);
}

static void by_recvmsg(void)
{
    struct msghdr message = {0};
    recvmsg(wake_full_socket(), &message, 0);
}

static void by_accept(void)
{
    accept(-1, NULL, NULL);
}

static void by_accept4(void)
{
    accept4(-1, NULL, NULL, 0);
}

static void by_listen(void)
{
    listen(socket(AF_INET, SOCK_STREAM, 0), 1);
}

static void by_pause(void)
{
    signal_later();
    pause();
}

static void by_sigsuspend(void)
{
    sigset_t none;
    sigemptyset(&none);
    signal_later();
    sigsuspend(&none);
}

static void by_sigwait(void)
{
    sigset_t set = pending_signal();
    int number;
    sigwait(&set, &number);
}

static void by_sigwaitinfo(void)
{
    sigset_t set = pending_signal();
    sigwaitinfo(&set, NULL);
}

static void by_sigtimedwait(void)
{
    sigset_t set = pending_signal();
    sigtimedwait(&set, NULL, &short_time);
}

static void by_wait(void)
{
    wait(NULL);
}

static void by_waitpid(void)
{
    waitpid(-1, NULL, 0);
}

static void by_wait3(void)
{
    wait3(NULL, 0, NULL);
}

static void by_wait4(void)
{
    wait4(-1, NULL, 0, NULL);
}

static void by_waitid(void)
{
    siginfo_t info;
    waitid(P_ALL, 0, &info, WEXITED);
}

static void by_sleep(void)
{
    signal_later();
    sleep(1);
}

static void by_usleep(void)
{
    usleep(1);
}

static void by_nanosleep(void)
{
    nanosleep(&short_time, NULL);
}

static void by_clock_nanosleep(void)
{
    clock_nanosleep(CLOCK_MONOTONIC, 0, &short_time, NULL);
}

static void by_sem_wait(void)
{
    sem_t semaphore;
    sem_init(&semaphore, 0, 1);
    sem_wait(&semaphore);
}

static void by_sem_timedwait(void)
{
    sem_t semaphore;
    sem_init(&semaphore, 0, 1);
    sem_timedwait(&semaphore, &no_time);
}

static void by_sem_clockwait(void)
{
    sem_t semaphore;
    sem_init(&semaphore, 0, 1);
    sem_clockwait(&semaphore, CLOCK_MONOTONIC, &no_time);
}

const struct wake_call wake_calls[] = {
#define CALL(name)                                                                                                 \
    {                                                                                                              \
#name, by_##name                                                                                           \
    }
    {"poll", wake_by_poll},
    CALL(ppoll),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(epoll_pwait2),
    CALL(select),
    CALL(pselect),
    CALL(read),
    CALL(recv),
    CALL(recvfrom),
    CALL(recvmsg),
    CALL(accept),
    CALL(accept4),
    CALL(listen),
    CALL(pause),
    CALL(sigsuspend),
    CALL(sigwait),
    CALL(sigwaitinfo),
    CALL(sigtimedwait),
    CALL(wait),
    CALL(waitpid),
    CALL(wait3),
    CALL(wait4),
    CALL(waitid),
    CALL(sleep),
    CALL(usleep),
    CALL(nanosleep),
    CALL(clock_nanosleep),
    CALL(sem_wait),
    CALL(sem_timedwait),
    CALL(sem_clockwait),
};

const size_t wake_call_count = sizeof(wake_calls) / sizeof(wake_calls[0]);
