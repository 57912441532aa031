/*
 * agent.c - the lifecycle of the heavy half: what the probe may ask for, wired to the rooms below.
 */
#include "base/buf.h"
#include "collect/heap.h"
#include "collect/process.h"
#include "family/family.h"
#include "model/pprof_write.h"
#include "probe/probe.h"
#include "server/profile_counts.h"
#include "server/server.h"
#include "task/losses.h"
#include "task/profiling.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct ph_probe *probe;
static struct ph_server *server; /* written by start() and stop(), which the probe never runs at once */

static void announce(const char *url)
{
    char line[512];
    struct ph_process process = {.name = "this program"};
    bool is_path = strncmp(url, "unix:", 5) == 0;
    ph_process_self(&process, NULL); /* argv[0] may hold a title by now */
    snprintf(line, sizeof(line), "%s[%d] opens %s%s", process.name, (int)getpid(), url, is_path ? "" : "/debug/");
    probe->say(line);
}

static int start(void)
{
    struct ph_error error = {0};
    int result = ph_server_start(probe, &server, &error);
    if (result < 0) {
        probe->say(error.text);
        return result;
    }
    const char *url = ph_server_url(server);
    if (probe->options->log == PH_LOG_START && url[0] && ph_server_is_founder(server))
        announce(url);
    return 0;
}

static void stop(void)
{
    ph_server_stop(server);
    server = NULL;
}

static int write_all(int fd, const char *bytes, size_t size_bytes)
{
    while (size_bytes) {
        ssize_t written = write(fd, bytes, size_bytes);
        if (written == 0)
            return -EIO; /* no file does that; it would go on for ever */
        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            bytes += written;
            size_bytes -= (size_t)written;
        }
    }
    return 0;
}

static int heap_write(int fd)
{
    struct ph_profile *profile = NULL;
    struct ph_buf bytes = PH_BUF_INIT;
    int result = ph_heap_collect(probe, false, &profile, NULL);
    if (result == 0)
        result = ph_pprof_write(profile, &bytes, NULL);
    if (result == 0)
        result = write_all(fd, bytes.data, bytes.size_bytes);
    ph_buf_fini(&bytes);
    ph_profile_free(profile);
    return result;
}

/* The parent's server stays in memory, as a copy nobody writes to: freeing it would cost more than it holds. */
static void forked(void)
{
    server = NULL;
    ph_heap_forked();
    ph_family_forked();
    ph_profiling_forked();
    ph_losses_forked();
    ph_profile_counts_forked();
    server = NULL; /* the parent's; its memory stays as it is */
}

static const struct ph_agent agent = {
    .abi = PH_PROBE_ABI,
    .start = start,
    .stop = stop,
    .forked = forked,
    .heap_write = heap_write,
};

__attribute__((visibility("default"))) const struct ph_agent *ph_agent_entry(const struct ph_probe *the_probe)
{
    if (the_probe->abi != PH_PROBE_ABI)
        return NULL;
    probe = the_probe;
    return &agent;
}
