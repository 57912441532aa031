#include "server/wish.h"

#include "base/clock.h"
#include "family/beacon.h"
#include "family/family.h"
#include "server/share.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One a second. A front that ends is followed by the next of its family within that, so a generation that has the address shows
 * up soon or not at all; its last process may take longer to end than its front. */
#define TRIES_FIRST 5
#define TRIES_AFTER 60

static void close_watch(struct ph_wish *wish)
{
    if (wish->watch_fd >= 0)
        close(wish->watch_fd);
    wish->watch_fd = -1;
}

void ph_wish_end(struct ph_server *server)
{
    close_watch(&server->wish);
    server->wish.retry_at_ns = 0;
    server->wish.tries_left = 0;
}

static void say_so(const struct ph_server *server)
{
    const struct ph_probe *probe = server->site.probe;
    char url[PH_URL_MAX], line[PH_URL_MAX + 80];
    ph_address_url(&server->wish.address, url);
    bool is_path = server->wish.address.kind == PH_SOCKET_PATH;
    snprintf(line, sizeof(line), "%s[%d] opens %s%s, too",
             ph_segment_program(ph_family_segment(server->site.family)), (int)getpid(), url,
             is_path ? "" : "/debug/");
    if (probe->options->log == PH_LOG_START)
        probe->say(line);
}

static void watch_or_retry(struct ph_server *server)
{
    struct ph_wish *wish = &server->wish;
    struct ucred holder;
    char name[PH_BEACON_NAME_MAX];
    ph_share_beacon(server, &wish->address, name);
    wish->watch_fd = ph_beacon_watch(server->site.probe, name, &holder);
    if (wish->watch_fd >= 0) {
        wish->is_ours = true;
        ph_segment_set_awaits(ph_family_segment(server->site.family));
        wish->tries_left = TRIES_AFTER;
        wish->retry_at_ns = 0;
        return;
    }
    wish->watch_fd = -1;
    wish->retry_at_ns = wish->tries_left ? ph_clock_monotonic_ns() + PH_NS_PER_S : 0;
    wish->tries_left -= wish->tries_left > 0;
}

bool ph_wish_is_due(const struct ph_server *server)
{
    return server->wish.retry_at_ns && server->wish.retry_at_ns <= ph_clock_monotonic_ns();
}

/* Not every event is the end: the first one hands over what tells of that. */
static bool is_still_held(struct ph_server *server)
{
    struct ph_wish *wish = &server->wish;
    if (wish->watch_fd >= 0)
        wish->watch_fd = ph_beacon_settle(server->site.probe, wish->watch_fd);
    if (wish->watch_fd < 0)
        wish->watch_fd = -1;
    return wish->watch_fd >= 0;
}

void ph_wish_try(struct ph_server *server)
{
    struct ph_wish *wish = &server->wish;
    struct ph_listener listener;
    int status = -EADDRINUSE;
    if (is_still_held(server))
        return;
    if (wish->is_ours)
        status = ph_listen_exactly(server->site.probe, &wish->address, &listener);
    if (status == 0) {
        ph_wish_end(server);
        ph_share_add(server, &wish->address, &listener);
        say_so(server);
    } else if (status == -EADDRINUSE) {
        watch_or_retry(server);
    } else {
        ph_wish_end(server); /* a privileged port, after setuid(): it will not be better next time */
    }
}

/* The address of the family if it lost that, else the one it was to have. */
static bool choose(const struct ph_server *server, struct ph_address *ret_address, bool *ret_is_ours)
{
    char url[PH_SEGMENT_URL_BYTES];
    const char *listen = server->site.probe->options->listen;
    const struct ph_segment *segment = ph_family_segment(server->site.family);
    ph_segment_url(segment, url);
    *ret_is_ours = true;
    if (url[0] && ph_address_of_url(url, ret_address) == 0 && !ph_share_has(server, ret_address))
        return true;
    *ret_is_ours = ph_segment_awaits(segment);
    return strcmp(listen, "off") != 0 && ph_address_parse(listen, ret_address, NULL) == 0 &&
           !ph_address_is_any_port(ret_address) && !ph_share_has(server, ret_address);
}

/* The founder has just tried to listen there; since then, until this process followed it, the other generation may have
 * ended. */
void ph_wish_begin(struct ph_server *server)
{
    if (server->listener_count == PH_LISTENERS_MAX || !choose(server, &server->wish.address, &server->wish.is_ours))
        return;
    server->wish.tries_left = server->wish.is_ours ? TRIES_AFTER : TRIES_FIRST;
    ph_wish_try(server);
}
