#include "grown.h"
#include "growth/recursion.h"
#include "growth/trie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- recursion ---- */

static void expect_collapsed(const char *letters, const char *expected)
{
    struct ph_trie_stack stack = grown_stack(letters, 0, 0), wanted = grown_stack(expected, 0, 0);
    uint32_t places[GROWN_LETTERS] = {0}, left[32];
    uint32_t count = ph_recursion_collapse(stack.frames, stack.frame_count, places, left);
    assert_int_equal(count, wanted.frame_count);
    assert_memory_equal(left, wanted.frames, count * sizeof(*left));
    for (size_t i = 0; i < GROWN_LETTERS; i++)
        assert_int_equal(places[i], 0);
    grown_stacks_free();
}

static void a_recursion_of_any_depth_is_walked_once(void **state)
{
    expect_collapsed("", "");
    expect_collapsed("abc", "abc");
    expect_collapsed("abbbc", "abc");
    expect_collapsed("abcbcbcd", "abcd");
    expect_collapsed("abcdbe", "abe"); /* what b called before it came again is forgotten */
    expect_collapsed("abcab", "ab");
    expect_collapsed("abcda", "a");
}

/* ---- the tree ---- */

static void build(struct ph_trie *trie, enum ph_growth_side side, const struct ph_trie_stack *stacks, size_t count,
                  double growth_min)
{
    assert_int_equal(ph_trie_init(trie, side, stacks, (uint32_t)count, GROWN_LETTERS, growth_min), 0);
}

static const char *node_path(const struct ph_trie *trie, uint32_t node)
{
    uint32_t frames[32];
    for (uint32_t i = 0; i < trie->nodes[node].depth; i++)
        frames[i] = ph_trie_frame(trie, node, i);
    return grown_path(frames, trie->nodes[node].depth);
}

static uint32_t find_node(const struct ph_trie *trie, const char *path)
{
    for (uint32_t i = 0; i < trie->node_count; i++)
        if (strcmp(node_path(trie, i), path) == 0)
            return i;
    fail_msg("no node %s", path);
    return 0;
}

static void expect_node(const struct ph_trie *trie, const char *path, uint32_t near_depth, double change,
                        double growth)
{
    const struct ph_trie_node *node = &trie->nodes[find_node(trie, path)];
    assert_int_equal(node->near_depth, near_depth);
    assert_true(node->sums.change == change);
    assert_true(node->sums.growth == growth);
}

static void frames_that_all_stacks_share_are_one_node(void **state)
{
    const struct ph_trie_stack stacks[] = {grown_stack("abcdx", 0, 5), grown_stack("abcdy", 0, 7),
                                           grown_stack("abefz", 10, -3)};
    struct ph_trie trie;
    build(&trie, PH_SIDE_CALLER, stacks, COUNT_OF(stacks), 0);
    assert_int_equal(trie.node_count, 4); /* what only shrank is no node */
    expect_node(&trie, "ab", 0, 9, 12);
    expect_node(&trie, "abcd", 3, 12, 12);
    expect_node(&trie, "abcdx", 5, 5, 5);
    expect_node(&trie, "abcdy", 5, 7, 7);
    assert_true(trie.nodes[0].sums.now == 19);
    ph_trie_fini(&trie);
    grown_stacks_free();
}

static void the_allocators_side_is_read_from_the_leaf(void **state)
{
    const struct ph_trie_stack stacks[] = {grown_stack("amx", 0, 5), grown_stack("bmx", 0, 7),
                                           grown_stack("cny", 0, 1)};
    struct ph_trie trie;
    build(&trie, PH_SIDE_ALLOCATOR, stacks, COUNT_OF(stacks), 0);
    expect_node(&trie, "", 0, 13, 13);
    expect_node(&trie, "xm", 1, 12, 12);
    expect_node(&trie, "xma", 3, 5, 5);
    ph_trie_fini(&trie);
    grown_stacks_free();
}

static void a_stack_that_ends_in_another_one_parts_them(void **state)
{
    const struct ph_trie_stack stacks[] = {grown_stack("abc", 0, 5), grown_stack("ab", 0, 7),
                                           grown_stack("", 0, 2)};
    struct ph_trie trie;
    build(&trie, PH_SIDE_CALLER, stacks, COUNT_OF(stacks), 0);
    assert_int_equal(trie.node_count, 3);
    expect_node(&trie, "", 0, 14, 14);
    expect_node(&trie, "ab", 1, 12, 12);
    expect_node(&trie, "abc", 3, 5, 5);
    ph_trie_fini(&trie);
    grown_stacks_free();
}

static void light_branches_are_sums_of_their_parent(void **state)
{
    const struct ph_trie_stack stacks[] = {grown_stack("ab", 0, 90), grown_stack("ac", 0, 4),
                                           grown_stack("ad", 0, 6)};
    struct ph_trie trie;
    build(&trie, PH_SIDE_CALLER, stacks, COUNT_OF(stacks), 10);
    assert_int_equal(trie.node_count, 2);
    expect_node(&trie, "a", 0, 100, 100);
    assert_int_equal(ph_trie_branch(&trie, 0), 0);
    assert_int_equal(trie.branch_count, 3);
    double sum = 0;
    for (uint32_t i = 0; i < trie.branch_count; i++)
        sum += trie.branches[i].sums.change;
    assert_true(sum == 100);
    ph_trie_fini(&trie);
    grown_stacks_free();
}

static void the_nodes_of_a_tree_hold_the_stacks_below_them(void **state)
{
    char letters[] = "aaaa";
    struct ph_trie_stack stacks[64];
    struct ph_trie trie;
    for (uint32_t i = 0; i < COUNT_OF(stacks); i++) {
        for (uint32_t at = 0; at < 3; at++)
            letters[at + 1] = (char)('b' + at * 4 + (i * 37 % 64 >> (2 * at)) % 4);
        stacks[i] = grown_stack(letters, i, i);
    }
    build(&trie, PH_SIDE_CALLER, stacks, COUNT_OF(stacks), 0);
    assert_int_equal(trie.node_count, 1 + 4 + 16 + 63); /* the stack that did not grow is no node */
    for (uint32_t node = 0; node < trie.node_count; node++) {
        double change = 0;
        char path[16];
        strcpy(path, node_path(&trie, node));
        for (uint32_t i = 0; i < trie.nodes[node].stack_count; i++) {
            const struct ph_trie_stack *stack = &stacks[trie.order[trie.nodes[node].first + i]];
            change += stack->change;
            for (uint32_t depth = 0; depth < strlen(path); depth++)
                assert_int_equal(stack->frames[stack->frame_count - 1 - depth], path[depth] - 'a');
        }
        assert_true(change == trie.nodes[node].sums.change);
        assert_true(node == 0 || trie.nodes[node].parent < node);
    }
    ph_trie_fini(&trie);
    grown_stacks_free();
}

static void no_stacks_are_an_empty_root(void **state)
{
    struct ph_trie trie;
    build(&trie, PH_SIDE_CALLER, NULL, 0, 0);
    assert_int_equal(trie.node_count, 1);
    assert_int_equal(trie.nodes[0].depth, 0);
    ph_trie_fini(&trie);
}

/* As deep as a program may be in a recursion through many functions: two stacks that part at the end. */
static void a_million_frames_are_a_few_nodes(void **state)
{
    enum { DEPTH = 1000000 };
    uint32_t *frames = calloc(2 * (size_t)DEPTH, sizeof(*frames));
    for (uint32_t i = 0; i < DEPTH; i++)
        frames[i] = frames[DEPTH + i] = i;
    frames[DEPTH] = DEPTH; /* another leaf */
    const struct ph_trie_stack stacks[] = {{frames, DEPTH, 1, 1, 1, 0}, {frames + DEPTH, DEPTH, 1, 1, 1, 0}};
    struct ph_trie trie;
    for (int side = PH_SIDE_CALLER; side <= PH_SIDE_ALLOCATOR; side++) {
        assert_int_equal(ph_trie_init(&trie, (enum ph_growth_side)side, stacks, 2, DEPTH + 1, 0), 0);
        assert_int_equal(trie.node_count, 3);
        assert_int_equal(trie.nodes[0].depth, side == PH_SIDE_CALLER ? DEPTH - 1 : 0);
        assert_int_equal(trie.nodes[1].depth, DEPTH);
        ph_trie_fini(&trie);
    }
    free(frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recursion_of_any_depth_is_walked_once),
        cmocka_unit_test(frames_that_all_stacks_share_are_one_node),
        cmocka_unit_test(the_allocators_side_is_read_from_the_leaf),
        cmocka_unit_test(a_stack_that_ends_in_another_one_parts_them),
        cmocka_unit_test(light_branches_are_sums_of_their_parent),
        cmocka_unit_test(the_nodes_of_a_tree_hold_the_stacks_below_them),
        cmocka_unit_test(no_stacks_are_an_empty_root),
        cmocka_unit_test(a_million_frames_are_a_few_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
