#include "grown.h"
#include "growth/inflection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACKS_MAX 128

struct places {
    struct ph_arena memory;
    struct ph_growth_inflection *rows;
    size_t count;
};

static struct places find(struct ph_trie_stack *stacks, uint32_t count, double cut_share)
{
    struct places places = {.memory = PH_ARENA_INIT};
    struct ph_paths paths = {.stacks = stacks, .count = count, .cut_share = cut_share};
    for (uint32_t i = 0; i < count; i++)
        paths.growth += stacks[i].weight;
    assert_int_equal(ph_inflections_find(&paths, GROWN_LETTERS, &places.memory, &places.rows, &places.count), 0);
    return places;
}

static void expect_place(const struct places *places, size_t row, enum ph_growth_side side, bool is_spine,
                         const char *path, double growth)
{
    assert_true(row < places->count);
    const struct ph_growth_inflection *place = &places->rows[row];
    assert_int_equal(place->side, side);
    assert_int_equal(place->is_spine, is_spine);
    assert_string_equal(grown_path(place->frames, place->frame_count), path);
    assert_true(place->growth == growth);
}

static void forget(struct places *places)
{
    ph_arena_fini(&places->memory);
    grown_stacks_free();
}

static void a_handler_that_leaks_in_many_ways_is_seen_from_its_callers(void **state)
{
    struct ph_trie_stack stacks[STACKS_MAX];
    uint32_t count = 0;
    for (char leaf = 'a'; leaf < 'a' + 10; leaf++) /* main, serve, login, then ten ways to malloc (z) */
        stacks[count++] = grown_stack((const char[]){'m', 's', 'l', leaf, 'z', '\0'}, 0, 4 + leaf - 'a');
    stacks[count++] = grown_stack("msqz", 1000, 0);
    struct places places = find(stacks, count, 0);
    expect_place(&places, 0, PH_SIDE_CALLER, true, "msl", 85);
    assert_int_equal(places.rows[0].fan_out, 10);
    assert_int_equal(places.rows[0].child_count, 5);
    assert_int_equal(places.rows[0].children[0], 'j' - 'a');
    assert_true(places.rows[0].child_growth[0] == 13);
    assert_true(places.rows[0].share == 1);
    forget(&places);
}

static void a_cache_that_all_handlers_fill_is_seen_from_the_allocator(void **state)
{
    struct ph_trie_stack stacks[STACKS_MAX];
    uint32_t count = 0;
    for (char handler = 'a'; handler < 'a' + 10; handler++) {
        stacks[count++] = grown_stack((const char[]){'m', 's', handler, 'p', 'k', 'z', '\0'}, 0, 4);
        stacks[count++] = grown_stack((const char[]){'m', 's', handler, 'q', 'z', '\0'}, 100, 0);
    }
    struct places places = find(stacks, count, 0);
    /* z is malloc: all goes through it. k is the first frame that only what grew goes through. */
    expect_place(&places, 0, PH_SIDE_ALLOCATOR, true, "zk", 40);
    assert_int_equal(places.rows[0].fan_out, 10); /* of p, which k's stacks share */
    forget(&places);
}

/* By entropy alone, "malloc" would be the better answer: one place, where the callers are two. */
static void two_handlers_say_more_than_the_allocator_they_share(void **state)
{
    struct ph_trie_stack stacks[STACKS_MAX];
    uint32_t count = 0;
    for (char leaf = 'c'; leaf < 'c' + 10; leaf++) {
        stacks[count++] = grown_stack((const char[]){'m', 'a', leaf, 'z', '\0'}, 0, 4);
        stacks[count++] = grown_stack((const char[]){'m', 'b', leaf, 'y', 'z', '\0'}, 0, 4);
        stacks[count++] = grown_stack((const char[]){'m', 'n', leaf, 'z', '\0'}, 100, 1);
        stacks[count++] = grown_stack((const char[]){'m', 'n', leaf, 'y', 'z', '\0'}, 100, 1);
    }
    struct places places = find(stacks, count, 0);
    assert_int_equal(places.rows[0].side, PH_SIDE_CALLER);
    expect_place(&places, 0, PH_SIDE_CALLER, true, "m", 100);
    expect_place(&places, 1, PH_SIDE_CALLER, false, "ma", 40);
    expect_place(&places, 2, PH_SIDE_CALLER, false, "mb", 40);
    forget(&places);
}

static void two_caches_say_more_than_the_handlers_that_fill_both(void **state)
{
    struct ph_trie_stack stacks[STACKS_MAX];
    uint32_t count = 0;
    for (char handler = 'a'; handler < 'a' + 11; handler++) {
        stacks[count++] = grown_stack((const char[]){'m', handler, 'u', 'z', '\0'}, 0, 4);
        stacks[count++] = grown_stack((const char[]){'m', handler, 'v', 'z', '\0'}, 0, 4);
        stacks[count++] = grown_stack((const char[]){'m', handler, 'q', 'z', '\0'}, 100, 0);
    }
    struct places places = find(stacks, count, 0);
    expect_place(&places, 0, PH_SIDE_ALLOCATOR, true, "z", 88);
    expect_place(&places, 1, PH_SIDE_ALLOCATOR, false, "zu", 44);
    expect_place(&places, 2, PH_SIDE_ALLOCATOR, false, "zv", 44);
    assert_int_equal(places.count, 3);
    forget(&places);
}

static void one_stack_that_grew_is_told_from_its_caller_to_the_leaf(void **state)
{
    struct ph_trie_stack stacks[] = {grown_stack("mslz", 0, 100), grown_stack("msqz", 1000, 0)};
    struct places places = find(stacks, 2, 0);
    assert_int_equal(places.count, 1);
    expect_place(&places, 0, PH_SIDE_CALLER, true, "mslz", 100);
    assert_int_equal(places.rows[0].fan_out, 0);
    forget(&places);
}

static void the_spine_comes_first_and_the_others_by_growth(void **state)
{
    struct ph_trie_stack stacks[] = {grown_stack("msa", 0, 30), grown_stack("msb", 0, 70),
                                     grown_stack("msc", 0, 50), grown_stack("mt", 1000, 0)};
    struct places places = find(stacks, 4, 0);
    assert_int_equal(places.count, 4);
    expect_place(&places, 0, PH_SIDE_CALLER, true, "ms", 150); /* the whole, to say where to look */
    expect_place(&places, 1, PH_SIDE_CALLER, false, "msb", 70);
    expect_place(&places, 2, PH_SIDE_CALLER, false, "msc", 50);
    expect_place(&places, 3, PH_SIDE_CALLER, false, "msa", 30);
    forget(&places);
}

static void where_callers_were_cut_off_the_allocators_side_is_shown(void **state)
{
    struct ph_trie_stack stacks[] = {grown_stack("mslz", 0, 100), grown_stack("msqz", 1000, 0)};
    struct places places = find(stacks, 2, 0.06);
    assert_int_equal(places.rows[0].side, PH_SIDE_ALLOCATOR);
    expect_place(&places, 0, PH_SIDE_ALLOCATOR, true, "zl", 100);
    forget(&places);
}

static void growth_within_noise_has_no_place(void **state)
{
    struct ph_trie_stack stacks[] = {grown_stack("ab", 0, 10), grown_stack("cd", 0, 0)};
    stacks[0].variance = 12;
    struct places places = find(stacks, 2, 0);
    assert_int_equal(places.count, 0);
    stacks[0].weight = 0; /* and nothing at all is no error */
    ph_arena_fini(&places.memory);
    places = find(stacks, 2, 0);
    assert_int_equal(places.count, 0);
    forget(&places);
}

/* ---- what the tree is made of ---- */

static const struct ph_filter no_filter;

struct made {
    struct ph_sites sites;
    struct ph_paths paths;
};

static struct made make(struct ph_profile *take_profile, const struct ph_path_change *changes)
{
    struct made made;
    uint32_t found[STACKS_MAX], count = take_profile->sample_count;
    assert_int_equal(ph_sites_init(&made.sites, PH_BY_FUNCTION, &no_filter), 0);
    assert_int_equal(ph_sites_find(&made.sites, take_profile, found), 0);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(found[i], i);
    ph_profile_free(take_profile);
    assert_int_equal(ph_paths_init(&made.paths, &made.sites, changes, count), 0);
    return made;
}

static void unmake(struct made *made)
{
    ph_paths_fini(&made->paths);
    ph_sites_fini(&made->sites);
}

static void paths_have_no_recursion(void **state)
{
    struct ph_profile *profile = grown_heap(0);
    grown_add(profile, "main;list;item;list;item;leaf", 1, 1);
    grown_add(profile, "main;gone", 1, 1);
    struct made made = make(profile, (const struct ph_path_change[]){{5, 1, 0}, {0, 0, 0}});
    assert_int_equal(made.paths.count, 1); /* what is in neither profile is left out */
    assert_int_equal(made.paths.stacks[0].frame_count, 4);
    assert_true(made.paths.growth == 5);
    unmake(&made);
}

static void only_clear_growth_is_weighed_unless_it_explains_too_little(void **state)
{
    for (int is_hidden = 0; is_hidden < 2; is_hidden++) {
        struct ph_profile *profile = grown_heap(0);
        grown_add(profile, "main;leak", 1, 1);
        grown_add(profile, "main;noise", 1, 1);
        grown_add(profile, "main;more", 1, 1);
        const struct ph_path_change changes[] = {{20, 100, 0}, {15, 100, 0}, {is_hidden ? 15 : -15, 100, 20}};
        struct made made = make(profile, changes);
        assert_true(made.paths.growth == (is_hidden ? 50 : 20));
        unmake(&made);
    }
}

/* @depth frames, the outermost of them the first name. */
static void add_deep(struct ph_profile *profile, const char *root, uint32_t depth)
{
    uint32_t frames[256];
    char name[16];
    for (uint32_t i = 0; i < depth; i++) {
        snprintf(name, sizeof(name), "f%u", i);
        frames[i] = grown_location(profile, 0, 0, i + 1 < depth ? name : root, 0);
    }
    ph_profile_add_sample(profile, frames, depth, NULL, 0, (const int64_t[]){1, 1, 1, 1});
}

static void a_deep_stack_that_no_known_root_begins_was_cut_off(void **state)
{
    struct ph_profile *profile = grown_heap(0);
    add_deep(profile, "main", 10);
    add_deep(profile, "main", 127);
    add_deep(profile, "walk", 127);
    add_deep(profile, "start_thread", 119); /* begun by itself */
    struct made made =
        make(profile, (const struct ph_path_change[]){{10, 1, 0}, {10, 1, 0}, {20, 1, 0}, {10, 1, 0}});
    assert_int_equal(made.paths.cut_count, 1);
    assert_true(made.paths.cut_share == 0.4);
    unmake(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_that_leaks_in_many_ways_is_seen_from_its_callers),
        cmocka_unit_test(a_cache_that_all_handlers_fill_is_seen_from_the_allocator),
        cmocka_unit_test(two_handlers_say_more_than_the_allocator_they_share),
        cmocka_unit_test(two_caches_say_more_than_the_handlers_that_fill_both),
        cmocka_unit_test(one_stack_that_grew_is_told_from_its_caller_to_the_leaf),
        cmocka_unit_test(the_spine_comes_first_and_the_others_by_growth),
        cmocka_unit_test(where_callers_were_cut_off_the_allocators_side_is_shown),
        cmocka_unit_test(growth_within_noise_has_no_place),
        cmocka_unit_test(paths_have_no_recursion),
        cmocka_unit_test(only_clear_growth_is_weighed_unless_it_explains_too_little),
        cmocka_unit_test(a_deep_stack_that_no_known_root_begins_was_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
