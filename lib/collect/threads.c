#include "collect/threads.h"

#include "base/clock.h"
#include "elf/modules.h"
#include "elf/symbolize.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_CAPACITY 64
#define MARGIN         16 /* threads that start between two looks */

/* All records, however many there are by then. NULL if memory is out. */
static struct ph_thread *list_threads(const struct ph_probe *probe, size_t *ret_count)
{
    size_t capacity = FIRST_CAPACITY;
    for (;;) {
        struct ph_thread *threads = malloc(capacity * sizeof(*threads));
        if (!threads)
            return NULL;
        *ret_count = probe->threads(threads, capacity);
        if (*ret_count <= capacity)
            return threads;
        free(threads);
        capacity = *ret_count + MARGIN;
    }
}

static uint32_t mapping_of(const struct ph_modules *modules, const struct ph_module **order, uint64_t address)
{
    const struct ph_module *module = ph_modules_find(modules, address);
    for (uint32_t i = 0; module && i < modules->count; i++)
        if (order[i] == module)
            return i + 1;
    return 0;
}

static void add_thread(struct ph_profile *profile, const struct ph_modules *modules, const struct ph_module **order,
                       const struct ph_thread *thread)
{
    uint32_t frames[PH_THREAD_FRAMES_MAX];
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        uint64_t address = thread->frames[i] - 1; /* of the call, not of the return */
        frames[i] = ph_profile_add_location(profile, mapping_of(modules, order, address), address, false, NULL, 0);
    }
    const int64_t one = 1;
    ph_profile_add_sample(profile, frames, thread->frame_count, NULL, 0, &one);
}

static int add_threads(const struct ph_probe *probe, const struct ph_modules *modules, struct ph_profile *profile)
{
    size_t count;
    const struct ph_module **order = calloc(modules->count + 1, sizeof(struct ph_module *));
    struct ph_thread *threads = list_threads(probe, &count);
    int result = order && threads ? ph_modules_into_profile(modules, profile, order) : -ENOMEM;
    for (size_t i = 0; result == 0 && i < count; i++)
        if (!threads[i].own)
            add_thread(profile, modules, order, &threads[i]);
    free(threads);
    free(order);
    return result;
}

static int collect(const struct ph_probe *probe, bool bare, const struct ph_modules *modules,
                   struct ph_profile **ret_profile, struct ph_error *error)
{
    struct ph_profile *profile = ph_profile_new();
    if (!profile)
        return ph_error_set(error, -ENOMEM, "no memory for the profile");
    ph_profile_add_type(profile, "threadcreate", "count");
    profile->period_type = profile->types[0];
    profile->period = 1;
    profile->time_ns = ph_clock_realtime_ns();
    int result = add_threads(probe, modules, profile);
    if (result == 0 && !bare)
        result = ph_symbolize(profile, modules);
    if (result == 0)
        result = ph_profile_status(profile);
    if (result < 0) {
        ph_profile_free(profile);
        return result == -ENOMEM ? ph_error_set(error, -ENOMEM, "no memory for the profile") : result;
    }
    *ret_profile = profile;
    return 0;
}

int ph_threadcreate_collect(const struct ph_probe *probe, struct ph_profile **ret_profile, struct ph_error *error)
{
    struct ph_modules modules;
    int result = ph_modules_self(&modules, error);
    if (result < 0)
        return result;
    result = collect(probe, false, &modules, ret_profile, error);
    ph_modules_fini(&modules);
    return result;
}

int ph_threadcreate_collect_bare(const struct ph_probe *probe, struct ph_modules *ret_modules,
                                 struct ph_profile **ret_profile, struct ph_error *error)
{
    struct ph_modules modules;
    int result = ph_modules_self(&modules, error);
    if (result < 0)
        return result;
    result = collect(probe, true, &modules, ret_profile, error);
    if (result == 0 && ret_modules)
        *ret_modules = modules;
    else
        ph_modules_fini(&modules);
    return result;
}

size_t ph_threads_count(const struct ph_probe *probe)
{
    size_t count = 0, live_count = 0;
    struct ph_thread *threads = list_threads(probe, &count);
    for (size_t i = 0; threads && i < count; i++)
        live_count += !threads[i].own;
    free(threads);
    return live_count;
}
