/*
 * No trie is made: the stacks are sorted, so that those with a common beginning are neighbours, and the tree is read off
 * ranges of them. A range that is too small is dropped before anything below it is looked at.
 */
#include "tools/diff_html_tree.h"

#include "model/grow.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define LEAST_SHARE 0.0005
#define MOST_NODES  20000
#define MOST_LEVELS 250

struct range { /* stacks that begin alike */
    uint32_t first, count;
    struct ph_tree_node sum;
};

struct builder {
    const struct ph_growth_report *report;
    enum ph_growth_side side;
    uint32_t *order; /* sites, sorted by their frames */
    struct range *todo;
    uint32_t todo_count;
    double least_now, least_growth, least_loss;
    struct ph_tree tree;
    uint32_t node_count; /* of tree.nodes, as ph_grow() counts */
};

static const struct ph_growth_site *site_at(const struct builder *builder, uint32_t place)
{
    return &builder->report->sites[builder->order[place]];
}

static uint32_t frame_at(const struct ph_growth_site *site, enum ph_growth_side side, uint32_t level)
{
    return site->frames[side == PH_SIDE_ALLOCATOR ? level : site->frame_count - 1 - level];
}

static int compare_sites(const void *a, const void *b, void *context)
{
    const struct builder *builder = context;
    const struct ph_growth_site *left = &builder->report->sites[*(const uint32_t *)a];
    const struct ph_growth_site *right = &builder->report->sites[*(const uint32_t *)b];
    for (uint32_t level = 0; level < MOST_LEVELS; level++) {
        if (level >= left->frame_count || level >= right->frame_count)
            return (level < left->frame_count) - (level < right->frame_count);
        uint32_t x = frame_at(left, builder->side, level), y = frame_at(right, builder->side, level);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

static void add_site(struct ph_tree_node *sum, const struct ph_growth_site *site)
{
    if (!isfinite(site->now) || !isfinite(site->verdict.change))
        return;
    sum->now += fmax(0, site->now);
    sum->change += site->verdict.change;
    sum->growth += fmax(0, site->verdict.change);
}

static bool is_worth(const struct builder *builder, const struct ph_tree_node *sum)
{
    double loss = sum->growth - sum->change;
    return (sum->now > 0 && sum->now >= builder->least_now) ||
           (sum->growth > 0 && sum->growth >= builder->least_growth) || (loss > 0 && loss >= builder->least_loss);
}

/* The smallest first: what is last is taken up next. */
static int compare_ranges(const void *a, const void *b)
{
    const struct ph_tree_node *left = &((const struct range *)a)->sum, *right = &((const struct range *)b)->sum;
    if (left->growth < right->growth || left->growth > right->growth)
        return left->growth < right->growth ? -1 : 1;
    if (left->now < right->now || left->now > right->now)
        return left->now < right->now ? -1 : 1;
    return (left->frame < right->frame) - (left->frame > right->frame);
}

/* The next range of stacks from @place on, up to @end, with the same frame at @level. */
static struct range take_range(const struct builder *builder, uint32_t place, uint32_t end, uint32_t level)
{
    struct range range = {place, 0, {frame_at(site_at(builder, place), builder->side, level), level + 1, 0, 0, 0}};
    for (; place < end; place++, range.count++) {
        const struct ph_growth_site *site = site_at(builder, place);
        if (frame_at(site, builder->side, level) != range.sum.frame)
            break;
        add_site(&range.sum, site);
    }
    return range;
}

static int push_children(struct builder *builder, const struct range *parent)
{
    uint32_t level = parent->sum.depth, before = builder->todo_count;
    uint32_t place = parent->first, end = parent->first + parent->count;
    while (place < end && site_at(builder, place)->frame_count <= level)
        place++; /* stacks that end here sort first */
    if (level >= MOST_LEVELS) {
        builder->tree.deep_count += end - place;
        return 0;
    }
    while (place < end) {
        struct range child = take_range(builder, place, end, level);
        place += child.count;
        if (!is_worth(builder, &child.sum)) {
            builder->tree.cut_count++;
            continue;
        }
        if (ph_grow(&builder->todo, sizeof(*builder->todo), builder->todo_count, 1) < 0)
            return -ENOMEM;
        builder->todo[builder->todo_count++] = child;
    }
    if (builder->todo_count > before)
        qsort(builder->todo + before, builder->todo_count - before, sizeof(*builder->todo), compare_ranges);
    return 0;
}

static int add_node(struct builder *builder, const struct ph_tree_node *node)
{
    if (ph_grow(&builder->tree.nodes, sizeof(*node), builder->node_count, 1) < 0)
        return -ENOMEM;
    builder->tree.nodes[builder->node_count++] = *node;
    builder->tree.node_count = builder->node_count;
    return 0;
}

static struct range all_stacks(const struct ph_growth_report *report)
{
    struct range all = {0, (uint32_t)report->site_count, {PH_TREE_ROOT, 0, 0, 0, 0}};
    for (size_t i = 0; i < report->site_count; i++)
        add_site(&all.sum, &report->sites[i]);
    return all;
}

/* One attempt: with more than MOST_NODES nodes it ends early, to be repeated with a larger share. */
static int build_with(struct builder *builder, double share)
{
    struct range range = all_stacks(builder->report);
    builder->least_now = range.sum.now * share;
    builder->least_growth = range.sum.growth * share;
    builder->least_loss = (range.sum.growth - range.sum.change) * share;
    ph_tree_free(&builder->tree);
    builder->tree.cut_share = share;
    builder->node_count = builder->todo_count = 0;
    int status = 0;
    for (bool more = true; more && status == 0; more = builder->node_count <= MOST_NODES) {
        status = add_node(builder, &range.sum);
        if (status == 0)
            status = push_children(builder, &range);
        if (builder->todo_count == 0)
            break;
        range = builder->todo[--builder->todo_count];
    }
    return status;
}

int ph_tree_build(const struct ph_growth_report *report, enum ph_growth_side side, struct ph_tree *ret_tree)
{
    struct builder builder = {.report = report, .side = side};
    int status = 0;
    builder.order = calloc(report->site_count + 1, sizeof(*builder.order));
    if (!builder.order)
        return -ENOMEM;
    for (size_t i = 0; i < report->site_count; i++)
        builder.order[i] = (uint32_t)i;
    qsort_r(builder.order, report->site_count, sizeof(*builder.order), compare_sites, &builder);
    double share = LEAST_SHARE;
    do {
        status = build_with(&builder, share);
        share *= 2;
    } while (status == 0 && builder.node_count > MOST_NODES && share < 1);
    free(builder.order);
    free(builder.todo);
    if (status < 0)
        ph_tree_free(&builder.tree);
    else
        *ret_tree = builder.tree;
    return status;
}

void ph_tree_free(struct ph_tree *tree)
{
    free(tree->nodes);
    *tree = (struct ph_tree){0};
}
