#include "server_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#define OWN_FDS_MAX 256

struct ph_options fixture_options;

void (*fixture_socket_opened)(int fd);

static int own_fd(int fd)
{
    if (fixture_socket_opened)
        fixture_socket_opened(fd);
    return fd;
}

static int own_thread(const char *name, void *(*body)(void *), void *argument)
{
    pthread_t thread;
    int status = pthread_create(&thread, NULL, body, argument);
    if (status == 0)
        pthread_detach(thread);
    return -status;
}

/* As the probe's: copies that live as long as this process or one forked from it. */
static pthread_mutex_t heir_mutex = PTHREAD_MUTEX_INITIALIZER;
static int heirs[8];
static size_t heir_count;

static int bequeath(const int *fds, size_t count)
{
    pthread_mutex_lock(&heir_mutex);
    for (size_t i = 0; i < heir_count; i++)
        close(heirs[i]);
    for (heir_count = 0; heir_count < count; heir_count++)
        heirs[heir_count] = dup(fds[heir_count]);
    pthread_mutex_unlock(&heir_mutex);
    return 0;
}

static size_t inherit(int *ret_fds, size_t capacity)
{
    size_t count = 0;
    pthread_mutex_lock(&heir_mutex);
    while (count < heir_count && count < capacity) {
        ret_fds[count] = dup(heirs[count]);
        count++;
    }
    pthread_mutex_unlock(&heir_mutex);
    return count;
}

static bool is_heir(int fd)
{
    for (size_t i = 0; i < heir_count; i++)
        if (heirs[i] == fd)
            return true;
    return false;
}

void fixture_forked(int kept)
{
    pthread_mutex_init(&heir_mutex, NULL); /* a thread that is not here may have had it */
    for (int fd = STDERR_FILENO + 1; fd < OWN_FDS_MAX; fd++)
        if (fd != kept && !is_heir(fd))
            close(fd);
}

void fixture_lose_heirs(void)
{
    bequeath(NULL, 0);
}

/* This one, and one of ours. */
static size_t threads(struct ph_thread *ret_threads, size_t capacity)
{
    if (capacity > 0)
        ret_threads[0] = (struct ph_thread){.tid = getpid()};
    if (capacity > 1)
        ret_threads[1] = (struct ph_thread){.tid = getpid() + 1, .own = true};
    return 2;
}

static bool thread(uint32_t slot, pid_t tid, struct ph_thread *ret_thread)
{
    *ret_thread = (struct ph_thread){.tid = tid, .slot = slot};
    return slot == 0 && tid == getpid();
}

static void no_fork_waits(void)
{
}

static void say(const char *text)
{
    fprintf(stderr, "%s\n", text);
}

struct ph_probe_counters fixture_counters;

const struct ph_probe fixture_probe = {
    .abi = PH_PROBE_ABI,
    .version = "0",
    .options = &fixture_options,
    .counters = &fixture_counters,
    .own_fd = own_fd,
    .own_thread = own_thread,
    .threads = threads,
    .thread = thread,
    .bequeath = bequeath,
    .inherit = inherit,
    .hold_forks = no_fork_waits,
    .release_forks = no_fork_waits,
    .park = no_fork_waits,
    .unpark = no_fork_waits,
    .say = say,
};

struct ph_site fixture_site(void)
{
    return (struct ph_site){.probe = &fixture_probe, .url = "http://127.0.0.1:6060"};
}

struct ph_request *fixture_get(const struct ph_site *site, const char *target)
{
    struct ph_request *request = ph_request_new(site, target);
    assert_non_null(request);
    request->method = PH_METHOD_GET;
    request->is_version_1_1 = true;
    strcpy(request->host, "localhost");
    return request;
}

const char *fixture_header(const struct ph_reply *reply, const char *name)
{
    for (unsigned i = 0; i < reply->header_count; i++)
        if (strcmp(reply->headers[i].name, name) == 0)
            return reply->headers[i].value;
    return NULL;
}
