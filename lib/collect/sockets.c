#include "collect/sockets.h"

#include "base/buf.h"
#include "base/scan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES  64                      /* "/proc/self/task/2147483647/fd/2147483647" */
#define NAME_BYTES  (INET6_ADDRSTRLEN + 16) /* "udp6 [address]:65535" */
#define LINK_BYTES  4096
#define READ_BYTES  ((size_t)64 << 10)
#define TABLE_BYTES ((size_t)256 << 20) /* a million sockets */
#define TCP_LISTEN  0x0a                /* include/net/tcp_states.h */

/* A socket that no table has named yet. */
static const char nameless[] = "socket";

/* ---- What the link says ---- */

/* "socket:[123]", "pipe:[123]", "anon_inode:[eventpoll]", "anon_inode:bpf-map", "/path": without what is only a number. */
static const char *name_link(struct ph_socket *socket, const char *link, struct ph_arena *text)
{
    struct ph_scan scan = ph_scan_over(link, strlen(link));
    uint64_t inode;
    if (ph_scan_text(&scan, "socket:[") && ph_scan_decimal(&scan, &inode)) {
        socket->inode = inode;
        return nameless;
    }
    if (ph_scan_text(&scan, "pipe:["))
        return "pipe";
    if (ph_scan_text(&scan, "anon_inode:")) {
        size_t length = (size_t)(scan.end - scan.next);
        bool has_brackets = length > 2 && scan.next[0] == '[' && scan.next[length - 1] == ']';
        return ph_arena_copy(text, scan.next + has_brackets, length - 2 * has_brackets);
    }
    return ph_arena_copy(text, link, strlen(link));
}

static int read_link(struct ph_socket *socket, struct ph_arena *text)
{
    char path[PATH_BYTES], link[LINK_BYTES];
    socket->inode = 0;
    socket->socket = socket->peer = NULL;
    snprintf(path, sizeof(path), "/proc/self/task/%d/fd/%d", (int)socket->tid, socket->fd);
    ssize_t length = readlink(path, link, sizeof(link) - 1);
    if (length < 0)
        return 0; /* closed meanwhile: that is no error of ours */
    link[length] = '\0';
    socket->socket = name_link(socket, link, text);
    return socket->socket ? 0 : -ENOMEM;
}

/* ---- The kernel's tables ---- */

static int compare_inodes(const void *left, const void *right)
{
    const struct ph_socket *a = left, *b = right;
    return a->inode < b->inode ? -1 : a->inode > b->inode;
}

/* The first of those with this inode: several threads may wait for one socket. NULL if none does. */
static struct ph_socket *first_with(struct ph_socket *sockets, size_t count, uint64_t inode)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sockets[middle].inode < inode)
            low = middle + 1;
        else
            high = middle;
    }
    return inode && low < count && sockets[low].inode == inode ? &sockets[low] : NULL;
}

static int name_all(struct ph_socket *sockets, size_t count, uint64_t inode, const char *name, const char *peer,
                    struct ph_arena *text)
{
    struct ph_socket *socket = first_with(sockets, count, inode);
    if (!socket)
        return 0;
    name = ph_arena_copy(text, name, strlen(name));
    peer = peer ? ph_arena_copy(text, peer, strlen(peer)) : NULL;
    if (!name)
        return -ENOMEM;
    for (; socket < sockets + count && socket->inode == inode; socket++) {
        socket->socket = name;
        socket->peer = peer;
    }
    return 0;
}

struct endpoint {
    unsigned char address[16];
    bool is_ipv6;
    uint16_t port;
};

/* "0100007F:1F90": words as they lie in memory, each read as a number; the port as a number. */
static bool scan_endpoint(struct ph_scan *scan, struct endpoint *ret_endpoint)
{
    struct endpoint endpoint = {.port = 0};
    const char *colon = memchr(scan->next, ':', (size_t)(scan->end - scan->next));
    size_t digits = colon ? (size_t)(colon - scan->next) : 0;
    if (digits != 8 && digits != 32)
        return false;
    endpoint.is_ipv6 = digits == 32;
    for (size_t i = 0; i < digits / 8; i++) {
        struct ph_scan word = ph_scan_over(scan->next + 8 * i, 8);
        uint64_t value;
        if (!ph_scan_hex(&word, &value) || !ph_scan_done(&word))
            return false;
        uint32_t bytes = (uint32_t)value;
        memcpy(endpoint.address + 4 * i, &bytes, sizeof(bytes));
    }
    uint64_t port;
    scan->next = colon + 1;
    if (!ph_scan_hex(scan, &port))
        return false;
    endpoint.port = (uint16_t)port;
    *ret_endpoint = endpoint;
    return true;
}

static void print_endpoint(const char *kind, const struct endpoint *endpoint, char *ret_text)
{
    char address[INET6_ADDRSTRLEN] = "";
    inet_ntop(endpoint->is_ipv6 ? AF_INET6 : AF_INET, endpoint->address, address, sizeof(address));
    snprintf(ret_text, NAME_BYTES, endpoint->is_ipv6 ? "%s%s[%s]:%u" : "%s%s%s:%u", kind, *kind ? " " : "", address,
             endpoint->port);
}

static void skip_word(struct ph_scan *scan)
{
    ph_scan_blanks(scan);
    while (!ph_scan_done(scan) && *scan->next != ' ')
        scan->next++;
}

/* "sl: local remote state tx:rx timer:when retransmits uid timeout inode …" */
static int parse_inet(const char *kind, struct ph_scan line, struct ph_socket *sockets, size_t count,
                      struct ph_arena *text)
{
    struct endpoint local, remote;
    uint64_t state, inode;
    skip_word(&line);
    ph_scan_blanks(&line);
    if (!scan_endpoint(&line, &local))
        return 0;
    ph_scan_blanks(&line);
    if (!scan_endpoint(&line, &remote))
        return 0;
    ph_scan_blanks(&line);
    if (!ph_scan_hex(&line, &state))
        return 0;
    for (int i = 0; i < 5; i++)
        skip_word(&line);
    ph_scan_blanks(&line);
    if (!ph_scan_decimal(&line, &inode) || !first_with(sockets, count, inode))
        return 0;
    char name[NAME_BYTES], peer[NAME_BYTES];
    print_endpoint(kind, &local, name);
    print_endpoint("", &remote, peer);
    return name_all(sockets, count, inode, name, remote.port && state != TCP_LISTEN ? peer : NULL, text);
}

/* "Num: RefCount Protocol Flags Type St Inode Path"; an abstract name begins with "@"; most have none. */
static int parse_unix(const char *kind, struct ph_scan line, struct ph_socket *sockets, size_t count,
                      struct ph_arena *text)
{
    uint64_t inode;
    char name[LINK_BYTES];
    for (int i = 0; i < 6; i++)
        skip_word(&line);
    ph_scan_blanks(&line);
    if (!ph_scan_decimal(&line, &inode) || !first_with(sockets, count, inode))
        return 0;
    int length = (int)(line.end - line.next); /* with the blank before it */
    snprintf(name, sizeof(name), "%s%.*s", kind, length, line.next);
    return name_all(sockets, count, inode, name, NULL, text);
}

int ph_sockets_parse(const char *kind, const char *table, size_t size_bytes, struct ph_socket *sockets,
                     size_t count, struct ph_arena *text)
{
    struct ph_scan scan = ph_scan_over(table, size_bytes);
    bool is_unix = strcmp(kind, "unix") == 0;
    ph_scan_line(&scan); /* the heading */
    while (!ph_scan_done(&scan)) {
        struct ph_scan line = ph_scan_line(&scan);
        int result = (is_unix ? parse_unix : parse_inet)(kind, line, sockets, count, text);
        if (result < 0)
            return result;
    }
    return 0;
}

/* ---- All of it ---- */

static int read_table(const char *kind, struct ph_buf *out)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "/proc/self/net/%s", kind);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? -1 : 1;
    while (count > 0 && out->size_bytes < TABLE_BYTES && ph_buf_reserve(out, READ_BYTES) == 0) {
        count = read(fd, out->data + out->size_bytes, READ_BYTES);
        out->size_bytes += count > 0 ? (size_t)count : 0;
    }
    if (fd >= 0)
        close(fd);
    return ph_buf_status(out);
}

static bool is_any_nameless(const struct ph_socket *sockets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sockets[i].socket == nameless)
            return true;
    return false;
}

/* Only as many as it takes: on a large server each has megabytes, and to make it the kernel holds up who opens connections. */
static int read_tables(struct ph_socket *sockets, size_t count, struct ph_arena *text)
{
    static const char *const kinds[] = {"tcp", "tcp6", "udp", "udp6", "unix"};
    int result = 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && result == 0 && is_any_nameless(sockets, count);
         i++) {
        struct ph_buf table = PH_BUF_INIT;
        result = read_table(kinds[i], &table);
        if (result == 0)
            result = ph_sockets_parse(kinds[i], table.data, table.size_bytes, sockets, count, text);
        ph_buf_fini(&table);
    }
    return result;
}

int ph_sockets_find(struct ph_socket *sockets, size_t count, struct ph_arena *text)
{
    for (size_t i = 0; i < count; i++)
        if (read_link(&sockets[i], text) < 0)
            return -ENOMEM;
    qsort(sockets, count, sizeof(*sockets), compare_inodes);
    return read_tables(sockets, count, text);
}
