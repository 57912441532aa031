/* report_fixture.h - reports of growth made by hand, for the tests of everything that shows one. */
#ifndef PH_TESTS_REPORT_FIXTURE_H
#define PH_TESTS_REPORT_FIXTURE_H

#include "growth/report.h"

#define REPORT_START_NS INT64_C(1795402800000000000) /* 2026-11-23 03:00:00 UTC */
#define REPORT_HOSTILE  "</script><img src=x>\x1b[31m\"&'"

/* Twelve profiles, 30 s apart, of a server: one site of each label, two inflections, two warnings; one function's
 * name is REPORT_HOSTILE, another a mangled C++ one. */
struct ph_growth_report *report_of_series(void);

/* Two files without times: one site grew, what lives has no cumulative counts. */
struct ph_growth_report *report_of_pair(void);

/* Three profiles in which nothing happens: no sites. */
struct ph_growth_report *report_of_nothing(void);

void report_fixture_free(struct ph_growth_report *report);

#endif
