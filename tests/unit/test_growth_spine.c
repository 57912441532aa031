#include "grown.h"
#include "growth/spine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void expect_stop(enum ph_growth_side side, const struct ph_trie_stack *stacks, uint32_t count,
                        const char *expected)
{
    struct ph_trie trie;
    uint32_t frames[32];
    assert_int_equal(ph_trie_init(&trie, side, stacks, count, GROWN_LETTERS, 0), 0);
    uint32_t stop = ph_spine_stop(&trie);
    for (uint32_t i = 0; i < trie.nodes[stop].depth; i++)
        frames[i] = ph_trie_frame(&trie, stop, i);
    assert_string_equal(grown_path(frames, trie.nodes[stop].depth), expected);
    ph_trie_fini(&trie);
}

static void the_spine_ends_where_growth_parts(void **state)
{
    const struct ph_trie_stack stacks[] = {grown_stack("mshx", 0, 50), grown_stack("mshy", 0, 40),
                                           grown_stack("mt", 100, 10)};
    expect_stop(PH_SIDE_CALLER, stacks, 3, "msh");
    expect_stop(PH_SIDE_ALLOCATOR, stacks, 3, "");
    grown_stacks_free();
}

static void a_single_stack_is_followed_to_its_leaf(void **state)
{
    const struct ph_trie_stack stacks[] = {grown_stack("mshx", 0, 50), grown_stack("mt", 100, 0)};
    expect_stop(PH_SIDE_CALLER, stacks, 2, "mshx");
    grown_stacks_free();
}

static void four_fifths_of_the_parent_go_on_and_less_do_not(void **state)
{
    const struct ph_trie_stack enough[] = {grown_stack("ab", 0, 80), grown_stack("ac", 0, 20)};
    const struct ph_trie_stack less[] = {grown_stack("ab", 0, 79), grown_stack("ac", 0, 21)};
    expect_stop(PH_SIDE_CALLER, enough, 2, "ab");
    expect_stop(PH_SIDE_CALLER, less, 2, "a");
    /* Of the parent, not of the whole: 80 % of 80 % of 80 %. */
    const struct ph_trie_stack chain[] = {grown_stack("abcd", 0, 512), grown_stack("abc", 0, 128),
                                          grown_stack("ab", 0, 160), grown_stack("a", 0, 200)};
    expect_stop(PH_SIDE_CALLER, chain, 4, "abcd");
    grown_stacks_free();
}

static void what_shrank_does_not_hide_what_grew(void **state)
{
    const struct ph_trie_stack stacks[] = {grown_stack("abx", 0, 90), grown_stack("aby", 500, -500),
                                           grown_stack("ac", 0, 10)};
    expect_stop(PH_SIDE_CALLER, stacks, 3, "abx");
    grown_stacks_free();
}

static void without_growth_there_is_no_way_down(void **state)
{
    const struct ph_trie_stack stacks[] = {grown_stack("ab", 10, -1), grown_stack("cd", 10, 0)};
    expect_stop(PH_SIDE_CALLER, stacks, 2, "");
    grown_stacks_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_spine_ends_where_growth_parts),
        cmocka_unit_test(a_single_stack_is_followed_to_its_leaf),
        cmocka_unit_test(four_fifths_of_the_parent_go_on_and_less_do_not),
        cmocka_unit_test(what_shrank_does_not_hide_what_grew),
        cmocka_unit_test(without_growth_there_is_no_way_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
