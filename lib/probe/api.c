/* api.c - the public API (porthole.h): thin, over activation and the agent's table. */
#include "porthole/porthole.h"

#include "base/clock.h"
#include "probe/activate.h"
#include "probe/export.h"
#include "probe/labels.h"
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

PH_EXPORT int porthole_label_set(const char *key, const char *value)
{
    uint32_t set;
    int result = ph_labels_with(ph_tls.label_set, key, value, &set);
    if (result == 0)
        ph_thread_carry_labels(set);
    return result;
}

/* Where there is no room for what is left of them, none are: a label that is wrong would be worse. */
PH_EXPORT void porthole_label_clear(const char *key)
{
    uint32_t set = 0;
    if (key && ph_labels_without(ph_tls.label_set, key, &set) < 0)
        set = 0;
    ph_thread_carry_labels(set);
}

/* The key is kept as the table has it: that of the caller may be gone when the scope ends. */
PH_EXPORT struct porthole_label_scope porthole_label_begin(const char *key, const char *value)
{
    struct porthole_label_scope scope = {NULL, ph_tls.label_set, 0};
    if (porthole_label_set(key, value) < 0)
        return scope;
    const struct ph_label_set *set = ph_label_set(ph_tls.label_set);
    scope.after = ph_tls.label_set;
    scope.key = set->labels[ph_label_place(set, key)].key;
    return scope;
}

/* Most often nothing else has changed. */
PH_EXPORT void porthole_label_end(const struct porthole_label_scope *scope)
{
    const struct ph_label_set *before = ph_label_set(scope->before);
    if (!scope->key)
        return;
    if (ph_tls.label_set == scope->after) {
        ph_thread_carry_labels(scope->before);
        return;
    }
    uint32_t place = ph_label_place(before, scope->key);
    if (place == before->count || porthole_label_set(scope->key, before->labels[place].value) < 0)
        porthole_label_clear(scope->key);
}
