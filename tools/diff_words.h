/*
 * diff_words.h - the numbers, times and names of a report as words, for every output that a person reads.
 *
 * Numbers come as struct ph_human, by value; what is NAN is "?". Names are appended as they are: made visible or
 * escaped by who shows them.
 */
#ifndef PH_TOOLS_DIFF_WORDS_H
#define PH_TOOLS_DIFF_WORDS_H

#include "base/buf.h"
#include "base/human.h"
#include "growth/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** ph_diff_amount() - "44.0 MiB" or "1,024" by the unit of @type; ph_diff_change(): with its sign, "+44.0 MiB". */
struct ph_human ph_diff_amount(enum ph_heap_type type, double value);
struct ph_human ph_diff_change(enum ph_heap_type type, double value);

/** ph_diff_percent() - "64.7%"; ph_diff_percent_change(): "+112.0%". "-" of nothing. */
struct ph_human ph_diff_percent(double part, double whole);
struct ph_human ph_diff_percent_change(double part, double whole);

/** ph_diff_rate() - "+11.4 MiB/min", by the unit of time that gives a handy number; without times "+3.0 MiB a
 * profile". */
struct ph_human ph_diff_rate(const struct ph_growth_report *report, double per_second);

/** ph_diff_time() - a place on the report's axis of time: "03:01:35", "Nov 23 03:01" in a report of days, local;
 * without times "profile 4". */
struct ph_human ph_diff_time(const struct ph_growth_report *report, double seconds);

/** ph_diff_span() - a length on that axis: "20s", "2 profiles". */
struct ph_human ph_diff_span(const struct ph_growth_report *report, double seconds);

/** ph_diff_metric_words() - "In-use bytes", "Allocations"; ph_diff_metric_name(): "inuse_space", "alloc_objects". */
const char *ph_diff_metric_words(enum ph_heap_type type);
const char *ph_diff_metric_name(enum ph_heap_type type);

/** ph_diff_label_words() - the label of a site. Of two profiles "grew": they do not tell whether it still does. */
const char *ph_diff_label_words(const struct ph_growth_report *report, enum ph_growth_label label);

/** ph_diff_function() - append the name of frame @frame of the report, demangled. */
void ph_diff_function(const struct ph_growth_report *report, uint32_t frame, struct ph_buf *out);

/** ph_diff_place() - append "session.c:41", or the module where no source is known, or nothing. */
void ph_diff_place(const struct ph_growth_report *report, uint32_t frame, struct ph_buf *out);

/** ph_diff_has_grown() - has a call site @least (PLATEAU, STEP or GROWING) as its label, or one behind it, or the total? Growth
 * that is spread over so many call sites that none stands out is growth, too. */
bool ph_diff_has_grown(const struct ph_growth_report *report, enum ph_growth_label least);

/** ph_diff_growth() - the growth that shares are of: report->growth, or what the labelled sites grew by if that is more. */
double ph_diff_growth(const struct ph_growth_report *report);

/**
 * ph_diff_own_frame() - the place in @frames (leaf first, @count of them) of the first that is probably the
 * program's own code rather than an allocator or a standard library; 0 if there is none.
 */
uint32_t ph_diff_own_frame(const struct ph_growth_report *report, const uint32_t *frames, uint32_t count);

/** ph_diff_is_library() - is the frame one of an allocator or a standard library? */
bool ph_diff_is_library(const struct ph_growth_report *report, uint32_t frame);

/** ph_diff_process() - "process 7" if that is what the frame stands for, as the outermost one does by pid; else NULL. */
const char *ph_diff_process(const struct ph_growth_report *report, uint32_t frame);

/** ph_diff_is_start() - is the frame one that every thread begins with (_start, start_thread, …)? */
bool ph_diff_is_start(const struct ph_growth_report *report, uint32_t frame);

#endif
