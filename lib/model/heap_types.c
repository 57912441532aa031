#include "model/heap_types.h"

#include "base/scan.h"

#include <string.h>

static const struct {
    const char *type, *unit;
} rows[PH_HEAP_TYPE_COUNT] = {
    [PH_HEAP_ALLOC_OBJECTS] = {"alloc_objects", "count"},
    [PH_HEAP_ALLOC_SPACE] = {"alloc_space", "bytes"},
    [PH_HEAP_INUSE_OBJECTS] = {"inuse_objects", "count"},
    [PH_HEAP_INUSE_SPACE] = {"inuse_space", "bytes"},
};

void ph_heap_types_set(struct ph_profile *profile, int64_t rate_bytes)
{
    if (!ph_heap_types_has(profile)) {
        profile->type_count = 0;
        for (int i = 0; i < PH_HEAP_TYPE_COUNT; i++)
            ph_profile_add_type(profile, rows[i].type, rows[i].unit);
    }
    profile->period_type.type = ph_profile_string(profile, "space");
    profile->period_type.unit = ph_profile_string(profile, "bytes");
    profile->period = rate_bytes;
    profile->default_type = ph_profile_string(profile, rows[PH_HEAP_INUSE_SPACE].type);
}

static bool is_type(const struct ph_profile *profile, int type)
{
    const struct ph_value_type *has = &profile->types[type];
    return strcmp(ph_profile_text(profile, has->type), rows[type].type) == 0 &&
           strcmp(ph_profile_text(profile, has->unit), rows[type].unit) == 0;
}

bool ph_heap_types_has(const struct ph_profile *profile)
{
    for (int i = 0; i < PH_HEAP_TYPE_COUNT; i++)
        if (profile->type_count != PH_HEAP_TYPE_COUNT || !is_type(profile, i))
            return false;
    return true;
}

bool ph_heap_process_parse(const char *comment, int64_t *ret_pid, int64_t *ret_start_ns)
{
    struct ph_scan scan = ph_scan_over(comment, strlen(comment));
    uint64_t pid, start_ns;
    if (!ph_scan_text(&scan, PH_HEAP_PROCESS_COMMENT) || !ph_scan_decimal(&scan, &pid) ||
        !ph_scan_text(&scan, ", started ") || !ph_scan_decimal(&scan, &start_ns) || !ph_scan_done(&scan) ||
        pid > INT64_MAX || start_ns > INT64_MAX)
        return false;
    *ret_pid = (int64_t)pid;
    *ret_start_ns = (int64_t)start_ns;
    return true;
}

bool ph_heap_process_is_absent(const char *comment)
{
    int64_t pid, start_ns;
    return strncmp(comment, PH_HEAP_PROCESS_COMMENT, strlen(PH_HEAP_PROCESS_COMMENT)) == 0 &&
           !ph_heap_process_parse(comment, &pid, &start_ns) && !strstr(comment, ") has ended");
}
