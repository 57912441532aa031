#include "model/gzip.h"
#include "model/pprof_read.h"
#include "model/pprof_write.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct ph_profile *round_trip(const struct ph_profile *profile)
{
    struct ph_buf out = PH_BUF_INIT;
    struct ph_error error = {0};
    struct ph_profile *again = NULL;
    if (ph_pprof_write(profile, &out, &error) < 0 || ph_pprof_read(out.data, out.size_bytes, &again, &error) < 0)
        fail_msg("%s", error.text);
    ph_buf_fini(&out);
    return again;
}

static void all_that_a_profile_says_survives(void **state)
{
    struct ph_profile *profile = rich_profile();
    struct ph_profile *again = round_trip(profile);
    rich_expect_equal(profile, again);
    /* Numbers are kept, too: the ids are 1..N in order. */
    assert_int_equal(again->string_count, profile->string_count);
    assert_memory_equal(again->frames, profile->frames, profile->frame_count * sizeof(*profile->frames));
    ph_profile_free(profile);
    ph_profile_free(again);
}

static void an_empty_profile_survives(void **state)
{
    struct ph_profile *profile = rich_heap(524288);
    struct ph_profile *again = round_trip(profile);
    rich_expect_equal(profile, again);
    ph_profile_free(profile);
    ph_profile_free(again);
}

static void without_gzip_all_survives_as_well(void **state)
{
    struct ph_profile *profile = rich_profile(), *again;
    struct ph_buf bytes = PH_BUF_INIT;
    ph_buf_text(&bytes, "before");
    assert_int_equal(ph_pprof_write_bare(profile, &bytes, NULL), 0);
    assert_memory_equal(bytes.data, "before", 6);
    assert_false(ph_gzip_is(bytes.data + 6, bytes.size_bytes - 6));
    assert_int_equal(ph_pprof_read(bytes.data + 6, bytes.size_bytes - 6, &again, NULL), 0);
    rich_expect_equal(profile, again);
    ph_profile_free(again);
    ph_profile_free(profile);
    ph_buf_fini(&bytes);
}

static void large_profiles_survive(void **state)
{
    enum { COUNT = 20000 };
    struct ph_profile *profile = rich_heap(524288);
    for (uint64_t i = 0; i < COUNT; i++)
        rich_add_heap(profile, (const uint64_t[]){16 * i, 16 * (i / 2), 16 * (i / 4)}, 3, (int64_t)i,
                      (int64_t)i * 100);
    struct ph_profile *again = round_trip(profile);
    rich_expect_equal(profile, again);
    ph_profile_free(profile);
    ph_profile_free(again);
}

/* By hand, after proto/profile.proto: the first field of Profile is a ValueType {1: string 1, 2: string 2}. */
static void the_wire_is_gos(void **state)
{
    static const char wire[] = "\x0a\x04\x08\x01\x10\x02" /* sample_type */
                               "\x12\x04\x12\x02\x80\x01" /* sample: value 128, packed */
                               "\x32\x00\x32\x05space\x32\x05"
                               "bytes" /* string_table */;
    struct ph_profile *profile = ph_profile_new();
    struct ph_buf out = PH_BUF_INIT, plain = PH_BUF_INIT;
    ph_profile_add_type(profile, "space", "bytes");
    ph_profile_add_sample(profile, NULL, 0, NULL, 0, (const int64_t[]){128});
    ph_buf_text(&out, "before");
    assert_int_equal(ph_pprof_write(profile, &out, NULL), 0);
    assert_memory_equal(out.data, "before\x1f\x8b", 8);
    assert_int_equal(ph_gzip_read(out.data + 6, out.size_bytes - 6, 1000, &plain, NULL), 0);
    assert_int_equal(plain.size_bytes, sizeof(wire) - 1);
    assert_memory_equal(plain.data, wire, sizeof(wire) - 1);
    ph_profile_free(profile);
    ph_buf_fini(&out);
    ph_buf_fini(&plain);
}

static void what_is_not_consistent_is_not_written(void **state)
{
    struct ph_profile *profile = rich_profile();
    struct ph_buf out = PH_BUF_INIT;
    struct ph_error error = {0};
    profile->frames[0] = 99;
    assert_int_equal(ph_pprof_write(profile, &out, &error), -EINVAL);
    assert_string_equal(error.text, "frame 0: location is 99, expected 1 to 4");
    assert_int_equal(out.size_bytes, 0);
    profile->status = -ENOMEM;
    assert_int_equal(ph_pprof_write(profile, &out, &error), -ENOMEM);
    ph_profile_free(profile);
    ph_buf_fini(&out);
}

static void a_buffer_without_room_is_told(void **state)
{
    struct ph_profile *profile = rich_profile();
    struct ph_buf out = {.failed = -ENOMEM};
    struct ph_error error = {0};
    assert_int_equal(ph_pprof_write(profile, &out, &error), -ENOMEM);
    assert_string_equal(error.text, "no memory to encode the profile");
    ph_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_a_profile_says_survives),
        cmocka_unit_test(an_empty_profile_survives),
        cmocka_unit_test(without_gzip_all_survives_as_well),
        cmocka_unit_test(large_profiles_survive),
        cmocka_unit_test(the_wire_is_gos),
        cmocka_unit_test(what_is_not_consistent_is_not_written),
        cmocka_unit_test(a_buffer_without_room_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
