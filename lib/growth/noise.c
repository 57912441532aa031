#include "growth/noise.h"

#include <math.h>
#include <stdbool.h>

#define USUAL_RATE_BYTES 524288.0 /* of jemalloc, gperftools and Go alike */

static bool is_sampled(double rate_bytes)
{
    return rate_bytes > 1;
}

/* Without counts and without a rate nothing is known; the usual rate is a better guess than "every byte was seen". */
static double count_without_objects(double bytes, double rate_bytes)
{
    return bytes / (is_sampled(rate_bytes) ? rate_bytes : USUAL_RATE_BYTES);
}

double ph_sampled_count(double objects, double bytes, double rate_bytes)
{
    if (isnan(objects))
        return bytes > 0 ? count_without_objects(bytes, rate_bytes) : 0;
    if (!(objects > 0) || bytes < 0)
        return 0;
    if (!is_sampled(rate_bytes) || !(bytes > 0))
        return objects;
    return objects * -expm1(-(bytes / objects) / rate_bytes);
}

double ph_bytes_variance(double objects, double bytes, double rate_bytes)
{
    if (is_sampled(rate_bytes))
        return rate_bytes * fabs(bytes);
    if (isnan(objects))
        return USUAL_RATE_BYTES * fabs(bytes);
    return bytes * bytes / fmax(1, fabs(objects));
}

double ph_objects_variance(double objects, double bytes, double rate_bytes)
{
    if (!is_sampled(rate_bytes) || bytes == 0)
        return fabs(objects);
    return rate_bytes * objects * objects / fabs(bytes);
}

double ph_churn_variance(double allocated_bytes, double change_bytes, double rate_bytes)
{
    double freed_bytes = allocated_bytes - change_bytes;
    if (!is_sampled(rate_bytes) || !(allocated_bytes >= 0))
        return -1;
    return rate_bytes * (allocated_bytes + fmax(0, freed_bytes));
}
