#include "tools/origin.h"

#include "base/clock.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ROUTE          "/debug/processes"
#define DELETED        " (deleted)" /* proc(5), /proc/pid/maps: the file was replaced, as by an upgrade */
#define START_SLACK_NS (2 * PH_NS_PER_S)

/* Of a text that is too long the end: that is where paths differ. */
static void copy_end(char ret_text[PH_ORIGIN_TEXT_MAX], const char *text, size_t length)
{
    if (length > PH_ORIGIN_TEXT_MAX - 1) {
        text += length - (PH_ORIGIN_TEXT_MAX - 1);
        length = PH_ORIGIN_TEXT_MAX - 1;
    }
    memcpy(ret_text, text, length);
    ret_text[length] = '\0';
}

void ph_origin_of_profile(const struct ph_profile *profile, struct ph_origin *origin)
{
    if (profile->mapping_count == 0)
        return;
    const struct ph_mapping *main_mapping = &profile->mappings[0]; /* by convention of profile.proto */
    const char *file = ph_profile_text(profile, main_mapping->file);
    const char *build_id = ph_profile_text(profile, main_mapping->build_id);
    size_t length = strlen(file), tail = strlen(DELETED);
    if (length > tail && strcmp(file + length - tail, DELETED) == 0)
        length -= tail;
    copy_end(origin->program, file, length);
    copy_end(origin->build_id, build_id, strlen(build_id));
    origin->base_address = main_mapping->start;
}

static struct ph_origin_process parse_process(json_t *row, int64_t now_ns)
{
    json_t *uptime = json_object_get(row, "uptime_seconds");
    double uptime_seconds = json_number_value(uptime);
    bool is_sane = json_is_number(uptime) && uptime_seconds >= 0 && uptime_seconds < (double)now_ns / PH_NS_PER_S;
    return (struct ph_origin_process){
        .pid = json_integer_value(json_object_get(row, "pid")),
        .start_ns = is_sane ? now_ns - (int64_t)(uptime_seconds * PH_NS_PER_S) : 0,
    };
}

/* One whose start is unknown comes last. */
static bool is_older(const struct ph_origin_process *a, const struct ph_origin_process *b)
{
    return a->start_ns && (!b->start_ns || a->start_ns < b->start_ns);
}

static void add_process(struct ph_origin *origin, struct ph_origin_process process)
{
    uint32_t at = origin->family_count;
    if (at == PH_ORIGIN_PROCESSES_MAX && !is_older(&process, &origin->family[--at]))
        return;
    for (; at && is_older(&process, &origin->family[at - 1]); at--)
        origin->family[at] = origin->family[at - 1];
    origin->family[at] = process;
    origin->family_count += origin->family_count < PH_ORIGIN_PROCESSES_MAX;
}

/* The row of process @pid; NULL if there is none. */
static json_t *find_row(json_t *rows, int64_t pid)
{
    json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        if (json_integer_value(json_object_get(row, "pid")) == pid)
            return row;
    }
    return NULL;
}

static void take_family(json_t *rows, int64_t now_ns, struct ph_origin *origin)
{
    json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        struct ph_origin_process process = parse_process(row, now_ns);
        if (process.pid > 0)
            add_process(origin, process);
    }
}

void ph_origin_parse(const char *json, size_t size_bytes, int64_t pid, int64_t now_ns, struct ph_origin *origin)
{
    json_t *answer = json_loadb(json ? json : "", size_bytes, 0, NULL);
    json_t *rows = json_object_get(answer, "processes");
    json_t *asked = pid ? find_row(rows, pid) : NULL;
    const char *role = json_string_value(json_object_get(asked, "role"));
    struct ph_origin_process process = {0};
    origin->family_count = 0;
    origin->is_member = role && strcmp(role, "member") == 0;
    if (!pid || (asked && !origin->is_member))
        take_family(rows, now_ns, origin);
    if (asked)
        process = parse_process(asked, now_ns);
    else if (!pid && origin->family_count)
        process = origin->family[0];
    origin->pid = process.pid;
    origin->start_ns = process.start_ns;
    json_decref(answer);
}

/* A URL that names a profile's route is asked for that alone: what else there is under it is anybody's guess. */
static bool names_route(const struct ph_target *target)
{
    struct ph_buf url = PH_BUF_INIT;
    bool does = ph_target_url(target, ROUTE, "", &url) < 0 || !strstr(url.data, ROUTE);
    ph_buf_fini(&url);
    return does;
}

void ph_origin_ask(const struct ph_target *target, const struct ph_source_options *options,
                   struct ph_origin *origin)
{
    struct ph_source_options ask = *options;
    struct ph_buf answer = PH_BUF_INIT;
    origin->pid = origin->start_ns = 0;
    origin->family_count = 0;
    origin->is_member = false;
    ask.route = ROUTE;
    ask.query = "format=json";
    if (names_route(target) || ph_source_fetch(target, &ask, &answer, NULL) < 0)
        return;
    ph_origin_parse(answer.data, answer.size_bytes, target->kind == PH_TARGET_PID ? target->pid : 0,
                    ph_clock_realtime_ns(), origin);
    ph_buf_fini(&answer);
}

const char *ph_origin_name(const struct ph_origin *origin)
{
    const char *slash = strrchr(origin->program, '/');
    const char *name = slash ? slash + 1 : origin->program;
    return *name ? name : "?";
}

static bool differ(int64_t before, int64_t now, int64_t slack)
{
    return before && now && llabs(now - before) > slack;
}

static bool has_process(const struct ph_origin *origin, const struct ph_origin_process *process)
{
    struct ph_origin_process only = {origin->pid, origin->start_ns};
    const struct ph_origin_process *known = origin->family_count ? origin->family : &only;
    for (uint32_t i = 0; i < origin->family_count || i == 0; i++)
        if (known[i].pid == process->pid && !differ(known[i].start_ns, process->start_ns, START_SLACK_NS))
            return true;
    return false;
}

/* A family goes on as long as one process of it lives. */
static bool is_other_process(const struct ph_origin *before, const struct ph_origin *now)
{
    struct ph_origin_process only = {now->pid, now->start_ns};
    const struct ph_origin_process *known = now->family_count ? now->family : &only;
    if (!before->pid || !now->pid)
        return differ(before->start_ns, now->start_ns, START_SLACK_NS);
    for (uint32_t i = 0; i < now->family_count || i == 0; i++)
        if (has_process(before, &known[i]))
            return false;
    return true;
}

enum ph_origin_change ph_origin_compare(const struct ph_origin *before, const struct ph_origin *now)
{
    bool knows_build = before->build_id[0] && now->build_id[0];
    bool rebuilt = knows_build && strcmp(before->build_id, now->build_id) != 0;
    bool renamed =
        before->program[0] && now->program[0] && strcmp(ph_origin_name(before), ph_origin_name(now)) != 0;
    if (renamed && (rebuilt || !knows_build))
        return PH_ORIGIN_OTHER_PROGRAM;
    bool moved = before->base_address && now->base_address && before->base_address != now->base_address;
    return moved || rebuilt || is_other_process(before, now) ? PH_ORIGIN_RESTARTED : PH_ORIGIN_SAME;
}
