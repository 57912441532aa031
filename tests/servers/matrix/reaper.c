/*
 * reaper.c - starts a server and stays the parent of all it leaves behind: reaper LOG COMMAND...
 *
 * The exit status of a daemon is known to whoever adopts it. Each process that ends here, first or orphaned, is a line of
 * LOG: "PID exited STATUS" or "PID killed SIGNAL". On SIGTERM, and if the test dies, everything that is left is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int log_fd = -1;

static void note(pid_t pid, int status)
{
    char line[64];
    int length = WIFSIGNALED(status)
                     ? snprintf(line, sizeof(line), "%d killed %d\n", (int)pid, WTERMSIG(status))
                     : snprintf(line, sizeof(line), "%d exited %d\n", (int)pid, WEXITSTATUS(status));
    if (write(log_fd, line, (size_t)length) != length)
        exit(3);
}

static void reap(void)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        note(pid, status);
}

/* Children only: theirs come here as soon as they have gone. */
static void kill_children(void)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *children = fopen(path, "re");
    for (int pid; children && fscanf(children, "%d", &pid) == 1;)
        kill(pid, SIGKILL);
    if (children)
        fclose(children);
}

static void end_all(void)
{
    for (;;) {
        kill_children();
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid < 0 && errno == ECHILD)
            exit(0);
        if (pid > 0)
            note(pid, status);
        else
            usleep(1000);
    }
}

int main(int count, char **arguments)
{
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &before);
    if (count < 3 || prctl(PR_SET_CHILD_SUBREAPER, 1) || prctl(PR_SET_PDEATHSIG, SIGTERM))
        return 2;
    log_fd = open(arguments[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    pid_t first = fork();
    if (first == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        execvp(arguments[2], arguments + 2);
        _exit(127);
    }
    dprintf(log_fd, "%d started\n", (int)first);
    for (int signal;;) {
        sigwait(&signals, &signal);
        if (signal == SIGTERM)
            end_all();
        reap();
    }
}
