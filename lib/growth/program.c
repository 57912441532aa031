#include "growth/program.h"

#include "model/heap_types.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAPS_MAX 64 /* the main binary and its libraries; plugins behind them come and go within one process */

static bool is_file(const char *path)
{
    return *path && *path != '[' && strncmp(path, "//", 2) != 0; /* "[vdso]", "//anon" */
}

/* Without folders, and without the " (deleted)" of a binary that was replaced. */
static const char *copy_name(struct ph_arena *memory, const char *path)
{
    static const char deleted[] = " (deleted)";
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t length = strlen(name), tail = sizeof(deleted) - 1;
    if (length > tail && strcmp(name + length - tail, deleted) == 0)
        length -= tail;
    return ph_arena_copy(memory, name, length);
}

static int copy_map(const struct ph_profile *profile, const struct ph_mapping *mapping, struct ph_arena *memory,
                    struct ph_program_map *map)
{
    const char *build_id = ph_profile_text(profile, mapping->build_id);
    map->name = copy_name(memory, ph_profile_text(profile, mapping->file));
    map->build_id = ph_arena_copy(memory, build_id, strlen(build_id));
    map->start = mapping->start;
    map->offset = mapping->offset;
    return map->name && map->build_id ? 0 : -ENOMEM;
}

static int by_start(const void *a, const void *b)
{
    const struct ph_program_process *x = a, *y = b;
    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? -1 : 1;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

static void sort_once(struct ph_program *program)
{
    struct ph_program_process *processes = program->processes;
    uint32_t kept = 0;
    qsort(processes, program->process_count, sizeof(*processes), by_start);
    for (uint32_t i = 0; i < program->process_count; i++)
        if (kept == 0 || by_start(&processes[kept - 1], &processes[i]) != 0)
            processes[kept++] = processes[i];
    program->process_count = kept;
}

static int find_processes(const struct ph_profile *profile, struct ph_arena *memory, struct ph_program *program)
{
    struct ph_program_process process;
    program->processes = ph_arena_alloc(memory, profile->comment_count * sizeof(process));
    if (!program->processes)
        return -ENOMEM;
    for (uint32_t i = 0; i < profile->comment_count; i++) {
        const char *comment = ph_profile_text(profile, profile->comments[i]);
        if (ph_heap_process_parse(comment, &process.pid, &process.start_ns))
            program->processes[program->process_count++] = process;
        else
            program->silent_count += ph_heap_process_is_absent(comment);
    }
    if (program->process_count)
        sort_once(program);
    return 0;
}

int ph_program_describe(const struct ph_profile *profile, struct ph_arena *memory, struct ph_program *ret_program)
{
    struct ph_program program = {.name = "", .build_id = ""};
    uint32_t room = profile->mapping_count < MAPS_MAX ? profile->mapping_count : MAPS_MAX;
    program.maps = ph_arena_alloc(memory, room * sizeof(*program.maps));
    int status = program.maps ? find_processes(profile, memory, &program) : -ENOMEM;
    for (uint32_t i = 0; i < profile->mapping_count && program.map_count < room && status == 0; i++)
        if (is_file(ph_profile_text(profile, profile->mappings[i].file)))
            status = copy_map(profile, &profile->mappings[i], memory, &program.maps[program.map_count++]);
    if (status < 0)
        return status;
    if (program.map_count) {
        program.name = program.maps[0].name;
        program.build_id = program.maps[0].build_id;
    }
    *ret_program = program;
    return 0;
}

static bool differ(const char *a, const char *b)
{
    return *a && *b && strcmp(a, b) != 0;
}

static bool is_same_part(const struct ph_program_map *a, const struct ph_program_map *b)
{
    return a->offset == b->offset && strcmp(a->name, b->name) == 0 && !differ(a->build_id, b->build_id);
}

static const struct ph_program_map *find_part(const struct ph_program *program, const struct ph_program_map *part)
{
    for (uint32_t i = 0; i < program->map_count; i++)
        if (is_same_part(&program->maps[i], part))
            return &program->maps[i];
    return NULL;
}

/* More than half, as a plugin may be unloaded and loaded again, and a main binary without PIE never moves. */
static bool is_moved(const struct ph_program *before, const struct ph_program *after)
{
    uint32_t common = 0, moved = 0;
    for (uint32_t i = 0; i < after->map_count; i++) {
        const struct ph_program_map *part = find_part(before, &after->maps[i]);
        if (!part || part->start == 0 || after->maps[i].start == 0)
            continue;
        common++;
        moved += part->start != after->maps[i].start;
    }
    return moved * 2 > common;
}

static uint32_t count_common(const struct ph_program *before, const struct ph_program *after)
{
    uint32_t count = 0;
    for (uint32_t i = 0, j = 0; i < before->process_count && j < after->process_count;) {
        int order = by_start(&before->processes[i], &after->processes[j]);
        count += order == 0;
        i += order <= 0;
        j += order >= 0;
    }
    return count;
}

uint32_t ph_program_ended(const struct ph_program *before, const struct ph_program *after)
{
    return after->process_count ? before->process_count - count_common(before, after) : 0;
}

enum ph_program_change ph_program_compare(const struct ph_program *before, const struct ph_program *after)
{
    bool is_rebuilt = differ(before->build_id, after->build_id);
    bool is_known = *before->build_id && *after->build_id;
    if (differ(before->name, after->name) && (is_rebuilt || !is_known))
        return PH_PROGRAM_OTHER;
    if (is_rebuilt)
        return PH_PROGRAM_REBUILT;
    /* Workers come and go, and the first process may end before them: one that is still there is enough. */
    if (before->process_count && after->process_count)
        return count_common(before, after) ? PH_PROGRAM_SAME : PH_PROGRAM_MOVED;
    return is_moved(before, after) ? PH_PROGRAM_MOVED : PH_PROGRAM_SAME;
}
