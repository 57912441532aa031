/* api.c - the public API (porthole.h): thin, over activation and the agent's table. */
#include "porthole/porthole.h"

#include "base/clock.h"
#include "probe/activate.h"
#include "probe/export.h"
#include "probe/load.h"
#include "probe/say.h"
#include "probe/thread.h"

#include <sys/auxv.h>

#define START_WAIT_NS (30 * PH_NS_PER_S)

PH_EXPORT const char *porthole_version(void)
{
    return PACKAGE_VERSION;
}

static int take_options(const struct porthole_options *options)
{
    const struct {
        const char *name, *value;
    } given[] = {
        {"PORTHOLE_LISTEN", options->listen},
        {"PORTHOLE_TOKEN_FILE", options->token_file},
        {"PORTHOLE_LOG", options->log},
    };
    struct ph_options taken = ph_probe_options;
    struct ph_error error = {0};
    for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
        if (given[i].value && ph_options_set(&taken, given[i].name, given[i].value, &error) < 0) {
            ph_say(error.text);
            return error.code;
        }
    }
    ph_probe_options = taken;
    return 0;
}

PH_EXPORT int porthole_init(const struct porthole_options *options)
{
    int state = __atomic_load_n(&ph_activation_state, __ATOMIC_ACQUIRE);
    if (state == PH_INERT)
        return -ECANCELED;
    if (state == PH_SILENT)
        return -EAGAIN;
    if (state == PH_IDLE || state == PH_FAILED) {
        int result = options ? take_options(options) : 0;
        if (result < 0)
            return result;
        /* A start that failed for a reason the host has mended may be tried again. */
        __atomic_compare_exchange_n(&ph_activation_state, &(int){PH_FAILED}, PH_IDLE, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED);
        result = ph_activate();
        if (result < 0)
            return result;
    }
    state = ph_activation_settle(START_WAIT_NS);
    if (state == PH_RUNNING || state == PH_FAILED)
        return ph_activation_result();
    return state == PH_IDLE ? -ECANCELED : -ETIMEDOUT;
}

PH_EXPORT void porthole_shutdown(void)
{
    ph_deactivate();
}

PH_EXPORT int porthole_heap_profile_write(int fd)
{
    struct ph_error error = {0};
    struct ph_own_scope scope = ph_own_scope_enter();
    const struct ph_agent *agent = ph_agent_load(&ph_probe, &error);
    int result = agent ? agent->heap_write(fd) : error.code;
    ph_own_scope_leave(scope);
    return result;
}
