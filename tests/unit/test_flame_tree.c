#include "tools/flame_tree.h"

#include "model/folded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static struct ph_profile *profile_of(const char *text)
{
    struct ph_profile *profile = NULL;
    assert_int_equal(ph_folded_read(text, strlen(text), "inuse_space", "bytes", &profile, NULL), 0);
    return profile;
}

static struct ph_flame_tree tree_of(struct ph_profile *profile)
{
    struct ph_flame_tree tree;
    assert_int_equal(ph_flame_tree_build(profile, 0, &tree), 0);
    return tree;
}

static const char *name_of(const struct ph_flame_tree *tree, uint32_t node)
{
    return ph_profile_text(tree->profile, tree->nodes[node].name);
}

static void free_all(struct ph_flame_tree *tree)
{
    struct ph_profile *profile = tree->profile;
    ph_flame_tree_fini(tree);
    ph_profile_free(profile);
}

static void equal_beginnings_of_stacks_are_one(void **state)
{
    struct ph_flame_tree tree = tree_of(profile_of("main;serve;parse 3\nmain;serve 4\nmain;idle 5\n"));
    assert_int_equal(tree.node_count, 5);
    assert_true(tree.nodes[0].value == 12);
    uint32_t root = tree.nodes[0].first_child;
    assert_string_equal(name_of(&tree, root), "main");
    assert_true(tree.nodes[root].value == 12);
    assert_int_equal(tree.nodes[root].next, 0);
    assert_int_equal(tree.depth, 3);
    free_all(&tree);
}

static void children_are_in_the_order_of_their_names(void **state)
{
    struct ph_flame_tree tree = tree_of(profile_of("main;c 1\nmain;a 2\nmain;b 3\n"));
    uint32_t child = tree.nodes[tree.nodes[0].first_child].first_child;
    for (const char *name = "abc"; *name; name++) {
        assert_int_equal(*name_of(&tree, child), *name);
        child = tree.nodes[child].next;
    }
    assert_int_equal(child, 0);
    free_all(&tree);
}

static void a_function_called_all_is_not_the_root(void **state)
{
    struct ph_flame_tree tree = tree_of(profile_of("all;f 1\nall 2\n"));
    uint32_t child = tree.nodes[0].first_child;
    assert_int_not_equal(child, 0);
    assert_true(tree.nodes[child].value == 3);
    assert_int_equal(tree.nodes[child].parent, 0);
    free_all(&tree);
}

static void negative_values_are_left_out_and_counted(void **state)
{
    struct ph_flame_tree tree = tree_of(profile_of("main;f -5\nmain;g 2\nmain;h 0\n"));
    assert_true(tree.nodes[0].value == 2);
    assert_int_equal(tree.negative_count, 1);
    free_all(&tree);
}

static void inlined_calls_are_frames(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    const int64_t value = 1;
    struct ph_line lines[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct ph_function function = {.name = ph_profile_string(profile, i ? "outer" : "inner")};
        lines[i] = (struct ph_line){.function = ph_profile_add_function(profile, &function)};
    }
    ph_profile_add_type(profile, "inuse_space", "bytes");
    uint32_t location = ph_profile_add_location(profile, 0, 0x1000, false, lines, 2);
    ph_profile_add_sample(profile, &location, 1, NULL, 0, &value);
    struct ph_flame_tree tree = tree_of(profile);
    uint32_t outer = tree.nodes[0].first_child;
    assert_string_equal(name_of(&tree, outer), "outer");
    assert_string_equal(name_of(&tree, tree.nodes[outer].first_child), "inner");
    free_all(&tree);
}

static void addresses_are_called_by_module_and_offset(void **state)
{
    struct ph_profile *profile = ph_profile_new();
    const int64_t value = 1;
    struct ph_mapping mapping = {.start = 0x7000, .limit = 0x9000, .offset = 0x1000};
    mapping.file = ph_profile_string(profile, "/opt/lib/libthing.so");
    ph_profile_add_type(profile, "inuse_space", "bytes");
    uint32_t known =
        ph_profile_add_location(profile, ph_profile_add_mapping(profile, &mapping), 0x7010, false, NULL, 0);
    uint32_t frames[] = {known, ph_profile_add_location(profile, 0, 0x42, false, NULL, 0)};
    ph_profile_add_sample(profile, frames, 2, NULL, 0, &value);
    struct ph_flame_tree tree = tree_of(profile);
    uint32_t outer = tree.nodes[0].first_child;
    assert_string_equal(name_of(&tree, outer), "0x42");
    assert_string_equal(name_of(&tree, tree.nodes[outer].first_child), "libthing.so+0x1010");
    free_all(&tree);
}

static void what_is_too_deep_is_cut_and_told(void **state)
{
    struct ph_buf text = PH_BUF_INIT;
    for (int i = 0; i < PH_FLAME_DEPTH_MAX; i++)
        ph_buf_text(&text, "f;");
    struct ph_buf fitting = PH_BUF_INIT;
    ph_buf_append(&fitting, text.data, text.size_bytes - 1);
    ph_buf_text(&fitting, " 7\n");
    ph_buf_text(&text, "f 7\n");
    struct ph_flame_tree tree = tree_of(profile_of(fitting.data));
    assert_false(tree.is_cut);
    assert_int_equal(tree.depth, PH_FLAME_DEPTH_MAX);
    free_all(&tree);
    tree = tree_of(profile_of(text.data));
    assert_true(tree.is_cut);
    assert_int_equal(tree.depth, PH_FLAME_DEPTH_MAX);
    assert_true(tree.nodes[tree.node_count - 1].value == 7);
    free_all(&tree);
    ph_buf_fini(&fitting);
    ph_buf_fini(&text);
}

static void a_profile_without_samples_is_a_root(void **state)
{
    struct ph_flame_tree tree = tree_of(profile_of(""));
    assert_int_equal(tree.node_count, 1);
    assert_true(tree.nodes[0].value == 0);
    free_all(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_beginnings_of_stacks_are_one),
        cmocka_unit_test(children_are_in_the_order_of_their_names),
        cmocka_unit_test(a_function_called_all_is_not_the_root),
        cmocka_unit_test(negative_values_are_left_out_and_counted),
        cmocka_unit_test(inlined_calls_are_frames),
        cmocka_unit_test(addresses_are_called_by_module_and_offset),
        cmocka_unit_test(what_is_too_deep_is_cut_and_told),
        cmocka_unit_test(a_profile_without_samples_is_a_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
