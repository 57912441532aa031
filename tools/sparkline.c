#include "tools/sparkline.h"

#include <math.h>

#define LEVEL_COUNT 8

static const char *const blocks[LEVEL_COUNT] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const signs[LEVEL_COUNT] = {"_", ".", ":", "-", "=", "+", "*", "#"};

/* The mean of what cell @cell of @cell_count shows. */
static double cell_value(const double *values, size_t count, size_t cell, size_t cell_count)
{
    size_t first = cell * count / cell_count, end = (cell + 1) * count / cell_count;
    double sum = 0;
    for (size_t i = first; i < end; i++)
        sum += values[i] / (double)(end - first);
    return sum;
}

static size_t level(double value, double low, double high)
{
    if (!(high > low))
        return 0;
    double part = (value - low) / (high - low);
    return (size_t)fmin(part * LEVEL_COUNT, LEVEL_COUNT - 1);
}

void ph_sparkline(const double *values, size_t count, size_t cell_max, bool has_utf8, struct ph_buf *out)
{
    size_t cell_count = count < cell_max ? count : cell_max;
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < cell_count; i++) {
        double value = cell_value(values, count, i, cell_count);
        low = fmin(low, value); /* of a number and NaN: the number */
        high = fmax(high, value);
    }
    for (size_t i = 0; i < cell_count; i++) {
        double value = cell_value(values, count, i, cell_count);
        ph_buf_text(out, isnan(value) ? " " : (has_utf8 ? blocks : signs)[level(value, low, high)]);
    }
}
