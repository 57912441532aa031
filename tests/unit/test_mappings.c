/* The mappings of a profile while modules come and go. */
#include "base/clock.h"
#include "task/mappings.h"

#include "elf_fixture.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct ph_profile *profile;
    struct ph_mappings mappings;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->profile = ph_profile_new();
    *state = fixture;
    return ph_mappings_init(&fixture->mappings, fixture->profile, NULL);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    ph_mappings_fini(&fixture->mappings);
    ph_profile_free(fixture->profile);
    free(fixture);
    return 0;
}

/* As if time had passed since the maps were read. */
static void let_time_pass(struct fixture *fixture)
{
    fixture->mappings.read_at_ns = fixture->mappings.read_cost_ns = 0;
}

static uint32_t sample(struct fixture *fixture, uintptr_t address)
{
    uint32_t mapping = ph_mappings_find(&fixture->mappings, address);
    return ph_profile_add_location(fixture->profile, mapping, address, false, NULL, 0);
}

static const char *file_of(const struct fixture *fixture, uint32_t location)
{
    uint32_t mapping = ph_profile_location(fixture->profile, location)->mapping;
    return mapping ? ph_profile_text(fixture->profile, fixture->profile->mappings[mapping - 1].file) : "";
}

static const char *name_of(const struct fixture *fixture, uint32_t number)
{
    const struct ph_location *location = ph_profile_location(fixture->profile, number);
    if (location->line_count == 0)
        return "";
    const struct ph_line *line = &fixture->profile->lines[location->first_line];
    return ph_profile_text(fixture->profile, fixture->profile->functions[line->function - 1].name);
}

static void the_executable_is_the_first_mapping(void **state)
{
    struct fixture *fixture = *state;
    uint32_t here = sample(fixture, (uintptr_t)the_executable_is_the_first_mapping);
    assert_int_equal(ph_profile_location(fixture->profile, here)->mapping, 1);
    assert_int_equal(ph_mappings_name(&fixture->mappings), 0);
    assert_string_equal(name_of(fixture, here), "the_executable_is_the_first_mapping");
    assert_true(fixture->profile->mappings[0].has_functions);
}

static void an_address_outside_every_mapping_has_none(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ph_mappings_find(&fixture->mappings, 16), 0);
    let_time_pass(fixture);
    assert_int_equal(ph_mappings_find(&fixture->mappings, UINTPTR_MAX), 0);
}

static void a_module_that_came_meanwhile_is_found(void **state)
{
    struct fixture *fixture = *state;
    void *library = dlopen(SYMBOLS_LIBRARY("plain.so"), RTLD_NOW);
    assert_non_null(library);
    let_time_pass(fixture);
    uint32_t location = sample(fixture, (uintptr_t)dlsym(library, "symbols_exported"));
    assert_string_equal(file_of(fixture, location), SYMBOLS_LIBRARY("plain.so"));
    assert_int_equal(ph_mappings_name(&fixture->mappings), 0);
    assert_string_equal(name_of(fixture, location), "symbols_exported");
    dlclose(library);
}

static void maps_are_not_read_again_at_once(void **state)
{
    struct fixture *fixture = *state;
    int64_t read_at_ns = fixture->mappings.read_at_ns;
    for (int i = 0; i < 10; i++) {
        ph_mappings_refresh(&fixture->mappings, i % 2);
        ph_mappings_find(&fixture->mappings, 16);
    }
    assert_int_equal(fixture->mappings.read_at_ns, read_at_ns);
}

/* As if reading them had taken 10 ms, some seconds ago. */
static void maps_are_read_again_soon_only_if_something_changed(void **state)
{
    struct fixture *fixture = *state;
    int64_t read_at_ns = fixture->mappings.read_at_ns -= 5 * PH_NS_PER_S;
    fixture->mappings.read_cost_ns = 10 * PH_NS_PER_MS;
    ph_mappings_refresh(&fixture->mappings, false);
    assert_int_equal(fixture->mappings.read_at_ns, read_at_ns);
    ph_mappings_refresh(&fixture->mappings, true);
    assert_int_not_equal(fixture->mappings.read_at_ns, read_at_ns);
}

static void a_module_that_went_keeps_its_names(void **state)
{
    struct fixture *fixture = *state;
    void *library = dlopen(SYMBOLS_LIBRARY("plain.so"), RTLD_NOW);
    uintptr_t address = (uintptr_t)dlsym(library, "symbols_exported");
    let_time_pass(fixture);
    ph_mappings_refresh(&fixture->mappings, true);
    dlclose(library);
    let_time_pass(fixture);
    ph_mappings_refresh(&fixture->mappings, true);
    uint32_t location = sample(fixture, address);
    assert_string_equal(file_of(fixture, location), SYMBOLS_LIBRARY("plain.so"));
    assert_int_equal(ph_mappings_name(&fixture->mappings), 0);
    assert_string_equal(name_of(fixture, location), "symbols_exported");
}

/* Code of a file at a place of our choice, as the loader maps it: the first page, then the code. */
static void map_at(char *place, const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    int flags = MAP_PRIVATE | MAP_FIXED;
    assert_ptr_equal(mmap(place, 4096, PROT_READ, flags, fileno(file), 0), place);
    assert_ptr_equal(mmap(place + 4096, 4096, PROT_READ | PROT_EXEC, flags, fileno(file), 4096), place + 4096);
    fclose(file);
}

static void modules_in_the_same_place_one_after_the_other_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    void *first = dlopen(SYMBOLS_LIBRARY("plain.so"), RTLD_NOW),
         *second = dlopen(SYMBOLS_LIBRARY("other.so"), RTLD_NOW);
    Dl_info first_info, second_info;
    assert_true(dladdr(dlsym(first, "symbols_exported"), &first_info));
    assert_true(dladdr(dlsym(second, "symbols_alias"), &second_info));
    char *place = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uintptr_t first_address = (uintptr_t)place + (uintptr_t)first_info.dli_saddr - (uintptr_t)first_info.dli_fbase;
    uintptr_t second_address =
        (uintptr_t)place + (uintptr_t)second_info.dli_saddr - (uintptr_t)second_info.dli_fbase;

    uint32_t locations[3];
    map_at(place, SYMBOLS_LIBRARY("plain.so"));
    let_time_pass(fixture);
    locations[0] = sample(fixture, first_address);
    map_at(place, SYMBOLS_LIBRARY("other.so"));
    let_time_pass(fixture);
    ph_mappings_refresh(&fixture->mappings, true);
    locations[1] = sample(fixture, second_address);
    map_at(place, SYMBOLS_LIBRARY("plain.so"));
    let_time_pass(fixture);
    ph_mappings_refresh(&fixture->mappings, true);
    locations[2] = sample(fixture, first_address);

    assert_string_equal(file_of(fixture, locations[0]), SYMBOLS_LIBRARY("plain.so"));
    assert_string_equal(file_of(fixture, locations[1]), SYMBOLS_LIBRARY("other.so"));
    assert_int_equal(locations[2], locations[0]);
    assert_int_equal(ph_mappings_name(&fixture->mappings), 0);
    assert_string_equal(name_of(fixture, locations[0]), first_info.dli_sname);
    assert_string_equal(name_of(fixture, locations[1]), second_info.dli_sname);
    munmap(place, 65536);
    dlclose(first);
    dlclose(second);
}

static void code_of_a_jit_that_grows_stays_one_mapping(void **state)
{
    struct fixture *fixture = *state;
    char *code = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(mprotect(code, 4096, PROT_READ | PROT_EXEC), 0);
    let_time_pass(fixture);
    uint32_t mapping = ph_mappings_find(&fixture->mappings, (uintptr_t)code + 16);
    assert_int_not_equal(mapping, 0);
    uint32_t count = fixture->profile->mapping_count;
    assert_int_equal(mprotect(code, 8192, PROT_READ | PROT_EXEC), 0);
    let_time_pass(fixture);
    assert_int_equal(ph_mappings_find(&fixture->mappings, (uintptr_t)code + 5000), mapping);
    assert_int_equal(fixture->profile->mapping_count, count);
    assert_int_equal(fixture->profile->mappings[mapping - 1].limit, (uintptr_t)code + 8192);
    munmap(code, 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_executable_is_the_first_mapping, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_outside_every_mapping_has_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_module_that_came_meanwhile_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(maps_are_not_read_again_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(maps_are_read_again_soon_only_if_something_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_module_that_went_keeps_its_names, setup, teardown),
        cmocka_unit_test_setup_teardown(modules_in_the_same_place_one_after_the_other_are_told_apart, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(code_of_a_jit_that_grows_stays_one_mapping, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
