/* expected.h - the one form of a text parser's error. */
#ifndef PH_MODEL_EXPECTED_H
#define PH_MODEL_EXPECTED_H

#include "base/error.h"
#include "base/scan.h"

/** ph_expected() - "line 3, column 14: expected @what", and whether the text ends there. Returns -EINVAL. */
int ph_expected(const struct ph_scan *scan, const char *what, struct ph_error *error);

/** ph_expected_in() - the same for a cursor over one line of @text. */
int ph_expected_in(const struct ph_scan *text, const struct ph_scan *line, const char *what,
                   struct ph_error *error);

#endif
