#include "tools/flame_tree.h"

#include "model/grow.h"
#include "model/intern.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct key {
    uint32_t parent, name;
};

static bool is_node(const void *owner, uint32_t number, const void *key)
{
    const struct ph_flame_node *node = &((const struct ph_flame_tree *)owner)->nodes[number];
    const struct key *wanted = key;
    return node->parent == wanted->parent && node->name == wanted->name;
}

static int add_node(struct ph_flame_tree *tree, const struct key *key, uint64_t hash, uint32_t *ret_node)
{
    int status = ph_grow(&tree->nodes, sizeof(*tree->nodes), tree->node_count, 1);
    if (status == 0)
        status = ph_index_add(&tree->index, hash, tree->node_count);
    if (status < 0)
        return status;
    struct ph_flame_node *parent = &tree->nodes[key->parent];
    uint32_t depth = tree->node_count ? parent->depth + 1 : 0;
    tree->nodes[tree->node_count] =
        (struct ph_flame_node){.name = key->name, .parent = key->parent, .depth = depth};
    if (tree->node_count) {
        tree->nodes[tree->node_count].next = parent->first_child;
        parent->first_child = tree->node_count;
    }
    tree->depth = depth > tree->depth ? depth : tree->depth;
    *ret_node = tree->node_count++;
    return 0;
}

static int find_node(struct ph_flame_tree *tree, uint32_t parent, uint32_t name, uint32_t *ret_node)
{
    struct key key = {parent, name};
    uint64_t hash = ph_hash_u64((uint64_t)parent << 32 | name);
    uint32_t found = ph_index_find(&tree->index, hash, is_node, tree, &key);
    if (found == PH_INDEX_NONE)
        return add_node(tree, &key, hash, ret_node);
    *ret_node = found;
    return 0;
}

/* "server+0x1a2b", as folded stacks have it. */
static uint32_t name_place(struct ph_profile *profile, const struct ph_location *location)
{
    char text[512];
    uint64_t address = location->address;
    const char *file = "";
    if (location->mapping) {
        const struct ph_mapping *mapping = &profile->mappings[location->mapping - 1];
        file = ph_profile_text(profile, mapping->file);
        file = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
        address = address - mapping->start + mapping->offset;
    }
    snprintf(text, sizeof(text), "%.400s%s0x%" PRIx64, file, location->mapping ? "+" : "", address);
    return ph_profile_string(profile, text);
}

static uint32_t name_line(struct ph_profile *profile, const struct ph_location *location, uint32_t line)
{
    uint32_t function = profile->lines[location->first_line + line].function;
    const char *name = ph_profile_text(profile, profile->functions[function - 1].name);
    return *name ? profile->functions[function - 1].name : name_place(profile, location);
}

/* What one sample adds to each of its frames. */
struct amount {
    double value;
    int64_t sample_count;
};

static void add_amount(struct ph_flame_node *node, const struct amount *amount)
{
    node->value += amount->value;
    node->sample_count = ph_add_saturating(node->sample_count, amount->sample_count);
}

/* Down from @node, through the calls that were inlined there. */
static int descend(struct ph_flame_tree *tree, uint32_t number, const struct amount *amount, uint32_t *node)
{
    struct ph_location location = *ph_profile_location(tree->profile, number);
    int status = 0;
    for (uint32_t left = location.line_count ? location.line_count : 1; left > 0 && status == 0; left--) {
        if (tree->nodes[*node].depth == PH_FLAME_DEPTH_MAX) {
            tree->is_cut = true;
            return 0;
        }
        uint32_t name = location.line_count ? name_line(tree->profile, &location, left - 1)
                                            : name_place(tree->profile, &location);
        status = find_node(tree, *node, name, node);
        if (status == 0)
            add_amount(&tree->nodes[*node], amount);
    }
    return status;
}

static int add_sample(struct ph_flame_tree *tree, const struct ph_sample *sample, const struct amount *amount)
{
    uint32_t node = 0;
    int status = 0;
    add_amount(&tree->nodes[0], amount);
    for (uint32_t left = sample->frame_count; left > 0 && status == 0; left--)
        status = descend(tree, tree->profile->frames[sample->first_frame + left - 1], amount, &node);
    return status;
}

static int add_samples(struct ph_flame_tree *tree, uint32_t type)
{
    int status = 0, count_type = ph_profile_find_type(tree->profile, "samples");
    for (uint32_t i = 0; i < tree->profile->sample_count && status == 0; i++) {
        const int64_t *values = ph_profile_values(tree->profile, i);
        int64_t value = values[type], count = count_type < 0 ? 0 : values[count_type];
        struct amount amount = {(double)value, count > 0 ? count : 0};
        tree->negative_count += value < 0;
        if (value > 0)
            status = add_sample(tree, &tree->profile->samples[i], &amount);
    }
    return status;
}

/* ---- children by name, as the reader expects the same function at the same place in the next graph ---- */

static int by_name(const void *a, const void *b, void *owner)
{
    const struct ph_flame_tree *tree = owner;
    return strcmp(ph_profile_text(tree->profile, tree->nodes[*(const uint32_t *)a].name),
                  ph_profile_text(tree->profile, tree->nodes[*(const uint32_t *)b].name));
}

static void sort_children(struct ph_flame_tree *tree, uint32_t parent, uint32_t *scratch)
{
    uint32_t count = 0;
    for (uint32_t child = tree->nodes[parent].first_child; child; child = tree->nodes[child].next)
        scratch[count++] = child;
    if (count == 0)
        return;
    qsort_r(scratch, count, sizeof(*scratch), by_name, tree);
    tree->nodes[parent].first_child = scratch[0];
    for (uint32_t i = 0; i < count; i++)
        tree->nodes[scratch[i]].next = i + 1 < count ? scratch[i + 1] : 0;
}

static int sort_all(struct ph_flame_tree *tree)
{
    uint32_t *scratch = calloc(tree->node_count, sizeof(*scratch));
    for (uint32_t i = 0; scratch && i < tree->node_count; i++)
        sort_children(tree, i, scratch);
    free(scratch);
    return scratch ? 0 : -ENOMEM;
}

int ph_flame_tree_build(struct ph_profile *profile, uint32_t type, struct ph_flame_tree *ret_tree)
{
    struct ph_flame_tree tree = {.profile = profile};
    struct key root = {0, ph_profile_string(profile, "all")};
    uint32_t number;
    /* The root is its own parent, and nobody's child: it is found by no (parent, name). */
    int status = add_node(&tree, &root, ~ph_hash_u64(root.name), &number);
    if (status == 0)
        status = add_samples(&tree, type);
    if (status == 0)
        status = ph_profile_status(profile);
    if (status == 0)
        status = sort_all(&tree);
    if (status < 0)
        ph_flame_tree_fini(&tree);
    else
        *ret_tree = tree;
    return status;
}

void ph_flame_tree_fini(struct ph_flame_tree *tree)
{
    free(tree->nodes);
    ph_index_fini(&tree->index);
    tree->nodes = NULL;
}
