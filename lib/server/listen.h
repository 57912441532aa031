/*
 * listen.h - addresses and listening sockets. Only on threads of ours: descriptors are opened and closed.
 */
#ifndef PH_SERVER_LISTEN_H
#define PH_SERVER_LISTEN_H

#include "base/error.h"
#include "probe/probe.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#define PH_URL_MAX 160 /* "unix:" and a path of 107 bytes; "http://[" and an IPv6 address */

enum ph_socket_kind {
    PH_SOCKET_TCP,      /* anybody who can connect: Host and token are checked */
    PH_SOCKET_PATH,     /* a file of mode 0600: the kernel has checked */
    PH_SOCKET_ABSTRACT, /* no mode: the peer's credentials are checked */
};

struct ph_address {
    enum ph_socket_kind kind;
    struct sockaddr_storage storage;
    socklen_t size_bytes;
    bool is_loopback; /* reachable from this host only */
};

struct ph_listener {
    int fd; /* -1 if closed */
    enum ph_socket_kind kind;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* to be removed in the end; "" for none */
    uint64_t path_device, path_inode;                       /* so that only what we made is removed */
};

/** ph_address_parse() - "127.0.0.1:6060", "[::1]:6060", "localhost:6060", "unix:/path". -EINVAL says what else. */
int ph_address_parse(const char *text, struct ph_address *ret_address, struct ph_error *error);

/** ph_address_is_any_port() - does the kernel choose the port? */
bool ph_address_is_any_port(const struct ph_address *address);

/** ph_address_abstract() - "@porthole/<pid>" of this process. */
struct ph_address ph_address_abstract(void);

/** ph_address_of_url() - back from what ph_address_url() made, but for abstract ones. -EINVAL for anything else. */
int ph_address_of_url(const char *url, struct ph_address *ret_address);

/** ph_address_url() - "http://127.0.0.1:6060", "unix:/path" or "unix:@porthole/1". */
void ph_address_url(const struct ph_address *address, char *ret_url);

/**
 * ph_listen() - bind and listen; the socket does not block and is ours.
 * @address: the port is updated to the one in use: if it is taken, the next free one of 20.
 *
 * A socket file nobody listens at is replaced; a new one has mode 0600 from its first moment on.
 * 0; -EADDRINUSE, -EACCES, -EADDRNOTAVAIL, … with the way out in @error; nothing is left open then.
 */
int ph_listen(const struct ph_probe *probe, struct ph_address *address, struct ph_listener *ret_listener,
              struct ph_error *error);

/** ph_listen_exactly() - as ph_listen(), but at this port or not at all. */
int ph_listen_exactly(const struct ph_probe *probe, const struct ph_address *address,
                      struct ph_listener *ret_listener);

/** ph_listener_address() - where it is bound. 0 or a negative errno. */
int ph_listener_address(const struct ph_listener *listener, struct ph_address *ret_address);

/** ph_listener_adopt() - what @fd, ours, is listening at. -EINVAL if it does not listen (any more), or at an abstract
 * address; then @fd is still the caller's. */
int ph_listener_adopt(int fd, struct ph_address *ret_address, struct ph_listener *ret_listener);

/** ph_listener_close() - listen no more, whoever else has a copy of the socket, and remove the file if it is still ours.
 * ph_listener_leave() - close this copy. Twice is fine. */
void ph_listener_close(struct ph_listener *listener);
void ph_listener_leave(struct ph_listener *listener);

/** ph_peer_admitted() - may the peer of the accepted connection @fd ask anything? Only root, our own user and @founder may at
 * an abstract socket; elsewhere all. */
bool ph_peer_admitted(int fd, uid_t founder);

#endif
