#include "grown.h"
#include "growth/sites.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ph_filter no_filter;

static void find_and_free(struct ph_sites *sites, struct ph_profile *take_profile, uint32_t *ret_sites)
{
    assert_int_equal(ph_profile_status(take_profile), 0);
    assert_int_equal(ph_sites_find(sites, take_profile, ret_sites), 0);
    ph_profile_free(take_profile);
}

/* "parse<serve<main", the leaf first. */
static const char *stack_text(const struct ph_sites *sites, uint32_t site)
{
    static char text[512];
    uint32_t count;
    const uint32_t *frames = ph_sites_stack(sites, site, &count);
    text[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof(text) - length, "%s%s", i ? "<" : "",
                 ph_profile_text(sites->known, sites->frames.entries[frames[i]].function));
    }
    return text;
}

static struct ph_profile *one_stack(const char *stack)
{
    struct ph_profile *profile = grown_heap(0);
    grown_add(profile, stack, 1, 100);
    return profile;
}

static void expect_sites(enum ph_growth_by by, struct ph_profile *take_a, struct ph_profile *take_b, bool are_equal)
{
    struct ph_sites sites;
    uint32_t a, b;
    assert_int_equal(ph_sites_init(&sites, by, &no_filter), 0);
    find_and_free(&sites, take_a, &a);
    find_and_free(&sites, take_b, &b);
    assert_int_equal(a == b, are_equal);
    assert_int_equal(ph_sites_count(&sites), are_equal ? 1 : 2);
    ph_sites_fini(&sites);
}

static void a_stack_is_the_same_in_the_next_profile(void **state)
{
    expect_sites(PH_BY_FUNCTION, one_stack("main;serve;parse"), one_stack("main;serve;parse"), true);
    expect_sites(PH_BY_FUNCTION, one_stack("main;serve;parse"), one_stack("main;parse;serve"), false);
    expect_sites(PH_BY_FUNCTION, one_stack("main;serve;parse"), one_stack("main;serve"), false);
}

static void lines_tell_stacks_apart_by_line_only(void **state)
{
    expect_sites(PH_BY_LINE, one_stack("main;serve:7"), one_stack("main;serve:8"), false);
    expect_sites(PH_BY_FUNCTION, one_stack("main;serve:7"), one_stack("main;serve:8"), true);
}

static struct ph_profile *at(uint64_t start, const char *file, const char *build_id, const char *name)
{
    struct ph_profile *profile = grown_heap(0);
    uint32_t frame = grown_location(profile, grown_mapping(profile, start, file, build_id), start + 0x20, name, 3);
    ph_profile_add_sample(profile, &frame, 1, NULL, 0, (const int64_t[]){1, 1, 1, 1});
    return profile;
}

static void addresses_match_wherever_the_file_was_loaded(void **state)
{
    for (int named = 0; named < 2; named++) {
        const char *name = named ? "serve" : NULL;
        expect_sites(PH_BY_ADDRESS, at(0x10000, "/bin/s", "ab", name), at(0x770000, "/bin/s", "ab", name), true);
        expect_sites(PH_BY_ADDRESS, at(0x10000, "/bin/s", "ab", name), at(0x10000, "/opt/s", "ab", name), true);
        expect_sites(PH_BY_ADDRESS, at(0x10000, "/bin/s", "", name), at(0x20000, "/opt/s (deleted)", "", name),
                     true);
        expect_sites(PH_BY_ADDRESS, at(0x10000, "/bin/s", "ab", name), at(0x10000, "/bin/s", "cd", name), false);
        expect_sites(PH_BY_ADDRESS, at(0x10000, "/bin/s", "", name), at(0x10000, "/bin/t", "", name), false);
    }
    expect_sites(PH_BY_FUNCTION, at(0x10000, "/bin/s", "ab", "serve"), at(0x10000, "/bin/s", "cd", "serve"), true);
}

static void an_address_without_a_name_is_module_and_offset(void **state)
{
    struct ph_sites sites;
    uint32_t site;
    assert_int_equal(ph_sites_init(&sites, PH_BY_FUNCTION, &no_filter), 0);
    find_and_free(&sites, at(0x10000, "/usr/lib/libx.so.1 (deleted)", "ab", NULL), &site);
    assert_string_equal(stack_text(&sites, site), "libx.so.1+0x1020");
    assert_int_equal(sites.frames.entries[0].offset, 0x1020);
    find_and_free(&sites, at(0x10000, "", "", NULL), &site);
    assert_string_equal(stack_text(&sites, site), "0x1020");
    ph_sites_fini(&sites);
}

static void by_module_a_stack_is_the_way_through_the_modules(void **state)
{
    struct ph_sites sites;
    struct ph_profile *profile = grown_heap(0);
    uint32_t server = grown_mapping(profile, 0x10000, "/bin/server", ""), site;
    uint32_t library = grown_mapping(profile, 0x900000, "/lib/libz.so", "");
    const uint32_t frames[] = {
        grown_location(profile, library, 0x900010, "inflate", 0),
        grown_location(profile, library, 0x900020, NULL, 0),
        grown_location(profile, server, 0x10010, "load", 0),
        grown_location(profile, server, 0x10020, "main", 0),
        grown_location(profile, 0, 0x5, NULL, 0),
    };
    ph_profile_add_sample(profile, frames, 5, NULL, 0, (const int64_t[]){1, 1, 1, 1});
    assert_int_equal(ph_sites_init(&sites, PH_BY_MODULE, &no_filter), 0);
    find_and_free(&sites, profile, &site);
    assert_string_equal(stack_text(&sites, site), "libz.so<server<[unknown]");
    ph_sites_fini(&sites);
}

static void inlined_calls_are_frames_of_their_own(void **state)
{
    struct ph_sites sites;
    for (int by = PH_BY_FUNCTION; by <= PH_BY_ADDRESS; by++) {
        struct ph_profile *profile = grown_heap(0);
        uint32_t site, inner = grown_location(profile, 0, 1, "inner", 5),
                       outer = grown_location(profile, 0, 2, "outer", 6);
        const struct ph_line lines[] = {profile->lines[inner - 1], profile->lines[outer - 1]};
        uint32_t mapping = grown_mapping(profile, 0x10000, "/bin/s", "ab");
        uint32_t both = ph_profile_add_location(profile, mapping, 0x10010, false, lines, 2);
        ph_profile_add_sample(profile, &both, 1, NULL, 0, (const int64_t[]){1, 1, 1, 1});
        assert_int_equal(ph_sites_init(&sites, (enum ph_growth_by)by, &no_filter), 0);
        find_and_free(&sites, profile, &site);
        assert_string_equal(stack_text(&sites, site), "inner<outer");
        ph_sites_fini(&sites);
    }
}

static void a_million_calls_of_itself_are_one_frame(void **state)
{
    struct ph_sites sites;
    struct ph_profile *profile = grown_heap(0);
    const uint32_t count = 1000000;
    uint32_t *frames = calloc(count, sizeof(*frames)), site, depth;
    uint32_t again = grown_location(profile, 0, 1, "again", 0), start = grown_location(profile, 0, 2, "main", 0);
    for (uint32_t i = 0; i < count; i++)
        frames[i] = i + 1 < count ? again : start;
    ph_profile_add_sample(profile, frames, count, NULL, 0, (const int64_t[]){1, 1, 1, 1});
    free(frames);
    assert_int_equal(ph_sites_init(&sites, PH_BY_FUNCTION, &no_filter), 0);
    find_and_free(&sites, profile, &site);
    ph_sites_stack(&sites, site, &depth);
    assert_int_equal(depth, 2);
    assert_true(sites.is_deep[site]);
    ph_sites_fini(&sites);
}

/* ---- filters ---- */

struct filtered {
    const char *focus, *ignore, *hide, *left; /* of the first stack; NULL if it is dropped */
    bool keeps_second;
};

static struct ph_profile *two_stacks(void)
{
    struct ph_profile *profile = grown_heap(0);
    uint32_t server = grown_mapping(profile, 0x10000, "/bin/server", "");
    uint32_t library = grown_mapping(profile, 0x900000, "/lib/libz.so", "");
    const uint32_t first[] = {grown_location(profile, library, 0x900010, "inflate", 0),
                              grown_location(profile, server, 0x10010, "load", 0),
                              grown_location(profile, server, 0x10020, "main", 0)};
    const uint32_t second[] = {grown_location(profile, server, 0x10030, "log", 0), first[2]};
    ph_profile_add_sample(profile, first, 3, NULL, 0, (const int64_t[]){1, 1, 1, 1});
    ph_profile_add_sample(profile, second, 2, NULL, 0, (const int64_t[]){1, 1, 1, 1});
    return profile;
}

static void focus_ignore_and_hide_mean_what_they_mean_in_pprof(void **state)
{
    static const struct filtered rows[] = {
        {NULL, NULL, NULL, "inflate<load<main", true},
        {"", "", "", "inflate<load<main", true},
        {"^load$", NULL, NULL, "inflate<load<main", false},
        {"libz", NULL, NULL, "inflate<load<main", false},      /* the mapping's file */
        {"server\\.c", NULL, NULL, "inflate<load<main", true}, /* the source file */
        {"main", "infl", NULL, NULL, true},                    /* ignore wins */
        {"nothing", NULL, NULL, NULL, false},
        {NULL, "main", NULL, NULL, false},
        {NULL, NULL, "load|log", "inflate<main", true},
        {NULL, NULL, "libz", "load<main", true},
        {"load", NULL, "load", "inflate<main", false}, /* focus sees what is hidden */
        {NULL, NULL, "server.c", NULL, false},         /* nothing of them is left */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const expressions[] = {rows[i].focus, rows[i].ignore, rows[i].hide};
        struct ph_filter filter;
        struct ph_sites sites;
        uint32_t found[2];
        assert_int_equal(ph_filter_init(&filter, expressions, NULL), 0);
        assert_int_equal(ph_sites_init(&sites, PH_BY_FUNCTION, &filter), 0);
        find_and_free(&sites, two_stacks(), found);
        assert_int_equal(found[0] != PH_INDEX_NONE, rows[i].left != NULL);
        if (rows[i].left)
            assert_string_equal(stack_text(&sites, found[0]), rows[i].left);
        assert_int_equal(found[1] != PH_INDEX_NONE, rows[i].keeps_second);
        ph_sites_fini(&sites);
        ph_filter_fini(&filter);
    }
}

static void a_wrong_expression_is_named(void **state)
{
    struct ph_filter filter;
    struct ph_error error = {0};
    assert_int_equal(ph_filter_init(&filter, (const char *const[]){"fine", NULL, "a(b"}, &error), -22);
    assert_non_null(strstr(error.text, "hide \"a(b\": "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stack_is_the_same_in_the_next_profile),
        cmocka_unit_test(lines_tell_stacks_apart_by_line_only),
        cmocka_unit_test(addresses_match_wherever_the_file_was_loaded),
        cmocka_unit_test(an_address_without_a_name_is_module_and_offset),
        cmocka_unit_test(by_module_a_stack_is_the_way_through_the_modules),
        cmocka_unit_test(inlined_calls_are_frames_of_their_own),
        cmocka_unit_test(a_million_calls_of_itself_are_one_frame),
        cmocka_unit_test(focus_ignore_and_hide_mean_what_they_mean_in_pprof),
        cmocka_unit_test(a_wrong_expression_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
