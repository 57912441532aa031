/*
 * wait_call.h - a system call that a thread is blocked in: its name, and what it waits for: a descriptor or a futex.
 *
 * The names of all calls come from the kernel's header when Porthole is built. Any thread.
 */
#ifndef PH_COLLECT_WAIT_CALL_H
#define PH_COLLECT_WAIT_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ph_wait_call {
    const char *name;     /* "epoll_wait"; NULL: a call without a name, or none */
    int fd;               /* the descriptor it is about; -1 if there is none */
    uint64_t poll_fds;    /* poll() and ppoll() of one descriptor: the address of its struct pollfd; 0: else */
    uint64_t futex;       /* the address of the futex it waits for; 0: it waits for none */
    bool is_lock;         /* … as glibc's locks wait: FUTEX_WAIT for a word that is 2, or FUTEX_LOCK_PI */
    bool is_mutex_at_all; /* … or FUTEX_WAIT for any value: what robust mutexes do */
};

/** ph_wait_call_decode() - @call: its number, below 0 for none; @arguments: six. */
struct ph_wait_call ph_wait_call_decode(long call, const uint64_t *arguments);

/** ph_wait_call_of_wchan() - the name of the call in which the kernel's function @wchan waits ("ep_poll": "epoll_wait"), for
 * where the number is not to be had. NULL if it is not known. */
const char *ph_wait_call_of_wchan(const char *wchan);

#endif
