/*
 * host_closer.c - a daemon that closes every descriptor it has not opened for a purpose: host_closer METHOD PORT PIDFILE
 *
 * It listens, forks twice, and closes all but its listening socket by METHOD; so does each of its workers after it was
 * forked. SIGHUP replaces the workers, SIGTERM ends it. GET is answered with what closing looked like from inside.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS     3
#define CLIENTS_MAX 64

/* Low descriptors that closing left open, and calls that failed as no call of them may. */
static int left_open, surprises;
static volatile sig_atomic_t reload, stop;
static char *volatile own_memory; /* something that only this worker holds */

static void expect(bool good)
{
    surprises += !good;
}

/* ---- Ways to close ------------------------------------------------------------------------------------------------- */

static void by_close(int keep)
{
    for (int fd = 0, end = getdtablesize(); fd < end; fd++)
        if (fd != keep)
            expect(close(fd) == 0 || errno == EBADF);
}

static void by_close_range(int keep)
{
    expect(close_range(0, (unsigned)keep - 1, 0) == 0);
    expect(close_range((unsigned)keep + 1, ~0U, 0) == 0);
}

/* It has to be the last one below: closefrom() knows no exceptions. */
static void by_closefrom(int keep)
{
    for (int fd = 0; fd < keep; fd++)
        expect(close(fd) == 0 || errno == EBADF);
    closefrom(keep + 1);
}

static void by_proc(int keep)
{
    DIR *folder = opendir("/proc/self/fd");
    expect(folder != NULL);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd != keep && fd != dirfd(folder))
            expect(close(fd) == 0 || errno == EBADF);
    }
    if (folder)
        expect(closedir(folder) == 0);
}

static void by_raw_close(int keep)
{
    for (int fd = 0, end = getdtablesize(); fd < end; fd++)
        if (fd != keep)
            expect(syscall(SYS_close, fd) == 0 || errno == EBADF);
}

static void by_raw_close_range(int keep)
{
    expect(syscall(SYS_close_range, 0, keep - 1, 0) == 0);
    expect(syscall(SYS_close_range, keep + 1, ~0U, 0) == 0);
}

/* First something else is put at every number but the last few, so that there is room to evade; then all of it is closed. */
static void by_dup2(int keep)
{
    int null = open("/dev/null", O_RDWR), end = getdtablesize() - 16;
    for (int fd = 0; fd < end; fd++) {
        if (fd == keep || fd == null)
            continue;
        expect(dup2(null, fd) == fd);
        expect(fcntl(fd, F_GETFD) == 0);
    }
    for (int fd = 0; fd < end; fd++)
        if (fd != keep)
            expect(close(fd) == 0);
}

static const struct {
    const char *name;
    void (*close_all_but)(int keep);
} methods[] = {
    {"close", by_close}, {"close_range", by_close_range}, {"closefrom", by_closefrom},
    {"proc", by_proc},   {"raw_close", by_raw_close},     {"raw_close_range", by_raw_close_range},
    {"dup2", by_dup2},
};

static unsigned method;

static void close_all_but(int keep)
{
    methods[method].close_all_but(keep);
    left_open = 0;
    for (int fd = 0; fd < 512; fd++)
        left_open += fd != keep && fcntl(fd, F_GETFD) >= 0;
    int null = open("/dev/null", O_RDWR); /* what is opened next gets the lowest numbers, as ever */
    expect(null == 0 && dup(null) == 1 && dup(null) == 2);
}

/* ---- A worker --------------------------------------------------------------------------------------------------------- */

/* One request a read: clients that send more slowly are not what this is about. */
static bool serve(int client)
{
    char request[4096], body[200], answer[400];
    ssize_t got = recv(client, request, sizeof(request), 0);
    if (got <= 0)
        return false;
    snprintf(body, sizeof(body), "%s: %d left open, %d surprises\n", methods[method].name, left_open, surprises);
    int length = snprintf(answer, sizeof(answer),
                          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
                          strlen(body), body);
    return send(client, answer, (size_t)length, MSG_NOSIGNAL) == length;
}

static void work(int listener)
{
    struct pollfd polled[CLIENTS_MAX + 1] = {{.fd = listener, .events = POLLIN}};
    nfds_t count = 1;
    for (;;) {
        polled[0].fd = count > CLIENTS_MAX ? -1 : listener;
        if (poll(polled, count, -1) < 0)
            continue;
        for (nfds_t i = count; i-- > 1;) {
            if (!polled[i].revents || serve(polled[i].fd))
                continue;
            close(polled[i].fd);
            polled[i] = polled[--count];
        }
        if (!(polled[0].revents & POLLIN))
            continue;
        int client = accept(listener, NULL, NULL);
        if (client >= 0)
            polled[count++] = (struct pollfd){.fd = client, .events = POLLIN};
    }
}

/* ---- The daemon -------------------------------------------------------------------------------------------------------- */

static void on_signal(int number)
{
    if (number == SIGHUP)
        reload = 1;
    if (number == SIGTERM)
        stop = 1;
}

static pid_t start_worker(int listener, const sigset_t *mask)
{
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGHUP, SIG_IGN);
        signal(SIGTERM, SIG_DFL);
        signal(SIGCHLD, SIG_DFL);
        sigprocmask(SIG_SETMASK, mask, NULL);
        close_all_but(listener);
        own_memory = malloc(300000);
        work(listener);
    }
    return pid;
}

static void supervise(int listener)
{
    sigset_t blocked, before;
    sigfillset(&blocked);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    sigdelset(&before, SIGHUP);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGCHLD, &action, NULL);
    pid_t workers[WORKERS] = {0};
    while (!stop) {
        for (int i = 0; i < WORKERS; i++) {
            if (reload && workers[i] > 0)
                kill(workers[i], SIGTERM);
            if (workers[i] <= 0)
                workers[i] = start_worker(listener, &before);
        }
        reload = 0;
        sigset_t wait = before;
        sigsuspend(&wait);
        for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
            for (int i = 0; i < WORKERS; i++)
                if (workers[i] == pid)
                    workers[i] = 0;
    }
    for (int i = 0; i < WORKERS; i++)
        kill(workers[i], SIGTERM);
    while (wait(NULL) > 0) {
    }
}

static void become_daemon(void)
{
    if (fork() != 0)
        _exit(0);
    setsid();
    if (fork() != 0)
        _exit(0);
    if (chdir("/") != 0)
        _exit(3);
}

static void write_pid(const char *path)
{
    char draft[4096];
    snprintf(draft, sizeof(draft), "%s.new", path);
    FILE *file = fopen(draft, "w");
    if (!file || fprintf(file, "%d\n", (int)getpid()) < 0 || fclose(file) || rename(draft, path))
        _exit(4);
}

int main(int count, char **arguments)
{
    if (count != 4)
        return 2;
    while (method < sizeof(methods) / sizeof(methods[0]) && strcmp(methods[method].name, arguments[1]))
        method++;
    if (method == sizeof(methods) / sizeof(methods[0]))
        return 2;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(arguments[2])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 128))
        return 1;
    become_daemon();
    close_all_but(listener);
    write_pid(arguments[3]);
    supervise(listener);
    unlink(arguments[3]);
    return 0;
}
