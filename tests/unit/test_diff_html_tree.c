#include "tools/diff_html_tree.h"

#include "report_big.h"
#include "report_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define MIB 1048576.0

static void assert_nodes(const struct ph_tree *tree, const struct ph_tree_node *expected, size_t count)
{
    assert_int_equal(tree->node_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(tree->nodes[i].frame, expected[i].frame);
        assert_int_equal(tree->nodes[i].depth, expected[i].depth);
        assert_float_equal(tree->nodes[i].now, expected[i].now * MIB, 1);
        assert_float_equal(tree->nodes[i].change, expected[i].change * MIB, 1);
        assert_float_equal(tree->nodes[i].growth, expected[i].growth * MIB, 1);
    }
}

static void callers_come_first_and_what_grew_most_stands_left(void **state)
{
    static const struct ph_tree_node expected[] = {
        {PH_TREE_ROOT, 0, 114.5, 60.5, 68.5},
        {3, 1, 93, 48, 56},       /* start_thread */
        {2, 2, 93, 48, 56},       /* worker_main */
        {1, 3, 90, 45, 53},       /* handle_request */
        {0, 4, 64, 44, 44},       /* session_new */
        {7, 4, 10, 9, 9},         /* cache_insert */
        {8, 4, 16, -8, 0},        /* buffer_get: shrank, and is there all the same */
        {9, 3, 3, 3, 3},          /* libplugin.so */
        {6, 1, 21.5, 12.5, 12.5}, /* main */
        {5, 2, 16, 12, 12},       /* index_load */
        {4, 3, 16, 12, 12},       /* push_back */
        {10, 2, 5.5, 0.5, 0.5},   /* the hostile one */
    };
    struct ph_growth_report *report = report_of_series();
    struct ph_tree tree;
    assert_int_equal(ph_tree_build(report, PH_SIDE_CALLER, &tree), 0);
    assert_nodes(&tree, expected, sizeof(expected) / sizeof(expected[0]));
    assert_int_equal(tree.cut_count, 0);
    assert_int_equal(tree.deep_count, 0);
    ph_tree_free(&tree);
    report_fixture_free(report);
}

static void allocators_come_first_on_the_other_side(void **state)
{
    struct ph_growth_report *report = report_of_series();
    struct ph_tree tree;
    assert_int_equal(ph_tree_build(report, PH_SIDE_ALLOCATOR, &tree), 0);
    assert_int_equal(tree.nodes[1].frame, 0); /* session_new, then who calls it */
    assert_int_equal(tree.nodes[2].frame, 1);
    assert_int_equal(tree.nodes[4].frame, 3);
    assert_int_equal(tree.nodes[4].depth, 4);
    assert_int_equal(tree.nodes[5].frame, 4); /* push_back */
    assert_int_equal(tree.nodes[5].depth, 1);
    ph_tree_free(&tree);
    report_fixture_free(report);
}

static void what_is_too_small_to_see_is_cut_and_counted(void **state)
{
    struct ph_growth_report *report = report_of_series();
    struct ph_tree tree;
    report->sites[5].now = 100; /* of 109 MiB */
    report->sites[5].verdict.change = 10;
    assert_int_equal(ph_tree_build(report, PH_SIDE_CALLER, &tree), 0);
    assert_int_equal(tree.node_count, 11);
    assert_int_equal(tree.cut_count, 1);
    assert_float_equal(tree.cut_share, 0.0005, 1e-12);
    assert_float_equal(tree.nodes[0].now, 109 * MIB + 100, 1); /* sums hold what was cut */
    ph_tree_free(&tree);
    report_fixture_free(report);
}

static void a_small_thing_that_shrank_much_stays(void **state)
{
    struct ph_growth_report *report = report_of_series();
    struct ph_tree tree;
    report->sites[3].now = 0; /* all of buffer_get is gone */
    assert_int_equal(ph_tree_build(report, PH_SIDE_CALLER, &tree), 0);
    assert_int_equal(tree.node_count, 12);
    ph_tree_free(&tree);
    report_fixture_free(report);
}

static void a_stack_without_end_is_drawn_to_some_depth(void **state)
{
    struct ph_growth_report *report = report_of_pair();
    struct ph_tree tree;
    uint32_t *frames = calloc(1000000, sizeof(*frames)); /* one function, that calls itself */
    assert_non_null(frames);
    report->sites[0].frames = frames;
    report->sites[0].frame_count = 1000000;
    assert_int_equal(ph_tree_build(report, PH_SIDE_CALLER, &tree), 0);
    assert_in_range(tree.node_count, 100, 1000);
    assert_int_equal(tree.deep_count, 1);
    ph_tree_free(&tree);
    free(frames);
    report_fixture_free(report);
}

static void a_report_without_sites_is_a_root(void **state)
{
    struct ph_growth_report *report = report_of_nothing();
    struct ph_tree tree;
    assert_int_equal(ph_tree_build(report, PH_SIDE_CALLER, &tree), 0);
    assert_int_equal(tree.node_count, 1);
    ph_tree_free(&tree);
    report_fixture_free(report);
}

static void values_that_are_no_numbers_count_for_nothing(void **state)
{
    struct ph_growth_report *report = report_of_series();
    struct ph_tree tree;
    report->sites[1].now = (double)NAN;
    assert_int_equal(ph_tree_build(report, PH_SIDE_CALLER, &tree), 0);
    assert_float_equal(tree.nodes[0].now, 98.5 * MIB, 1);
    ph_tree_free(&tree);
    report_fixture_free(report);
}

/* Each of 40,000 stacks by itself is 1/40,000 of the whole; those with the most frames in common remain. */
static void children_follow_their_parents_and_never_hold_more(void **state)
{
    struct ph_growth_report *report = report_of_many(40000, 3);
    struct ph_tree tree;
    const struct ph_tree_node *path[256];
    assert_int_equal(ph_tree_build(report, PH_SIDE_CALLER, &tree), 0);
    assert_in_range(tree.node_count, 100, 20000);
    for (size_t i = 0; i < tree.node_count; i++) {
        const struct ph_tree_node *node = &tree.nodes[i];
        if (i > 0) {
            assert_in_range(node->depth, 1, tree.nodes[i - 1].depth + 1);
            assert_true(node->now <= path[node->depth - 1]->now * (1 + 1e-9));
            assert_true(node->growth <= path[node->depth - 1]->growth * (1 + 1e-9));
        }
        path[node->depth] = node;
    }
    ph_tree_free(&tree);
    report_fixture_free(report);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(callers_come_first_and_what_grew_most_stands_left),
        cmocka_unit_test(allocators_come_first_on_the_other_side),
        cmocka_unit_test(what_is_too_small_to_see_is_cut_and_counted),
        cmocka_unit_test(a_small_thing_that_shrank_much_stays),
        cmocka_unit_test(a_stack_without_end_is_drawn_to_some_depth),
        cmocka_unit_test(a_report_without_sites_is_a_root),
        cmocka_unit_test(values_that_are_no_numbers_count_for_nothing),
        cmocka_unit_test(children_follow_their_parents_and_never_hold_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
