#include "probe/load.h"

#include "base/scan.h"
#include "probe/fork.h"
#include "probe/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define AGENT_FILE "libporthole-agent.so"

/* The agent with its libraries maps 30 MiB, a heap request some more. */
#define ROOM_BYTES (UINT64_C(64) << 20)

static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the opening; never held by host threads
                                                                 outside the public API */
static const struct ph_agent *loaded;                         /* atomic; set once */

/* The folder of this object, absolute even if LD_PRELOAD was relative and the host has changed its folder since. */
static void own_folder(char ret_folder[PATH_MAX])
{
    Dl_info info;
    struct link_map *map = NULL;
    ret_folder[0] = '\0';
    if (!dladdr1((void *)own_folder, &info, (void **)&map, RTLD_DL_LINKMAP) || !map ||
        dlinfo(map, RTLD_DI_ORIGIN, ret_folder) != 0)
        ret_folder[0] = '\0';
}

static bool find_agent(const struct ph_options *options, char ret_path[PATH_MAX])
{
    char beside[PATH_MAX];
    own_folder(beside);
    const struct {
        const char *folder, *below;
    } places[] = {{options->agent, ""}, {beside, ""}, {beside, "/porthole"}, {PH_AGENT_DIR, ""}};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (!places[i].folder[0])
            continue;
        int length = snprintf(ret_path, PATH_MAX, "%s%s/" AGENT_FILE, places[i].folder, places[i].below);
        if (length < PATH_MAX && access(ret_path, R_OK) == 0)
            return true;
        if (i == 0)
            return false; /* the user named a folder: no other will do */
    }
    return false;
}

/* Under RLIMIT_AS what the agent maps is taken from the host. */
static bool has_room(struct ph_error *error)
{
    char text[32] = "";
    struct rlimit limit;
    uint64_t pages = 0;
    if (getrlimit(RLIMIT_AS, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return true;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text));
    if (fd >= 0)
        close(fd);
    struct ph_scan scan = ph_scan_over(text, size > 0 ? (size_t)size : 0);
    if (!ph_scan_decimal(&scan, &pages) || pages * (uint64_t)sysconf(_SC_PAGESIZE) + ROOM_BYTES <= limit.rlim_cur)
        return true;
    ph_error_set(error, -ENOMEM, "the limit on address space (ulimit -v) leaves less than %d MiB: stays closed",
                 (int)(ROOM_BYTES >> 20));
    return false;
}

static const struct ph_agent *open_agent(const struct ph_probe *probe, struct ph_error *error)
{
    char path[PATH_MAX];
    if (!has_room(error))
        return NULL;
    if (!find_agent(probe->options, path)) {
        ph_error_set(error, -ENOENT, "%s not found; set PORTHOLE_AGENT to its folder", path[0] ? path : AGENT_FILE);
        return NULL;
    }
    void *handle = ph_real()->dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        ph_error_set(error, -ELIBACC, "%s", dlerror());
        return NULL;
    }
    ph_agent_entry_fn *entry;
    *(void **)&entry = dlsym(handle, "ph_agent_entry");
    const struct ph_agent *agent = entry ? entry(probe) : NULL;
    if (!agent || agent->abi != PH_PROBE_ABI) {
        ph_error_set(error, -EPROTO, "%s is of another build than libporthole.so: install both together", path);
        return NULL;
    }
    return agent;
}

const struct ph_agent *ph_agent_load(const struct ph_probe *probe, struct ph_error *error)
{
    const struct ph_agent *agent = ph_agent_loaded();
    if (agent)
        return agent;
    ph_forks_hold(); /* the loader's locks, too */
    pthread_mutex_lock(&load_lock);
    agent = ph_agent_loaded();
    if (!agent) {
        agent = open_agent(probe, error);
        __atomic_store_n(&loaded, agent, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&load_lock);
    ph_forks_release();
    return agent;
}

void ph_load_forked(void)
{
    const struct ph_agent *agent = ph_agent_loaded();
    pthread_mutex_init(&load_lock, NULL);
    if (agent)
        agent->forked();
}

const struct ph_agent *ph_agent_loaded(void)
{
    return __atomic_load_n(&loaded, __ATOMIC_ACQUIRE);
}
