/*
 * host_denied.c - runs a command under a seccomp filter that answers one system call with an error, as containers do.
 *
 *   host_denied memfd_create|pidfd_open|timer_create ENOSYS|EPERM COMMAND...
 */
#include <err.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name;
    long number;
} calls[] = {
    {"memfd_create", SYS_memfd_create}, {"pidfd_open", SYS_pidfd_open}, {"timer_create", SYS_timer_create}};

static long call_number(const char *name)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (strcmp(calls[i].name, name) == 0)
            return calls[i].number;
    errx(2, "unknown call %s", name);
}

static void deny(long number, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        err(1, "seccomp");
}

int main(int argc, char **argv)
{
    if (argc < 4)
        errx(2, "usage: host_denied CALL ENOSYS|EPERM COMMAND...");
    deny(call_number(argv[1]), strcmp(argv[2], "EPERM") == 0 ? EPERM : ENOSYS);
    execvp(argv[3], argv + 3);
    err(127, "%s", argv[3]);
}
