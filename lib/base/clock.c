#include "base/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t clock)
{
    struct timespec now = {0, 0};
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * PH_NS_PER_S + now.tv_nsec;
}

int64_t ph_clock_monotonic_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t ph_clock_realtime_ns(void)
{
    return read_ns(CLOCK_REALTIME);
}
