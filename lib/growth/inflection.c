#include "growth/inflection.h"

#include "growth/heavy.h"
#include "growth/spine.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define CUT_SHARE_MAX  0.05
#define BITS_ALIKE     0.1
#define CHILDREN_SHOWN 5

struct side {
    struct ph_trie trie;
    struct ph_heavy *heavy;
    uint32_t heavy_count;
    uint32_t spine;     /* node */
    double bits;        /* how much its places say of where growth is in the heap */
    double spine_share; /* of the heap, that the spine's end holds */
};

/* ---- which side ---- */

static double share_of_heap(const struct ph_trie *trie, double now)
{
    double heap = trie->nodes[0].sums.now;
    return heap > 0 ? now / heap : 1;
}

/* What a place tells: of the stacks in it that no deeper place holds. */
static double bits_of(const struct ph_trie *trie, const struct ph_trie_sums *own)
{
    double growth_share = own->weight / trie->nodes[0].sums.weight;
    double heap_share = share_of_heap(trie, own->now);
    return growth_share > 0 && heap_share > 0 ? growth_share * log2(growth_share / heap_share) : 0;
}

static int measure_bits(struct side *side, uint32_t stack_count)
{
    const struct ph_trie *trie = &side->trie;
    bool *is_told = calloc((size_t)stack_count + 1, sizeof(*is_told));
    if (!is_told)
        return -ENOMEM;
    for (uint32_t i = 0; i < side->heavy_count; i++) { /* the deeper ones first */
        const struct ph_trie_node *node = &trie->nodes[side->heavy[i].node];
        struct ph_trie_sums own = {0};
        for (uint32_t at = node->first; at < node->first + node->stack_count; at++) {
            const struct ph_trie_stack *stack = &trie->stacks[trie->order[at]];
            own.weight += is_told[trie->order[at]] ? 0 : stack->weight;
            own.now += is_told[trie->order[at]] ? 0 : fmax(0, stack->now);
            is_told[trie->order[at]] = true;
        }
        side->bits += bits_of(trie, &own);
    }
    free(is_told);
    return 0;
}

static int look_from(struct side *side, enum ph_growth_side from, const struct ph_paths *paths,
                     uint32_t frame_count)
{
    *side = (struct side){0};
    int status =
        ph_trie_init(&side->trie, from, paths->stacks, paths->count, frame_count, PH_HEAVY_SHARE * paths->growth);
    if (status == 0)
        status = ph_heavy_find(&side->trie, paths->growth, &side->heavy, &side->heavy_count);
    if (status < 0)
        return status;
    side->spine = ph_spine_stop(&side->trie);
    side->spine_share = share_of_heap(&side->trie, side->trie.nodes[side->spine].sums.now);
    return measure_bits(side, paths->count);
}

static void leave(struct side *side)
{
    ph_trie_fini(&side->trie);
    free(side->heavy);
}

static bool is_allocator_better(const struct side *caller, const struct side *allocator, double cut_share)
{
    if (cut_share > CUT_SHARE_MAX)
        return true;
    if (fabs(caller->bits - allocator->bits) > BITS_ALIKE)
        return allocator->bits > caller->bits;
    return allocator->spine_share < caller->spine_share;
}

/* ---- the places of one side ---- */

struct writer {
    struct side *side;
    struct ph_arena *memory;
    struct ph_growth_inflection *places;
    size_t count;
};

static int by_growth(const void *a, const void *b)
{
    const struct ph_trie_branch *x = a, *y = b;
    if (x->sums.change != y->sums.change)
        return x->sums.change < y->sums.change ? 1 : -1;
    return x->frame < y->frame ? -1 : 1;
}

static int write_children(struct writer *writer, uint32_t node, struct ph_growth_inflection *place)
{
    struct ph_trie *trie = &writer->side->trie;
    int status = ph_trie_branch(trie, node);
    if (status < 0)
        return status;
    uint32_t *children = ph_arena_alloc(writer->memory, CHILDREN_SHOWN * sizeof(*children));
    double *growth = ph_arena_alloc(writer->memory, CHILDREN_SHOWN * sizeof(*growth));
    if (!children || !growth)
        return -ENOMEM;
    if (trie->branch_count)
        qsort(trie->branches, trie->branch_count, sizeof(*trie->branches), by_growth);
    for (uint32_t i = 0; i < trie->branch_count && trie->branches[i].sums.change > 0; i++) {
        place->fan_out++;
        if (place->child_count == CHILDREN_SHOWN)
            continue;
        children[place->child_count] = trie->branches[i].frame;
        growth[place->child_count++] = trie->branches[i].sums.change;
    }
    place->children = children;
    place->child_growth = growth;
    return 0;
}

static int write_path(struct writer *writer, uint32_t node, struct ph_growth_inflection *place)
{
    const struct ph_trie *trie = &writer->side->trie;
    const struct ph_trie_node *from = &trie->nodes[node];
    bool is_near = trie->side == PH_SIDE_ALLOCATOR;
    uint32_t depth = is_near ? (from->near_depth ? from->near_depth : 1) : from->depth;
    uint32_t *frames = ph_arena_alloc(writer->memory, depth * sizeof(*frames));
    if (!frames)
        return -ENOMEM;
    for (uint32_t i = 0; i < depth; i++)
        frames[i] = ph_trie_frame(trie, node, i);
    place->frames = frames;
    place->frame_count = depth;
    return 0;
}

static int write_place(struct writer *writer, const struct ph_heavy *heavy, bool is_spine)
{
    struct ph_growth_inflection place = {
        .side = writer->side->trie.side,
        .is_spine = is_spine,
        .growth = heavy->change,
        .share = heavy->change / writer->side->trie.nodes[0].sums.weight,
        .z = heavy->variance > 0 ? heavy->change / sqrt(heavy->variance) : INFINITY,
    };
    int status = write_path(writer, heavy->node, &place);
    if (status == 0)
        status = write_children(writer, heavy->node, &place);
    if (status == 0)
        writer->places[writer->count++] = place;
    return status;
}

/* The whole of what grew below the spine's end, as it is there to say where to look first. */
static int write_spine(struct writer *writer)
{
    const struct ph_trie_node *node = &writer->side->trie.nodes[writer->side->spine];
    struct ph_heavy whole = {writer->side->spine, node->sums.change, node->sums.variance};
    bool is_clear = node->depth && whole.change > 0 && whole.change >= PH_HEAVY_Z * sqrt(fmax(0, whole.variance));
    return is_clear ? write_place(writer, &whole, true) : 0;
}

static int by_place(const void *a, const void *b)
{
    const struct ph_growth_inflection *x = a, *y = b;
    if (x->is_spine != y->is_spine)
        return x->is_spine ? -1 : 1;
    if (x->growth != y->growth)
        return x->growth < y->growth ? 1 : -1;
    return x->frames[x->frame_count - 1] < y->frames[y->frame_count - 1] ? -1 : 1;
}

static int write_side(struct writer *writer)
{
    const struct side *side = writer->side;
    writer->places = ph_arena_alloc(writer->memory, (side->heavy_count + 1) * sizeof(*writer->places));
    if (!writer->places)
        return -ENOMEM;
    int status = write_spine(writer);
    bool has_spine = writer->count > 0;
    for (uint32_t i = 0; i < side->heavy_count && status == 0; i++)
        if (!has_spine || side->heavy[i].node != side->spine)
            status = write_place(writer, &side->heavy[i], false);
    if (status == 0 && writer->count)
        qsort(writer->places, writer->count, sizeof(*writer->places), by_place);
    return status;
}

int ph_inflections_find(const struct ph_paths *paths, uint32_t frame_count, struct ph_arena *memory,
                        struct ph_growth_inflection **ret_inflections, size_t *ret_count)
{
    struct side caller, allocator = {0};
    struct writer writer = {.memory = memory};
    if (!(paths->growth > 0)) {
        *ret_inflections = NULL;
        *ret_count = 0;
        return 0;
    }
    int status = look_from(&caller, PH_SIDE_CALLER, paths, frame_count);
    if (status == 0)
        status = look_from(&allocator, PH_SIDE_ALLOCATOR, paths, frame_count);
    if (status == 0) {
        writer.side = is_allocator_better(&caller, &allocator, paths->cut_share) ? &allocator : &caller;
        status = write_side(&writer);
    }
    leave(&caller);
    leave(&allocator);
    if (status < 0)
        return status;
    *ret_inflections = writer.places;
    *ret_count = writer.count;
    return 0;
}
