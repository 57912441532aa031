/* The mappings of a part of a family's profile, of this very process. */
#include "base/buf.h"
#include "collect/heap_mappings.h"
#include "model/maps.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct ph_buf maps_text = PH_BUF_INIT;
static void *anonymous;

static int read_maps(void **state)
{
    char piece[4096];
    ssize_t count;
    anonymous = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    while ((count = read(fd, piece, sizeof(piece))) > 0)
        ph_buf_append(&maps_text, piece, (size_t)count);
    close(fd);
    return count < 0 || anonymous == MAP_FAILED ? -1 : 0;
}

static int free_maps(void **state)
{
    ph_buf_fini(&maps_text);
    return munmap(anonymous, 4096);
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
        cmocka_unit_test(code_without_a_name_is_in_no_mapping),
    };
    return cmocka_run_group_tests(tests, read_maps, free_maps);
}
