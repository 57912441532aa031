#include "server/server.h"

#include "base/clock.h"
#include "server/auth.h"
#include "server/state.h"

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

static int add_listener(struct ph_server *server, struct ph_address *address, struct ph_error *error)
{
    int status = ph_listen(server->site.probe, address, &server->listeners[server->listener_count], error);
    if (status == 0)
        server->listener_count++;
    return status;
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

static int listen_as_asked(struct ph_server *server, struct ph_error *error)
{
    struct ph_address address;
    const char *listen = server->site.probe->options->listen;
    if (strcmp(listen, "off") == 0)
        return 0;
    int status = ph_address_parse(listen, &address, error);
    if (status == 0)
        status = read_token(&server->site, &address, error);
    if (status == 0)
        status = add_listener(server, &address, error);
    if (status == 0)
        ph_address_url(&address, server->site.url);
    return status;
}

/* The abstract socket is a convenience: a process of the same number in another container of this network may hold
 * the name. */
static int listen_abstract(struct ph_server *server, struct ph_error *error)
{
    struct ph_address address = ph_address_abstract();
    bool needed = server->listener_count == 0;
    int status = add_listener(server, &address, needed ? error : NULL);
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
    int status = listen_as_asked(server, error);
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
    int status = open_all(server, error);
    if (status == 0)
        status = start_thread(server, error);
    if (status < 0) {
        ph_loop_close(server);
        ph_server_release(server);
        return status;
    }
    *ret_server = server;
    return 0;
}

const char *ph_server_url(const struct ph_server *server)
{
    return server->site.url;
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
    ph_server_release(server);
}
