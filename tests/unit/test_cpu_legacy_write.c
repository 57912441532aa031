#include "model/cpu_legacy_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static struct ph_profile *new_profile(void)
{
    struct ph_profile *profile = ph_profile_new();
    assert_non_null(profile);
    ph_profile_add_type(profile, "samples", "count");
    ph_profile_add_type(profile, "cpu", "nanoseconds");
    profile->period = 10000000;
    return profile;
}

static void add(struct ph_profile *profile, const uint64_t *addresses, uint32_t count, int64_t samples)
{
    uint32_t frames[4];
    const int64_t values[] = {samples, samples * profile->period};
    for (uint32_t i = 0; i < count; i++)
        frames[i] = ph_profile_add_location(profile, 1, addresses[i], false, NULL, 0);
    ph_profile_add_sample(profile, frames, count, NULL, 0, values);
}

static void expect(const struct ph_profile *profile, const uint64_t *words, size_t count, const char *maps)
{
    struct ph_buf out = PH_BUF_INIT;
    ph_cpu_legacy_write(profile, &out);
    assert_int_equal(ph_buf_status(&out), 0);
    assert_int_equal(out.size_bytes, count * sizeof(*words) + strlen(maps));
    assert_memory_equal(out.data, words, count * sizeof(*words));
    assert_string_equal(out.data + count * sizeof(*words), maps);
    ph_buf_fini(&out);
}

static void samples_are_words_between_header_and_end(void **state)
{
    struct ph_profile *profile = new_profile();
    struct ph_mapping mapping = {.start = 0x1000, .limit = 0x3000, .offset = 0x200};
    mapping.file = ph_profile_string(profile, "/bin/x");
    ph_profile_add_mapping(profile, &mapping);
    add(profile, (const uint64_t[]){0x1010, 0x201f}, 2, 7);
    add(profile, (const uint64_t[]){0x1020}, 1, 1);
    const uint64_t wanted[] = {0, 3, 0, 10000, 0, 7, 2, 0x1010, 0x2020, 1, 1, 0x1020, 0, 1, 0};
    expect(profile, wanted, sizeof(wanted) / sizeof(*wanted), "00001000-00003000 r-xp 00000200 00:00 0 /bin/x\n");
    ph_profile_free(profile);
}

static void what_the_format_cannot_hold_is_left_out(void **state)
{
    struct ph_profile *profile = new_profile();
    profile->period = 10; /* below its unit */
    add(profile, NULL, 0, 5);
    add(profile, (const uint64_t[]){0x1010}, 1, 0);
    const uint64_t wanted[] = {0, 3, 0, 1, 0, 0, 1, 0};
    expect(profile, wanted, sizeof(wanted) / sizeof(*wanted), "");
    ph_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_words_between_header_and_end),
        cmocka_unit_test(what_the_format_cannot_hold_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
