/* points_fixture.h - points of a curve that is known, evenly spread from 0 to 1, each with weight 1. */
#ifndef TESTS_UNIT_POINTS_FIXTURE_H
#define TESTS_UNIT_POINTS_FIXTURE_H

#include "growth/knot.h"

#define POINTS_COUNT 41

struct points_fixture {
    struct ph_points points;
    double time[POINTS_COUNT], value[POINTS_COUNT], weight[POINTS_COUNT];
};

/** points_make() - a + d * g(t - tau). */
void points_make(struct points_fixture *fixture, enum ph_knot_kind kind, double fill_time, double tau, double level,
                 double gain);

/** points_shake() - add and take @size in turns of two, which no curve follows. */
void points_shake(struct points_fixture *fixture, double size);

#endif
