#include "report_fixture.h"

#include "base/clock.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB     1048576.0
#define PROGRAM "leaky"
#define BUILD   "8f3a61d0c2b94e57a1c6d4e8f0b2a3958c7d6e1f"

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- what was found in a server ---- */

static const struct ph_growth_frame frames[] = {
    {"session_new", "/src/leaky/session.c", 41, PROGRAM, BUILD, 0x1a40},
    {"handle_request", "/src/leaky/http.c", 204, PROGRAM, BUILD, 0x2210},
    {"worker_main", "/src/leaky/worker.c", 88, PROGRAM, BUILD, 0x3108},
    {"start_thread", "", 0, "libc.so.6", "c0ffee00", 0x891f0},
    {"_ZNSt6vectorIiSaIiEE9push_backEOi", "/usr/include/c++/12/bits/stl_vector.h", 1296, PROGRAM, BUILD, 0x40f2},
    {"index_load", "/src/leaky/index.c", 17, PROGRAM, BUILD, 0x4800},
    {"main", "/src/leaky/main.c", 30, PROGRAM, BUILD, 0x1100},
    {"cache_insert", "/src/leaky/cache.c", 120, PROGRAM, BUILD, 0x5100},
    {"buffer_get", "/src/leaky/buffer.c", 9, PROGRAM, BUILD, 0x5200},
    {"libplugin.so+0x1f00", "", 0, "libplugin.so", "", 0x1f00},
    {REPORT_HOSTILE, "", 0, "", "", 0},
};

static const uint32_t sessions[] = {0, 1, 2, 3}, indexes[] = {4, 5, 6}, caches[] = {7, 1, 2, 3},
                      buffers[] = {8, 1, 2, 3}, plugins[] = {9, 2, 3}, hostile[] = {10, 6};

#define STACK(frames) (frames), ARRAY_COUNT(frames)
#define SERIES_COUNT  12
static const double session_values[] = {20 * MIB, 21 * MIB, 20 * MIB, 21 * MIB, 26 * MIB, 30 * MIB,
                                        36 * MIB, 41 * MIB, 46 * MIB, 52 * MIB, 58 * MIB, 64 * MIB};
static const double index_values[] = {4 * MIB,  4 * MIB,  4 * MIB,  4 * MIB,  4 * MIB,  16 * MIB,
                                      16 * MIB, 16 * MIB, 16 * MIB, 16 * MIB, 16 * MIB, 16 * MIB};
static const double cache_values[] = {1 * MIB, 4 * MIB,   6 * MIB, 8 * MIB,   9 * MIB, 9.5 * MIB,
                                      9 * MIB, 9.8 * MIB, 9 * MIB, 9.9 * MIB, 9 * MIB, 10 * MIB};
static const double buffer_values[] = {24 * MIB, 24 * MIB, 23 * MIB, 23 * MIB, 22 * MIB, 20 * MIB,
                                       19 * MIB, 18 * MIB, 18 * MIB, 17 * MIB, 17 * MIB, 16 * MIB};
static const double plugin_values[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1 * MIB, 2 * MIB, 3 * MIB};
static const double hostile_values[] = {5 * MIB, 5.2 * MIB, 4.9 * MIB, 5.1 * MIB, 5 * MIB, 5 * MIB,
                                        5 * MIB, 5 * MIB,   5 * MIB,   5 * MIB,   5 * MIB, 5.5 * MIB};

static const struct ph_growth_site sites[] = {
    {
        STACK(sessions),
        {44 * MIB, 36 * MIB, 52 * MIB, 1e-12, 1, 6e-12, PH_GROWTH_GROWING, true, 3, 95, 75, 115, 0.19 * MIB},
        20 * MIB,
        64 * MIB,
        11264,
        session_values,
        128,
        1860,
        0.21 * MIB,
    },
    {
        STACK(indexes),
        {12 * MIB, 8 * MIB, 16 * MIB, 2e-6, 1, 6e-6, PH_GROWTH_STEP, true, 4, 130, 120, 150, 12 * MIB / 330},
        4 * MIB,
        16 * MIB,
        3,
        index_values,
        32,
        400,
        0.04 * MIB,
    },
    {
        STACK(caches),
        {9 * MIB, 6 * MIB, 12 * MIB, 4e-4, 1, 8e-4, PH_GROWTH_PLATEAU, true, 0, 0, 0, 30, 9 * MIB / 330},
        1 * MIB,
        10 * MIB,
        9216,
        cache_values,
        20,
        NAN,
        NAN,
    },
    {
        STACK(buffers),
        {-8 * MIB, -12 * MIB, -4 * MIB, 1, 1e-3, 2e-3, PH_GROWTH_SHRINKING, false, 0, 0, 0, 0, 0},
        24 * MIB,
        16 * MIB,
        -512,
        buffer_values,
        32,
        12,
        1.5 * MIB,
    },
    {
        STACK(plugins),
        {3 * MIB, -0.2 * MIB, 6.2 * MIB, 0.03, 1, 0.06, PH_GROWTH_INSUFFICIENT, false, 0, 0, 0, 0, 0},
        0,
        3 * MIB,
        6,
        plugin_values,
        6,
        NAN,
        NAN,
    },
    {
        STACK(hostile),
        {0.5 * MIB, -2 * MIB, 3 * MIB, 0.4, 0.6, 0.4, PH_GROWTH_NOISE, false, 0, 0, 0, 0, 0},
        5 * MIB,
        5.5 * MIB,
        128,
        hostile_values,
        11,
        60,
        0.1 * MIB,
    },
};

static const uint32_t to_handler[] = {2, 1}, to_index[] = {6, 5}, handler_children[] = {0, 7},
                      index_children[] = {4};
static const double handler_growth[] = {44 * MIB, 9 * MIB}, index_growth[] = {12 * MIB};

static const struct ph_growth_inflection inflections[] = {
    {PH_SIDE_CALLER, true, STACK(to_handler), 53 * MIB, 0.773, 14.2, 2, handler_children, handler_growth, 2},
    {PH_SIDE_CALLER, false, STACK(to_index), 12 * MIB, 0.175, 4.1, 1, index_children, index_growth, 1},
};

static const char *warnings[] = {
    "heap07.pb.gz: another process than before (process 812, then 977): growth across the restart is not counted",
    "stacks end at 128 frames: their roots may be missing",
};

/* ---- putting it together ---- */

static struct ph_growth_report *new_report(size_t profile_count, double gap_seconds)
{
    struct ph_growth_report *report = calloc(1, sizeof(*report));
    assert_non_null(report);
    *report = (struct ph_growth_report){.metric = PH_HEAP_INUSE_SPACE,
                                        .has_times = gap_seconds > 0,
                                        .false_discovery_rate = 0.05,
                                        .profile_count = profile_count,
                                        .memory = PH_ARENA_INIT};
    report->profiles = ph_arena_alloc(&report->memory, profile_count * sizeof(*report->profiles));
    assert_non_null(report->profiles);
    for (size_t i = 0; i < profile_count; i++) {
        char name[32];
        size_t size = (size_t)snprintf(name, sizeof(name), "heap%02zu.pb.gz", i);
        report->profiles[i] = (struct ph_growth_profile){
            .name = ph_arena_copy(&report->memory, name, size),
            .time_ns = gap_seconds > 0 ? REPORT_START_NS + (int64_t)((double)i * gap_seconds * PH_NS_PER_S) : 0,
            .seconds = gap_seconds > 0 ? (double)i * gap_seconds : (double)i,
            .rate_bytes = 524288,
            .stack_count = 6,
            .variance = 524288.0 * 60 * MIB,
        };
    }
    return report;
}

/* Totals are those of the sites; the other types follow from them. */
static void add_totals(struct ph_growth_report *report, bool has_cumulative)
{
    for (size_t i = 0; i < report->profile_count; i++) {
        double total = 0;
        for (size_t site = 0; site < report->site_count; site++)
            total += report->sites[site].values[i];
        int64_t *totals = report->profiles[i].totals;
        totals[PH_HEAP_INUSE_SPACE] = (int64_t)total;
        totals[PH_HEAP_INUSE_OBJECTS] = (int64_t)(total / 4096);
        totals[PH_HEAP_ALLOC_SPACE] = has_cumulative ? (int64_t)(total * (double)(i + 2)) : -1;
        totals[PH_HEAP_ALLOC_OBJECTS] = has_cumulative ? (int64_t)(total * (double)(i + 2) / 4096) : -1;
    }
    for (int type = 0; type < PH_HEAP_TYPE_COUNT; type++) {
        int64_t base = report->profiles[0].totals[type];
        int64_t now = report->profiles[report->profile_count - 1].totals[type];
        report->summary.base[type] = base < 0 ? (double)NAN : (double)base;
        report->summary.now[type] = now < 0 ? (double)NAN : (double)now;
    }
    for (size_t site = 0; site < report->site_count; site++) {
        report->summary.label_counts[report->sites[site].verdict.label]++;
        report->growth += fmax(0, report->sites[site].verdict.change);
    }
}

static void *copy(struct ph_growth_report *report, const void *items, size_t size)
{
    void *copied = ph_arena_copy(&report->memory, items, size);
    assert_non_null(copied);
    return copied;
}

static void add_sites(struct ph_growth_report *report, size_t site_count)
{
    report->frames = copy(report, frames, sizeof(frames));
    report->frame_count = ARRAY_COUNT(frames);
    report->sites = copy(report, sites, site_count * sizeof(sites[0]));
    report->site_count = site_count;
}

struct ph_growth_report *report_of_series(void)
{
    struct ph_growth_report *report = new_report(SERIES_COUNT, 30);
    add_sites(report, ARRAY_COUNT(sites));
    add_totals(report, true);
    report->profiles[7].is_break = true;
    report->inflections = copy(report, inflections, sizeof(inflections));
    report->inflection_count = ARRAY_COUNT(inflections);
    report->warnings = copy(report, warnings, sizeof(warnings));
    report->warning_count = ARRAY_COUNT(warnings);
    report->summary.total_low = 48 * MIB;
    report->summary.total_high = 73 * MIB;
    report->summary.total_p = 1e-9;
    report->summary.rate_per_second = 0.2 * MIB;
    report->summary.seconds_to_limit = 9700;
    return report;
}

struct ph_growth_report *report_of_pair(void)
{
    static const double values[] = {20 * MIB, 64 * MIB};
    struct ph_growth_report *report = new_report(2, 0);
    add_sites(report, 1);
    report->sites[0].values = values;
    report->sites[0].age_seconds = report->sites[0].alloc_per_second = NAN;
    report->sites[0].verdict.has_onset = false;
    report->sites[0].verdict.rate_per_second = 44 * MIB;
    add_totals(report, false);
    report->inflections = copy(report, inflections, sizeof(inflections[0]));
    report->inflection_count = 1;
    report->summary.total_low = 36 * MIB;
    report->summary.total_high = 52 * MIB;
    report->summary.total_p = 1e-12;
    report->summary.rate_per_second = report->summary.seconds_to_limit = NAN;
    return report;
}

struct ph_growth_report *report_of_nothing(void)
{
    struct ph_growth_report *report = new_report(3, 10);
    add_totals(report, true);
    report->summary.total_p = 1;
    report->summary.rate_per_second = 0;
    report->summary.seconds_to_limit = NAN;
    return report;
}

void report_fixture_free(struct ph_growth_report *report)
{
    ph_arena_fini(&report->memory);
    free(report);
}
