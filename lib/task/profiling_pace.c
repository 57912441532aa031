#include "task/profiling_pace.h"

#include "base/clock.h"

#include <errno.h>
#include <time.h>

#define SCAN_COSTS 20 /* 5 % of a processor at most */
#define CANCEL_NS  (50 * PH_NS_PER_MS)

void ph_pace_begin(struct ph_pace *pace, const struct ph_profiling *wish)
{
    int64_t now_ns = ph_clock_monotonic_ns();
    *pace = (struct ph_pace){
        .wish = wish,
        .begin_ns = now_ns,
        .until_ns = now_ns + (int64_t)wish->seconds * PH_NS_PER_S,
    };
}

int ph_pace_check(struct ph_pace *pace, int64_t now_ns, struct ph_error *error)
{
    if (!pace->wish->is_cancelled || now_ns < pace->next_cancel_ns)
        return 0;
    pace->next_cancel_ns = now_ns + CANCEL_NS;
    if (!pace->wish->is_cancelled(pace->wish->context))
        return 0;
    return ph_error_set(error, -ECANCELED, "the profile was cancelled");
}

void ph_pace_scanned(struct ph_pace *pace, int64_t from_ns, int64_t interval_ns)
{
    int64_t now_ns = ph_clock_monotonic_ns();
    int64_t costs_ns = (now_ns - from_ns) * SCAN_COSTS;
    pace->next_scan_ns = now_ns + (costs_ns > interval_ns ? costs_ns : interval_ns);
}

void ph_pace_sleep(const struct ph_pace *pace, int64_t until_ns)
{
    int64_t end_ns = until_ns < pace->until_ns ? until_ns : pace->until_ns;
    struct timespec until = {.tv_sec = end_ns / PH_NS_PER_S, .tv_nsec = end_ns % PH_NS_PER_S};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}
