/* children.cc - modes that make processes, and one that changes its user. */
#include "harm.h"

#include <cerrno>
#include <cstdio>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const int64_t FORK_EVERY_NS = 4000000; /* on two threads: 500 a second */

static void expect_status(pid_t child, int wanted, const char *what)
{
    int status = -1;
    if (child < 0)
        broken("%s fails", what);
    expect(waitpid(child, &status, 0) == child, "waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != wanted)
        broken("%s: a child ends with status %#x", what, status);
}

/* What a child inherits: the mask, and no signal of a timer that it has not. Those that wait join the family, which takes its time: few do. */
static int look_as_child(uint64_t mask, int kind)
{
    sigset_t pending;
    if (mask_now() != mask)
        return 1;
    burn(20000);
    if (kind % 64 == 1 && poll(nullptr, 0, 1) != 0)
        return 2;
    if (kind % 64 == 2)
        burn(3000000); /* longer than a tick */
    if (sigpending(&pending) < 0 || words_of(&pending) != 0)
        return 3;
    if (kind % 64 == 3) {
        pid_t grandchild = fork();
        int status = -1;
        if (grandchild == 0)
            _exit(7);
        if (waitpid(grandchild, &status, 0) != grandchild || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
            return 4;
    }
    return 7;
}

static void fork_often()
{
    uint64_t mask = mask_now();
    int64_t next_ns = now_ns(), begin_ns = next_ns;
    unsigned long count = 0;
    for (int kind = 0; !stop; kind++) {
        pid_t child = fork();
        if (child == 0)
            _exit(look_as_child(mask, kind));
        expect(mask_now() == mask, "the mask after fork()");
        expect_status(child, 7, "fork");
        done();
        count++;
        next_ns += FORK_EVERY_NS;
        if (next_ns < now_ns())
            next_ns = now_ns();
        else
            usleep(static_cast<useconds_t>((next_ns - now_ns()) / 1000 + 1));
    }
    note("forks a second", count * 1000000000 / static_cast<unsigned long>(now_ns() - begin_ns));
}

static void vfork_and_execute()
{
    while (!stop) {
        pid_t child = vfork();
        if (child == 0) {
            poll(nullptr, 0, 1);
            execl("/bin/true", "true", static_cast<char *>(nullptr));
            _exit(1);
        }
        expect_status(child, 0, "vfork");
        usleep(20000);
    }
}

static void spawn_often()
{
    char name[] = "sh", flag[] = "-c", command[] = "exit 5";
    char *const arguments[] = {name, flag, command, nullptr};
    while (!stop) {
        pid_t child = -1;
        expect(posix_spawn(&child, "/bin/sh", nullptr, nullptr, arguments, environ) == 0, "posix_spawn");
        expect_status(child, 5, "posix_spawn");
        FILE *pipe = popen("echo whole", "r");
        char line[16] = "";
        expect(pipe && fgets(line, sizeof(line), pipe) && std::string(line) == "whole\n" && pclose(pipe) == 0,
               "popen");
        usleep(20000);
    }
}

/* ---- setuid: each change of the user is told to all threads by a signal of libc ---- */

static void change_user()
{
    const uid_t nobody = 65534, before = geteuid();
    while (!stop) {
        uid_t other = before == 0 ? nobody : before;
        expect(seteuid(other) == 0 && geteuid() == other, "seteuid");
        burn(200000);
        expect(seteuid(before) == 0 && geteuid() == before, "seteuid back");
        expect(setuid(getuid()) == 0, "setuid");
        burn(200000);
        done();
    }
}

static void burn_and_wait()
{
    while (!stop) {
        burn(1000000);
        int result = poll(nullptr, 0, 3);
        expect(result == 0 || errno == EINTR, "poll while the user changes"); /* by the signal of libc */
    }
}

static void *end_soon(void *argument)
{
    burn(10000);
    return argument;
}

static void make_threads()
{
    while (!stop) {
        pthread_t threads[8];
        for (pthread_t &thread : threads)
            expect(pthread_create(&thread, nullptr, end_soon, nullptr) == 0, "pthread_create");
        for (pthread_t thread : threads)
            pthread_join(thread, nullptr);
        usleep(1000);
    }
}

std::vector<Mode> child_modes()
{
    return {
        {"fork", prepare_witnesses,
         both(witnesses(), {{"fork", fork_often, 2}, {"vfork", vfork_and_execute, 1}, {"spawn", spawn_often, 1}})},
        {"setuid", nullptr,
         both(state_witnesses(),
              {{"setuid", change_user, 1}, {"burn", burn_and_wait, 3}, {"make-threads", make_threads, 1}})},
    };
}
