#include "growth/paths.h"

#include "growth/recursion.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CLEAR_Z 2.0 /* a change of so many standard deviations counts by itself */

/* ---- weights ---- */

static bool is_clear(const struct ph_trie_stack *stack)
{
    return stack->change > 0 && stack->change >= CLEAR_Z * sqrt(fmax(0, stack->variance));
}

/*
 * In a large heap the ups of thousands of stacks that do nothing add up to more than a leak, though their downs cancel
 * them. So only clear growth is weighed, as long as it explains half of the net growth; else a leak may be hidden in
 * many stacks that are too small to be clear, and all that went up is weighed.
 */
static void set_weights(struct ph_paths *paths)
{
    double clear = 0, net = 0;
    for (uint32_t i = 0; i < paths->count; i++) {
        clear += is_clear(&paths->stacks[i]) ? paths->stacks[i].change : 0;
        net += paths->stacks[i].change;
    }
    bool only_clear = clear > 0 && clear >= net / 2;
    for (uint32_t i = 0; i < paths->count; i++) {
        struct ph_trie_stack *stack = &paths->stacks[i];
        stack->weight = !only_clear || is_clear(stack) ? fmax(0, stack->change) : 0;
        paths->growth += stack->weight;
    }
}

/* ---- cut stacks ---- */

static void find_cut(struct ph_paths *paths, const struct ph_sites *sites, const uint32_t *site_of, uint32_t *roots)
{
    double cut = 0;
    for (uint32_t i = 0; i < paths->count; i++) {
        const struct ph_trie_stack *stack = &paths->stacks[i];
        if (stack->frame_count && !sites->is_deep[site_of[i]])
            roots[stack->frames[stack->frame_count - 1]] = 1;
    }
    for (uint32_t i = 0; i < paths->count; i++) {
        const struct ph_trie_stack *stack = &paths->stacks[i];
        if (!stack->frame_count || !sites->is_deep[site_of[i]] || roots[stack->frames[stack->frame_count - 1]])
            continue;
        paths->cut_count++;
        cut += stack->weight;
    }
    paths->cut_share = paths->growth > 0 ? cut / paths->growth : 0;
}

/* ---- paths ---- */

static bool has_recursion(const uint32_t *frames, uint32_t count, uint32_t *places)
{
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        found |= places[frames[i]] != 0;
        places[frames[i]] = 1;
    }
    for (uint32_t i = 0; i < count; i++)
        places[frames[i]] = 0;
    return found;
}

static int add_path(struct ph_paths *paths, const uint32_t *frames, uint32_t count,
                    const struct ph_path_change *change, uint32_t *places)
{
    struct ph_trie_stack stack = {frames, count, change->change, 0, change->variance, change->now};
    if (has_recursion(frames, count, places)) {
        uint32_t *collapsed = ph_arena_alloc(&paths->memory, count * sizeof(*collapsed));
        if (!collapsed)
            return -ENOMEM;
        stack.frames = collapsed;
        stack.frame_count = ph_recursion_collapse(frames, count, places, collapsed);
    }
    paths->stacks[paths->count++] = stack;
    return 0;
}

static int add_paths(struct ph_paths *paths, const struct ph_sites *sites, const struct ph_path_change *changes,
                     uint32_t count, uint32_t *site_of, uint32_t *places)
{
    int status = 0;
    for (uint32_t site = 0; site < count && status == 0; site++) {
        uint32_t frame_count;
        const uint32_t *frames = ph_sites_stack(sites, site, &frame_count);
        if (changes[site].change == 0 && changes[site].now == 0)
            continue; /* it came and went between, or is of profiles that are left out */
        site_of[paths->count] = site;
        status = add_path(paths, frames, frame_count, &changes[site], places);
    }
    return status;
}

int ph_paths_init(struct ph_paths *paths, const struct ph_sites *sites, const struct ph_path_change *changes,
                  uint32_t count)
{
    *paths = (struct ph_paths){.memory = PH_ARENA_INIT};
    paths->stacks = calloc((size_t)count + 1, sizeof(*paths->stacks));
    uint32_t *site_of = calloc((size_t)count + 1, sizeof(*site_of));
    uint32_t *places = calloc((size_t)sites->known->location_count + 1, sizeof(*places));
    int status = paths->stacks && site_of && places ? 0 : -ENOMEM;
    if (status == 0)
        status = add_paths(paths, sites, changes, count, site_of, places);
    if (status == 0) {
        set_weights(paths);
        find_cut(paths, sites, site_of, places);
    }
    free(site_of);
    free(places);
    if (status < 0)
        ph_paths_fini(paths);
    return status;
}

void ph_paths_fini(struct ph_paths *paths)
{
    free(paths->stacks);
    ph_arena_fini(&paths->memory);
    *paths = (struct ph_paths){0};
}
