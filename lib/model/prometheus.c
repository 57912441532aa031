#include "model/prometheus.h"

#include "base/scan.h"

#include <inttypes.h>
#include <string.h>

#define NS_PER_S  UINT64_C(1000000000)
#define NS_DIGITS 9

static const struct {
    const char *word, *ending;
} types[] = {
    [PH_METRIC_COUNTER] = {"counter", "_total"},
    [PH_METRIC_GAUGE] = {"gauge", ""},
    [PH_METRIC_INFO] = {"gauge", "_info"}, /* 0.0.4 knows no type of its own for it */
};

static void append_name(struct ph_buf *out, const struct ph_metric *metric)
{
    ph_buf_text(out, metric->name);
    if (metric->unit)
        ph_buf_printf(out, "_%s", metric->unit);
    ph_buf_text(out, types[metric->type].ending);
}

/* @quote: the character besides backslash and line end that must be escaped, 0 if none. */
static void append_escaped(struct ph_buf *out, const char *text, char quote)
{
    struct ph_scan scan = ph_scan_over(text, strlen(text));
    while (!ph_scan_done(&scan)) {
        const char *start = scan.next;
        if (!ph_scan_utf8(&scan)) {
            ph_buf_text(out, PH_UTF8_REPLACEMENT);
            scan.next++;
            continue;
        }
        if (*start == '\n') {
            ph_buf_text(out, "\\n");
            continue;
        }
        if (*start == '\\' || (quote && *start == quote))
            ph_buf_char(out, '\\');
        ph_buf_append(out, start, (size_t)(scan.next - start));
    }
}

static void append_labels(struct ph_buf *out, const struct ph_metric_label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ph_buf_printf(out, "%c%s=\"", i ? ',' : '{', labels[i].name);
        append_escaped(out, labels[i].value, '"');
        ph_buf_char(out, '"');
    }
    if (count)
        ph_buf_char(out, '}');
}

void ph_prometheus_begin(struct ph_buf *out, const struct ph_metric *metric)
{
    ph_buf_text(out, "# HELP ");
    append_name(out, metric);
    ph_buf_char(out, ' ');
    append_escaped(out, metric->help, 0);
    ph_buf_text(out, "\n# TYPE ");
    append_name(out, metric);
    ph_buf_printf(out, " %s\n", types[metric->type].word);
}

static void append_series(struct ph_buf *out, const struct ph_metric *metric, const struct ph_metric_label *labels,
                          size_t label_count)
{
    append_name(out, metric);
    append_labels(out, labels, label_count);
    ph_buf_char(out, ' ');
}

void ph_prometheus_value(struct ph_buf *out, const struct ph_metric *metric, const struct ph_metric_label *labels,
                         size_t label_count, uint64_t value)
{
    append_series(out, metric, labels, label_count);
    ph_buf_printf(out, "%" PRIu64 "\n", value);
}

/* By whole numbers: in another locale printf() writes a comma. */
void ph_prometheus_time(struct ph_buf *out, const struct ph_metric *metric, const struct ph_metric_label *labels,
                        size_t label_count, uint64_t value_ns)
{
    uint64_t rest = value_ns % NS_PER_S;
    int digits = NS_DIGITS;
    append_series(out, metric, labels, label_count);
    ph_buf_printf(out, "%" PRIu64, value_ns / NS_PER_S);
    for (; rest && rest % 10 == 0; digits--)
        rest /= 10;
    if (rest)
        ph_buf_printf(out, ".%0*" PRIu64, digits, rest);
    ph_buf_char(out, '\n');
}
