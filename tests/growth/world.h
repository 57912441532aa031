/*
 * world.h - a simulated program: stacks whose truth is known, and what the statistics make of them.
 *
 * What a heap profile counts at a stack are sampled objects, a random subset of all: they arrive by chance (Poisson) and live
 * for a random time, so that without a leak a stack is a queue M/M/inf. The same sampled objects are seen in each profile
 * while they live: neighbouring counts are alike. Profiles are one time unit apart; one sample stands for 512 KiB.
 */
#ifndef TESTS_GROWTH_WORLD_H
#define TESTS_GROWTH_WORLD_H

#include "growth/verdict.h"
#include "random.h"

#define WORLD_MOST_POINTS 200

enum world_kind {
    WORLD_STILL,       /* 1 to 200 samples on average, lifetimes of 0.1 to 20 intervals: nothing grows */
    WORLD_LEAK,        /* 20 samples that come and go, and world.gain that come evenly and stay */
    WORLD_LEAK_LATE,   /* the same, beginning at 20 to 70 % of the time */
    WORLD_LEAK_AFRESH, /* from 20 to 20 + gain evenly, each profile another sample: another process each time */
    WORLD_CACHE, /* from 0 to 100..300 as a queue fills that was empty: lifetimes of 1/20 to 1/6 of the time */
    WORLD_CACHE_LIMIT, /* fills evenly to 100..300 during 10 to 50 % of the time, and is full */
    WORLD_STEP,        /* 20 samples that come and go, and gain at once at 20 to 70 % of the time */
    WORLD_DAILY,       /* 100..300 on average, up and down by half, 1 to 3 days, beginning at any hour */
    WORLD_KIND_COUNT,
};

struct world {
    enum world_kind kind; /* of the special stacks */
    size_t still_count, special_count, point_count;
    double gain;    /* of leaks and steps, samples */
    bool has_churn; /* what was allocated and freed is known, as of one process that counts it */
    bool is_strict;
};

struct world_result {
    size_t labels[PH_GROWTH_LABEL_COUNT];       /* of special stacks */
    size_t still_labels[PH_GROWTH_LABEL_COUNT]; /* of stacks where nothing grows */
    double *onset_errors; /* of special stacks that were given an onset: absolute, as a share of the window */
    size_t onset_count, onset_within; /* how many, and of these with the truth inside the interval */
};

const char *world_kind_name(enum world_kind kind);

/**
 * world_run() - simulate @run_count programs and add up. The same @seed gives the same result.
 * @ret_result: release with world_result_fini(). Aborts without memory.
 */
void world_run(const struct world *world, size_t run_count, uint64_t seed, struct world_result *ret_result);
void world_result_fini(struct world_result *result);

/** world_onset_median() - of the errors; NAN if there are none. Sorts them. */
double world_onset_median(struct world_result *result);

#endif
