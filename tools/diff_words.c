#include "tools/diff_words.h"

#include "base/clock.h"
#include "model/demangle.h"
#include "model/scale.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS_PER_DAY 86400.0

static const struct {
    const char *name, *words;
    bool is_space;
} metrics[PH_HEAP_TYPE_COUNT] = {
    [PH_HEAP_ALLOC_OBJECTS] = {"alloc_objects", "Allocations", false},
    [PH_HEAP_ALLOC_SPACE] = {"alloc_space", "Allocated bytes", true},
    [PH_HEAP_INUSE_OBJECTS] = {"inuse_objects", "In-use objects", false},
    [PH_HEAP_INUSE_SPACE] = {"inuse_space", "In-use bytes", true},
};

const char *ph_diff_metric_words(enum ph_heap_type type)
{
    return metrics[type].words;
}

const char *ph_diff_metric_name(enum ph_heap_type type)
{
    return metrics[type].name;
}

static const struct ph_human unknown = {"?"};

struct ph_human ph_diff_amount(enum ph_heap_type type, double value)
{
    if (!isfinite(value))
        return unknown;
    int64_t whole = ph_round_saturating(value);
    return metrics[type].is_space ? ph_human_bytes(whole) : ph_human_count(whole);
}

static struct ph_human with_sign(struct ph_human number, double value)
{
    if (!(value > 0) || number.text[0] == '-' || strpbrk(number.text, "123456789") == NULL)
        return number;
    struct ph_human signed_number = {"+"};
    memcpy(signed_number.text + 1, number.text, sizeof(number.text) - 2);
    return signed_number;
}

struct ph_human ph_diff_change(enum ph_heap_type type, double value)
{
    return with_sign(ph_diff_amount(type, value), value);
}

/* Of doubles: a change may be a fraction of a byte, and a total beyond 2^53. */
struct ph_human ph_diff_percent(double part, double whole)
{
    struct ph_human percent = {"-"};
    if (isnan(part) || isnan(whole) || !(fabs(whole) > 0))
        return percent;
    double value = 100 * part / whole;
    snprintf(percent.text, sizeof(percent.text),
             fabs(value) < 1000  ? "%.1f%%"
             : fabs(value) < 1e6 ? "%.0f%%"
                                 : "%.0e%%",
             value);
    return percent;
}

struct ph_human ph_diff_percent_change(double part, double whole)
{
    return with_sign(ph_diff_percent(part, whole), part);
}

struct ph_human ph_diff_rate(const struct ph_growth_report *report, double per_second)
{
    static const struct {
        double seconds;
        const char *name;
    } units[] = {{1, "s"}, {60, "min"}, {3600, "h"}, {SECONDS_PER_DAY, "day"}};
    double handy = metrics[report->metric].is_space ? 1 << 20 : 10;
    struct ph_human rate = unknown;
    size_t unit = 0;
    if (!isfinite(per_second))
        return rate;
    while (report->has_times && unit + 1 < sizeof(units) / sizeof(units[0]) &&
           fabs(per_second) * units[unit].seconds < handy)
        unit++;
    struct ph_human amount = ph_diff_change(report->metric, per_second * units[unit].seconds);
    snprintf(rate.text, sizeof(rate.text), "%.20s%s%s", amount.text, report->has_times ? "/" : " a profile",
             report->has_times ? units[unit].name : "");
    return rate;
}

static double window_seconds(const struct ph_growth_report *report)
{
    return report->profile_count ? report->profiles[report->profile_count - 1].seconds : 0;
}

struct ph_human ph_diff_time(const struct ph_growth_report *report, double seconds)
{
    struct ph_human text = unknown;
    struct tm local;
    if (isnan(seconds) || report->profile_count == 0)
        return text;
    if (!report->has_times) {
        snprintf(text.text, sizeof(text.text), "profile %.0f", seconds + 1);
        return text;
    }
    time_t when = (time_t)(report->profiles[0].time_ns / PH_NS_PER_S + ph_round_saturating(seconds));
    const char *format = window_seconds(report) < SECONDS_PER_DAY ? "%H:%M:%S" : "%b %d %H:%M";
    if (!localtime_r(&when, &local) || strftime(text.text, sizeof(text.text), format, &local) == 0)
        return unknown;
    return text;
}

struct ph_human ph_diff_span(const struct ph_growth_report *report, double seconds)
{
    struct ph_human text;
    if (report->has_times)
        return ph_human_duration(seconds);
    snprintf(text.text, sizeof(text.text), "%.0f profile%s", seconds, fabs(seconds - 1) < 0.5 ? "" : "s");
    return text;
}

const char *ph_diff_label_words(const struct ph_growth_report *report, enum ph_growth_label label)
{
    return label == PH_GROWTH_GROWING && report->profile_count == 2 ? "grew" : ph_growth_label_name(label);
}

void ph_diff_function(const struct ph_growth_report *report, uint32_t frame, struct ph_buf *out)
{
    char *name = ph_demangle(report->frames[frame].function);
    if (name)
        ph_buf_text(out, name);
    else
        out->failed = -ENOMEM;
    free(name);
}

void ph_diff_place(const struct ph_growth_report *report, uint32_t frame, struct ph_buf *out)
{
    const struct ph_growth_frame *place = &report->frames[frame];
    const char *slash = strrchr(place->file, '/');
    if (!place->file[0]) {
        if (strncmp(place->function, place->module, strlen(place->module)) != 0) /* "libfoo.so+0x12" says it */
            ph_buf_text(out, place->module);
        return;
    }
    ph_buf_text(out, slash ? slash + 1 : place->file);
    if (place->line > 0)
        ph_buf_printf(out, ":%" PRId64, place->line);
}

bool ph_diff_has_grown(const struct ph_growth_report *report, enum ph_growth_label least)
{
    bool has_grown = report->summary.total_label >= least;
    for (int label = least; label < PH_GROWTH_LABEL_COUNT; label++)
        has_grown |= report->summary.label_counts[label] > 0;
    return has_grown;
}

double ph_diff_growth(const struct ph_growth_report *report)
{
    double growing = 0; /* a slow one may grow clearly and yet by less than what counts in the tree */
    for (size_t i = 0; i < report->site_count; i++)
        if (report->sites[i].verdict.label >= PH_GROWTH_PLATEAU)
            growing += fmax(0, report->sites[i].verdict.change);
    return fmax(growing, report->growth);
}

const char *ph_diff_process(const struct ph_growth_report *report, uint32_t frame)
{
    const char *name = report->frames[frame].function;
    return report->by == PH_BY_PID && strncmp(name, "process ", strlen("process ")) == 0 ? name : NULL;
}
