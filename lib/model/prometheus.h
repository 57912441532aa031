/*
 * prometheus.h - metrics as Prometheus reads them: the text format, version 0.0.4.
 *
 * A metric is described once, by the parts of its name; the writer puts them together, so a counter cannot lack its _total
 * nor a time its unit. One thread at a time. Numbers never depend on the host's locale.
 * Source: prometheus.io/docs/instrumenting/exposition_formats.
 */
#ifndef PH_MODEL_PROMETHEUS_H
#define PH_MODEL_PROMETHEUS_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

#define PH_PROMETHEUS_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum ph_metric_type {
    PH_METRIC_COUNTER, /* its name ends in _total */
    PH_METRIC_GAUGE,
    PH_METRIC_INFO, /* always 1: what it tells is in its labels; its name ends in _info */
};

struct ph_metric {
    enum ph_metric_type type;
    const char *name; /* without unit and ending: porthole_fork_wait */
    const char *unit; /* seconds, bytes; NULL for a mere count */
    const char *help; /* a sentence */
};

struct ph_metric_label {
    const char *name, *value; /* @value: any bytes */
};

/** ph_prometheus_begin() - the lines that describe @metric; its values follow, and those of no other metric between them. */
void ph_prometheus_begin(struct ph_buf *out, const struct ph_metric *metric);

/** ph_prometheus_value() - one value. @labels: @label_count of them; NULL for 0. */
void ph_prometheus_value(struct ph_buf *out, const struct ph_metric *metric, const struct ph_metric_label *labels,
                         size_t label_count, uint64_t value);

/** ph_prometheus_time() - the same for nanoseconds, written as seconds. */
void ph_prometheus_time(struct ph_buf *out, const struct ph_metric *metric, const struct ph_metric_label *labels,
                        size_t label_count, uint64_t value_ns);

#endif
