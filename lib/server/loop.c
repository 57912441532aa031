#include "base/clock.h"
#include "family/family.h"
#include "server/share.h"
#include "server/state.h"
#include "server/wish.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/param.h>
#include <unistd.h>

#define GRACE_NS       (800 * PH_NS_PER_MS) /* for requests under way when the endpoint stops */
#define LAST_ANSWER_NS (100 * PH_NS_PER_MS) /* to send the 503 of those that did not make it */

enum {
    SLOT_WAKE,
    SLOT_HTTP,
    SLOT_FAMILY,
    SLOT_WISH,
    SLOT_BEACON,
    SLOT_LISTENERS,
    SLOT_BEACONS = SLOT_LISTENERS + PH_LISTENERS_MAX, /* one for each listener */
    SLOT_RIVALS = SLOT_BEACONS + PH_LISTENERS_MAX,    /* likewise */
    SLOT_COUNT = SLOT_RIVALS + PH_LISTENERS_MAX,
};

static int until_ms(int64_t when_ns)
{
    int64_t left_ns = when_ns - ph_clock_monotonic_ns();
    int64_t left_ms = left_ns <= 0 ? 0 : (left_ns + PH_NS_PER_MS - 1) / PH_NS_PER_MS;
    return (int)MIN(left_ms, INT_MAX);
}

/* The earlier of two poll() timeouts; -1 is never. */
static int earlier(int a_ms, int b_ms)
{
    return a_ms < 0 ? b_ms : b_ms < 0 ? a_ms : MIN(a_ms, b_ms);
}

/* An idle endpoint polls without a timeout: nothing wakes it but a client. */
static int poll_timeout_ms(const struct ph_server *server, bool paused, int64_t deadline_ns)
{
    int timeout_ms = ph_http_timeout_ms(&server->http);
    if (paused)
        timeout_ms = earlier(timeout_ms, until_ms(server->accept_after_ns));
    if (server->wish.retry_at_ns)
        timeout_ms = earlier(timeout_ms, until_ms(server->wish.retry_at_ns));
    if (deadline_ns)
        timeout_ms = earlier(timeout_ms, until_ms(deadline_ns));
    return timeout_ms;
}

static void drain(int wake_fd)
{
    uint64_t count;
    while (read(wake_fd, &count, sizeof(count)) < 0 && errno == EINTR)
        ;
}

/* The front has gone: one of those who watch it follows. */
static void follow(struct ph_server *server)
{
    if (ph_family_elect(server->site.family)) {
        ph_share_adopt(server);
        ph_wish_begin(server);
    }
}

static void accept_all(struct ph_server *server, const struct pollfd *slots)
{
    for (unsigned i = 0; i < server->listener_count; i++) {
        if (slots[i].revents & (POLLNVAL | POLLERR))
            server->listeners[i].fd = -1;
        else if (slots[i].revents)
            ph_accept(server, &server->listeners[i]);
    }
}

static void attend_to_beacons(struct ph_server *server, const struct pollfd *slots)
{
    if (slots[SLOT_BEACON].revents)
        ph_beacon_answer(ph_family_beacon(server->site.family));
    for (unsigned i = 0; i < PH_LISTENERS_MAX; i++) {
        if (slots[SLOT_BEACONS + i].revents)
            ph_beacon_answer(&server->beacons[i]);
        if (slots[SLOT_RIVALS + i].revents)
            ph_share_settle(server, i);
    }
}

static struct pollfd input_slot(int fd)
{
    return (struct pollfd){.fd = fd, .events = POLLIN};
}

static struct pollfd beacon_slot(const struct ph_beacon *beacon)
{
    return input_slot(beacon->is_deaf ? -1 : beacon->fd);
}

static void fill_slots(struct ph_server *server, bool paused, struct pollfd *ret_slots)
{
    ret_slots[SLOT_WAKE] = input_slot(server->jobs.wake_fd);
    ret_slots[SLOT_HTTP] = input_slot(server->http.epoll_fd);
    ret_slots[SLOT_FAMILY] = input_slot(ph_family_watch_fd(server->site.family));
    ret_slots[SLOT_WISH] = input_slot(server->wish.watch_fd);
    ret_slots[SLOT_BEACON] = beacon_slot(ph_family_beacon(server->site.family));
    for (unsigned i = 0; i < PH_LISTENERS_MAX; i++) {
        bool polled = i < server->listener_count && !paused;
        ret_slots[SLOT_LISTENERS + i] = input_slot(polled ? server->listeners[i].fd : -1);
        ret_slots[SLOT_BEACONS + i] = beacon_slot(&server->beacons[i]);
        ret_slots[SLOT_RIVALS + i] = input_slot(server->rivals[i]);
    }
}

static int wait_for(const struct ph_server *server, struct pollfd *slots, int timeout_ms)
{
    const struct ph_probe *probe = server->site.probe;
    probe->park();
    int ready = poll(slots, SLOT_COUNT, timeout_ms);
    int error = errno;
    probe->unpark();
    errno = error;
    return ready;
}

/*
 * One round: wait, accept, answer. @deadline_ns: when to return at the latest; 0 for none.
 * False if one of the two descriptors that nothing works without was closed behind our back (a raw system call of the
 * host): polling it again would return at once, for ever.
 */
static bool turn(struct ph_server *server, int64_t deadline_ns)
{
    bool paused = server->accept_after_ns > ph_clock_monotonic_ns();
    struct pollfd slots[SLOT_COUNT];
    fill_slots(server, paused, slots);
    if (wait_for(server, slots, poll_timeout_ms(server, paused, deadline_ns)) < 0)
        return errno == EINTR || errno == ENOMEM;
    if ((slots[SLOT_WAKE].revents | slots[SLOT_HTTP].revents) & POLLNVAL)
        return false;
    if (slots[SLOT_WAKE].revents)
        drain(server->jobs.wake_fd);
    accept_all(server, slots + SLOT_LISTENERS);
    attend_to_beacons(server, slots);
    ph_http_run(&server->http);
    /* Both may add listeners: last, as the slots are those of before. */
    if (slots[SLOT_FAMILY].revents)
        follow(server);
    if (slots[SLOT_WISH].revents || ph_wish_is_due(server))
        ph_wish_try(server);
    return true;
}

static bool turn_until_idle(struct ph_server *server, int64_t duration_ns)
{
    int64_t deadline_ns = ph_clock_monotonic_ns() + duration_ns;
    bool fine = true;
    while (fine && ph_http_is_busy(&server->http) && ph_clock_monotonic_ns() < deadline_ns)
        fine = turn(server, deadline_ns);
    return fine;
}

/* Waiting jobs end at once, working ones get some time, the rest is told. */
static bool wind_down(struct ph_server *server)
{
    ph_wish_end(server);
    ph_share_end(server);
    ph_http_cancel(&server->http);
    bool fine = turn_until_idle(server, GRACE_NS);
    ph_http_abandon(&server->http);
    return fine && turn_until_idle(server, LAST_ANSWER_NS);
}

void ph_loop_close(struct ph_server *server)
{
    ph_wish_end(server);
    ph_share_end(server);
    ph_http_stop(&server->http);
    if (server->spare_fd >= 0)
        close(server->spare_fd);
    server->spare_fd = -1;
    ph_jobs_close(&server->jobs);
}

static void announce_end(struct ph_server *server)
{
    pthread_mutex_lock(&server->mutex);
    server->ended = true;
    pthread_cond_broadcast(&server->end);
    pthread_mutex_unlock(&server->mutex);
}

void *ph_loop_run(void *argument)
{
    struct ph_server *server = argument;
    bool fine = true;
    while (fine && !atomic_load(&server->stopping))
        fine = turn(server, 0);
    fine = wind_down(server) && fine;
    if (fine)
        ph_loop_close(server);
    announce_end(server);
    ph_server_release(server);
    return NULL;
}
