#include "growth/analysis.h"

#include "growth/metric.h"
#include "growth/state.h"
#include "model/grow.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_FALSE_DISCOVERY_RATE 0.05

/* ---- new and free ---- */

static int check_options(const struct ph_growth_options *options, struct ph_error *error)
{
    if (!(options->false_discovery_rate >= 0 && options->false_discovery_rate < 1))
        return ph_error_set(error, -EINVAL, "false discovery rate %g: expected a number above 0 and below 1",
                            options->false_discovery_rate);
    return 0;
}

static int set_up(struct ph_growth *growth, const struct ph_growth_options *options, struct ph_error *error)
{
    const char *const expressions[PH_FILTER_RULE_COUNT] = {
        [PH_FILTER_FOCUS] = options->focus,
        [PH_FILTER_IGNORE] = options->ignore,
        [PH_FILTER_HIDE] = options->hide,
    };
    growth->options = *options;
    if (options->false_discovery_rate == 0)
        growth->options.false_discovery_rate = DEFAULT_FALSE_DISCOVERY_RATE;
    int status = ph_filter_init(&growth->filter, expressions, error);
    return status == 0 ? ph_sites_init(&growth->sites, options->by, &growth->filter) : status;
}

int ph_growth_new(const struct ph_growth_options *options, struct ph_growth **ret_growth, struct ph_error *error)
{
    int status = check_options(options, error);
    if (status < 0)
        return status;
    struct ph_growth *growth = calloc(1, sizeof(*growth));
    status = growth ? set_up(growth, options, error) : -ENOMEM;
    if (status < 0)
        ph_growth_free(growth);
    else
        *ret_growth = growth;
    return status == -ENOMEM ? ph_error_set(error, status, "no memory for the analysis") : status;
}

void ph_growth_free(struct ph_growth *growth)
{
    if (!growth)
        return;
    ph_sites_fini(&growth->sites);
    ph_filter_fini(&growth->filter);
    ph_history_fini(&growth->history);
    free(growth->added);
    free(growth->moments);
    ph_arena_fini(&growth->memory);
    free(growth);
}

/* ---- add ---- */

/* The first that names a program decides; all others are compared with it. */
static const struct ph_program *find_program(const struct ph_growth *growth, const char **ret_name)
{
    for (uint32_t i = 0; i < growth->history.profile_count; i++) {
        *ret_name = growth->added[i].name;
        if (*growth->moments[i].program.name)
            return &growth->moments[i].program;
    }
    return NULL;
}

static int check_program(const struct ph_growth *growth, const struct ph_program *program, const char *name,
                         struct ph_error *error)
{
    const char *first_name = "";
    const struct ph_program *first = find_program(growth, &first_name);
    if (!first || ph_program_compare(first, program) != PH_PROGRAM_OTHER)
        return 0;
    return ph_error_set(error, -EINVAL, "%.80s is of %.40s, but %.80s of %.40s: different programs", name,
                        program->name, first_name, first->name);
}

static void add_total(struct ph_growth_added *added, const struct ph_point *point)
{
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++) {
        added->totals[type] += point->values[type]; /* NAN stays */
        added->has_negative |= point->values[type] < 0;
    }
    added->sampled += (double)point->sampled;
    added->variance += (double)point->variance;
    added->stack_count++;
}

static void add_samples(struct ph_growth *growth, const struct ph_profile *profile, const struct ph_metric *metric,
                        const uint32_t *sites, struct ph_growth_added *added)
{
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++)
        added->totals[type] = metric->places[type] < 0 ? NAN : 0;
    added->rate_bytes = metric->rate_bytes;
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        if (sites[i] == PH_INDEX_NONE)
            continue;
        struct ph_point point = ph_metric_point(metric, ph_profile_values(profile, i));
        add_total(added, &point);
        ph_history_add(&growth->history, sites[i], &point);
    }
}

static int fold_samples(struct ph_growth *growth, const struct ph_profile *profile, const struct ph_metric *metric,
                        struct ph_growth_added *added)
{
    uint32_t *sites = malloc(((size_t)profile->sample_count + 1) * sizeof(*sites));
    int status = sites ? ph_sites_find(&growth->sites, profile, sites) : -ENOMEM;
    if (status == 0)
        status = ph_history_reserve(&growth->history, ph_sites_count(&growth->sites));
    if (status == 0) {
        add_samples(growth, profile, metric, sites, added);
        status = ph_history_close(&growth->history);
    }
    free(sites);
    return status;
}

static int add(struct ph_growth *growth, const struct ph_profile *profile, const char *name,
               const struct ph_metric *metric, struct ph_error *error)
{
    uint32_t count = growth->history.profile_count;
    struct ph_moment moment = {.time_ns = profile->time_ns};
    struct ph_growth_added added = {.name = ph_arena_copy(&growth->memory, name, strlen(name))};
    int status = added.name ? ph_program_describe(profile, &growth->memory, &moment.program) : -ENOMEM;
    if (status == 0)
        status = check_program(growth, &moment.program, name, error);
    if (status == 0)
        status = ph_grow(&growth->added, sizeof(*growth->added), count, 1);
    if (status == 0)
        status = ph_grow(&growth->moments, sizeof(*growth->moments), count, 1);
    if (status == 0)
        status = fold_samples(growth, profile, metric, &added);
    if (status < 0)
        return status;
    moment.allocated = added.totals[PH_HEAP_ALLOC_SPACE];
    growth->added[count] = added;
    growth->moments[count] = moment;
    return 0;
}

int ph_growth_add(struct ph_growth *growth, const struct ph_profile *profile, const char *name,
                  struct ph_error *error)
{
    struct ph_metric metric;
    struct ph_error reason = {0};
    int status = ph_metric_find(profile, growth->options.metric, &metric, &reason);
    if (status < 0)
        return ph_error_set(error, status, "%.100s: %s", name, reason.text);
    status = add(growth, profile, name, &metric, error);
    return status == -ENOMEM ? ph_error_set(error, status, "%.100s: no memory for its stacks", name) : status;
}
