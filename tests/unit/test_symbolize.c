/* Names for the locations of a profile, looked up in this very process. */
#include "elf/symbolize.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Static on purpose: only .symtab knows it. */
static __attribute__((noinline)) int known_function(int value)
{
    __asm__ volatile("" : "+r"(value));
    return value * 3;
}

struct fixture {
    struct ph_modules modules;
    struct ph_profile *profile;
    const struct ph_module **order;
};

static struct fixture fixture_new(void)
{
    struct fixture fixture = {.profile = ph_profile_new()};
    assert_non_null(fixture.profile);
    assert_int_equal(ph_modules_self(&fixture.modules, NULL), 0);
    fixture.order = calloc(fixture.modules.count, sizeof(struct ph_module *));
    assert_int_equal(ph_modules_into_profile(&fixture.modules, fixture.profile, fixture.order), 0);
    ph_profile_add_type(fixture.profile, "samples", "count");
    return fixture;
}

static void fixture_free(struct fixture *fixture)
{
    free(fixture->order);
    ph_modules_fini(&fixture->modules);
    ph_profile_free(fixture->profile);
}

static uint32_t add(struct fixture *fixture, uintptr_t address)
{
    const struct ph_module *module = ph_modules_find(&fixture->modules, address);
    uint32_t mapping = 0;
    while (module && fixture->order[mapping] != module)
        mapping++;
    return ph_profile_add_location(fixture->profile, module ? mapping + 1 : 0, address, false, NULL, 0);
}

static const char *name_of(const struct fixture *fixture, uint32_t location)
{
    const struct ph_profile *profile = fixture->profile;
    const struct ph_location *place = ph_profile_location(profile, location);
    if (place->line_count == 0)
        return "";
    return ph_profile_text(profile, profile->functions[profile->lines[place->first_line].function - 1].name);
}

static const struct ph_mapping *mapping_of(const struct fixture *fixture, uint32_t location)
{
    return &fixture->profile->mappings[ph_profile_location(fixture->profile, location)->mapping - 1];
}

static void locations_get_the_names_of_their_functions(void **state)
{
    struct fixture fixture = fixture_new();
    uint32_t own = add(&fixture, (uintptr_t)known_function + 2);
    uint32_t other = add(&fixture, (uintptr_t)getpagesize + 2);
    assert_int_equal(ph_symbolize(fixture.profile, &fixture.modules), 0);
    assert_string_equal(name_of(&fixture, own), "known_function");
    const struct ph_function *function = &fixture.profile->functions[0];
    assert_int_equal(function->system_name, function->name);
    assert_int_equal(function->file, 0);
    assert_non_null(strstr(name_of(&fixture, other), "getpagesize"));
    assert_true(known_function(2) == 6);
    fixture_free(&fixture);
}

static void a_mapping_is_marked_only_if_all_its_locations_have_names(void **state)
{
    struct fixture fixture = fixture_new();
    uint32_t own = add(&fixture, (uintptr_t)known_function + 2);
    uint32_t other = add(&fixture, (uintptr_t)getpagesize + 2);
    /* The first bytes of code, before every symbol: the PLT or padding. */
    const struct ph_mapping *libc = mapping_of(&fixture, other);
    uint32_t nameless = add(&fixture, libc->start);
    assert_int_equal(ph_symbolize(fixture.profile, &fixture.modules), 0);
    assert_true(mapping_of(&fixture, own)->has_functions);
    assert_string_equal(name_of(&fixture, nameless), "");
    assert_false(mapping_of(&fixture, other)->has_functions);
    fixture_free(&fixture);
}

static void a_location_with_a_name_keeps_it(void **state)
{
    struct fixture fixture = fixture_new();
    uint32_t own = add(&fixture, (uintptr_t)known_function + 2);
    struct ph_function given = {.name = ph_profile_string(fixture.profile, "given")};
    struct ph_line line = {.function = ph_profile_add_function(fixture.profile, &given)};
    assert_int_equal(ph_profile_set_lines(fixture.profile, own, &line, 1), 0);
    assert_int_equal(ph_symbolize(fixture.profile, &fixture.modules), 0);
    assert_string_equal(name_of(&fixture, own), "given");
    fixture_free(&fixture);
}

static void addresses_outside_every_module_stay_nameless(void **state)
{
    struct fixture fixture = fixture_new();
    uint32_t nowhere = add(&fixture, 16);
    uint32_t stack = add(&fixture, (uintptr_t)&fixture);
    assert_int_equal(ph_symbolize(fixture.profile, &fixture.modules), 0);
    assert_string_equal(name_of(&fixture, nowhere), "");
    assert_string_equal(name_of(&fixture, stack), "");
    fixture_free(&fixture);
}

static void one_function_serves_all_its_locations(void **state)
{
    struct fixture fixture = fixture_new();
    add(&fixture, (uintptr_t)known_function);
    add(&fixture, (uintptr_t)known_function + 1);
    add(&fixture, (uintptr_t)known_function + 2);
    assert_int_equal(ph_symbolize(fixture.profile, &fixture.modules), 0);
    assert_int_equal(fixture.profile->function_count, 1);
    fixture_free(&fixture);
}

/* The mapping that another process brought along lies where ours has code, too. */
static void only_mappings_of_this_process_are_named(void **state)
{
    struct fixture fixture = fixture_new();
    uint32_t own_count = fixture.profile->mapping_count;
    uint32_t ours = add(&fixture, (uintptr_t)known_function + 1);
    struct ph_mapping foreign = fixture.profile->mappings[ph_profile_location(fixture.profile, ours)->mapping - 1];
    foreign.file = ph_profile_string(fixture.profile, "/elsewhere.so");
    uint32_t mapping = ph_profile_add_mapping(fixture.profile, &foreign);
    uint32_t theirs =
        ph_profile_add_location(fixture.profile, mapping, (uintptr_t)known_function + 1, false, NULL, 0);
    uint32_t nowhere = ph_profile_add_location(fixture.profile, 0, (uintptr_t)known_function + 1, false, NULL, 0);
    assert_int_equal(ph_symbolize_first(fixture.profile, &fixture.modules, own_count, 0), 0);
    assert_string_equal(name_of(&fixture, ours), "known_function");
    assert_string_equal(name_of(&fixture, theirs), "");
    assert_string_equal(name_of(&fixture, nowhere), "");
    assert_false(fixture.profile->mappings[mapping - 1].has_functions);
    assert_int_equal(ph_symbolize_name(fixture.profile, theirs, "told"), 0);
    assert_string_equal(name_of(&fixture, theirs), "told");
    fixture_free(&fixture);
}

static void what_was_looked_for_already_is_not_again(void **state)
{
    struct fixture fixture = fixture_new();
    uint32_t own_count = fixture.profile->mapping_count;
    uint32_t done = add(&fixture, (uintptr_t)known_function);
    uint32_t done_count = fixture.profile->location_count;
    uint32_t later = add(&fixture, (uintptr_t)known_function + 1);
    assert_int_equal(ph_symbolize_first(fixture.profile, &fixture.modules, own_count, done_count), 0);
    assert_string_equal(name_of(&fixture, done), "");
    assert_string_equal(name_of(&fixture, later), "known_function");
    fixture_free(&fixture);
}

static void a_profile_without_locations_is_fine(void **state)
{
    struct fixture fixture = fixture_new();
    assert_int_equal(ph_symbolize(fixture.profile, &fixture.modules), 0);
    assert_int_equal(fixture.profile->function_count, 0);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locations_get_the_names_of_their_functions),
        cmocka_unit_test(a_mapping_is_marked_only_if_all_its_locations_have_names),
        cmocka_unit_test(a_location_with_a_name_keeps_it),
        cmocka_unit_test(addresses_outside_every_module_stay_nameless),
        cmocka_unit_test(one_function_serves_all_its_locations),
        cmocka_unit_test(only_mappings_of_this_process_are_named),
        cmocka_unit_test(what_was_looked_for_already_is_not_again),
        cmocka_unit_test(a_profile_without_locations_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
