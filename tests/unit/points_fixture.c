#include "points_fixture.h"

#include <math.h>

static double curve(enum ph_knot_kind kind, double fill_time, double since)
{
    if (since <= 0)
        return 0;
    if (kind == PH_KNOT_STEP)
        return 1;
    return kind == PH_KNOT_HINGE ? since : 1 - exp(-since / fill_time);
}

void points_make(struct points_fixture *fixture, enum ph_knot_kind kind, double fill_time, double tau, double level,
                 double gain)
{
    for (int i = 0; i < POINTS_COUNT; i++) {
        fixture->time[i] = (double)i / (POINTS_COUNT - 1);
        fixture->value[i] = level + gain * curve(kind, fill_time, fixture->time[i] - tau);
        fixture->weight[i] = 1;
    }
    fixture->points = (struct ph_points){fixture->time, fixture->value, fixture->weight, POINTS_COUNT};
}

void points_shake(struct points_fixture *fixture, double size)
{
    for (int i = 0; i < POINTS_COUNT; i++)
        fixture->value[i] += i % 4 < 2 ? size : -size;
}
