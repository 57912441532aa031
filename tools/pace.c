#include "tools/pace.h"

struct ph_pace ph_pace_start(int64_t now_ns, int64_t every_ns)
{
    return (struct ph_pace){.every_ns = every_ns, .due_ns = now_ns};
}

int64_t ph_pace_advance(struct ph_pace *pace, int64_t now_ns)
{
    pace->due_ns += pace->every_ns;
    if (pace->due_ns >= now_ns)
        return 0;
    int64_t missed_count = (now_ns - pace->due_ns + pace->every_ns - 1) / pace->every_ns;
    pace->due_ns += missed_count * pace->every_ns;
    return missed_count;
}
