#include "grown.h"
#include "growth/heavy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

struct expected {
    const char *path;
    double change;
};

static void expect_heavy(const struct ph_trie_stack *stacks, uint32_t count, double total,
                         const struct expected *expected, uint32_t expected_count)
{
    struct ph_trie trie;
    struct ph_heavy *heavy = NULL;
    uint32_t heavy_count = 99, frames[32];
    assert_int_equal(ph_trie_init(&trie, PH_SIDE_CALLER, stacks, count, GROWN_LETTERS, 0), 0);
    assert_int_equal(ph_heavy_find(&trie, total, &heavy, &heavy_count), 0);
    assert_int_equal(heavy_count, expected_count);
    for (uint32_t i = 0; i < expected_count; i++) {
        uint32_t depth = trie.nodes[heavy[i].node].depth, at = 0;
        for (uint32_t k = 0; k < depth; k++)
            frames[k] = ph_trie_frame(&trie, heavy[i].node, k);
        while (at < expected_count && strcmp(expected[at].path, grown_path(frames, depth)) != 0)
            at++;
        assert_true(at < expected_count);
        assert_true(heavy[i].change == expected[at].change);
    }
    free(heavy);
    ph_trie_fini(&trie);
}

static void each_place_is_told_its_own_growth_and_not_that_of_deeper_ones(void **state)
{
    struct ph_trie_stack stacks[32];
    uint32_t count = 0;
    stacks[count++] = grown_stack("mshx", 0, 500);
    stacks[count++] = grown_stack("mshy", 0, 300);
    for (char letter = 'a'; letter < 'a' + 10; letter++) /* each too small, together not */
        stacks[count++] = grown_stack((const char[]){'m', 's', 'h', letter, '\0'}, 0, 20);
    const struct expected expected[] = {{"mshx", 500}, {"mshy", 300}, {"msh", 200}};
    expect_heavy(stacks, count, 1000, expected, 3);
    grown_stacks_free();
}

static void what_is_left_above_must_be_a_twentieth_of_all(void **state)
{
    const struct ph_trie_stack exact[] = {grown_stack("ab", 0, 950), grown_stack("ac", 0, 50)};
    expect_heavy(exact, 2, 1000, (const struct expected[]){{"ab", 950}, {"ac", 50}}, 2);
    expect_heavy(exact, 2, 1001, (const struct expected[]){{"ab", 950}}, 1);
    grown_stacks_free();
}

static void what_shrank_is_taken_from_what_is_left(void **state)
{
    const struct ph_trie_stack stacks[] = {grown_stack("abx", 0, 500), grown_stack("aby", 900, -450),
                                           grown_stack("abz", 0, 40)};
    expect_heavy(stacks, 3, 540, (const struct expected[]){{"abx", 500}, {"abz", 40}}, 2);
    grown_stacks_free();
}

static void growth_below_three_sigma_is_no_place(void **state)
{
    struct ph_trie_stack stacks[] = {grown_stack("ab", 0, 30), grown_stack("cd", 0, 30)};
    stacks[0].variance = 100.1;
    stacks[1].variance = 100;
    expect_heavy(stacks, 2, 60, (const struct expected[]){{"cd", 30}}, 1);
    grown_stacks_free();
}

static void many_unsure_stacks_are_one_sure_place(void **state)
{
    struct ph_trie_stack stacks[20];
    for (uint32_t i = 0; i < 20; i++) {
        stacks[i] = grown_stack((const char[]){'x', (char)('a' + i), '\0'}, 0, 10);
        stacks[i].variance = 50; /* 1.4 sigma each, 6.3 together */
    }
    expect_heavy(stacks, 20, 200, (const struct expected[]){{"x", 200}}, 1);
    grown_stacks_free();
}

static void the_root_of_many_trees_is_no_place(void **state)
{
    struct ph_trie_stack stacks[24];
    for (uint32_t i = 0; i < 24; i++)
        stacks[i] = grown_stack((const char[]){(char)('a' + i), '\0'}, 0, 10);
    expect_heavy(stacks, 24, 240, NULL, 0);
    grown_stacks_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_place_is_told_its_own_growth_and_not_that_of_deeper_ones),
        cmocka_unit_test(what_is_left_above_must_be_a_twentieth_of_all),
        cmocka_unit_test(what_shrank_is_taken_from_what_is_left),
        cmocka_unit_test(growth_below_three_sigma_is_no_place),
        cmocka_unit_test(many_unsure_stacks_are_one_sure_place),
        cmocka_unit_test(the_root_of_many_trees_is_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
