#include "tools/duration.h"

#include "base/clock.h"
#include "base/scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Largest first. */
static const struct {
    const char *name;
    int64_t ns;
} units[] = {
    {"d", 24 * 3600 * PH_NS_PER_S}, {"h", 3600 * PH_NS_PER_S}, {"m", 60 * PH_NS_PER_S}, {"s", PH_NS_PER_S},
    {"ms", PH_NS_PER_MS},
};

#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

/* The factor of the unit that stands next; 0 for none. The last row is tried first: "ms" begins with "m". */
static int64_t scan_unit(struct ph_scan *scan)
{
    for (size_t i = UNIT_COUNT; i-- > 0;)
        if (ph_scan_text(scan, units[i].name))
            return units[i].ns;
    return 0;
}

int ph_parse_duration(const char *text, int64_t *ret_ns)
{
    struct ph_scan scan = ph_scan_over(text, strlen(text));
    int64_t total_ns = 0, last_unit_ns = INT64_MAX;
    do {
        uint64_t number;
        const char *digits = scan.next;
        if (!ph_scan_decimal(&scan, &number))
            return scan.next < scan.end && *digits >= '0' && *digits <= '9' ? -ERANGE : -EINVAL;
        int64_t unit_ns = scan_unit(&scan);
        if (unit_ns == 0 || unit_ns >= last_unit_ns)
            return -EINVAL;
        if (number > (uint64_t)((PH_DURATION_MAX_NS - total_ns) / unit_ns))
            return -ERANGE;
        total_ns += (int64_t)number * unit_ns;
        last_unit_ns = unit_ns;
    } while (!ph_scan_done(&scan));
    *ret_ns = total_ns;
    return 0;
}

struct ph_duration_text ph_duration_text(int64_t ns)
{
    struct ph_duration_text out = {"0s"};
    size_t length = 0;
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        int64_t unit_ns = units[i].ns, number = ns / unit_ns;
        if (number > 0)
            length += (size_t)snprintf(out.text + length, sizeof(out.text) - length, "%" PRId64 "%s", number,
                                       units[i].name);
        ns -= number * unit_ns;
    }
    return out;
}
