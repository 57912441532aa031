#include "report_big.h"

#include "base/clock.h"
#include "report_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIB         1024.0
#define MIB         (1024 * KIB)
#define FRAMES_SELF 600 /* made-up functions besides the named ones */
#define STACK_MOST  40
#define NAMED       ((uint32_t)(sizeof(named) / sizeof(named[0])))

static const struct ph_growth_frame named[] = {
    {"_start", "", 0, "imaged", "ab12", 0x1000},
    {"main", "/src/imaged/main.c", 212, "imaged", "ab12", 0x1100},
    {"worker_run", "/src/imaged/worker.c", 77, "imaged", "ab12", 0x1200},
    {"http_dispatch", "/src/imaged/http.c", 431, "imaged", "ab12", 0x1300},
    {"upload_handle", "/src/imaged/upload.c", 156, "imaged", "ab12", 0x1400},
    {"thumbnail_render", "/src/imaged/thumbnail.c", 88, "imaged", "ab12", 0x1500},
    {"exif_copy", "/src/imaged/exif.c", 31, "imaged", "ab12", 0x1600},
    {"cache_insert", "/src/imaged/cache.c", 120, "imaged", "ab12", 0x1700},
    {"index_load", "/src/imaged/index.c", 19, "imaged", "ab12", 0x1800},
    {"buffer_get", "/src/imaged/buffer.c", 9, "imaged", "ab12", 0x1900},
    {"session_new", "/src/imaged/session.c", 41, "imaged", "ab12", 0x1a00},
};

enum { START, MAIN, WORKER, DISPATCH, UPLOAD, THUMBNAIL, EXIF, CACHE, INDEX, BUFFER, SESSION };

/* The sites that do something: innermost first. */
static const struct {
    uint32_t frames[6], frame_count;
    double base, change;
    enum ph_growth_label label;
    double onset_share; /* of the window */
} stories[] = {
    {{THUMBNAIL, UPLOAD, DISPATCH, WORKER, MAIN, START}, 6, 24 * MIB, 181 * MIB, PH_GROWTH_GROWING, 0.36},
    {{CACHE, DISPATCH, WORKER, MAIN, START}, 5, 3 * MIB, 62 * MIB, PH_GROWTH_PLATEAU, 0.0},
    {{INDEX, MAIN, START}, 3, 8 * MIB, 38 * MIB, PH_GROWTH_STEP, 0.62},
    {{EXIF, UPLOAD, DISPATCH, WORKER, MAIN, START}, 6, 6 * MIB, 21 * MIB, PH_GROWTH_GROWING, 0.36},
    {{SESSION, DISPATCH, WORKER, MAIN, START}, 5, 12 * MIB, 9 * MIB, PH_GROWTH_GROWING, 0.1},
    {{BUFFER, DISPATCH, WORKER, MAIN, START}, 5, 70 * MIB, -42 * MIB, PH_GROWTH_SHRINKING, 0.2},
};
#define STORIES (sizeof(stories) / sizeof(stories[0]))

/* xorshift64*: the same everywhere. Vigna, "An experimental exploration of Marsaglia's xorshift generators" (2016). */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static double uniform(uint64_t *state)
{
    return (double)(next_random(state) >> 11) / 9007199254740992.0;
}

static void *room(struct ph_growth_report *report, size_t size)
{
    void *piece = ph_arena_alloc(&report->memory, size);
    if (!piece)
        abort();
    return piece;
}

static const char *text(struct ph_growth_report *report, const char *format, unsigned number)
{
    char name[160];
    snprintf(name, sizeof(name), format, number, number * 7 % 90 + 10); /* NOLINT: formats are those below */
    return ph_arena_copy(&report->memory, name, strlen(name));
}

static void add_frames(struct ph_growth_report *report)
{
    struct ph_growth_frame *frames = room(report, (NAMED + FRAMES_SELF) * sizeof(*frames));
    memcpy(frames, named, sizeof(named));
    for (unsigned i = 0; i < FRAMES_SELF; i++) {
        bool is_template = i % 5 == 0;
        frames[NAMED + i] = (struct ph_growth_frame){
            text(report, is_template ? "net::Handler<std::vector<Item%u>>::process_%u" : "module_%u_step_%u", i),
            text(report, "/src/imaged/part%u.c", i / 20),
            i % 400 + 1,
            i % 9 ? "imaged" : "libcodec.so.4",
            "ab12",
            i};
    }
    report->frames = frames;
    report->frame_count = NAMED + FRAMES_SELF;
}

static void add_profiles(struct ph_growth_report *report)
{
    report->profiles = room(report, report->profile_count * sizeof(*report->profiles));
    for (size_t i = 0; i < report->profile_count; i++)
        report->profiles[i] = (struct ph_growth_profile){
            .name = text(report, "imaged-20261123/heap%04u.pb.gz", (unsigned)i),
            .time_ns = REPORT_START_NS + (int64_t)i * 30 * PH_NS_PER_S,
            .seconds = (double)i * 30,
            .rate_bytes = 524288,
            .stack_count = (uint32_t)report->site_count,
        };
}

/* How much of its change a site has made at @share of the window. */
static double progress(enum ph_growth_label label, double onset, double share)
{
    double since = share <= onset ? 0 : (share - onset) / (1 - onset);
    if (label == PH_GROWTH_STEP)
        return share > onset ? 1 : 0;
    return label == PH_GROWTH_PLATEAU ? 1 - exp(-7 * since) : since;
}

static const double *make_values(struct ph_growth_report *report, double base, double change,
                                 enum ph_growth_label label, double onset, uint64_t *random)
{
    double *values = room(report, report->profile_count * sizeof(*values));
    for (size_t i = 0; i < report->profile_count; i++) {
        double share = (double)i / (double)(report->profile_count - 1);
        double level = base + change * progress(label, onset, share);
        values[i] = fmax(0, level + sqrt(fmax(0, level) * 0.2 * MIB) * (uniform(random) - 0.5));
    }
    values[0] = base;
    values[report->profile_count - 1] = base + change;
    return values;
}

static void finish_site(struct ph_growth_report *report, struct ph_growth_site *site)
{
    site->now = site->values[report->profile_count - 1];
    site->object_change = site->verdict.change / 4096;
    site->sampled = site->now / 524288;
    site->age_seconds = 90;
    site->alloc_per_second = site->now / 90;
    double half = 2 * sqrt(524288 * (site->base + site->now));
    site->verdict.low = site->verdict.change - half;
    site->verdict.high = site->verdict.change + half;
    report->summary.label_counts[site->verdict.label]++;
}

static void add_story(struct ph_growth_report *report, size_t number, uint64_t *random)
{
    struct ph_growth_site *site = &report->sites[number];
    double window = report->profiles[report->profile_count - 1].seconds, onset = stories[number].onset_share;
    *site = (struct ph_growth_site){
        .frames = stories[number].frames, .frame_count = stories[number].frame_count, .base = stories[number].base};
    site->values = make_values(report, site->base, stories[number].change, stories[number].label, onset, random);
    site->verdict =
        (struct ph_verdict){.change = stories[number].change, .q = 1e-6, .label = stories[number].label};
    if (stories[number].label >= PH_GROWTH_PLATEAU) {
        site->verdict.has_onset = true;
        site->verdict.onset_index = (size_t)(onset * (double)(report->profile_count - 1));
        site->verdict.onset_seconds = onset * window;
        site->verdict.onset_low = fmax(0, onset - 0.03) * window;
        site->verdict.onset_high = (onset + 0.03) * window;
        site->verdict.rate_per_second = stories[number].change / ((1 - onset) * window);
    }
    finish_site(report, site);
}

/* A walk down from main() in which each function calls a few others: a tree as real programs have it. */
static void add_churn(struct ph_growth_report *report, size_t number, uint64_t *random)
{
    struct ph_growth_site *site = &report->sites[number];
    uint32_t depth = 6 + (uint32_t)(uniform(random) * (STACK_MOST - 6)), root = uniform(random) < 0.7 ? 4 : 2;
    uint32_t *frames = room(report, depth * sizeof(*frames));
    uint64_t place = 1;
    for (uint32_t level = 0; level < depth; level++) {
        uint32_t branch = (uint32_t)(uniform(random) * uniform(random) * 5);
        place = (place * 31 + branch * 7 + level) % FRAMES_SELF;
        frames[depth - 1 - level] = level < root ? level : NAMED + (uint32_t)place;
    }
    double base = exp(uniform(random) * 6) * KIB * 8, change = base * (uniform(random) - 0.5) * 0.3;
    enum ph_growth_label label = number % 50 == 7 ? PH_GROWTH_INSUFFICIENT : PH_GROWTH_NOISE;
    *site = (struct ph_growth_site){.frames = frames, .frame_count = depth, .base = base};
    site->values = make_values(report, base, change, PH_GROWTH_NOISE, 0, random);
    site->verdict = (struct ph_verdict){.change = change, .q = 0.9, .label = label};
    finish_site(report, site);
}

static void add_totals(struct ph_growth_report *report)
{
    for (size_t i = 0; i < report->profile_count; i++) {
        double total = 0;
        for (size_t site = 0; site < report->site_count; site++)
            total += report->sites[site].values[i];
        int64_t whole = (int64_t)total;
        int64_t all[PH_HEAP_TYPE_COUNT] = {whole * (int64_t)(i + 3) / 4096, whole * (int64_t)(i + 3), whole / 4096,
                                           whole};
        memcpy(report->profiles[i].totals, all, sizeof(all));
    }
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++) {
        report->summary.base[type] = (double)report->profiles[0].totals[type];
        report->summary.now[type] = (double)report->profiles[report->profile_count - 1].totals[type];
    }
    double change = report->summary.now[PH_HEAP_INUSE_SPACE] - report->summary.base[PH_HEAP_INUSE_SPACE];
    report->summary.total_low = change - 40 * MIB;
    report->summary.total_high = change + 40 * MIB;
    report->summary.rate_per_second = 0.12 * MIB;
    report->summary.seconds_to_limit = NAN;
}

static void add_inflections(struct ph_growth_report *report)
{
    static const uint32_t to_upload[] = {START, MAIN, WORKER, DISPATCH, UPLOAD}, to_index[] = {START, MAIN, INDEX};
    static const uint32_t children[] = {THUMBNAIL, EXIF};
    static const double growths[] = {181 * MIB, 21 * MIB};
    static const struct ph_growth_inflection places[] = {
        {PH_SIDE_CALLER, true, to_upload, 5, 202 * MIB, 0.65, 40, 2, children, growths, 2},
        {PH_SIDE_CALLER, false, to_index, 3, 38 * MIB, 0.12, 8, 0, NULL, NULL, 0},
    };
    report->inflections = room(report, sizeof(places));
    memcpy(report->inflections, places, sizeof(places));
    report->inflection_count = 2;
}

static int by_change(const void *a, const void *b)
{
    double left = fabs(((const struct ph_growth_site *)a)->verdict.change);
    double right = fabs(((const struct ph_growth_site *)b)->verdict.change);
    return (left < right) - (left > right);
}

struct ph_growth_report *report_of_many(size_t site_count, size_t profile_count)
{
    struct ph_growth_report *report = calloc(1, sizeof(*report));
    uint64_t random = 0x9e3779b97f4a7c15;
    if (!report)
        abort();
    *report = (struct ph_growth_report){.metric = PH_HEAP_INUSE_SPACE,
                                        .has_times = true,
                                        .false_discovery_rate = 0.05,
                                        .profile_count = profile_count,
                                        .site_count = site_count,
                                        .memory = PH_ARENA_INIT};
    add_frames(report);
    add_profiles(report);
    report->sites = room(report, site_count * sizeof(*report->sites));
    for (size_t i = 0; i < site_count; i++)
        i < STORIES ? add_story(report, i, &random) : add_churn(report, i, &random);
    if (site_count > STORIES)
        qsort(report->sites + STORIES, site_count - STORIES, sizeof(*report->sites), by_change);
    add_totals(report);
    add_inflections(report);
    return report;
}
