/* diff_json.h - a report of growth for programs. */
#ifndef PH_TOOLS_DIFF_JSON_H
#define PH_TOOLS_DIFF_JSON_H

#include "base/buf.h"
#include "growth/report.h"

/**
 * ph_diff_json_write() - append the report as one JSON object and a line end. Its schema: doc/diff.schema.json.
 *
 * What is not known is null, and so is what is no finite number. Of sites whose change is noise 100 are listed, of the
 * others all. 0 or -ENOMEM. One thread at a time.
 */
int ph_diff_json_write(const struct ph_growth_report *report, struct ph_buf *out);

#endif
