#include "growth/discovery.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct rank {
    double p;
    size_t index;
};

/* Largest first; ties by index, so that equal input gives equal output everywhere. */
static int compare_ranks(const void *left, const void *right)
{
    const struct rank *a = left, *b = right;
    if (a->p != b->p)
        return a->p > b->p ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* Benjamini-Yekutieli's price for any dependence: 1 + 1/2 + ... + 1/count. */
static double harmonic(size_t count)
{
    double sum = 0;
    for (size_t i = count; i > 0; i--)
        sum += 1 / (double)i;
    return sum;
}

int ph_discovery_bh(const double *p, size_t count, bool strict, double *ret_q)
{
    if (count == 0)
        return 0;
    struct rank *ranks = calloc(count, sizeof(*ranks));
    if (!ranks)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        ranks[i] = (struct rank){.p = isnan(p[i]) ? 1 : p[i], .index = i};
    qsort(ranks, count, sizeof(*ranks), compare_ranks);

    double tests = (double)count * (strict ? harmonic(count) : 1), q = 1;
    for (size_t i = 0; i < count; i++) {
        q = fmin(q, ranks[i].p * tests / (double)(count - i));
        ret_q[ranks[i].index] = q;
    }
    free(ranks);
    return 0;
}
