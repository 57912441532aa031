/*
 * simulate.c - the figures of doc/growth.md: the long form of test_simulation.c.
 *
 *     simulate [RUNS]      100 by default: some minutes; prints tables in Markdown
 */
#include "world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MANY 5000
#define FEW  500
#define EACH 10 /* special stacks a run */

static const size_t points[] = {2, 3, 5, 8, 12, 20, 60, 200};

#define POINT_COUNT (sizeof(points) / sizeof(points[0]))

static void print_heading(const char *first)
{
    printf("\n| %s |", first);
    for (size_t i = 0; i < POINT_COUNT; i++)
        printf(" T = %zu |", points[i]);
    printf("\n|---|");
    for (size_t i = 0; i < POINT_COUNT; i++)
        printf("---|");
    printf("\n");
}

static struct world_result run(enum world_kind kind, size_t still_count, size_t point_count, double gain,
                               size_t runs)
{
    struct world world = {kind, still_count, kind == WORLD_STILL ? 0 : EACH, point_count, gain, false, false};
    struct world_result result;
    world_run(&world, runs, 1000 + point_count, &result);
    return result;
}

/* Of stacks where nothing grows, in 20 runs of 5,000. */
static void print_still(size_t runs)
{
    static const enum ph_growth_label labels[] = {PH_GROWTH_GROWING, PH_GROWTH_STEP, PH_GROWTH_PLATEAU,
                                                  PH_GROWTH_SHRINKING};
    struct world_result results[POINT_COUNT];
    for (size_t i = 0; i < POINT_COUNT; i++)
        results[i] = run(WORLD_STILL, MANY, points[i], 0, runs);
    print_heading("nothing grows: false ones in 20 runs");
    for (size_t k = 0; k < sizeof(labels) / sizeof(labels[0]); k++) {
        printf("| `%s` |", ph_growth_label_name(labels[k]));
        for (size_t i = 0; i < POINT_COUNT; i++)
            printf(" %.2f |", 20.0 * (double)results[i].still_labels[labels[k]] / (double)runs);
        printf("\n");
    }
    for (size_t i = 0; i < POINT_COUNT; i++)
        world_result_fini(&results[i]);
}

/* How many of the ten are said to grow. */
static void print_found(enum world_kind kind, double gain, size_t runs)
{
    for (size_t i = 0; i < POINT_COUNT; i++) {
        struct world_result result = run(kind, MANY, points[i], gain, runs);
        printf(" %.2f |", (double)result.labels[PH_GROWTH_GROWING] / (double)runs);
        world_result_fini(&result);
    }
    printf("\n");
}

static void print_power(size_t runs)
{
    static const double gains[] = {80, 40, 20};
    print_heading("10 leaks among 5,000: found of 10");
    for (size_t k = 0; k < sizeof(gains) / sizeof(gains[0]); k++) {
        printf("| 20 → %g samples |", 20 + gains[k]);
        print_found(WORLD_LEAK, gains[k], runs);
    }
    printf("| 20 → 100, begins at 20 to 70 %% |");
    print_found(WORLD_LEAK_LATE, 80, runs);
    printf("| 20 → 100, another process each time |");
    print_found(WORLD_LEAK_AFRESH, 80, runs);
}

static void print_labels_of(enum world_kind kind, size_t runs)
{
    struct world_result results[POINT_COUNT];
    for (size_t i = 0; i < POINT_COUNT; i++)
        results[i] = run(kind, FEW, points[i], 80, runs);
    for (size_t label = 0; label < PH_GROWTH_LABEL_COUNT; label++) {
        if (label == PH_GROWTH_INSUFFICIENT)
            continue;
        printf("| %s: `%s` |", world_kind_name(kind), ph_growth_label_name((enum ph_growth_label)label));
        for (size_t i = 0; i < POINT_COUNT; i++)
            printf(" %.2f |", (double)results[i].labels[label] / (double)runs);
        printf("\n");
    }
    for (size_t i = 0; i < POINT_COUNT; i++)
        world_result_fini(&results[i]);
}

static void print_labels(size_t runs)
{
    static const enum world_kind kinds[] = {WORLD_CACHE, WORLD_CACHE_LIMIT, WORLD_DAILY, WORLD_STEP};
    print_heading("of 10: label");
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
        print_labels_of(kinds[k], runs);
}

static void print_onset(size_t runs)
{
    static const enum world_kind kinds[] = {WORLD_LEAK, WORLD_LEAK_LATE, WORLD_STEP, WORLD_CACHE_LIMIT};
    print_heading("onset: median error, % of the window (truth inside the interval, %)");
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        printf("| %s |", world_kind_name(kinds[k]));
        for (size_t i = 0; i < POINT_COUNT; i++) {
            struct world_result result = run(kinds[k], FEW, points[i], 80, runs);
            if (result.onset_count)
                printf(" %.1f (%.0f) |", 100 * world_onset_median(&result),
                       100 * (double)result.onset_within / (double)result.onset_count);
            else
                printf(" – |");
            world_result_fini(&result);
        }
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    long runs = argc > 1 ? strtol(argv[1], NULL, 10) : 100;
    if (runs < 1 || runs > 100000) {
        fprintf(stderr, "simulate: runs are 1 to 100000\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    print_still((size_t)runs);
    print_power((size_t)runs);
    print_labels((size_t)runs);
    print_onset((size_t)runs);
    return 0;
}
