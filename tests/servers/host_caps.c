/*
 * host_caps.c - a server with one thread that gives up capabilities and then changes its user, in orders that occur.
 *
 *   host_caps PORT     commands: drop, keep, ids
 */
#include "lines.c"

#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define NOBODY 65534

/* By a bare system call, as libcap does. */
static int set_capabilities(unsigned set)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{set, set, 0}, {0, 0, 0}};
    return (int)syscall(SYS_capset, &header, data);
}

static void drop(struct lines_server *server, const char *argument, char *answer)
{
    (void)server, (void)argument;
    snprintf(answer, LINES_MAX, "%d", set_capabilities(1U << CAP_NET_BIND_SERVICE));
}

static void keep(struct lines_server *server, const char *argument, char *answer)
{
    (void)server, (void)argument;
    int kept = prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), groups = setgroups(0, NULL), group = setgid(NOBODY);
    int user = setresuid(NOBODY, NOBODY, NOBODY);
    int left = set_capabilities(1U << CAP_SETUID | 1U << CAP_SETGID);
    snprintf(answer, LINES_MAX, "%d %d %d %d %d", kept, groups, group, user, left);
}

/* Also what must fail: careful programs try whether they can go back. */
static void ids(struct lines_server *server, const char *argument, char *answer)
{
    (void)server, (void)argument;
    int group = setgid(0), user = setuid(0), groups = setgroups(0, NULL), effective = seteuid(NOBODY);
    snprintf(answer, LINES_MAX, "%d %d %d %d now %d %d", group, user, groups, effective, (int)geteuid(),
             (int)getegid());
}

int main(int argc, char **argv)
{
    static const struct lines_command commands[] = {{"drop", drop}, {"keep", keep}, {"ids", ids}, {NULL, NULL}};
    struct lines_server server = {lines_listen(argc > 1 ? atoi(argv[1]) : 0), -1, false};
    lines_serve(&server, commands);
}
