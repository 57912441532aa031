#include "model/expected.h"

#include <errno.h>

int ph_expected(const struct ph_scan *scan, const char *what, struct ph_error *error)
{
    struct ph_scan_place place = ph_scan_where(scan);
    const char *end = ph_scan_done(scan) ? ", but the text ends here" : "";
    return ph_error_set(error, -EINVAL, "line %zu, column %zu: expected %s%s", place.line, place.column, what, end);
}

int ph_expected_in(const struct ph_scan *text, const struct ph_scan *line, const char *what, struct ph_error *error)
{
    struct ph_scan at = {text->start, line->next, text->end};
    return ph_expected(&at, what, error);
}
