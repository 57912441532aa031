#include "server/server.h"

#include "base/clock.h"
#include "family/family.h"
#include "server/share.h"
#include "server/state.h"
#include "server/wish.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/param.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define CONNECTIONS_MIN 4
#define STOP_WAIT_MS    1500 /* the endpoint thread ends within a second; this is for a machine without CPU to spare */

void ph_server_hold(void *server)
{
    atomic_fetch_add(&((struct ph_server *)server)->references, 1);
}

void ph_server_release(void *released)
{
    struct ph_server *server = released;
    if (atomic_fetch_sub(&server->references, 1) > 1)
        return;
    ph_jobs_fini(&server->jobs);
    ph_family_free(server->site.family);
    pthread_cond_destroy(&server->end);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

/* At most a quarter of what the host may open: a flood of requests must not take its descriptors. */
static unsigned connections_max(void)
{
    struct rlimit limit = {.rlim_cur = 0};
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t quarter = limit.rlim_cur / 4;
    return (unsigned)MIN(MAX(quarter, CONNECTIONS_MIN), CONNECTIONS_MAX);
}

/* The abstract socket is a convenience: a process of the same number in another container of this network may hold
 * the name. */
static int listen_abstract(struct ph_server *server, struct ph_error *error)
{
    struct ph_address address = ph_address_abstract();
    bool needed = server->listener_count == 0 && ph_family_is_founder(server->site.family);
    int status =
        ph_listen(server->site.probe, &address, &server->listeners[server->listener_count], needed ? error : NULL);
    if (status == 0)
        server->listener_count++;
    return needed ? status : 0;
}

static int open_wake(struct ph_server *server, struct ph_error *error)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return ph_error_set(error, -errno, "cannot make an eventfd: %s", strerror(errno));
    server->jobs.wake_fd = fd;
    return 0;
}

static int start_http(struct ph_server *server, struct ph_error *error)
{
    server->http.site = &server->site;
    server->http.jobs = &server->jobs;
    server->http.hold = ph_server_hold;
    server->http.connections_max = connections_max();
    return ph_http_start(&server->http, error);
}

static int open_all(struct ph_server *server, struct ph_error *error)
{
    int status = ph_share_open(server, error);
    if (status == 0)
        status = listen_abstract(server, error);
    if (status == 0)
        status = open_wake(server, error);
    if (status == 0)
        status = start_http(server, error);
    if (status == 0)
        server->spare_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return status;
}

/* A forked process whose parent has gone by now, as that of a daemon, takes over what the parent listened at. */
static void stand_for_front(struct ph_server *server)
{
    if (!ph_family_elect(server->site.family))
        return;
    if (ph_family_is_founder(server->site.family))
        ph_share_announce(server);
    else
        ph_share_adopt(server);
    ph_wish_begin(server);
}

static int start_thread(struct ph_server *server, struct ph_error *error)
{
    ph_server_hold(server);
    int status = server->site.probe->own_thread("porthole/http", ph_loop_run, server);
    if (status == 0)
        return 0;
    ph_server_release(server);
    return ph_error_set(error, status, "cannot start a thread: %s", strerror(-status));
}

static int init_locks(struct ph_server *server)
{
    pthread_condattr_t monotonic;
    int status = ph_jobs_init(&server->jobs, -1, ph_server_release, server);
    if (status < 0)
        return status;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&server->mutex, NULL);
    pthread_cond_init(&server->end, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return 0;
}

static struct ph_server *new_server(const struct ph_probe *probe)
{
    struct ph_server *server = calloc(1, sizeof(*server));
    if (!server)
        return NULL;
    server->references = 1;
    server->pid = getpid();
    server->site.probe = probe;
    server->site.jobs = &server->jobs;
    server->spare_fd = -1;
    server->wish.watch_fd = -1;
    for (unsigned i = 0; i < PH_LISTENERS_MAX; i++) {
        server->beacons[i] = PH_BEACON_OUT;
        server->rivals[i] = -1;
    }
    if (init_locks(server) == 0)
        return server;
    free(server);
    return NULL;
}

int ph_server_start(const struct ph_probe *probe, struct ph_server **ret_server, struct ph_error *error)
{
    struct ph_server *server = new_server(probe);
    if (!server)
        return ph_error_set(error, -ENOMEM, "out of memory");
    int status = ph_family_enter(probe, &server->site.family, error);
    if (status < 0) {
        ph_server_release(server);
        return status;
    }
    status = open_all(server, error);
    if (status == 0) {
        stand_for_front(server);
        status = start_thread(server, error);
    }
    if (status == 0) {
        *ret_server = server;
        return 0;
    }
    ph_loop_close(server);
    ph_family_leave(server->site.family);
    ph_server_release(server);
    return status;
}

const char *ph_server_url(const struct ph_server *server)
{
    return server->site.url;
}

bool ph_server_is_founder(const struct ph_server *server)
{
    return ph_family_is_founder(server->site.family);
}

static void wait_for_end(struct ph_server *server)
{
    int64_t deadline_ns = ph_clock_monotonic_ns() + STOP_WAIT_MS * PH_NS_PER_MS;
    struct timespec deadline = {.tv_sec = deadline_ns / PH_NS_PER_S, .tv_nsec = deadline_ns % PH_NS_PER_S};
    pthread_mutex_lock(&server->mutex);
    while (!server->ended && pthread_cond_timedwait(&server->end, &server->mutex, &deadline) == 0)
        ;
    pthread_mutex_unlock(&server->mutex);
}

void ph_server_stop(struct ph_server *server)
{
    /* A forked child has no endpoint thread to wait for, and its copy of the locks may be held for ever. */
    if (!server || server->pid != getpid())
        return;
    atomic_store(&server->stopping, true);
    ph_jobs_wake(&server->jobs);
    wait_for_end(server);
    ph_family_leave(server->site.family);
    ph_server_release(server);
}
