#include "collect/jemalloc.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define ALL_ARENAS_PURGE "arena.4096.purge" /* MALLCTL_ARENAS_ALL, jemalloc/jemalloc.h */

static bool read_bool(const struct ph_probe *probe, const char *name)
{
    bool value = false;
    size_t size = sizeof(value);
    return probe->mallctl(name, &value, &size, NULL, 0) == 0 && value;
}

int ph_jemalloc_samples(const struct ph_probe *probe, struct ph_error *error)
{
    if (probe->allocator == PH_ALLOCATOR_OTHER)
        return ph_error_set(
            error, -ENOTSUP,
            "malloc belongs to %s, which Porthole cannot sample; only jemalloc with prof:true can be",
            probe->allocator_file);
    if (!read_bool(probe, "opt.prof"))
        return ph_error_set(error, -ENOTSUP, "heap sampling is off: MALLOC_CONF says prof:false");
    if (!read_bool(probe, "prof.active"))
        return ph_error_set(
            error, -ENOTSUP,
            "heap sampling is off: PORTHOLE_HEAP_SAMPLE=off, or MALLOC_CONF says prof_active:false");
    return 0;
}

static size_t read_size(const struct ph_probe *probe, const char *name)
{
    size_t value = 0;
    size_t size = sizeof(value);
    return probe->mallctl && probe->mallctl(name, &value, &size, NULL, 0) == 0 ? value : 0;
}

uint64_t ph_jemalloc_sample_bytes(const struct ph_probe *probe)
{
    return UINT64_C(1) << (read_size(probe, "prof.lg_sample") & 63);
}

uint64_t ph_jemalloc_allocated_bytes(const struct ph_probe *probe)
{
    uint64_t epoch = 1; /* statistics are those of the last epoch: jemalloc(3) */
    if (probe->mallctl)
        probe->mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
    return read_size(probe, "stats.allocated");
}

void ph_jemalloc_purge(const struct ph_probe *probe)
{
    probe->mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
    probe->mallctl(ALL_ARENAS_PURGE, NULL, NULL, NULL, 0);
}

void ph_jemalloc_describe(const struct ph_probe *probe, struct ph_profile *profile)
{
    static const char *const switches[] = {"prof", "prof_active", "prof_accum", "prof_unbias",
                                           "prof_thread_active_init"};
    struct ph_buf line = PH_BUF_INIT;
    const char *version = "";
    size_t size = sizeof(version);

    probe->mallctl("version", &version, &size, NULL, 0);
    ph_buf_printf(&line, "jemalloc %s; MALLOC_CONF in force: ", version);
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        char name[48] = "opt.";
        strncat(name, switches[i], sizeof(name) - 5);
        ph_buf_printf(&line, "%s:%s,", switches[i], read_bool(probe, name) ? "true" : "false");
    }
    ph_buf_printf(&line, "lg_prof_sample:%zu", read_size(probe, "prof.lg_sample"));
    if (ph_buf_status(&line) == 0)
        ph_profile_add_comment(profile, line.data);
    ph_buf_fini(&line);
}
