#include "world.h"

#include "growth/discovery.h"
#include "growth/noise.h"

#include <math.h>
#include <stdlib.h>

#define RATE_BYTES 524288.0
#define DAY_SWING  0.5

struct site {
    bool is_special;
    double onset; /* share of the window; NAN if there is none */
    double came;  /* samples allocated between first and last point */
    double sampled[WORLD_MOST_POINTS], value[WORLD_MOST_POINTS], variance[WORLD_MOST_POINTS];
    struct ph_verdict verdict;
};

/* ---- Objects that come and go ---------------------------------------------------------------------------------- */

/* A population between two profiles: @mean is what it would be if the present arrivals lasted for ever. */
struct queue {
    double lifetime, present;
};

/* One interval later. Who arrived is still there with probability (1 - exp(-1/L)) * L on average (Takacs, 1962). */
static double queue_step(struct random_state *random, struct queue *queue, double mean)
{
    double stays = exp(-1 / queue->lifetime), arrivals = mean / queue->lifetime;
    double survivors = random_binomial(random, queue->present, stays);
    double fresh = random_poisson(random, mean * (1 - stays));
    double gone_already = random_poisson(random, fmax(0, arrivals - mean * (1 - stays)));
    queue->present = survivors + fresh;
    return fresh + gone_already;
}

static void fill_still(struct random_state *random, struct site *site, size_t count, double mean, double lifetime)
{
    struct queue queue = {lifetime, random_poisson(random, mean)};
    site->came = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            site->came += queue_step(random, &queue, mean);
        site->sampled[i] = queue.present;
    }
}

static double any_lifetime(struct random_state *random)
{
    return random_log_between(random, 0.1, 20);
}

/* ---- Stacks ---------------------------------------------------------------------------------------------------- */

static double share_of_window(size_t at, size_t count)
{
    return (double)at / (double)(count - 1);
}

static void make_still(struct random_state *random, const struct world *world, struct site *site)
{
    fill_still(random, site, world->point_count, random_log_between(random, 1, 200), any_lifetime(random));
}

static void leak_from(struct random_state *random, const struct world *world, struct site *site, double onset)
{
    size_t count = world->point_count;
    double leaked = 0;
    fill_still(random, site, count, 20, any_lifetime(random));
    site->onset = onset;
    for (size_t i = 1; i < count; i++) {
        double from = fmax(onset, share_of_window(i - 1, count)), to = fmax(onset, share_of_window(i, count));
        leaked += random_poisson(random, world->gain * (to - from) / (1 - onset));
        site->sampled[i] += leaked;
    }
    site->came += leaked;
}

static void make_leak(struct random_state *random, const struct world *world, struct site *site)
{
    leak_from(random, world, site, 0);
}

static void make_leak_late(struct random_state *random, const struct world *world, struct site *site)
{
    leak_from(random, world, site, random_between(random, 0.2, 0.7));
}

static void make_leak_afresh(struct random_state *random, const struct world *world, struct site *site)
{
    size_t count = world->point_count;
    site->onset = 0;
    for (size_t i = 0; i < count; i++)
        site->sampled[i] = random_poisson(random, 20 + world->gain * share_of_window(i, count));
}

static void make_cache(struct random_state *random, const struct world *world, struct site *site)
{
    size_t count = world->point_count;
    double window = (double)(count - 1), mean = random_between(random, 100, 300);
    struct queue queue = {window * random_between(random, 1.0 / 20, 1.0 / 6), 0};
    site->onset = 0;
    for (size_t i = 0; i < count; i++) {
        site->came += i > 0 ? queue_step(random, &queue, mean) : 0;
        site->sampled[i] = queue.present;
    }
}

static void make_cache_limit(struct random_state *random, const struct world *world, struct site *site)
{
    size_t count = world->point_count;
    double limit = floor(random_between(random, 100, 300)), full_at = random_between(random, 0.1, 0.5), filled = 0;
    site->onset = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            filled = fmin(limit, filled + random_poisson(random, limit / full_at / (double)(count - 1)));
        site->sampled[i] = filled;
    }
    site->came = filled;
}

static void make_step(struct random_state *random, const struct world *world, struct site *site)
{
    size_t count = world->point_count;
    fill_still(random, site, count, 20, any_lifetime(random));
    site->onset = random_between(random, 0.2, 0.7);
    for (size_t i = 0; i < count; i++)
        site->sampled[i] += share_of_window(i, count) > site->onset ? world->gain : 0;
    site->came += world->gain;
}

static void make_daily(struct random_state *random, const struct world *world, struct site *site)
{
    size_t count = world->point_count;
    double mean = random_between(random, 100, 300), days = random_between(random, 1, 3);
    double phase = random_between(random, 0, 2 * M_PI), lifetime = random_log_between(random, 0.1, 1);
    struct queue queue = {lifetime, random_poisson(random, mean * (1 + DAY_SWING * sin(phase)))};
    for (size_t i = 0; i < count; i++) {
        double load = 1 + DAY_SWING * sin(phase + 2 * M_PI * days * share_of_window(i, count));
        site->came += i > 0 ? queue_step(random, &queue, mean * load) : 0;
        site->sampled[i] = queue.present;
    }
}

static const struct {
    const char *name;
    void (*make)(struct random_state *random, const struct world *world, struct site *site);
} kinds[WORLD_KIND_COUNT] = {
    [WORLD_STILL] = {"nothing grows", make_still},
    [WORLD_LEAK] = {"leak", make_leak},
    [WORLD_LEAK_LATE] = {"leak that begins later", make_leak_late},
    [WORLD_LEAK_AFRESH] = {"leak, sampled afresh", make_leak_afresh},
    [WORLD_CACHE] = {"cache that warms up", make_cache},
    [WORLD_CACHE_LIMIT] = {"cache that fills", make_cache_limit},
    [WORLD_STEP] = {"step", make_step},
    [WORLD_DAILY] = {"daily load", make_daily},
};

const char *world_kind_name(enum world_kind kind)
{
    return kinds[kind].name;
}

/* ---- What the statistics say ----------------------------------------------------------------------------------- */

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static void must_be_done(int error)
{
    if (error)
        abort();
}

static struct ph_series series_of(const struct world *world, struct site *site)
{
    static double seconds[WORLD_MOST_POINTS];
    size_t last = world->point_count - 1;
    for (size_t i = 0; i < world->point_count; i++) {
        seconds[i] = (double)i;
        site->value[i] = site->sampled[i] * RATE_BYTES;
        site->variance[i] = site->value[i] * RATE_BYTES;
    }
    double change = site->value[last] - site->value[0];
    double churn = ph_churn_variance(site->came * RATE_BYTES, change, RATE_BYTES);
    return (struct ph_series){
        world->point_count,           seconds, site->sampled, site->value, site->variance, true,
        world->has_churn ? churn : -1};
}

static void judge(const struct world *world, struct site *sites, size_t count)
{
    struct ph_gates gates = {.min_change = 1 << 20, .min_share = 0.02, .false_discovery_rate = 0.05};
    double *p = must(calloc(count, sizeof(*p)));
    for (size_t i = 0; i < count; i++) {
        struct ph_series series = series_of(world, &sites[i]);
        must_be_done(ph_verdict_test(&series, &sites[i].verdict));
        p[i] = ph_verdict_p(&sites[i].verdict);
    }
    must_be_done(ph_discovery_bh(p, count, world->is_strict, p));
    for (size_t i = 0; i < count; i++) {
        sites[i].verdict.q = p[i];
        if (p[i] <= gates.false_discovery_rate)
            gates.total_growth += fmax(0, sites[i].verdict.change);
    }
    for (size_t i = 0; i < count; i++) {
        struct ph_series series = series_of(world, &sites[i]);
        must_be_done(ph_verdict_label(&series, &gates, &sites[i].verdict));
    }
    free(p);
}

static void add_up(const struct world *world, const struct site *site, struct world_result *result)
{
    const struct ph_verdict *verdict = &site->verdict;
    (site->is_special ? result->labels : result->still_labels)[verdict->label]++;
    if (!site->is_special || !verdict->has_onset || isnan(site->onset))
        return;
    double window = (double)(world->point_count - 1), truth = site->onset * window;
    result->onset_errors[result->onset_count++] = fabs(verdict->onset_seconds - truth) / window;
    result->onset_within += verdict->onset_low <= truth && truth <= verdict->onset_high;
}

void world_run(const struct world *world, size_t run_count, uint64_t seed, struct world_result *ret_result)
{
    size_t count = world->still_count + world->special_count;
    struct site *sites = must(calloc(count, sizeof(*sites)));
    struct random_state random;
    random_seed(&random, seed);
    *ret_result = (struct world_result){
        .onset_errors = must(calloc(run_count * world->special_count + 1, sizeof(double))),
    };
    for (size_t run = 0; run < run_count; run++) {
        for (size_t i = 0; i < count; i++) {
            struct site *site = &sites[i];
            site->is_special = i < world->special_count;
            site->onset = NAN;
            site->came = 0;
            kinds[site->is_special ? world->kind : WORLD_STILL].make(&random, world, site);
        }
        judge(world, sites, count);
        for (size_t i = 0; i < count; i++)
            add_up(world, &sites[i], ret_result);
    }
    free(sites);
}

void world_result_fini(struct world_result *result)
{
    free(result->onset_errors);
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

double world_onset_median(struct world_result *result)
{
    qsort(result->onset_errors, result->onset_count, sizeof(double), compare);
    return result->onset_count ? result->onset_errors[result->onset_count / 2] : NAN;
}
