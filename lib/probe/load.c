#include "probe/load.h"

#include "probe/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AGENT_FILE "libporthole-agent.so"

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

static const struct ph_agent *open_agent(const struct ph_probe *probe, struct ph_error *error)
{
    char path[PATH_MAX];
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
    pthread_mutex_lock(&load_lock);
    const struct ph_agent *agent = ph_agent_loaded();
    if (!agent) {
        agent = open_agent(probe, error);
        __atomic_store_n(&loaded, agent, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&load_lock);
    return agent;
}

const struct ph_agent *ph_agent_loaded(void)
{
    return __atomic_load_n(&loaded, __ATOMIC_ACQUIRE);
}
