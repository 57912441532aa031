#include "growth/trie.h"

#include "model/grow.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static uint32_t frame_at(const struct ph_trie *trie, uint32_t stack, uint32_t depth)
{
    const struct ph_trie_stack *from = &trie->stacks[stack];
    return from->frames[trie->side == PH_SIDE_ALLOCATOR ? depth : from->frame_count - 1 - depth];
}

uint32_t ph_trie_frame(const struct ph_trie *trie, uint32_t node, uint32_t depth)
{
    return frame_at(trie, trie->order[trie->nodes[node].first], depth);
}

static void add_stack(struct ph_trie_sums *sums, const struct ph_trie_stack *stack)
{
    sums->change += stack->change;
    sums->growth += fmax(0, stack->change);
    sums->weight += stack->weight;
    sums->variance += stack->variance;
    sums->now += fmax(0, stack->now);
}

/* ---- grouping: the stacks of a node by their next frame ---- */

static int find_branch(struct ph_trie *trie, uint32_t frame, struct ph_trie_branch **ret_branch)
{
    if (trie->branch_of[frame] == 0) {
        int status = ph_grow(&trie->branches, sizeof(*trie->branches), trie->branch_count, 1);
        if (status < 0)
            return status;
        trie->branches[trie->branch_count++] = (struct ph_trie_branch){.frame = frame};
        trie->branch_of[frame] = trie->branch_count;
    }
    *ret_branch = &trie->branches[trie->branch_of[frame] - 1];
    return 0;
}

static void forget_branches(struct ph_trie *trie)
{
    for (uint32_t i = 0; i < trie->branch_count; i++)
        trie->branch_of[trie->branches[i].frame] = 0;
}

/* Leaves branch_of filled. */
static int group(struct ph_trie *trie, const struct ph_trie_node *node)
{
    int status = 0;
    trie->branch_count = 0;
    for (uint32_t i = node->first; i < node->first + node->stack_count && status == 0; i++) {
        uint32_t stack = trie->order[i];
        struct ph_trie_branch *branch;
        if (trie->stacks[stack].frame_count == node->depth)
            continue; /* it ends here */
        status = find_branch(trie, frame_at(trie, stack, node->depth), &branch);
        if (status < 0)
            continue;
        branch->stack_count++;
        add_stack(&branch->sums, &trie->stacks[stack]);
    }
    if (status < 0)
        forget_branches(trie);
    return status;
}

int ph_trie_branch(struct ph_trie *trie, uint32_t node)
{
    int status = group(trie, &trie->nodes[node]);
    if (status == 0)
        forget_branches(trie);
    return status;
}

/* Put the stacks of each branch together, those that end at the node first: a counting sort. */
static void sort_by_branch(struct ph_trie *trie, const struct ph_trie_node *node, uint32_t *starts)
{
    uint32_t *order = trie->order + node->first, ended = 0, at = node->stack_count;
    for (uint32_t i = trie->branch_count; i-- > 0;)
        starts[i] = at -= trie->branches[i].stack_count;
    for (uint32_t i = 0; i < node->stack_count; i++) {
        if (trie->stacks[order[i]].frame_count == node->depth)
            trie->sorted[ended++] = order[i];
        else
            trie->sorted[starts[trie->branch_of[frame_at(trie, order[i], node->depth)] - 1]++] = order[i];
    }
    memcpy(order, trie->sorted, node->stack_count * sizeof(*order));
}

/* ---- nodes ---- */

/* All stacks of the node go on with one frame: it belongs to the node. */
static bool is_shared(const struct ph_trie *trie, const struct ph_trie_node *node, uint32_t depth)
{
    uint32_t first = trie->order[node->first];
    if (trie->stacks[first].frame_count == depth)
        return false;
    uint32_t frame = frame_at(trie, first, depth);
    for (uint32_t i = node->first + 1; i < node->first + node->stack_count; i++) {
        uint32_t stack = trie->order[i];
        if (trie->stacks[stack].frame_count == depth || frame_at(trie, stack, depth) != frame)
            return false;
    }
    return true;
}

static void go_on(const struct ph_trie *trie, struct ph_trie_node *node)
{
    if (node->stack_count == 1)
        node->depth = trie->stacks[trie->order[node->first]].frame_count;
    while (node->stack_count > 1 && is_shared(trie, node, node->depth))
        node->depth++;
}

static int add_node(struct ph_trie *trie, struct ph_trie_node node)
{
    int status = ph_grow(&trie->nodes, sizeof(*trie->nodes), trie->node_count, 1);
    if (status < 0)
        return status;
    if (node.stack_count)
        go_on(trie, &node);
    trie->nodes[trie->node_count++] = node;
    return 0;
}

static int add_heavy_branches(struct ph_trie *trie, uint32_t parent, const uint32_t *ends, double growth_min)
{
    int status = 0;
    for (uint32_t i = 0; i < trie->branch_count && status == 0; i++) {
        const struct ph_trie_branch *branch = &trie->branches[i];
        const struct ph_trie_node *above = &trie->nodes[parent];
        struct ph_trie_node node = {
            .parent = parent,
            .near_depth = above->depth + 1,
            .depth = above->depth + 1,
            .first = above->first + ends[i] - branch->stack_count,
            .stack_count = branch->stack_count,
            .sums = branch->sums,
        };
        if (branch->sums.growth >= growth_min && branch->sums.growth > 0)
            status = add_node(trie, node);
    }
    return status;
}

static int expand(struct ph_trie *trie, uint32_t number, double growth_min)
{
    int status = group(trie, &trie->nodes[number]);
    if (status < 0)
        return status;
    uint32_t *starts = calloc((size_t)trie->branch_count + 1, sizeof(*starts));
    if (starts)
        sort_by_branch(trie, &trie->nodes[number], starts); /* which makes ends of them */
    forget_branches(trie);
    status = starts ? add_heavy_branches(trie, number, starts, growth_min) : -ENOMEM;
    free(starts);
    return status;
}

static int build(struct ph_trie *trie, uint32_t count, double growth_min)
{
    struct ph_trie_node root = {.stack_count = count};
    for (uint32_t i = 0; i < count; i++) {
        trie->order[i] = i;
        add_stack(&root.sums, &trie->stacks[i]);
    }
    int status = add_node(trie, root);
    for (uint32_t i = 0; i < trie->node_count && status == 0; i++) /* grows as it goes */
        status = expand(trie, i, growth_min);
    return status;
}

int ph_trie_init(struct ph_trie *trie, enum ph_growth_side side, const struct ph_trie_stack *stacks, uint32_t count,
                 uint32_t frame_count, double growth_min)
{
    *trie = (struct ph_trie){.side = side, .stacks = stacks};
    trie->order = calloc((size_t)count + 1, sizeof(*trie->order));
    trie->sorted = calloc((size_t)count + 1, sizeof(*trie->sorted));
    trie->branch_of = calloc((size_t)frame_count + 1, sizeof(*trie->branch_of));
    int status = trie->order && trie->sorted && trie->branch_of ? build(trie, count, growth_min) : -ENOMEM;
    if (status < 0)
        ph_trie_fini(trie);
    return status;
}

void ph_trie_fini(struct ph_trie *trie)
{
    free(trie->order);
    free(trie->sorted);
    free(trie->nodes);
    free(trie->branches);
    free(trie->branch_of);
    *trie = (struct ph_trie){0};
}
