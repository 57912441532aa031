/* report_big.h - a large report of growth, made by a generator that always makes the same one. */
#ifndef PH_TESTS_REPORT_BIG_H
#define PH_TESTS_REPORT_BIG_H

#include "growth/report.h"

#include <stddef.h>

/* @site_count stacks of a made-up program over @profile_count profiles, 30 s apart. Most do nothing but churn; some grow,
 * fill, step or shrink. The largest leak is in thumbnail_render(); one of the inflections is its caller, upload_handle(). */
struct ph_growth_report *report_of_many(size_t site_count, size_t profile_count);

/* For report_fixture_free(). */

#endif
