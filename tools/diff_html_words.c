/* diff_html_words.c - names, labels and times of a report in HTML. */
#include "tools/diff_html_parts.h"

#include "base/visible.h"
#include "tools/diff_words.h"

#include <errno.h>
#include <math.h>

#define MOST_ROWS   1000
#define LEAST_ROWS  100
#define MOST_VALUES 100000 /* of all rows together */

static const struct {
    const char *key, *sign; /* the sign tells what the colour does */
} labels[PH_GROWTH_LABEL_COUNT] = {
    [PH_GROWTH_NOISE] = {"noise", "·"},         [PH_GROWTH_INSUFFICIENT] = {"insufficient", "?"},
    [PH_GROWTH_SHRINKING] = {"shrinking", "▼"}, [PH_GROWTH_PLATEAU] = {"plateau", "◠"},
    [PH_GROWTH_STEP] = {"step", "┘"},           [PH_GROWTH_GROWING] = {"growing", "▲"},
};

static void fail_with(struct ph_buf *out, const struct ph_buf *part)
{
    if (ph_buf_status(part) < 0)
        out->failed = -ENOMEM;
}

void ph_diff_html_text(struct ph_buf *out, const char *text)
{
    struct ph_buf shown = PH_BUF_INIT;
    ph_visible(&shown, text);
    ph_buf_html(out, shown.data ? shown.data : "");
    fail_with(out, &shown);
    ph_buf_fini(&shown);
}

static void add_frame(const struct ph_growth_report *report, uint32_t frame,
                      void (*words)(const struct ph_growth_report *, uint32_t, struct ph_buf *), struct ph_buf *out)
{
    struct ph_buf text = PH_BUF_INIT;
    words(report, frame, &text);
    ph_diff_html_text(out, text.data ? text.data : "");
    fail_with(out, &text);
    ph_buf_fini(&text);
}

void ph_diff_html_name(const struct ph_growth_report *report, uint32_t frame, struct ph_buf *out)
{
    add_frame(report, frame, ph_diff_function, out);
}

void ph_diff_html_place(const struct ph_growth_report *report, uint32_t frame, struct ph_buf *out)
{
    add_frame(report, frame, ph_diff_place, out);
}

void ph_diff_html_frame(const struct ph_growth_report *report, uint32_t frame, struct ph_buf *out)
{
    const struct ph_growth_frame *place = &report->frames[frame];
    ph_buf_text(out, "<code class=name>");
    ph_diff_html_name(report, frame, out);
    ph_buf_text(out, "</code> <span class=place title=\"");
    ph_diff_html_text(out, place->file);
    ph_buf_text(out, place->file[0] && place->module[0] ? ", " : "");
    ph_diff_html_text(out, place->module);
    ph_buf_text(out, "\">");
    ph_diff_html_place(report, frame, out);
    ph_buf_text(out, "</span>");
}

const char *ph_diff_html_key(enum ph_growth_label label)
{
    return labels[label].key;
}

void ph_diff_html_label(const struct ph_growth_report *report, enum ph_growth_label label, struct ph_buf *out)
{
    ph_buf_printf(out, "<span class=\"label %s\"><span aria-hidden=true>%s</span> %s</span>", labels[label].key,
                  labels[label].sign, ph_diff_label_words(report, label));
}

void ph_diff_html_since(const struct ph_growth_report *report, const struct ph_verdict *verdict, struct ph_buf *out)
{
    if (!verdict->has_onset)
        return;
    double half = fmax(verdict->onset_high - verdict->onset_seconds, verdict->onset_seconds - verdict->onset_low);
    ph_buf_text(out, ph_diff_time(report, verdict->onset_seconds).text);
    if (half > 0)
        ph_buf_printf(out, " ±%s", ph_diff_span(report, half).text);
}

double ph_diff_html_half(const struct ph_verdict *verdict)
{
    return fmax(verdict->change - verdict->low, verdict->high - verdict->change);
}

size_t ph_diff_html_rows(const struct ph_growth_report *report)
{
    size_t rows = MOST_VALUES / (report->profile_count + 1);
    rows = rows > MOST_ROWS ? MOST_ROWS : rows < LEAST_ROWS ? LEAST_ROWS : rows;
    return rows < report->site_count ? rows : report->site_count;
}
