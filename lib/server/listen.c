#include "server/listen.h"

#include "base/scan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORTS_TRIED 20
#define PORT_MAX    65535
#define BACKLOG     1024 /* a thousand clients at once wait here while we accept; the kernel cuts it to somaxconn */

static struct sockaddr_un *as_unix(const struct ph_address *address)
{
    return (struct sockaddr_un *)&address->storage;
}

/* sin_port and sin6_port lie at the same place. */
static in_port_t *port_of(struct ph_address *address)
{
    return &((struct sockaddr_in *)&address->storage)->sin_port;
}

static bool set_ipv4(struct ph_address *address, const char *host)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&address->storage;
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &in->sin_addr) != 1)
        return false;
    in->sin_family = AF_INET;
    address->size_bytes = sizeof(*in);
    address->is_loopback = ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return true;
}

static bool set_ipv6(struct ph_address *address, const char *host)
{
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)&address->storage;
    char bare[INET6_ADDRSTRLEN];
    size_t length = strlen(host);
    if (length < 3 || host[0] != '[' || host[length - 1] != ']' || length - 2 >= sizeof(bare))
        return false;
    memcpy(bare, host + 1, length - 2);
    bare[length - 2] = '\0';
    if (inet_pton(AF_INET6, bare, &in->sin6_addr) != 1)
        return false;
    in->sin6_family = AF_INET6;
    address->size_bytes = sizeof(*in);
    address->is_loopback = IN6_IS_ADDR_LOOPBACK(&in->sin6_addr) ||
                           (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr) && in->sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
    return true;
}

static bool parse_tcp(struct ph_address *address, const char *text)
{
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon || (size_t)(colon - text) >= sizeof(host) || ph_parse_count(colon + 1, PORT_MAX, &port) < 0)
        return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    if (!set_ipv4(address, host) && !set_ipv6(address, host))
        return false;
    address->kind = PH_SOCKET_TCP;
    *port_of(address) = htons((uint16_t)port);
    return true;
}

static bool parse_path(struct ph_address *address, const char *path)
{
    struct sockaddr_un *un = as_unix(address);
    size_t length = strlen(path);
    if (path[0] != '/' || length >= sizeof(un->sun_path))
        return false;
    address->kind = PH_SOCKET_PATH;
    address->is_loopback = true;
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, length + 1);
    address->size_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return true;
}

int ph_address_parse(const char *text, struct ph_address *ret_address, struct ph_error *error)
{
    struct ph_address address = {.kind = PH_SOCKET_TCP};
    bool fine = strncmp(text, "unix:", 5) == 0 ? parse_path(&address, text + 5) : parse_tcp(&address, text);
    if (!fine)
        return ph_error_set(error, -EINVAL,
                            "cannot listen at \"%.100s\": expected ADDR:PORT with a numeric address, [ADDR6]:PORT, "
                            "unix:/PATH (107 bytes at most) or off",
                            text);
    *ret_address = address;
    return 0;
}

bool ph_address_is_any_port(const struct ph_address *address)
{
    struct ph_address copy = *address;
    return address->kind == PH_SOCKET_TCP && *port_of(&copy) == 0;
}

struct ph_address ph_address_abstract(void)
{
    struct ph_address address = {.kind = PH_SOCKET_ABSTRACT, .is_loopback = true};
    struct sockaddr_un *un = as_unix(&address);
    un->sun_family = AF_UNIX;
    int length = snprintf(un->sun_path + 1, sizeof(un->sun_path) - 1, "porthole/%d", (int)getpid());
    address.size_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    return address;
}

void ph_address_url(const struct ph_address *address, char *ret_url)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct ph_address copy = *address;
    if (address->storage.ss_family == AF_UNIX) {
        const char *path = as_unix(address)->sun_path;
        snprintf(ret_url, PH_URL_MAX, "unix:%s%s", path[0] ? "" : "@", path[0] ? path : path + 1);
        return;
    }
    bool is_ipv6 = address->storage.ss_family == AF_INET6;
    const void *bytes = is_ipv6 ? (const void *)&((struct sockaddr_in6 *)&copy.storage)->sin6_addr
                                : (const void *)&((struct sockaddr_in *)&copy.storage)->sin_addr;
    inet_ntop(address->storage.ss_family, bytes, text, sizeof(text));
    snprintf(ret_url, PH_URL_MAX, is_ipv6 ? "http://[%s]:%u" : "http://%s:%u", text, ntohs(*port_of(&copy)));
}

int ph_address_of_url(const char *url, struct ph_address *ret_address)
{
    static const char scheme[] = "http://";
    bool is_tcp = strncmp(url, scheme, sizeof(scheme) - 1) == 0;
    return ph_address_parse(is_tcp ? url + sizeof(scheme) - 1 : url, ret_address, NULL);
}

static const struct sockaddr *as_generic(const struct ph_address *address)
{
    return (const struct sockaddr *)&address->storage;
}

static int open_socket(const struct ph_probe *probe, const struct ph_address *address)
{
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : probe->own_fd(fd);
}

/* With SO_REUSEADDR a port that another socket has bound but not yet opened passes bind() and fails in listen(). */
static int bind_and_listen(int fd, const struct ph_address *address)
{
    static const int yes = 1;
    if (address->kind == PH_SOCKET_TCP)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    /* The file gets the socket's mode less the umask (unix_bind() in Linux): no moment with a wider one, and the
     * umask, which the host's threads share, stays as it is. */
    else if (address->kind == PH_SOCKET_PATH && fchmod(fd, S_IRUSR | S_IWUSR) < 0)
        return -errno;
    if (bind(fd, as_generic(address), address->size_bytes) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return 0;
}

static int try_address(const struct ph_probe *probe, const struct ph_address *address)
{
    int fd = open_socket(probe, address);
    int status = fd < 0 ? fd : bind_and_listen(fd, address);
    if (status < 0 && fd >= 0)
        close(fd);
    return status < 0 ? status : fd;
}

static int refuse(struct ph_error *error, int code, const struct ph_address *address, const char *way_out)
{
    char url[PH_URL_MAX];
    ph_address_url(address, url);
    return ph_error_set(error, code, "cannot listen at %s: %s%s", url, strerror(-code), way_out);
}

/* What a person can do about it. */
static const char *way_out_of(int code)
{
    switch (code) {
    case -EACCES:
        return "; set PORTHOLE_LISTEN to a port above 1023 or to a path in a folder that can be written";
    case -EADDRNOTAVAIL:
        return "; no interface of this host has that address";
    case -EADDRINUSE:
        return "; another process listens there";
    default:
        return "";
    }
}

static int listen_tcp(const struct ph_probe *probe, struct ph_address *address, struct ph_error *error)
{
    unsigned first = ntohs(*port_of(address));
    for (unsigned port = first; port < first + PORTS_TRIED && port <= PORT_MAX; port++) {
        *port_of(address) = htons((uint16_t)port);
        int fd = try_address(probe, address);
        if (fd >= 0)
            return fd;
        if (fd != -EADDRINUSE)
            return refuse(error, fd, address, way_out_of(fd));
    }
    unsigned last = ntohs(*port_of(address));
    *port_of(address) = htons((uint16_t)first);
    char text[120];
    snprintf(text, sizeof(text), ", and so are all ports up to %u; set PORTHOLE_LISTEN to a free one", last);
    return refuse(error, -EADDRINUSE, address, text);
}

/* A file is stale if it is a socket that refuses: its process ended without removing it. */
static bool remove_stale(const struct ph_probe *probe, const struct ph_address *address)
{
    struct stat facts;
    const char *path = as_unix(address)->sun_path;
    if (lstat(path, &facts) < 0 || !S_ISSOCK(facts.st_mode))
        return false;
    int fd = open_socket(probe, address);
    if (fd < 0)
        return false;
    bool stale = connect(fd, as_generic(address), address->size_bytes) < 0 && errno == ECONNREFUSED;
    close(fd);
    return stale && unlink(path) == 0;
}

static int try_again_if_stale(const struct ph_probe *probe, const struct ph_address *address)
{
    int fd = try_address(probe, address);
    if (fd == -EADDRINUSE && address->kind == PH_SOCKET_PATH && remove_stale(probe, address))
        fd = try_address(probe, address);
    return fd;
}

static int listen_path(const struct ph_probe *probe, const struct ph_address *address, struct ph_error *error)
{
    int fd = try_again_if_stale(probe, address);
    return fd < 0 ? refuse(error, fd, address, way_out_of(fd)) : fd;
}

static void remember_path(struct ph_listener *listener, const struct ph_address *address)
{
    struct stat facts;
    if (stat(as_unix(address)->sun_path, &facts) < 0)
        return;
    memcpy(listener->path, as_unix(address)->sun_path, sizeof(listener->path));
    listener->path_device = facts.st_dev;
    listener->path_inode = facts.st_ino;
}

/* Port 0 lets the kernel choose. */
static void update_port(int fd, struct ph_address *address)
{
    socklen_t size_bytes = sizeof(address->storage);
    if (getsockname(fd, (struct sockaddr *)&address->storage, &size_bytes) == 0)
        address->size_bytes = size_bytes;
}

int ph_listen(const struct ph_probe *probe, struct ph_address *address, struct ph_listener *ret_listener,
              struct ph_error *error)
{
    struct ph_address bound = *address;
    struct ph_listener listener = {.kind = address->kind};
    listener.fd =
        bound.kind == PH_SOCKET_TCP ? listen_tcp(probe, &bound, error) : listen_path(probe, &bound, error);
    if (listener.fd < 0)
        return listener.fd;
    if (bound.kind == PH_SOCKET_TCP)
        update_port(listener.fd, &bound);
    if (bound.kind == PH_SOCKET_PATH)
        remember_path(&listener, &bound);
    *address = bound;
    *ret_listener = listener;
    return 0;
}

int ph_listen_exactly(const struct ph_probe *probe, const struct ph_address *address,
                      struct ph_listener *ret_listener)
{
    struct ph_listener listener = {.fd = try_again_if_stale(probe, address), .kind = address->kind};
    if (listener.fd < 0)
        return listener.fd;
    if (listener.kind == PH_SOCKET_PATH)
        remember_path(&listener, address);
    *ret_listener = listener;
    return 0;
}

static bool is_listening(int fd)
{
    int listens = 0;
    socklen_t size_bytes = sizeof(listens);
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size_bytes) == 0 && listens;
}

int ph_listener_address(const struct ph_listener *listener, struct ph_address *ret_address)
{
    struct ph_address bound = {.size_bytes = sizeof(bound.storage)};
    if (getsockname(listener->fd, (struct sockaddr *)&bound.storage, &bound.size_bytes) < 0)
        return -errno;
    if (bound.storage.ss_family != AF_UNIX)
        bound.kind = PH_SOCKET_TCP;
    else
        bound.kind = as_unix(&bound)->sun_path[0] == '/' ? PH_SOCKET_PATH : PH_SOCKET_ABSTRACT;
    *ret_address = bound;
    return 0;
}

int ph_listener_adopt(int fd, struct ph_address *ret_address, struct ph_listener *ret_listener)
{
    struct ph_address bound;
    struct ph_listener listener = {.fd = fd};
    if (ph_listener_address(&listener, &bound) < 0 || bound.kind == PH_SOCKET_ABSTRACT || !is_listening(fd))
        return -EINVAL;
    listener.kind = bound.kind;
    if (bound.kind == PH_SOCKET_PATH)
        remember_path(&listener, &bound);
    *ret_address = bound;
    *ret_listener = listener;
    return 0;
}

void ph_listener_leave(struct ph_listener *listener)
{
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
}

/* A forked process may keep a copy that nobody accepts from: shutdown() is for all of them. */
void ph_listener_close(struct ph_listener *listener)
{
    struct stat facts;
    if (listener->fd < 0)
        return;
    shutdown(listener->fd, SHUT_RDWR);
    ph_listener_leave(listener);
    if (listener->path[0] && lstat(listener->path, &facts) == 0 && facts.st_dev == listener->path_device &&
        facts.st_ino == listener->path_inode)
        unlink(listener->path);
}

static bool is_abstract(int fd)
{
    struct sockaddr_un own = {.sun_family = AF_UNSPEC};
    socklen_t size_bytes = sizeof(own);
    return getsockname(fd, (struct sockaddr *)&own, &size_bytes) < 0 ||
           (own.sun_family == AF_UNIX && own.sun_path[0] == '\0');
}

bool ph_peer_admitted(int fd, uid_t founder)
{
    struct ucred peer;
    socklen_t size_bytes = sizeof(peer);
    if (!is_abstract(fd))
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size_bytes) < 0)
        return false;
    return peer.uid == 0 || peer.uid == geteuid() || peer.uid == getuid() || peer.uid == founder;
}
