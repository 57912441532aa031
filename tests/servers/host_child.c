/*
 * host_child.c - a server that forks a child for each connection; the child looks at itself on request, and tells.
 *
 *   host_child PORT
 *
 * What it tells must be the same with Porthole and without, though with Porthole the child is awake: it has threads of ours.
 */
#include "lines.c"

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define FD_COUNT 1024

static void tell_pid(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    sprintf(answer, "%d", (int)getpid());
}

static void echo(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    snprintf(answer, LINES_MAX, "%.1000s", argument);
}

static void keep(struct lines_server *server, const char *argument, char *answer)
{
    static void *volatile kept;
    (void)server;
    kept = malloc(strtoul(argument, NULL, 10));
    strcpy(answer, kept ? "kept" : "no memory");
}

/* ---- Descriptors: each way to close all there are, but the one we talk through -------------------------------------- */

static void close_each(struct lines_server *server, const char *argument, char *answer)
{
    int closed = 0;
    (void)argument;
    for (int fd = 3; fd < FD_COUNT; fd++)
        closed += fd != server->connection && close(fd) == 0;
    sprintf(answer, "%d closed", closed);
}

/* As careful programs do: only those that are there. A second look must find nothing but what was spared. */
static void close_listed(struct lines_server *server, const char *argument, char *answer)
{
    int left = 0;
    (void)argument;
    for (int look = 0; look < 2; look++) {
        DIR *folder = opendir("/proc/self/fd");
        struct dirent *entry;
        while (folder && (entry = readdir(folder))) {
            int fd = atoi(entry->d_name);
            if (fd < 3 || fd == server->connection || fd == dirfd(folder))
                continue;
            if (look == 0)
                close(fd);
            else if (fd < 512)
                left++;
        }
        if (folder)
            closedir(folder);
    }
    sprintf(answer, "%d left", left);
}

static void close_ranges(struct lines_server *server, const char *argument, char *answer)
{
    (void)argument;
    int below = server->connection > 3 ? close_range(3, (unsigned)server->connection - 1, 0) : 0;
    int above = close_range((unsigned)server->connection + 1, ~0U, 0);
    sprintf(answer, "%d %d", below, above);
}

static void close_from(struct lines_server *server, const char *argument, char *answer)
{
    (void)argument;
    closefrom(server->connection + 1);
    strcpy(answer, "done");
}

static void replace_each(struct lines_server *server, const char *argument, char *answer)
{
    int replaced = 0, closed = 0, file = open("/dev/null", O_WRONLY);
    (void)argument;
    for (int fd = 3; fd < FD_COUNT; fd++) {
        if (fd == server->connection || fd == file)
            continue;
        replaced += dup2(file, fd) == fd && write(fd, "x", 1) == 1;
        closed += close(fd) == 0;
    }
    close(file);
    sprintf(answer, "%d replaced, %d closed", replaced, closed);
}

static void next_number(struct lines_server *server, const char *argument, char *answer)
{
    int fd = open("/dev/null", O_RDONLY);
    (void)server;
    (void)argument;
    sprintf(answer, "%d", fd);
    close(fd);
}

/* As daemons do that do not care for /dev/null. */
static void close_standard(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    sprintf(answer, "%d", close(STDIN_FILENO) | close(STDOUT_FILENO) | close(STDERR_FILENO));
}

/* ---- Signals ----------------------------------------------------------------------------------------------------- */

/* Mask and handlers of all signals as the program sees them, as one number each. */
static void tell_signals(struct lines_server *server, const char *argument, char *answer)
{
    unsigned long long blocked = 0, handled = 0, flags = 0;
    sigset_t mask;
    (void)server;
    (void)argument;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        blocked |= (unsigned long long)(sigismember(&mask, number) == 1) << (number - 1);
        if (sigaction(number, NULL, &action) < 0)
            continue;
        handled |= (unsigned long long)(action.sa_handler != SIG_DFL) << (number - 1);
        flags += (unsigned)action.sa_flags;
    }
    sprintf(answer, "blocked %llx handled %llx flags %llx", blocked, handled, flags);
}

static sigset_t block_usr1(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return set;
}

/* Signals for the process, not for a thread: none may go astray. */
static void by_signalfd(struct lines_server *server, const char *argument, char *answer)
{
    sigset_t set = block_usr1();
    int count = 0, fd = signalfd(-1, &set, SFD_CLOEXEC);
    struct signalfd_siginfo info;
    (void)server;
    (void)argument;
    for (int i = 0; i < 1000; i++)
        if (kill(getpid(), SIGUSR1) == 0 && read(fd, &info, sizeof(info)) == sizeof(info))
            count += info.ssi_signo == SIGUSR1 && info.ssi_pid == (unsigned)getpid();
    close(fd);
    sprintf(answer, "%d", count);
}

static void by_sigwait(struct lines_server *server, const char *argument, char *answer)
{
    sigset_t set = block_usr1();
    int count = 0, number;
    (void)server;
    (void)argument;
    for (int i = 0; i < 1000; i++)
        if (kill(getpid(), SIGUSR1) == 0 && sigwait(&set, &number) == 0)
            count += number == SIGUSR1;
    sprintf(answer, "%d", count);
}

static volatile sig_atomic_t handled_count, handled_elsewhere;
static pthread_t host_thread;

static void count_signal(int number)
{
    (void)number;
    handled_count++;
    handled_elsewhere += !pthread_equal(pthread_self(), host_thread);
}

/* Handlers run on threads of the host, and only calls of the host are interrupted. */
static void by_handler(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    host_thread = pthread_self();
    handled_count = handled_elsewhere = 0;
    signal(SIGUSR2, count_signal);
    for (int i = 0; i < 1000; i++)
        kill(getpid(), SIGUSR2);
    sprintf(answer, "%d handled, %d elsewhere", (int)handled_count, (int)handled_elsewhere);
}

/* ---- Children of the child, and their ends -------------------------------------------------------------------------- */

static void *sleep_a_moment(void *unused)
{
    poll(NULL, 0, 50);
    return unused;
}

static void end_last_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, sleep_a_moment, NULL);
    pthread_detach(thread);
    pthread_exit(NULL);
}

static void end_by_exit(void)
{
    exit(3);
}

static void end_at_once(void)
{
    _exit(4);
}

/* What crash reporters do: a signal to each thread there is, then the default action. */
static void stop_threads(int number)
{
    DIR *folder = opendir("/proc/self/task");
    struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (atoi(entry->d_name) > 0 && atoi(entry->d_name) != gettid())
            tgkill(getpid(), atoi(entry->d_name), SIGUSR2);
    signal(number, SIG_DFL);
    raise(number);
}

static void end_by_crash(void)
{
    signal(SIGUSR2, SIG_IGN);
    signal(SIGSEGV, stop_threads);
    raise(SIGSEGV);
}

/* Exit handlers that wait let our threads go on meanwhile. */
static void dally(void)
{
    poll(NULL, 0, 50);
}

static void end_slowly(void)
{
    atexit(dally);
    exit(5);
}

static void end_by_exec(void)
{
    execl("/bin/sh", "sh", "-c", "exit 6", (char *)NULL);
}

static const struct {
    const char *name;
    void (*end)(void);
} ends[] = {
    {"exit", end_by_exit}, {"_exit", end_at_once},           {"abort", abort},      {"crash", end_by_crash},
    {"dally", end_slowly}, {"last-thread", end_last_thread}, {"exec", end_by_exec},
};

/* A child that has waited, so it is awake, and then ends; how, as waitpid() tells. */
static void offspring_ends(struct lines_server *server, const char *argument, char *answer)
{
    struct rlimit no_core = {0, 0};
    int status = -1;
    (void)server;
    signal(SIGCHLD, SIG_DFL);
    pid_t pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        alarm(20);
        poll(NULL, 0, 100);
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
            if (strcmp(ends[i].name, argument) == 0)
                ends[i].end();
        _exit(99);
    }
    waitpid(pid, &status, 0);
    sprintf(answer, "%#x", (unsigned)status);
}

/* A child that stays; its pid. */
static void offspring(struct lines_server *server, const char *argument, char *answer)
{
    (void)argument;
    pid_t pid = fork();
    if (pid == 0) {
        close(server->connection);
        for (;;)
            pause();
    }
    sprintf(answer, "%d", (int)pid);
}

/* Until it waits, a forked child has one thread: the kernel says so, as it refuses this to a process with more. */
static void quiet_offspring(struct lines_server *server, const char *argument, char *answer)
{
    int status = -1;
    (void)server;
    (void)argument;
    signal(SIGCHLD, SIG_DFL);
    pid_t pid = fork();
    if (pid == 0) {
        void *volatile memory = malloc(100000);
        free(memory);
        _exit(unshare(CLONE_SIGHAND | CLONE_VM) == 0 ? 7 : 8);
    }
    waitpid(pid, &status, 0);
    sprintf(answer, "%d", WEXITSTATUS(status));
}

/* ---- The process changes ------------------------------------------------------------------------------------------- */

static void change_user(struct lines_server *server, const char *argument, char *answer)
{
    uid_t user = (uid_t)atoi(argument);
    (void)server;
    int result = setgid(user) | setuid(user);
    sprintf(answer, "%d", result);
}

static void change_root(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    sprintf(answer, "%d %d", chroot(argument), chdir("/"));
}

static void limit_files(struct lines_server *server, const char *argument, char *answer)
{
    struct rlimit limit = {(rlim_t)atoi(argument), (rlim_t)atoi(argument)};
    (void)server;
    sprintf(answer, "%d", setrlimit(RLIMIT_FSIZE, &limit));
}

static const struct lines_command commands[] = {
    {"pid", tell_pid},
    {"echo", echo},
    {"keep", keep},
    {"close-each", close_each},
    {"close-listed", close_listed},
    {"close-ranges", close_ranges},
    {"closefrom", close_from},
    {"replace-each", replace_each},
    {"next-number", next_number},
    {"close-standard", close_standard},
    {"signals", tell_signals},
    {"signalfd", by_signalfd},
    {"sigwait", by_sigwait},
    {"handler", by_handler},
    {"ends", offspring_ends},
    {"offspring", offspring},
    {"quiet-offspring", quiet_offspring},
    {"setuid", change_user},
    {"chroot", change_root},
    {"fsize", limit_files},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    struct lines_server server = {.listener = lines_listen(argc > 1 ? atoi(argv[1]) : 0), .fork_each = true};
    lines_serve(&server, commands);
}
