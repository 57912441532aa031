#include "growth/verdict.h"

#include "growth/counts.h"
#include "growth/ends.h"
#include "growth/late.h"
#include "growth/onset.h"
#include "growth/trend.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define NORMAL_95     1.96
#define DECIDABLE_P   1e-4 /* what a discovery among some thousand stacks takes, with a few that grow */
#define STILL_GROWING 0.5  /* of the mean rate since the onset, in the last third */

const char *ph_growth_label_name(enum ph_growth_label label)
{
    static const char *const names[PH_GROWTH_LABEL_COUNT] = {
        [PH_GROWTH_NOISE] = "noise",         [PH_GROWTH_INSUFFICIENT] = "insufficient samples",
        [PH_GROWTH_SHRINKING] = "shrinking", [PH_GROWTH_PLATEAU] = "plateau",
        [PH_GROWTH_STEP] = "step",           [PH_GROWTH_GROWING] = "growing",
    };
    return names[label];
}

/* ---- Is it more than chance? ----------------------------------------------------------------------------------- */

/* Two looks at the same series: the better one counts, and pays for having looked twice. */
static double better_of(double p, double q)
{
    return fmin(1, 2 * fmin(p, q));
}

int ph_verdict_test(const struct ph_series *series, struct ph_verdict *ret_verdict)
{
    size_t count = series->point_count;
    struct ph_direction_p p = ph_ends_p(series);
    if (count >= PH_TREND_MIN_POINTS) {
        double *counts = calloc(3 * count, sizeof(*counts));
        if (!counts)
            return -ENOMEM;
        ph_series_counts(series, counts);
        struct ph_direction_p trend = ph_trend_p(series, counts, counts + count);
        p = (struct ph_direction_p){better_of(p.growth, trend.growth), better_of(p.shrink, trend.shrink)};
        free(counts);
    }

    double variance, change = ph_series_change(series, &variance), wide = NORMAL_95 * sqrt(variance);
    *ret_verdict = (struct ph_verdict){
        .change = change,
        .low = change - wide,
        .high = change + wide,
        .growth_p = p.growth,
        .shrink_p = p.shrink,
        .q = 1,
    };
    return 0;
}

double ph_verdict_p(const struct ph_verdict *verdict)
{
    return better_of(verdict->growth_p, verdict->shrink_p);
}

/* ---- What kind of growth? -------------------------------------------------------------------------------------- */

struct workspace {
    double *counts, *time, *weight;
    struct ph_knot *knots;
    struct ph_points points;
    struct ph_shapes shapes;
};

/* 1 / variance of a Poisson count, whose mean is that of the neighbours: the count itself would favour low ones. */
static double weight_at(const double *counts, size_t count, size_t at)
{
    size_t from = at < 2 ? 0 : at - 2, to = at + 3 < count ? at + 3 : count;
    double sum = 0;
    for (size_t i = from; i < to; i++)
        sum += counts[i];
    return 1 / fmax(1, sum / (double)(to - from));
}

static int workspace_init(struct workspace *work, const struct ph_series *series)
{
    size_t count = series->point_count;
    double span = series->seconds[count - 1] - series->seconds[0];
    *work = (struct workspace){.counts = calloc(3 * count, sizeof(*work->counts)),
                               .knots = calloc(count, sizeof(*work->knots))};
    if (!work->counts || !work->knots) {
        free(work->counts);
        free(work->knots);
        return -ENOMEM;
    }
    work->time = work->counts + count;
    work->weight = work->time + count;
    ph_series_counts(series, work->counts);
    for (size_t i = 0; i < count; i++) {
        work->time[i] = (series->seconds[i] - series->seconds[0]) / span;
        work->weight[i] = weight_at(work->counts, count, i);
    }
    work->points = (struct ph_points){work->time, work->counts, work->weight, count};
    ph_shapes_fit(&work->points, work->knots, &work->shapes);
    return 0;
}

static void workspace_fini(struct workspace *work)
{
    free(work->counts);
    free(work->knots);
}

/* A filling cache that is far from full still grows: does it, in the last third, half as fast as since its onset? */
static bool fills_on(const struct workspace *work)
{
    const struct ph_points *points = &work->points;
    const struct ph_shapes *shapes = &work->shapes;
    double begin = points->time[shapes->fits[PH_SHAPE_FILL].knot.index], late = 2.0 / 3;
    double end_value = ph_shape_value(points, shapes, PH_SHAPE_FILL, 1);
    double late_rate = (end_value - ph_shape_value(points, shapes, PH_SHAPE_FILL, late)) / (1 - late);
    double mean_rate = (end_value - ph_shape_value(points, shapes, PH_SHAPE_FILL, begin)) / (1 - begin);
    return late_rate >= STILL_GROWING * mean_rate;
}

static bool still_grows(const struct workspace *work)
{
    enum ph_shape best = work->shapes.best;
    const struct ph_points *points = &work->points;
    bool is_rising = best == PH_SHAPE_LINE || best == PH_SHAPE_HINGE || (best == PH_SHAPE_FILL && fills_on(work));
    return is_rising && ph_late_slope(points->time, points->value, points->count) > 0 &&
           ph_gain_is_kept(points->value, points->count);
}

/* The shape to tell of: the best one that goes with the label. */
static enum ph_shape shape_of(const struct workspace *work, enum ph_growth_label *ret_label)
{
    const struct ph_shape_fit *fits = work->shapes.fits;
    if (still_grows(work)) {
        *ret_label = PH_GROWTH_GROWING;
        return fits[PH_SHAPE_LINE].score <= fits[PH_SHAPE_HINGE].score ? PH_SHAPE_LINE : PH_SHAPE_HINGE;
    }
    if (work->shapes.best == PH_SHAPE_FLAT || ph_gain_is_swing(work->points.value, work->points.count)) {
        *ret_label = PH_GROWTH_NOISE;
        return PH_SHAPE_FLAT;
    }
    bool is_step = fits[PH_SHAPE_STEP].score <= fits[PH_SHAPE_FILL].score;
    *ret_label = is_step ? PH_GROWTH_STEP : PH_GROWTH_PLATEAU;
    return is_step ? PH_SHAPE_STEP : PH_SHAPE_FILL;
}

static void tell_onset(const struct ph_series *series, struct workspace *work, enum ph_shape shape,
                       struct ph_verdict *verdict)
{
    double first = series->seconds[0], span = series->seconds[series->point_count - 1] - first;
    struct ph_onset onset = ph_onset_find(&work->points, &work->shapes, shape, work->knots);
    verdict->has_onset = true;
    verdict->onset_index = onset.index;
    verdict->onset_seconds = first + span * onset.time;
    verdict->onset_low = first + span * onset.low;
    verdict->onset_high = first + span * onset.high;
}

static int label_growth(const struct ph_series *series, struct ph_verdict *verdict)
{
    size_t count = series->point_count;
    struct workspace work;
    verdict->label = PH_GROWTH_GROWING; /* of two points more cannot be told */
    verdict->rate_per_second = verdict->change / (series->seconds[count - 1] - series->seconds[0]);
    if (count == 2)
        return 0;
    int error = workspace_init(&work, series);
    if (error)
        return error;
    enum ph_shape shape = shape_of(&work, &verdict->label);
    if (shape != PH_SHAPE_FLAT)
        tell_onset(series, &work, shape, verdict);
    if (verdict->label == PH_GROWTH_GROWING)
        verdict->rate_per_second = ph_late_slope(series->seconds, series->value, count);
    workspace_fini(&work);
    return 0;
}

/* ---- Is it worth a line? --------------------------------------------------------------------------------------- */

static bool passes_gates(const struct ph_gates *gates, double change)
{
    if (change == 0 || fabs(change) < gates->min_change)
        return false;
    return change < 0 || change >= gates->min_share * gates->total_growth;
}

/* Would the samples have sufficed if all of them were new? */
static bool is_decidable(const struct ph_series *series)
{
    double most = fmax(series->sampled[0], series->sampled[series->point_count - 1]);
    return ph_counts_p(0, most).growth < DECIDABLE_P;
}

int ph_verdict_label(const struct ph_series *series, const struct ph_gates *gates, struct ph_verdict *verdict)
{
    bool is_growth = verdict->growth_p < verdict->shrink_p;
    verdict->label = PH_GROWTH_NOISE;
    if (!passes_gates(gates, verdict->change))
        return 0;
    if (verdict->q > gates->false_discovery_rate) {
        verdict->label = is_decidable(series) ? PH_GROWTH_NOISE : PH_GROWTH_INSUFFICIENT;
        return 0;
    }
    if (is_growth != (verdict->change > 0))
        return 0; /* the trend says one thing, the difference another: came and went */
    if (!is_growth) {
        verdict->label = PH_GROWTH_SHRINKING;
        return 0;
    }
    return label_growth(series, verdict);
}
