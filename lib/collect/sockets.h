/*
 * sockets.h - what descriptors of the host are, from outside: none of them is duplicated, so the host may close them any time.
 *
 * Descriptors are the host's; our threads have a table of their own, so they are read below /proc/self/task/TID/fd. What a socket
 * is stands in /proc/net, one line a socket of the network namespace: read once for all that are wanted, and only until all are
 * found. One thread at a time.
 */
#ifndef PH_COLLECT_SOCKETS_H
#define PH_COLLECT_SOCKETS_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ph_socket {
    pid_t tid;      /* in: a thread that has the descriptor */
    int fd;         /* in */
    size_t place;   /* the caller's, who finds what it asked for by it: they are sorted */
    uint64_t inode; /* of a socket; 0 for all else */
    const char
        *socket; /* out: "tcp 127.0.0.1:80", "unix /run/x", "pipe", "eventpoll", "/var/log/x"; NULL: not known */
    const char *peer; /* out: "127.0.0.1:50412"; NULL: there is none, or it is not known */
};

/** ph_sockets_find() - fill in all @count of them. @text: where texts are put. 0; -ENOMEM. */
int ph_sockets_find(struct ph_socket *sockets, size_t count, struct ph_arena *text);

/** ph_sockets_parse() - of a table of /proc/net: fill in those of @sockets, sorted by inode, that stand there. @kind: "tcp", "tcp6",
 * "udp", "udp6", "unix". Lines that are not as they should be are skipped. 0; -ENOMEM. */
int ph_sockets_parse(const char *kind, const char *table, size_t size_bytes, struct ph_socket *sockets,
                     size_t count, struct ph_arena *text);

#endif
