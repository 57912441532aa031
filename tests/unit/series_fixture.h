/* series_fixture.h - series for tests: one sample stands for 512 KiB, points are a second apart. */
#ifndef TESTS_UNIT_SERIES_FIXTURE_H
#define TESTS_UNIT_SERIES_FIXTURE_H

#include "growth/series.h"

#define SERIES_RATE_BYTES  524288.0
#define SERIES_MOST_POINTS 64

struct series_fixture {
    struct ph_series series;
    double seconds[SERIES_MOST_POINTS], sampled[SERIES_MOST_POINTS], value[SERIES_MOST_POINTS],
        variance[SERIES_MOST_POINTS];
};

/** series_make() - of @count sampled counts; the values belong to @fixture and may be changed. */
const struct ph_series *series_make(struct series_fixture *fixture, const double *sampled, size_t count);

#define SERIES(fixture, ...)                                                                                       \
    series_make(fixture, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

#endif
