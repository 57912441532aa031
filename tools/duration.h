/* duration.h - spans of time as people write them in options. Any thread. */
#ifndef PH_TOOLS_DURATION_H
#define PH_TOOLS_DURATION_H

#include <stdint.h>

#define PH_DURATION_MAX_NS (INT64_C(366) * 24 * 3600 * 1000000000)

/**
 * ph_parse_duration() - "10s", "2m", "1h", "500ms", "1d", "1h30m": whole numbers, each with its unit, largest first.
 * 0; -EINVAL for anything else, a number without unit too; -ERANGE beyond a year (PH_DURATION_MAX_NS).
 */
int ph_parse_duration(const char *text, int64_t *ret_ns);

/* Returned by value, so that ph_duration_text(n).text can stand in an argument list. */
struct ph_duration_text {
    char text[64];
};

/** ph_duration_text() - the way back, for durations of whole milliseconds: "1h30m", "0s". */
struct ph_duration_text ph_duration_text(int64_t ns);

#endif
