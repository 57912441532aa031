/*
 * host_denied.c - runs a command under a seccomp filter that answers one system call with an error, as containers do.
 *
 *   host_denied memfd_create|pidfd_open|timer_create|unshare_files|threads ENOSYS|EPERM|EAGAIN COMMAND...
 *   host_denied docker EPERM COMMAND...
 *
 * unshare_files is close_range() with CLOSE_RANGE_UNSHARE; without that flag it works. threads is clone3(), which
 * pthread_create() calls, and fork() does not. docker is what Docker's default profile denies a container without privileges
 * of what might matter here (moby, profiles/seccomp/default.json): clone3() is not there, the rest is not permitted.
 */
#include <err.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct denied {
    const char *name;
    unsigned number;
    unsigned flags; /* only where the third argument is this; 0: always */
} calls[] = {
    {"memfd_create", SYS_memfd_create, 0},
    {"pidfd_open", SYS_pidfd_open, 0},
    {"timer_create", SYS_timer_create, 0},
    {"unshare_files", SYS_close_range, CLOSE_RANGE_UNSHARE},
    {"threads", SYS_clone3, 0},
};

static const struct denied docker[] = {
    {"unshare", SYS_unshare, 0},
    {"setns", SYS_setns, 0},
    {"mount", SYS_mount, 0},
    {"umount2", SYS_umount2, 0},
    {"perf_event_open", SYS_perf_event_open, 0},
    {"bpf", SYS_bpf, 0},
    {"userfaultfd", SYS_userfaultfd, 0},
    {"keyctl", SYS_keyctl, 0},
    {"open_by_handle_at", SYS_open_by_handle_at, 0},
    {"io_uring_setup", SYS_io_uring_setup, 0},
};

static const struct denied clone3_call = {"clone3", SYS_clone3, 0};

static const struct denied *find_call(const char *name)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (strcmp(calls[i].name, name) == 0)
            return &calls[i];
    errx(2, "unknown call %s", name);
}

static void deny(const struct denied *call, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->number, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, call->flags),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->flags, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        err(1, "seccomp");
}

static void deny_as_docker(void)
{
    deny(&clone3_call, ENOSYS);
    for (size_t i = 0; i < sizeof(docker) / sizeof(docker[0]); i++)
        deny(&docker[i], EPERM);
}

static int find_error(const char *name)
{
    return strcmp(name, "EPERM") == 0 ? EPERM : strcmp(name, "EAGAIN") == 0 ? EAGAIN : ENOSYS;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        errx(2, "usage: host_denied CALL ENOSYS|EPERM|EAGAIN COMMAND...");
    if (strcmp(argv[1], "docker") == 0)
        deny_as_docker();
    else
        deny(find_call(argv[1]), find_error(argv[2]));
    execvp(argv[3], argv + 3);
    err(127, "%s", argv[3]);
}
