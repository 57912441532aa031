#include "series_fixture.h"

#include <stdlib.h>

const struct ph_series *series_make(struct series_fixture *fixture, const double *sampled, size_t count)
{
    if (count > SERIES_MOST_POINTS)
        abort();
    for (size_t i = 0; i < count; i++) {
        fixture->seconds[i] = (double)i;
        fixture->sampled[i] = sampled[i];
        fixture->value[i] = sampled[i] * SERIES_RATE_BYTES;
        fixture->variance[i] = fixture->value[i] * SERIES_RATE_BYTES;
    }
    fixture->series = (struct ph_series){
        .point_count = count,
        .seconds = fixture->seconds,
        .sampled = fixture->sampled,
        .value = fixture->value,
        .variance = fixture->variance,
        .is_same_rate = true,
        .churn_variance = -1,
    };
    return &fixture->series;
}
