/*
 * report.h - what an analysis of heap profiles found: plain data, read by every output (text, json, html, pprof).
 *
 * All text is UTF-8 of unknown origin: outputs escape it. Everything lives in the report's arena and goes with it.
 */
#ifndef PH_GROWTH_REPORT_H
#define PH_GROWTH_REPORT_H

#include "base/arena.h"
#include "growth/verdict.h"
#include "model/heap_types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The metrics are the sample types of a heap profile: enum ph_heap_type. */

enum ph_growth_by { /* what tells two stacks apart */
                    PH_BY_FUNCTION,
                    PH_BY_LINE,
                    PH_BY_ADDRESS, /* build id (else file) and offset */
                    PH_BY_MODULE,
                    PH_BY_PID, /* as by function, in each process of a family on its own */
                    PH_BY_COUNT,
};

struct ph_growth_profile {
    const char *name;                   /* file or URL, as given */
    int64_t time_ns;                    /* realtime; 0 if the profile does not say */
    double seconds;                     /* on the time axis of the report: 0 for the first; else its number */
    int64_t totals[PH_HEAP_TYPE_COUNT]; /* -1 for what the profile does not hold */
    double variance;                    /* bound of that of the metric's total */
    int64_t rate_bytes;                 /* 0 if unknown */
    uint32_t stack_count;
    bool is_break; /* another process than the profile before: pid, start time or build id changed */
};

struct ph_growth_frame {
    const char *function; /* "module+0xoffset" where no name is known; never NULL */
    const char *file;     /* source file; "" if unknown */
    int64_t line;         /* 0 if unknown */
    const char *module;   /* file name of the mapping without its folders; "" if unknown */
    const char *build_id; /* "" if unknown */
    uint64_t offset;      /* in the module's file; 0 if unknown */
};

struct ph_growth_site {
    const uint32_t *frames; /* in report.frames, leaf first */
    uint32_t frame_count;
    struct ph_verdict verdict;
    double base, now;        /* first and last value of the metric */
    double object_change;    /* of in-use objects (alloc objects for the alloc metrics); NAN if unknown */
    const double *values;    /* profile_count of them, in the order of time */
    double sampled;          /* n in the last profile, about */
    double age_seconds;      /* mean age of what lives, by Little's law; NAN where cumulative counts are missing */
    double alloc_per_second; /* bytes allocated here per second between first and last profile; NAN if unknown */
};

enum ph_growth_side { PH_SIDE_CALLER, PH_SIDE_ALLOCATOR };

/* A place in the tree where growth concentrates. */
struct ph_growth_inflection {
    enum ph_growth_side side;
    bool is_spine; /* found by descending the spine; else a hierarchical heavy hitter */
    const uint32_t
        *frames; /* the path to it from the root of its tree (the outermost caller, or the allocator's end);
                               the frame itself is the last */
    uint32_t frame_count;
    double growth;    /* sum of changes below it that no deeper inflection reports (of the spine: all of them),
                                 units of the metric */
    double share;     /* of the total growth, 0..1 */
    double z;         /* growth by its standard deviation */
    uint32_t fan_out; /* children that grew */
    const uint32_t *children; /* the largest of these, frames; at most 5. Where the stacks below it part: on the
                                 allocator's side there may be callers between that they all share */
    const double *child_growth;
    uint32_t child_count;
};

struct ph_growth_summary {
    double base[PH_HEAP_TYPE_COUNT], now[PH_HEAP_TYPE_COUNT]; /* NAN for what is missing */
    double total_low, total_high;     /* 95 % interval of the change of the metric's total */
    double total_p;                   /* as much growth of the total by chance */
    enum ph_growth_label total_label; /* of the total as a series, at a level of 0.001 */
    double rate_per_second;           /* of the total, over the last third; NAN without times */
    double seconds_to_limit;          /* until the total meets the limit; NAN if it does not or none was given */
    uint32_t label_counts[PH_GROWTH_LABEL_COUNT]; /* sites by label */
};

struct ph_growth_report {
    enum ph_heap_type metric;
    enum ph_growth_by by;
    bool has_times; /* seconds are seconds; else profile numbers, and rates are per profile */
    double false_discovery_rate;
    bool is_strict; /* Benjamini-Yekutieli */
    double growth;  /* the sum of those changes that count as growth: what shares are of; see doc/growth.md */

    struct ph_growth_profile *profiles; /* in the order of time */
    size_t profile_count;
    struct ph_growth_frame *frames;
    size_t frame_count;
    struct ph_growth_site
        *sites; /* all; labelled GROWING, STEP, PLATEAU first, by change; then the rest by |change| */
    size_t site_count;
    struct ph_growth_inflection *inflections; /* the spine first, then by growth */
    size_t inflection_count;
    struct ph_growth_summary summary;
    const char **warnings; /* sentences without full stop */
    size_t warning_count;

    struct ph_arena memory;
};

#endif
