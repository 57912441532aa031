#include "growth/warnings.h"

#include "base/human.h"
#include "growth/metric.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARNINGS_MAX 32 /* of a kind that each profile may give, the first few suffice */
#define TEXT_BYTES   1024
#define SAMPLED_MIN  20  /* of fewer samples, different stacks are no wonder */
#define SHARED_MIN   0.1 /* of the smaller profile, by value */

struct writer {
    struct ph_report_maker *maker;
    const struct ph_paths *paths;
    int status;
};

static __attribute__((format(printf, 2, 3))) void warn(struct writer *writer, const char *format, ...)
{
    struct ph_growth_report *report = writer->maker->report;
    char text[TEXT_BYTES];
    va_list arguments;
    if (writer->status < 0 || report->warning_count == WARNINGS_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    char *copy = ph_arena_copy(&report->memory, text, strlen(text));
    if (copy)
        report->warnings[report->warning_count++] = copy;
    else
        writer->status = -ENOMEM;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static const char *is_or_are(size_t count)
{
    return count == 1 ? "is" : "are";
}

static const char *name_at(const struct writer *writer, size_t place)
{
    return ph_maker_added(writer->maker, place)->name;
}

/* ---- order ---- */

static void warn_of_order(struct writer *writer)
{
    const struct ph_timeline *timeline = &writer->maker->timeline;
    size_t added_count = writer->maker->growth->history.profile_count;
    if (timeline->untimed_count)
        warn(writer,
             "%zu of %zu profiles do not say when they were taken: they are in the order given, and rates are "
             "per profile",
             timeline->untimed_count, added_count);
    else if (!timeline->has_times)
        warn(writer,
             "all profiles say that they were taken at the same time: they are in the order given, and rates "
             "are per profile");
    if (timeline->is_reordered)
        warn(writer, "the profiles are in the order of their times, which is not the order given");
    if (timeline->has_times && timeline->equal_count)
        warn(writer, "%zu profile%s taken at the same time as the one before: between them, the order given counts",
             timeline->equal_count, timeline->equal_count == 1 ? " was" : "s were");
}

/* ---- processes ---- */

static const char *reason_of_break(const struct ph_moment *before, const struct ph_moment *after)
{
    static const char *const reasons[] = {
        [PH_PROGRAM_SAME] = "what it allocated since its start has fallen",
        [PH_PROGRAM_MOVED] = "it was restarted, or its files are at other addresses",
        [PH_PROGRAM_REBUILT] = "the build id of the program has changed",
        [PH_PROGRAM_OTHER] = "it is another program",
    };
    return reasons[ph_program_compare(&before->program, &after->program)];
}

static void warn_of_restarts(struct writer *writer)
{
    const struct ph_timeline *timeline = &writer->maker->timeline;
    const struct ph_moment *moments = writer->maker->growth->moments;
    if (timeline->left_out_before)
        warn(writer, "%zu profile%s before %s %s left out: of another process, restarted since",
             timeline->left_out_before, plural(timeline->left_out_before), name_at(writer, 0),
             is_or_are(timeline->left_out_before));
    if (timeline->left_out_after)
        warn(writer, "%zu profile%s after %s %s left out: of another process, which has too few yet",
             timeline->left_out_after, plural(timeline->left_out_after), name_at(writer, timeline->count - 1),
             is_or_are(timeline->left_out_after));
    for (size_t i = 1; i < timeline->count; i++)
        if (timeline->is_break[i])
            warn(writer,
                 "%s is of another process than %s (%s): they are compared as they are, although a young process "
                 "holds less than an old one",
                 name_at(writer, i), name_at(writer, i - 1),
                 reason_of_break(&moments[timeline->order[i - 1]], &moments[timeline->order[i]]));
}

static bool has_break(const struct ph_timeline *timeline)
{
    for (size_t i = 1; i < timeline->count; i++)
        if (timeline->is_break[i])
            return true;
    return false;
}

static void warn_of_families(struct writer *writer)
{
    const struct ph_timeline *timeline = &writer->maker->timeline;
    const struct ph_moment *moments = writer->maker->growth->moments;
    size_t last = timeline->count - 1;
    const struct ph_program *before = &moments[timeline->order[0]].program;
    uint32_t ended_count = ph_program_ended(before, &moments[timeline->order[last]].program);
    if (ended_count && !has_break(timeline))
        warn(writer,
             "%" PRIu32 " of the %" PRIu32
             " processes of %s %s not in %s any more: what they held shrinks, and what they had allocated is not "
             "counted",
             ended_count, before->process_count, name_at(writer, 0), is_or_are(ended_count), name_at(writer, last));
    for (size_t i = 0; i < timeline->count; i++) {
        uint32_t silent_count = moments[timeline->order[i]].program.silent_count;
        if (silent_count)
            warn(writer, "%s is without %" PRIu32 " process%s that did not answer: what %s missing",
                 name_at(writer, i), silent_count, silent_count == 1 ? "" : "es",
                 silent_count == 1 ? "it holds is" : "they hold is");
    }
}

static void warn_of_builds(struct writer *writer)
{
    const struct ph_timeline *timeline = &writer->maker->timeline;
    const struct ph_moment *moments = writer->maker->growth->moments;
    for (size_t i = 1; i < timeline->count && writer->maker->growth->options.by == PH_BY_ADDRESS; i++)
        if (ph_program_compare(&moments[timeline->order[i - 1]].program, &moments[timeline->order[i]].program) ==
            PH_PROGRAM_REBUILT) {
            warn(writer,
                 "addresses of two builds are not the same places: the stacks of %s and %s match by function "
                 "only",
                 name_at(writer, i - 1), name_at(writer, i));
            return;
        }
}

/* ---- numbers ---- */

static void warn_of_rates(struct writer *writer)
{
    double low = INFINITY, high = 0;
    enum ph_heap_type objects = ph_heap_type_objects(writer->maker->report->metric);
    size_t unknown_count = 0, uncounted_count = 0;
    for (size_t i = 0; i < writer->maker->timeline.count; i++) {
        const struct ph_growth_added *added = ph_maker_added(writer->maker, i);
        unknown_count += added->rate_bytes == 0;
        uncounted_count += added->rate_bytes == 0 && isnan(added->totals[objects]);
        low = fmin(low, added->rate_bytes);
        high = fmax(high, added->rate_bytes);
    }
    if (unknown_count)
        warn(writer, "%zu profile%s not tell the sampling rate: %s", unknown_count,
             unknown_count == 1 ? " does" : "s do",
             uncounted_count ? "as many samples are assumed as one for every 512 KiB gives"
                             : "every object is taken for recorded");
    if (low != high)
        warn(writer,
             "the sampling rates differ (%s to %s): estimates are compared and not samples, which finds less",
             ph_human_size((uint64_t)low).text, ph_human_size((uint64_t)high).text);
}

static void warn_of_types(struct writer *writer)
{
    size_t count = writer->maker->timeline.count;
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++) {
        size_t missing_count = 0;
        for (size_t i = 0; i < count; i++)
            missing_count += isnan(ph_maker_added(writer->maker, i)->totals[type]);
        if (missing_count && missing_count < count)
            warn(writer, "%zu of %zu profiles hold no %s", missing_count, count, ph_heap_type_name(type));
    }
}

static void warn_of_differences(struct writer *writer)
{
    for (size_t i = 0; i < writer->maker->timeline.count; i++)
        if (ph_maker_added(writer->maker, i)->has_negative)
            warn(writer, "%s holds negative values: it is a difference of profiles, of which noise cannot be told",
                 name_at(writer, i));
}

/* Stacks of one program that were named in different ways do not meet: all would seem to shrink, and all to grow. */
static void warn_of_strangers(struct writer *writer)
{
    const struct ph_growth_report *report = writer->maker->report;
    for (size_t place = 1; place < report->profile_count; place++) {
        double before = 0, after = 0, shared = 0;
        for (size_t i = 0; i < report->site_count; i++) {
            double was = fmax(0, report->sites[i].values[place - 1]), is = fmax(0, report->sites[i].values[place]);
            before += was;
            after += is;
            shared += fmin(was, is);
        }
        if (ph_maker_added(writer->maker, place - 1)->sampled < SAMPLED_MIN ||
            ph_maker_added(writer->maker, place)->sampled < SAMPLED_MIN ||
            shared >= SHARED_MIN * fmin(before, after))
            continue;
        warn(writer,
             "%s and %s share hardly a stack: if they are of one program, their frames were named in different "
             "ways, and "
             "what seems to grow and to shrink may be the same",
             name_at(writer, place - 1), name_at(writer, place));
        return;
    }
}

/* A slip in --focus would pass for a program that does not grow. */
static void warn_of_filters(struct writer *writer)
{
    const struct ph_growth_options *options = &writer->maker->growth->options;
    if (writer->maker->report->site_count == 0 && (options->focus || options->ignore || options->hide))
        warn(writer, "no stack is left: --focus, --ignore or --hide leaves none");
}

static void warn_of_cut_stacks(struct writer *writer)
{
    uint32_t count = writer->paths->cut_count;
    if (count && writer->paths->cut_share > 0)
        warn(writer,
             "%" PRIu32
             " stack%s cut off at the outer end, being too deep: places are told from the allocator's side",
             count, count == 1 ? " was" : "s were");
}

int ph_warn(struct ph_report_maker *maker, const struct ph_paths *paths)
{
    static void (*const kinds[])(struct writer *) = {
        warn_of_order, warn_of_restarts,    warn_of_families,  warn_of_builds,  warn_of_rates,
        warn_of_types, warn_of_differences, warn_of_strangers, warn_of_filters, warn_of_cut_stacks,
    };
    struct writer writer = {.maker = maker, .paths = paths};
    maker->report->warnings =
        ph_arena_alloc(&maker->report->memory, WARNINGS_MAX * sizeof(*maker->report->warnings));
    if (!maker->report->warnings)
        return -ENOMEM;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        kinds[i](&writer);
    return writer.status;
}
