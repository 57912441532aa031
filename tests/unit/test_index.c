#include "base/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#define COUNT 100000

static bool value_equal(const void *owner, uint32_t number, const void *key)
{
    return ((const uint64_t *)owner)[number] == *(const uint64_t *)key;
}

static uint64_t value_of(uint32_t number)
{
    return UINT64_C(4096) * number; /* as addresses: alike in their low bits */
}

static void a_hundred_thousand_entries_are_found_and_no_other(void **state)
{
    struct ph_index index = PH_INDEX_INIT;
    uint64_t *values = calloc(COUNT, sizeof(*values));
    for (uint32_t i = 0; i < COUNT; i++) {
        values[i] = value_of(i);
        assert_int_equal(ph_index_add(&index, ph_hash_u64(values[i]), i), 0);
    }
    assert_int_equal(index.entry_count, COUNT);
    assert_true(index.slot_count >= 2 * COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint64_t absent = values[i] + 1;
        assert_int_equal(ph_index_find(&index, ph_hash_u64(values[i]), value_equal, values, &values[i]), i);
        assert_int_equal(ph_index_find(&index, ph_hash_u64(absent), value_equal, values, &absent), PH_INDEX_NONE);
    }
    free(values);
    ph_index_fini(&index);
}

static void entries_of_equal_hash_are_told_apart_by_their_owner(void **state)
{
    struct ph_index index = PH_INDEX_INIT;
    uint64_t values[1000];
    for (uint32_t i = 0; i < 1000; i++) {
        values[i] = i;
        assert_int_equal(ph_index_add(&index, UINT64_MAX, i), 0);
    }
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(ph_index_find(&index, UINT64_MAX, value_equal, values, &values[i]), i);
    uint64_t absent = 1000;
    assert_int_equal(ph_index_find(&index, UINT64_MAX, value_equal, values, &absent), PH_INDEX_NONE);
    ph_index_fini(&index);
}

static void an_empty_index_has_nothing(void **state)
{
    struct ph_index index = PH_INDEX_INIT;
    uint64_t key = 1;
    assert_int_equal(ph_index_find(&index, 1, value_equal, &key, &key), PH_INDEX_NONE);
    assert_int_equal(ph_index_add(&index, 1, 0), 0);
    ph_index_fini(&index);
    assert_int_equal(ph_index_find(&index, 1, value_equal, &key, &key), PH_INDEX_NONE);
}

static void hashes_depend_on_every_byte_and_the_length(void **state)
{
    char bytes[33] = {0};
    for (size_t length = 0; length < sizeof(bytes); length++) {
        uint64_t zeros = ph_hash_bytes(bytes, length);
        assert_true(zeros != ph_hash_bytes(bytes, (length + 1) % sizeof(bytes)));
        for (size_t i = 0; i < length; i++) {
            bytes[i] = 1;
            assert_true(ph_hash_bytes(bytes, length) != zeros);
            bytes[i] = 0;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_thousand_entries_are_found_and_no_other),
        cmocka_unit_test(entries_of_equal_hash_are_told_apart_by_their_owner),
        cmocka_unit_test(an_empty_index_has_nothing),
        cmocka_unit_test(hashes_depend_on_every_byte_and_the_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
