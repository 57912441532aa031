#include "server/share.h"

#include "base/clock.h"
#include "family/beacon.h"
#include "family/family.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Between bind() and listen(), and between its end and that of its name, a beacon is neither free nor watched. */
#define LIGHT_TRIES 20
#define NAP_NS      (1000L * 1000)

/* How long a port may outlast the beacon of who had it. */
#define ENDING_NS (60 * PH_NS_PER_MS)

#define NAMED_BYTES 70

/* What the founder has read, for those who may not read the file any more: survives fork(). */
static struct ph_token family_token;

static struct ph_segment *segment_of(const struct ph_server *server)
{
    return ph_family_segment(server->site.family);
}

/* The token guards TCP, also on loopback if there is one; other users of the host can connect there, too. */
static int read_token(struct ph_site *site, const struct ph_address *address, struct ph_error *error)
{
    const struct ph_options *options = site->probe->options;
    if (address->kind != PH_SOCKET_TCP)
        return 0;
    if (options->token_file[0])
        return ph_token_read(options->token_file, &site->token, error);
    if (address->is_loopback)
        return 0;
    return ph_error_set(
        error, -EACCES,
        "%.64s can be reached from other hosts: set PORTHOLE_TOKEN_FILE to a file with a secret, or "
        "PORTHOLE_LISTEN to a loopback address such as 127.0.0.1:6060",
        options->listen);
}

static void keep(struct ph_server *server, const struct ph_listener *listener)
{
    server->listeners[server->listener_count++] = *listener;
}

static void bequeath(struct ph_server *server)
{
    int fds[PH_LISTENERS_MAX];
    size_t count = 0;
    for (unsigned i = 0; i < server->listener_count; i++)
        if (server->listeners[i].kind != PH_SOCKET_ABSTRACT && server->listeners[i].fd >= 0)
            fds[count++] = server->listeners[i].fd;
    server->site.probe->bequeath(fds, count);
}

static void publish(struct ph_server *server, const struct ph_address *address)
{
    char url[PH_URL_MAX];
    ph_address_url(address, url);
    ph_segment_set_url(segment_of(server), url);
    bequeath(server);
}

static bool is_of_former_generation(struct ph_server *server, const struct ph_address *address)
{
    char name[PH_BEACON_NAME_MAX];
    struct ucred holder;
    ph_share_beacon(server, address, name);
    int fd = ph_beacon_watch(server->site.probe, name, &holder);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* What @wished is about to be asked for, and again when it was denied: the founder may exec before it is the front, and the other
 * generation end at any moment. If that happened in between, nobody could be asked any more whose the address was. */
static bool is_to_be_ours(struct ph_server *server, const struct ph_address *wished, bool was_of_former)
{
    return !ph_address_is_any_port(wished) && (was_of_former || is_of_former_generation(server, wished));
}

static bool are_equal(const struct ph_address *a, const struct ph_address *b)
{
    char a_url[PH_URL_MAX], b_url[PH_URL_MAX];
    ph_address_url(a, a_url);
    ph_address_url(b, b_url);
    return strcmp(a_url, b_url) == 0;
}

static void say_that_it_waits(const struct ph_server *server, const struct ph_error *error)
{
    char line[sizeof(error->text) + 40];
    snprintf(line, sizeof(line), "%s; takes over when that ends", error->text);
    server->site.probe->say(line);
}

/*
 * Issue: the port of a generation that ends is taken a little longer than its beacon is lit, 20 ms on a busy machine: until the last
 * thread of its last process has gone (the port lies in the host's table, too). Then nobody's port it would be, and nobody awaits it.
 * Solution: a port that is taken by no generation that can be seen is asked for again for some moments. Who has it for longer is
 * another program.
 */
static int listen_soon(const struct ph_server *server, const struct ph_address *wished,
                       struct ph_listener *ret_listener)
{
    const struct timespec moment = {.tv_nsec = 2 * PH_NS_PER_MS};
    int64_t end_ns = ph_clock_monotonic_ns() + ENDING_NS;
    for (;;) {
        int status = ph_listen_exactly(server->site.probe, wished, ret_listener);
        if (status != -EADDRINUSE || ph_clock_monotonic_ns() >= end_ns)
            return status;
        nanosleep(&moment, NULL);
    }
}

/* A socket file has no next one: while another generation of this program has it, this one starts without. */
static int listen_at(struct ph_server *server, struct ph_address *address, struct ph_error *error)
{
    struct ph_listener listener;
    struct ph_address wished = *address;
    bool was_of_former = is_of_former_generation(server, &wished);
    bool is_port = wished.kind == PH_SOCKET_TCP && !ph_address_is_any_port(&wished) && !was_of_former;
    int status = is_port ? listen_soon(server, &wished, &listener) : -EADDRINUSE;
    if (status < 0)
        status = ph_listen(server->site.probe, address, &listener, error);
    bool denied = status == -EADDRINUSE || (status == 0 && !are_equal(address, &wished));
    bool waits = denied && is_to_be_ours(server, &wished, was_of_former);
    if (waits)
        ph_segment_set_awaits(segment_of(server));
    if (status == -EADDRINUSE && waits && address->kind == PH_SOCKET_PATH) {
        say_that_it_waits(server, error);
        return 0;
    }
    if (status < 0)
        return status;
    keep(server, &listener);
    publish(server, address);
    ph_address_url(address, server->site.url);
    return 0;
}

int ph_share_open(struct ph_server *server, struct ph_error *error)
{
    struct ph_address address;
    const char *listen = server->site.probe->options->listen;
    if (!ph_family_is_founder(server->site.family)) {
        server->site.token = family_token;
        ph_segment_url(segment_of(server), server->site.url);
        return 0;
    }
    if (strcmp(listen, "off") == 0)
        return 0;
    int status = ph_address_parse(listen, &address, error);
    if (status == 0)
        status = read_token(&server->site, &address, error);
    if (status == 0)
        status = listen_at(server, &address, error);
    family_token = server->site.token;
    return status;
}

/* True if it is there where the family says that it listens. */
static bool adopt(struct ph_server *server, int fd, const char *family_url)
{
    struct ph_address address;
    struct ph_listener listener;
    char url[PH_URL_MAX];
    if (server->listener_count == PH_LISTENERS_MAX || ph_listener_adopt(fd, &address, &listener) < 0) {
        close(fd);
        return false;
    }
    keep(server, &listener);
    ph_address_url(&address, url);
    return strcmp(url, family_url) == 0;
}

static void listen_again(struct ph_server *server, const char *family_url)
{
    struct ph_address address;
    struct ph_listener listener;
    if (server->listener_count < PH_LISTENERS_MAX && ph_address_of_url(family_url, &address) == 0 &&
        ph_listen_exactly(server->site.probe, &address, &listener) == 0)
        keep(server, &listener);
    bequeath(server);
}

void ph_share_adopt(struct ph_server *server)
{
    int fds[PH_LISTENERS_MAX];
    char url[PH_SEGMENT_URL_BYTES];
    bool found = false;
    ph_segment_url(segment_of(server), url);
    size_t count = server->site.probe->inherit(fds, PH_LISTENERS_MAX);
    for (size_t i = 0; i < count; i++)
        found |= adopt(server, fds[i], url);
    if (!found && url[0])
        listen_again(server, url);
    ph_share_announce(server);
}

/* The program is in the name: the port of another server that ends is not ours to take. */
void ph_share_beacon(const struct ph_server *server, const struct ph_address *address, char *ret_name)
{
    char url[PH_URL_MAX];
    ph_address_url(address, url);
    size_t length = strlen(url);
    /* The end of a long path tells more than its beginning. */
    const char *end = url + (length > NAMED_BYTES ? length - NAMED_BYTES : 0);
    snprintf(ret_name, PH_BEACON_NAME_MAX, "porthole-at/%.15s/%.70s", ph_segment_program(segment_of(server)), end);
}

/* Of a front that has just ended the kernel closes the sockets one by one, on a busy machine with pauses. -1, or what to poll
 * until the name is free. */
static int light(const struct ph_probe *probe, const char *name, struct ph_beacon *beacon)
{
    static const struct timespec nap = {.tv_nsec = NAP_NS};
    struct ucred holder;
    for (int i = 0; i < LIGHT_TRIES; i++) {
        if (i > 0)
            nanosleep(&nap, NULL);
        if (ph_beacon_light(probe, name, beacon) != -EADDRINUSE)
            return -1;
        int rival = ph_beacon_watch(probe, name, &holder);
        if (rival >= 0)
            return rival;
    }
    return -1;
}

void ph_share_announce(struct ph_server *server)
{
    char name[PH_BEACON_NAME_MAX];
    for (unsigned i = 0; i < server->listener_count; i++) {
        struct ph_address address;
        if (server->listeners[i].kind == PH_SOCKET_ABSTRACT || server->listeners[i].fd < 0 ||
            server->beacons[i].fd >= 0 || server->rivals[i] >= 0 ||
            ph_listener_address(&server->listeners[i], &address) < 0)
            continue;
        ph_share_beacon(server, &address, name);
        server->rivals[i] = light(server->site.probe, name, &server->beacons[i]);
    }
}

void ph_share_settle(struct ph_server *server, unsigned index)
{
    int rival = ph_beacon_settle(server->site.probe, server->rivals[index]);
    server->rivals[index] = rival < 0 ? -1 : rival;
    ph_share_announce(server);
}

void ph_share_add(struct ph_server *server, const struct ph_address *address, const struct ph_listener *listener)
{
    keep(server, listener);
    publish(server, address);
    ph_share_announce(server);
}

bool ph_share_has(const struct ph_server *server, const struct ph_address *address)
{
    char wanted[PH_URL_MAX], url[PH_URL_MAX];
    struct ph_address bound;
    ph_address_url(address, wanted);
    for (unsigned i = 0; i < server->listener_count; i++) {
        if (server->listeners[i].fd < 0 || ph_listener_address(&server->listeners[i], &bound) < 0)
            continue;
        ph_address_url(&bound, url);
        if (strcmp(url, wanted) == 0)
            return true;
    }
    return false;
}

/* The addresses become free for others only if no member can follow; a process that has not joined yet, and joins later,
 * listens there again. */
void ph_share_end(struct ph_server *server)
{
    bool was_front = ph_family_is_front(server->site.family);
    bool is_last = ph_segment_members(segment_of(server), NULL, 0) <= 1;
    for (unsigned i = 0; i < server->listener_count; i++) {
        struct ph_listener *listener = &server->listeners[i];
        if (listener->kind == PH_SOCKET_ABSTRACT || is_last)
            ph_listener_close(listener);
        else
            ph_listener_leave(listener);
        ph_beacon_put_out(&server->beacons[i]);
        if (server->rivals[i] >= 0)
            close(server->rivals[i]);
        server->rivals[i] = -1;
    }
    if (was_front && is_last)
        server->site.probe->bequeath(NULL, 0);
    server->listener_count = 0;
    ph_family_resign(server->site.family);
}
