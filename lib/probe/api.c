/* api.c - the public API (porthole.h): thin, over activation and the agent's table. */
#include "porthole/porthole.h"

#include "base/clock.h"
#include "probe/activate.h"
#include "probe/export.h"
#include "probe/load.h"
#include "probe/say.h"
#include "probe/thread.h"

#include <pthread.h>

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

/* Of several threads that come at once, one starts it, with its options; the others wait for that. */
static int start(const struct porthole_options *options)
{
    /* A start that failed for a reason the host has mended may be tried again. */
    __atomic_compare_exchange_n(&ph_activation_state, &(int){PH_FAILED}, PH_IDLE, false, __ATOMIC_ACQ_REL,
                                __ATOMIC_RELAXED);
    if (!ph_activation_claim())
        return 0;
    int result = options ? take_options(options) : 0;
    if (result == 0)
        return ph_activation_begin();
    ph_activation_unclaim();
    return result;
}

PH_EXPORT int porthole_init(const struct porthole_options *options)
{
    int state = __atomic_load_n(&ph_activation_state, __ATOMIC_ACQUIRE);
    int result = state == PH_INERT ? -ECANCELED : state == PH_SILENT ? -EAGAIN : start(options);
    if (result < 0)
        return result;
    switch (ph_activation_settle(PH_START_WAIT_NS)) {
    case PH_RUNNING:
    case PH_FAILED:
        return ph_activation_result();
    case PH_SILENT:
        return -EAGAIN;
    case PH_IDLE:
        return -ECANCELED;
    default:
        return -ETIMEDOUT;
    }
}

PH_EXPORT void porthole_shutdown(void)
{
    ph_deactivate();
}

PH_EXPORT int porthole_heap_profile_write(int fd)
{
    struct ph_error error = {0};
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state); /* a thread that ends here would keep locks */
    struct ph_own_scope scope = ph_own_scope_enter();
    const struct ph_agent *agent = ph_agent_load(&ph_probe, &error);
    int result = agent ? agent->heap_write(fd) : error.code;
    ph_own_scope_leave(scope);
    pthread_setcancelstate(cancel_state, NULL);
    return result;
}
