/* The mappings of a part of a family's profile, of this very process. */
#include "base/buf.h"
#include "collect/heap_mappings.h"
#include "model/maps.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct ph_buf maps_text = PH_BUF_INIT;
static void *anonymous, *by_hand; /* code: of no file, and of a file that the loader did not map */

static int read_maps(void **state)
{
    char piece[4096];
    ssize_t count;
    anonymous = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    by_hand = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, self, 0);
    close(self);
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    while ((count = read(fd, piece, sizeof(piece))) > 0)
        ph_buf_append(&maps_text, piece, (size_t)count);
    close(fd);
    return count < 0 || anonymous == MAP_FAILED || by_hand == MAP_FAILED ? -1 : 0;
}

static int free_maps(void **state)
{
    ph_buf_fini(&maps_text);
    return munmap(anonymous, 4096) | munmap(by_hand, 4096);
}

static struct ph_scan maps(void)
{
    return ph_scan_over(maps_text.data, maps_text.size_bytes);
}

static uint32_t mapping_at(const struct ph_profile *profile, uint64_t address)
{
    for (uint32_t i = 0; i < profile->mapping_count; i++)
        if (address >= profile->mappings[i].start && address < profile->mappings[i].limit)
            return i + 1;
    return 0;
}

static void only_what_is_used_stays_and_says_what_it_is(void **state)
{
    struct ph_profile *profile = rich_heap(1);
    struct ph_modules modules;
    assert_int_equal(ph_maps_read(profile, maps()), 0);
    uint32_t all = profile->mapping_count;
    uint64_t own = (uint64_t)(uintptr_t)mapping_at, libc = (uint64_t)(uintptr_t)strchrnul;
    uint32_t in_libc = ph_profile_add_location(profile, mapping_at(profile, libc), libc, false, NULL, 0);
    uint32_t in_own = ph_profile_add_location(profile, mapping_at(profile, own), own, false, NULL, 0);
    ph_profile_add_location(profile, 0, 1, false, NULL, 0);
    assert_true(all > 2);
    assert_int_equal(ph_heap_mappings_used(maps(), profile, NULL), 0);
    assert_int_equal(profile->mapping_count, 2);
    assert_int_equal(mapping_at(profile, libc), ph_profile_location(profile, in_libc)->mapping);
    assert_int_equal(mapping_at(profile, own), ph_profile_location(profile, in_own)->mapping);

    assert_int_equal(ph_modules_self(&modules, NULL), 0);
    const uint64_t addresses[] = {own, libc};
    for (int i = 0; i < 2; i++) {
        const struct ph_mapping *mapping = &profile->mappings[mapping_at(profile, addresses[i]) - 1];
        const struct ph_module *module = ph_modules_find(&modules, addresses[i]);
        assert_string_not_equal(module->build_id, "");
        assert_string_equal(ph_profile_text(profile, mapping->build_id), module->build_id);
        assert_string_equal(ph_profile_text(profile, mapping->file), module->path);
        assert_true(mapping->start == module->start && mapping->limit == module->limit &&
                    mapping->offset == module->offset);
    }
    ph_modules_fini(&modules);
    ph_profile_free(profile);
}

static uint32_t add_location(struct ph_profile *profile, uint64_t address)
{
    return ph_profile_add_location(profile, mapping_at(profile, address), address, false, NULL, 0);
}

static void check_like_the_maps(const struct ph_profile *profile, uint32_t location)
{
    struct ph_modules modules;
    uint64_t address = ph_profile_location(profile, location)->address;
    uint32_t number = ph_profile_location(profile, location)->mapping;
    assert_int_equal(ph_modules_self(&modules, NULL), 0);
    const struct ph_module *module = ph_modules_find(&modules, address);
    assert_in_range(number, 1, profile->mapping_count);
    const struct ph_mapping *mapping = &profile->mappings[number - 1];
    assert_string_not_equal(module->build_id, "");
    assert_string_equal(ph_profile_text(profile, mapping->build_id), module->build_id);
    assert_string_equal(ph_profile_text(profile, mapping->file), module->path);
    assert_true(mapping->start == module->start && mapping->limit == module->limit &&
                mapping->offset == module->offset);
    ph_modules_fini(&modules);
}

static struct ph_profile *loaded_profile(struct ph_loaded *ret_loaded)
{
    struct ph_profile *profile = rich_heap(1);
    assert_int_equal(ph_loaded_read(ret_loaded), 0);
    assert_int_equal(ph_heap_mappings_loaded(ret_loaded, profile), 0);
    return profile;
}

static void the_loader_says_the_same_as_the_maps(void **state)
{
    struct ph_loaded loaded;
    struct ph_profile *profile = loaded_profile(&loaded);
    uint32_t in_libc = add_location(profile, (uint64_t)(uintptr_t)strchrnul);
    uint32_t in_own = add_location(profile, (uint64_t)(uintptr_t)mapping_at);
    assert_int_equal(ph_heap_mappings_loaded_used(&loaded, profile), 0);
    assert_int_equal(profile->mapping_count, 2);
    check_like_the_maps(profile, in_libc);
    check_like_the_maps(profile, in_own);
    ph_loaded_fini(&loaded);
    ph_profile_free(profile);
}

/* As a module of another namespace, or one that the host has mapped by itself. */
static void what_the_loader_does_not_know_is_looked_for_in_the_maps(void **state)
{
    struct ph_loaded loaded;
    struct ph_profile *profile = loaded_profile(&loaded);
    uint32_t in_libc = add_location(profile, (uint64_t)(uintptr_t)strchrnul);
    uint32_t in_file = add_location(profile, (uint64_t)(uintptr_t)by_hand);
    uint32_t in_none = add_location(profile, (uint64_t)(uintptr_t)anonymous);
    assert_int_equal(ph_profile_location(profile, in_file)->mapping, 0);
    assert_int_equal(ph_heap_mappings_loaded_used(&loaded, profile), -ENOENT);
    assert_int_equal(ph_heap_mappings_instead(maps(), profile, NULL), 0);
    assert_int_equal(profile->mapping_count, 2);
    check_like_the_maps(profile, in_libc);
    assert_int_equal(ph_profile_location(profile, in_none)->mapping, 0);
    const struct ph_mapping *mapping = &profile->mappings[ph_profile_location(profile, in_file)->mapping - 1];
    assert_int_equal(mapping->start, (uint64_t)(uintptr_t)by_hand);
    assert_non_null(strstr(ph_profile_text(profile, mapping->file), "test_heap_mappings"));
    ph_loaded_fini(&loaded);
    ph_profile_free(profile);
}

static void data_of_a_file_is_not_its_code(void **state)
{
    struct ph_loaded loaded;
    struct ph_profile *profile = loaded_profile(&loaded);
    add_location(profile, (uint64_t)(uintptr_t)&maps_text);
    assert_int_equal(ph_heap_mappings_loaded_used(&loaded, profile), -ENOENT);
    ph_loaded_fini(&loaded);
    ph_profile_free(profile);
}

static void code_without_a_name_is_in_no_mapping(void **state)
{
    struct ph_profile *text = rich_heap(1), *whole = rich_heap(1);
    struct ph_modules modules;
    assert_int_equal(ph_modules_self(&modules, NULL), 0);
    assert_non_null(ph_modules_find(&modules, (uint64_t)(uintptr_t)anonymous));
    assert_int_equal(ph_heap_mappings_named(&modules, whole), 0);
    assert_int_equal(ph_maps_read(text, maps()), 0);
    assert_int_equal(mapping_at(whole, (uint64_t)(uintptr_t)anonymous), 0);
    assert_int_equal(mapping_at(text, (uint64_t)(uintptr_t)anonymous), 0);
    assert_int_equal(whole->mapping_count, text->mapping_count);
    assert_int_equal(mapping_at(whole, (uint64_t)(uintptr_t)mapping_at), 1); /* the executable first */
    ph_modules_fini(&modules);
    ph_profile_free(whole);
    ph_profile_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_used_stays_and_says_what_it_is),
        cmocka_unit_test(the_loader_says_the_same_as_the_maps),
        cmocka_unit_test(what_the_loader_does_not_know_is_looked_for_in_the_maps),
        cmocka_unit_test(data_of_a_file_is_not_its_code),
        cmocka_unit_test(code_without_a_name_is_in_no_mapping),
    };
    return cmocka_run_group_tests(tests, read_maps, free_maps);
}
