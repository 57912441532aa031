#include "family/alive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

void ph_alive_begin(struct ph_alive *alive)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&alive->mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    pthread_mutex_lock(&alive->mutex);
}

void ph_alive_end(struct ph_alive *alive)
{
    pthread_mutex_unlock(&alive->mutex);
}

/* The futex of glibc's mutex; its bits are the kernel's (linux/futex.h, "robust futexes"): the thread that holds it, which
 * the kernel clears when it ends. */
bool ph_alive_is(const struct ph_alive *alive)
{
    unsigned word = (unsigned)__atomic_load_n(&alive->mutex.__data.__lock, __ATOMIC_ACQUIRE);
    return (word & FUTEX_TID_MASK) != 0;
}

static bool read_text(const char *path, char *ret_text, size_t capacity)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t count = fd < 0 ? -1 : read(fd, ret_text, capacity - 1);
    if (fd >= 0)
        close(fd);
    ret_text[count > 0 ? count : 0] = '\0';
    return count > 0;
}

/* The name in parentheses may hold parentheses and spaces itself (proc(5)); after it come the state and 18 other fields. */
static bool read_stat(pid_t pid, char *ret_state, uint64_t *ret_start_ticks)
{
    char path[32], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    const char *after = read_text(path, text, sizeof(text)) ? strrchr(text, ')') : NULL;
    return after &&
           sscanf(after + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64,
                  ret_state, ret_start_ticks) == 2;
}

uint64_t ph_start_ticks(pid_t pid)
{
    char state;
    uint64_t start_ticks;
    return read_stat(pid, &state, &start_ticks) && state != 'Z' && state != 'X' ? start_ticks : 0;
}

bool ph_process_is_there(pid_t pid, uint64_t start_ticks)
{
    char state;
    uint64_t now_ticks;
    if (read_stat(pid, &state, &now_ticks))
        return state != 'Z' && state != 'X' && (start_ticks == 0 || now_ticks == start_ticks);
    return kill(pid, 0) == 0 || errno != ESRCH;
}

void ph_process_name(char ret_name[16])
{
    char text[32];
    read_text("/proc/self/comm", text, sizeof(text));
    text[strcspn(text, "\n")] = '\0';
    snprintf(ret_name, 16, "%.15s", text[0] ? text : program_invocation_short_name);
}

/* Of the thread: namespaces are a thread's, and the host's main thread may have moved on. */
static uint64_t namespace_inode(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 ? facts.st_ino : 0;
}

/* By the cookie where the kernel has one: that needs no /proc. */
static uint64_t net_namespace(void)
{
    uint64_t cookie = 0;
    socklen_t size_bytes = sizeof(cookie);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_known = fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size_bytes) == 0;
    if (fd >= 0)
        close(fd);
    return is_known ? cookie : namespace_inode("/proc/thread-self/ns/net");
}

struct ph_home ph_home_here(void)
{
    return (struct ph_home){.pid = namespace_inode("/proc/thread-self/ns/pid"), .net = net_namespace()};
}

static bool same_if_known(uint64_t a, uint64_t b)
{
    return a == 0 || b == 0 || a == b;
}

bool ph_home_equals(const struct ph_home *a, const struct ph_home *b)
{
    return same_if_known(a->pid, b->pid) && same_if_known(a->net, b->net);
}
