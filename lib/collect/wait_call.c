#include "collect/wait_call.h"

#include <linux/futex.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* By number; made by the Makefile from <sys/syscall.h>. */
static const char *const names[] = {
#include "collect/call_names.h"
};

/* Calls that wait for a descriptor, and which of their arguments it is. By name: not every architecture has them all. */
static const struct {
    const char *name;
    unsigned argument;
} descriptor_calls[] = {
    {"epoll_wait", 0},
    {"epoll_pwait", 0},
    {"epoll_pwait2", 0},
    {"read", 0},
    {"recvfrom", 0},
    {"recvmsg", 0},
    {"recvmmsg", 0},
    {"accept", 0},
    {"accept4", 0},
    {"write", 0},
    {"sendto", 0},
    {"sendmsg", 0},
    {"sendmmsg", 0},
    {"connect", 0},
    {"readv", 0},
    {"writev", 0},
    {"pread64", 0},
    {"pwrite64", 0},
    {"preadv", 0},
    {"pwritev", 0},
    {"preadv2", 0},
    {"pwritev2", 0},
    {"sendfile", 0},
    {"splice", 0},
    {"tee", 0},
    {"vmsplice", 0},
    {"fsync", 0},
    {"fdatasync", 0},
    {"flock", 0},
    {"fcntl", 0},
    {"ioctl", 0},
    {"io_uring_enter", 0},
    {"copy_file_range", 0},
    {"mq_timedreceive", 0},
    {"mq_timedsend", 0},
    {"sync_file_range", 0},
    {"fallocate", 0},
    {"ftruncate", 0},
    {"getdents64", 0},
};

/* Functions of the kernel in which calls wait, as /proc/PID/task/TID/wchan names them; Linux 5.10 to 6.18. */
static const struct {
    const char *wchan, *call;
} wait_channels[] = {
    {"ep_poll", "epoll_wait"},
    {"do_epoll_wait", "epoll_wait"},
    {"poll_schedule_timeout", "poll"},
    {"do_sys_poll", "poll"},
    {"do_poll", "poll"},
    {"do_select", "select"},
    {"futex_wait_queue", "futex"},
    {"futex_wait_queue_me", "futex"},
    {"futex_do_wait", "futex"},
    {"hrtimer_nanosleep", "clock_nanosleep"},
    {"do_nanosleep", "clock_nanosleep"},
    {"inet_csk_accept", "accept"},
    {"inet_csk_wait_for_connect", "accept"},
    {"sk_wait_data", "recvfrom"},
    {"tcp_recvmsg_locked", "recvfrom"},
    {"unix_stream_read_generic", "recvfrom"},
    {"unix_stream_data_wait", "recvfrom"},
    {"skb_wait_for_more_packets", "recvfrom"},
    {"__skb_wait_for_more_packets", "recvfrom"},
    {"sk_stream_wait_memory", "sendto"},
    {"pipe_read", "read"},
    {"anon_pipe_read", "read"},
    {"pipe_write", "write"},
    {"anon_pipe_write", "write"},
    {"do_wait", "wait4"},
    {"sigsuspend", "rt_sigsuspend"},
    {"do_sigtimedwait", "rt_sigtimedwait"},
    {"do_semtimedop", "semtimedop"},
    {"io_cqring_wait", "io_uring_enter"},
};

static const char *name_of(long call)
{
    return call >= 0 && (size_t)call < COUNT(names) ? names[call] : NULL;
}

static int descriptor_of(const char *name, const uint64_t *arguments)
{
    for (size_t i = 0; i < COUNT(descriptor_calls); i++)
        if (strcmp(descriptor_calls[i].name, name) == 0)
            return (int)arguments[descriptor_calls[i].argument];
    return -1;
}

/* futex(2). glibc's locks wait while the word is 2: "lowlevellock.h" there. Condition variables wait with a bit set. */
static void decode_futex(struct ph_wait_call *wait, const uint64_t *arguments)
{
    unsigned operation = (unsigned)arguments[1] & (unsigned)FUTEX_CMD_MASK;
    wait->futex = arguments[0];
    wait->is_mutex_at_all = operation == FUTEX_WAIT || operation == FUTEX_LOCK_PI || operation == FUTEX_LOCK_PI2;
    wait->is_lock = wait->is_mutex_at_all && (operation != FUTEX_WAIT || (uint32_t)arguments[2] == 2);
}

struct ph_wait_call ph_wait_call_decode(long call, const uint64_t *arguments)
{
    struct ph_wait_call wait = {.name = name_of(call), .fd = -1};
    if (!wait.name)
        return wait;
    wait.fd = descriptor_of(wait.name, arguments);
    if (strcmp(wait.name, "futex") == 0)
        decode_futex(&wait, arguments);
    else if ((strcmp(wait.name, "poll") == 0 || strcmp(wait.name, "ppoll") == 0) && arguments[1] == 1)
        wait.poll_fds = arguments[0];
    return wait;
}

const char *ph_wait_call_of_wchan(const char *wchan)
{
    for (size_t i = 0; i < COUNT(wait_channels); i++)
        if (strcmp(wait_channels[i].wchan, wchan) == 0)
            return wait_channels[i].call;
    return NULL;
}
