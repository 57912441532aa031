#include "tools/diff_json.h"

#include "base/clock.h"
#include "base/scan.h"
#include "model/scale.h"
#include "tools/diff_words.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FORMAT_VERSION  1
#define NOISE_SITES_MAX 100
#define STACK_MAX       1000               /* doc/diff.schema.json */
#define WHOLE_MAX       9007199254740992.0 /* 2^53: up to here every whole number is itself as a double, too */

struct writer {
    const struct ph_growth_report *report;
    json_t **frames; /* one object for each frame of the report, shared by all stacks */
    bool is_space;   /* the metric counts bytes */
    bool has_failed; /* memory ran out */
};

/* ---- values ---- */

static void set(struct writer *writer, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) < 0)
        writer->has_failed = true;
}

static void append(struct writer *writer, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) < 0)
        writer->has_failed = true;
}

static json_t *number(double value)
{
    if (!isfinite(value))
        return json_null();
    return fabs(value) <= WHOLE_MAX && trunc(value) == value ? json_integer((json_int_t)value) : json_real(value);
}

/* Bytes are no fractions. */
static json_t *amount(double value)
{
    return number(fabs(value) <= WHOLE_MAX ? round(value) : value);
}

/* jansson refuses what is no UTF-8; such bytes become U+FFFD. */
static json_t *text(const char *bytes)
{
    json_t *value = json_string(bytes);
    if (value)
        return value;
    struct ph_buf sound = PH_BUF_INIT;
    struct ph_scan scan = ph_scan_over(bytes, strlen(bytes));
    while (!ph_scan_done(&scan)) {
        const char *from = scan.next;
        if (ph_scan_utf8(&scan))
            ph_buf_append(&sound, from, (size_t)(scan.next - from));
        else
            ph_buf_text(&sound, PH_UTF8_REPLACEMENT), scan.next++;
    }
    value = ph_buf_status(&sound) == 0 ? json_string(sound.data ? sound.data : "") : NULL;
    ph_buf_fini(&sound);
    return value;
}

/* RFC 3339, UTC. */
static json_t *instant(int64_t time_ns)
{
    char text[48];
    struct tm utc;
    time_t seconds = (time_t)(time_ns / PH_NS_PER_S);
    if (time_ns <= 0 || !gmtime_r(&seconds, &utc))
        return json_null();
    size_t size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + size, sizeof(text) - size, ".%03dZ", (int)(time_ns % PH_NS_PER_S / PH_NS_PER_MS));
    return json_string(text);
}

static json_t *instant_at(const struct ph_growth_report *report, double seconds)
{
    if (!report->has_times || !isfinite(seconds))
        return json_null();
    return instant(report->profiles[0].time_ns + ph_round_saturating(seconds * (double)PH_NS_PER_S));
}

static json_t *by_type(struct writer *writer, const double *values)
{
    json_t *object = json_object();
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++)
        set(writer, object, ph_diff_metric_name((enum ph_heap_type)type), amount(values[type]));
    return object;
}

/* ---- frames and stacks ---- */

static json_t *new_name(struct writer *writer, uint32_t frame)
{
    struct ph_buf name = PH_BUF_INIT;
    ph_diff_function(writer->report, frame, &name);
    json_t *value = ph_buf_status(&name) == 0 ? text(name.data ? name.data : "") : NULL;
    ph_buf_fini(&name);
    return value;
}

static json_t *new_frame(struct writer *writer, uint32_t frame)
{
    const struct ph_growth_frame *place = &writer->report->frames[frame];
    json_t *object = json_object();
    set(writer, object, "function", new_name(writer, frame));
    set(writer, object, "file", place->file[0] ? text(place->file) : json_null());
    set(writer, object, "line", place->line > 0 ? json_integer(place->line) : json_null());
    set(writer, object, "module", place->module[0] ? text(place->module) : json_null());
    set(writer, object, "build_id", place->build_id[0] ? text(place->build_id) : json_null());
    set(writer, object, "offset", place->offset ? json_integer((json_int_t)place->offset) : json_null());
    return object;
}

static json_t *frame_of(struct writer *writer, uint32_t frame)
{
    if (!writer->frames[frame])
        writer->frames[frame] = new_frame(writer, frame);
    return json_incref(writer->frames[frame]);
}

/* Deeper stacks are of no use to anybody, and one in a file of 8 MB would make a gigabyte of objects. */
static json_t *stack_of(struct writer *writer, const uint32_t *frames, uint32_t count)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < count && i < STACK_MAX; i++)
        append(writer, array, frame_of(writer, frames[i]));
    return array;
}

/* The path to a place: its end is what counts. */
static json_t *path_of(struct writer *writer, const uint32_t *frames, uint32_t count)
{
    uint32_t left_out = count > STACK_MAX ? count - STACK_MAX : 0;
    return stack_of(writer, frames + left_out, count - left_out);
}

static json_t *function_of(struct writer *writer, uint32_t frame)
{
    json_t *object = frame_of(writer, frame);
    json_t *name = json_incref(json_object_get(object, "function"));
    json_decref(object);
    return name;
}

/* ---- parts of the report ---- */

static json_t *profiles_of(struct writer *writer)
{
    json_t *array = json_array();
    for (size_t i = 0; i < writer->report->profile_count; i++) {
        const struct ph_growth_profile *profile = &writer->report->profiles[i];
        double totals[PH_HEAP_TYPE_COUNT];
        for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++)
            totals[type] = profile->totals[type] < 0 ? (double)NAN : (double)profile->totals[type];
        json_t *object = json_object();
        set(writer, object, "path", text(profile->name));
        set(writer, object, "time", instant(profile->time_ns));
        set(writer, object, "seconds", number(profile->seconds));
        set(writer, object, "totals", by_type(writer, totals));
        set(writer, object, "standard_error", number(sqrt(profile->variance)));
        set(writer, object, "rate_bytes",
            profile->rate_bytes > 0 ? json_integer(profile->rate_bytes) : json_null());
        set(writer, object, "stack_count", json_integer(profile->stack_count));
        set(writer, object, "is_break", json_boolean(profile->is_break));
        append(writer, array, object);
    }
    return array;
}

static json_t *summary_of(struct writer *writer)
{
    const struct ph_growth_summary *summary = &writer->report->summary;
    double changes[PH_HEAP_TYPE_COUNT];
    json_t *object = json_object(), *labels = json_object();
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++)
        changes[type] = summary->now[type] - summary->base[type];
    for (int label = 0; label < PH_GROWTH_LABEL_COUNT; label++)
        set(writer, labels, ph_growth_label_name((enum ph_growth_label)label),
            json_integer(summary->label_counts[label]));
    set(writer, object, "base", by_type(writer, summary->base));
    set(writer, object, "new", by_type(writer, summary->now));
    set(writer, object, "change", by_type(writer, changes));
    set(writer, object, "ci_low", amount(summary->total_low));
    set(writer, object, "ci_high", amount(summary->total_high));
    set(writer, object, "p_value", number(summary->total_p));
    set(writer, object, "label", json_string(ph_growth_label_name(summary->total_label)));
    set(writer, object, "is_beyond_noise", json_boolean(summary->total_low > 0 || summary->total_high < 0));
    set(writer, object, "rate_per_second",
        writer->report->has_times ? number(summary->rate_per_second) : json_null());
    set(writer, object, "seconds_to_limit", number(summary->seconds_to_limit));
    set(writer, object, "labels", labels);
    return object;
}

static void set_onset(struct writer *writer, json_t *object, const struct ph_verdict *verdict)
{
    const struct ph_growth_report *report = writer->report;
    double nothing = NAN;
    double at = verdict->has_onset ? verdict->onset_seconds : nothing;
    double low = verdict->has_onset ? verdict->onset_low : nothing;
    double high = verdict->has_onset ? verdict->onset_high : nothing;
    set(writer, object, "onset_index",
        verdict->has_onset ? json_integer((json_int_t)verdict->onset_index) : json_null());
    set(writer, object, "onset_time", instant_at(report, at));
    set(writer, object, "onset_low", instant_at(report, low));
    set(writer, object, "onset_high", instant_at(report, high));
    set(writer, object, "onset_seconds", number(at));
    set(writer, object, "onset_seconds_low", number(low));
    set(writer, object, "onset_seconds_high", number(high));
}

static bool has_grown(const struct ph_verdict *verdict)
{
    return verdict->label == PH_GROWTH_GROWING || verdict->label == PH_GROWTH_STEP ||
           verdict->label == PH_GROWTH_PLATEAU;
}

static void set_verdict(struct writer *writer, json_t *object, const struct ph_growth_site *site)
{
    const struct ph_verdict *verdict = &site->verdict;
    double rate = has_grown(verdict) && writer->report->has_times ? verdict->rate_per_second : (double)NAN;
    set(writer, object, "label", json_string(ph_growth_label_name(verdict->label)));
    set(writer, object, "delta", amount(verdict->change));
    set(writer, object, "delta_bytes", writer->is_space ? amount(verdict->change) : json_null());
    set(writer, object, "delta_objects", amount(writer->is_space ? site->object_change : verdict->change));
    set(writer, object, "ci_low", amount(verdict->low));
    set(writer, object, "ci_high", amount(verdict->high));
    set(writer, object, "p_value", number(fmin(verdict->growth_p, verdict->shrink_p)));
    set(writer, object, "q_value", number(verdict->q));
    set_onset(writer, object, verdict);
    set(writer, object, "rate_per_second", number(rate));
    set(writer, object, "rate_bytes_per_second", writer->is_space ? number(rate) : json_null());
}

static json_t *site_of(struct writer *writer, const struct ph_growth_site *site, double growth)
{
    json_t *object = json_object(), *series = json_array();
    for (size_t i = 0; i < writer->report->profile_count; i++)
        append(writer, series, amount(site->values[i]));
    uint32_t own = ph_diff_own_frame(writer->report, site->frames, site->frame_count);
    json_t *stack = stack_of(writer, site->frames, site->frame_count);
    set(writer, object, "function", site->frame_count ? function_of(writer, site->frames[own]) : json_null());
    set_verdict(writer, object, site);
    set(writer, object, "share", number(growth > 0 ? fmax(0, site->verdict.change) / growth : 0));
    set(writer, object, "base", amount(site->base));
    set(writer, object, "new", amount(site->now));
    set(writer, object, "sampled", number(site->sampled));
    set(writer, object, "age_seconds", number(site->age_seconds));
    set(writer, object, "alloc_bytes_per_second", number(site->alloc_per_second));
    set(writer, object, "series", series);
    set(writer, object, "stack", stack);
    return object;
}

static json_t *sites_of(struct writer *writer)
{
    const struct ph_growth_report *report = writer->report;
    double growth = ph_diff_growth(report);
    json_t *array = json_array();
    size_t noise_count = 0;
    for (size_t i = 0; i < report->site_count && !writer->has_failed; i++) {
        bool is_noise = report->sites[i].verdict.label == PH_GROWTH_NOISE;
        if (!is_noise || ++noise_count <= NOISE_SITES_MAX)
            append(writer, array, site_of(writer, &report->sites[i], growth));
    }
    return array;
}

static json_t *inflection_of(struct writer *writer, const struct ph_growth_inflection *inflection)
{
    json_t *object = json_object(), *children = json_array();
    json_t *stack = path_of(writer, inflection->frames, inflection->frame_count);
    for (uint32_t i = 0; i < inflection->child_count; i++) {
        json_t *child = json_object();
        set(writer, child, "frame", frame_of(writer, inflection->children[i]));
        set(writer, child, "growth", amount(inflection->child_growth[i]));
        append(writer, children, child);
    }
    set(writer, object, "function",
        inflection->frame_count ? function_of(writer, inflection->frames[inflection->frame_count - 1])
                                : json_null());
    set(writer, object, "side", json_string(inflection->side == PH_SIDE_CALLER ? "caller" : "allocator"));
    set(writer, object, "is_spine", json_boolean(inflection->is_spine));
    set(writer, object, "growth", amount(inflection->growth));
    set(writer, object, "growth_bytes", writer->is_space ? amount(inflection->growth) : json_null());
    set(writer, object, "share", number(inflection->share));
    set(writer, object, "z", number(inflection->z));
    set(writer, object, "fan_out", json_integer(inflection->fan_out));
    set(writer, object, "children", children);
    set(writer, object, "stack", stack);
    return object;
}

static json_t *inflections_of(struct writer *writer)
{
    json_t *array = json_array();
    for (size_t i = 0; i < writer->report->inflection_count; i++)
        append(writer, array, inflection_of(writer, &writer->report->inflections[i]));
    return array;
}

static json_t *warnings_of(struct writer *writer)
{
    json_t *array = json_array();
    for (size_t i = 0; i < writer->report->warning_count; i++)
        append(writer, array, text(writer->report->warnings[i]));
    return array;
}

static json_t *report_of(struct writer *writer)
{
    static const char *const ways[] = {"function", "line", "address", "module", "pid"};
    const struct ph_growth_report *report = writer->report;
    json_t *object = json_object();
    set(writer, object, "version", json_integer(FORMAT_VERSION));
    set(writer, object, "metric", json_string(ph_diff_metric_name(report->metric)));
    set(writer, object, "by", json_string(ways[report->by]));
    set(writer, object, "has_times", json_boolean(report->has_times));
    set(writer, object, "false_discovery_rate", number(report->false_discovery_rate));
    set(writer, object, "is_strict", json_boolean(report->is_strict));
    set(writer, object, "profiles", profiles_of(writer));
    set(writer, object, "summary", summary_of(writer));
    set(writer, object, "site_count", json_integer((json_int_t)report->site_count));
    set(writer, object, "sites", sites_of(writer));
    set(writer, object, "inflections", inflections_of(writer));
    set(writer, object, "warnings", warnings_of(writer));
    return object;
}

static int take_bytes(const char *bytes, size_t size_bytes, void *out)
{
    ph_buf_append(out, bytes, size_bytes);
    return ph_buf_status(out);
}

int ph_diff_json_write(const struct ph_growth_report *report, struct ph_buf *out)
{
    bool is_space = report->metric == PH_HEAP_ALLOC_SPACE || report->metric == PH_HEAP_INUSE_SPACE;
    struct writer writer = {.report = report, .is_space = is_space};
    writer.frames = calloc(report->frame_count + 1, sizeof(json_t *));
    if (!writer.frames)
        return -ENOMEM;
    json_t *object = report_of(&writer);
    int failed = writer.has_failed || !object ||
                 json_dump_callback(object, take_bytes, out, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) < 0;
    json_decref(object);
    for (size_t i = 0; i < report->frame_count; i++)
        json_decref(writer.frames[i]);
    free(writer.frames);
    ph_buf_char(out, '\n');
    return failed ? -ENOMEM : ph_buf_status(out);
}
