#include "model/maps.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint32_t add_mapping(struct ph_profile *profile, uint64_t start, uint64_t limit)
{
    struct ph_mapping mapping = {.start = start, .limit = limit};
    return ph_profile_add_mapping(profile, &mapping);
}

static uint64_t address_of(const struct ph_profile *profile, uint32_t location)
{
    return ph_profile_location(profile, location)->address;
}

static void mappings_of_different_processes_are_parted(void **state)
{
    struct ph_profile *profile = rich_heap(1);
    uint32_t first = add_mapping(profile, 0x1000, 0x5000);
    uint32_t behind = add_mapping(profile, 0x5000, 0x6000);
    uint32_t same_place = add_mapping(profile, 0x1000, 0x5000);
    uint32_t overlapping = add_mapping(profile, 0x4000, 0x5800);
    add_mapping(profile, UINT64_C(0xffffffffff600000), UINT64_C(0xffffffffff601000)); /* [vsyscall] */
    uint32_t a = ph_profile_add_location(profile, first, 0x1234, false, NULL, 0);
    uint32_t b = ph_profile_add_location(profile, same_place, 0x1234, false, NULL, 0);
    uint32_t c = ph_profile_add_location(profile, overlapping, 0x4010, false, NULL, 0);
    uint32_t d = ph_profile_add_location(profile, behind, 0x5010, false, NULL, 0);
    uint32_t nowhere = ph_profile_add_location(profile, 0, 0x1234, false, NULL, 0);
    ph_maps_part(profile);
    for (uint32_t i = 0; i < profile->mapping_count; i++)
        for (uint32_t j = 0; j < i; j++)
            assert_true(profile->mappings[i].start >= profile->mappings[j].limit ||
                        profile->mappings[j].start >= profile->mappings[i].limit);
    assert_true(address_of(profile, a) == 0x1234 && address_of(profile, d) == 0x5010);
    assert_true(address_of(profile, nowhere) == 0x1234);
    assert_true(address_of(profile, b) - profile->mappings[same_place - 1].start == 0x234);
    assert_true(address_of(profile, c) - profile->mappings[overlapping - 1].start == 0x10);
    assert_true(profile->mappings[same_place - 1].limit - profile->mappings[same_place - 1].start == 0x4000);
    assert_true(profile->mappings[overlapping - 1].limit < UINT64_C(1) << 47);
    ph_profile_free(profile);
}

static void mappings_of_one_process_stay(void **state)
{
    struct ph_profile *profile = rich_heap(1);
    add_mapping(profile, 0x5000, 0x6000);
    add_mapping(profile, 0x1000, 0x5000);
    uint32_t location = ph_profile_add_location(profile, 2, 0x1234, false, NULL, 0);
    ph_maps_part(profile);
    assert_true(profile->mappings[0].start == 0x5000 && profile->mappings[1].start == 0x1000);
    assert_true(address_of(profile, location) == 0x1234);
    ph_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mappings_of_different_processes_are_parted),
        cmocka_unit_test(mappings_of_one_process_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
