#include "tools/watcher.h"

#include <inttypes.h>

int ph_watcher_init(struct ph_watcher *watcher, const struct ph_growth_options *options, struct ph_error *error)
{
    *watcher = (struct ph_watcher){.options = options};
    return ph_growth_new(options, &watcher->growth, error);
}

void ph_watcher_fini(struct ph_watcher *watcher)
{
    ph_growth_report_free(watcher->report);
    ph_growth_free(watcher->growth);
    ph_spool_fini(&watcher->spool);
    *watcher = (struct ph_watcher){.options = watcher->options};
}

static int add(struct ph_growth *growth, const struct ph_profile *profile, uint64_t number, struct ph_error *error)
{
    char name[32];
    snprintf(name, sizeof(name), "profile %" PRIu64, number);
    return ph_growth_add(growth, profile, name, error);
}

static int add_all(struct ph_growth *growth, const struct ph_spool *spool, struct ph_error *error)
{
    int failed = 0;
    for (size_t i = 0; i < spool->count && failed == 0; i++) {
        struct ph_profile *profile;
        failed = ph_spool_read(spool, i, &profile, error);
        if (failed)
            break;
        failed = add(growth, profile, spool->entries[i].number, error);
        ph_profile_free(profile);
    }
    return failed;
}

static int thin(struct ph_watcher *watcher, struct ph_error *error)
{
    struct ph_growth *growth;
    int failed = ph_spool_thin(&watcher->spool, error);
    if (failed == 0)
        failed = ph_growth_new(watcher->options, &growth, error);
    if (failed)
        return failed;
    failed = add_all(growth, &watcher->spool, error);
    if (failed) {
        ph_growth_free(growth);
        return failed;
    }
    ph_growth_free(watcher->growth);
    watcher->growth = growth;
    return 0;
}

static int report(struct ph_watcher *watcher, struct ph_error *error)
{
    struct ph_growth_report *fresh;
    if (watcher->number < 2)
        return 0;
    int failed = ph_growth_report(watcher->growth, &fresh, error);
    if (failed)
        return failed;
    ph_growth_report_free(watcher->report);
    watcher->report = fresh;
    return 0;
}

int ph_watcher_add(struct ph_watcher *watcher, const struct ph_profile *profile, struct ph_error *error)
{
    int failed = watcher->spool.count == PH_SPOOL_MAX ? thin(watcher, error) : 0;
    if (failed == 0)
        failed = add(watcher->growth, profile, watcher->number + 1, error);
    if (failed == 0)
        failed = ph_spool_add(&watcher->spool, profile, watcher->number + 1, error);
    if (failed)
        return failed;
    watcher->number++;
    return report(watcher, error);
}
