#include "server/count_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static struct ph_profile *new_profile(void)
{
    struct ph_profile *profile = ph_profile_new();
    assert_non_null(profile);
    ph_profile_add_type(profile, "threadcreate", "count");
    return profile;
}

static void expect_text(struct ph_profile *profile, const char *wanted)
{
    struct ph_buf out = PH_BUF_INIT;
    assert_int_equal(ph_profile_status(profile), 0);
    ph_count_text_write(profile, "threadcreate", &out);
    assert_int_equal(ph_buf_status(&out), 0);
    assert_string_equal(out.data, wanted);
    ph_buf_fini(&out);
    ph_profile_free(profile);
}

static uint32_t add_location(struct ph_profile *profile, uint32_t mapping, uint64_t address, const char *name)
{
    struct ph_function function = {.name = ph_profile_string(profile, name ? name : "")};
    struct ph_line line = {.function = name ? ph_profile_add_function(profile, &function) : 0};
    return ph_profile_add_location(profile, mapping, address, false, &line, name ? 1 : 0);
}

static void an_empty_profile_is_its_first_line(void **state)
{
    expect_text(new_profile(), "threadcreate profile: total 0\n");
}

static void stacks_come_by_count_with_return_addresses_and_names(void **state)
{
    struct ph_profile *profile = new_profile();
    struct ph_mapping mapping = {.start = 0x1000, .limit = 0x2000, .file = ph_profile_string(profile, "/bin/x")};
    uint32_t number = ph_profile_add_mapping(profile, &mapping);
    uint32_t leaf = add_location(profile, number, 0x1fff, "_ZN4pool5startEv");
    uint32_t root = add_location(profile, 0, 0x300f, NULL);
    const uint32_t stack[] = {leaf, root};
    const int64_t one = 1, three = 3;
    ph_profile_add_sample(profile, &root, 1, NULL, 0, &one);
    ph_profile_add_sample(profile, stack, 2, NULL, 0, &three);
    ph_profile_add_sample(profile, NULL, 0, NULL, 0, &one);
    expect_text(profile, "threadcreate profile: total 5\n"
                         "3 @ 0x2000 0x3010\n"
                         "#\t0x2000\tpool::start()\t/bin/x\n"
                         "#\t0x3010\t?\n"
                         "\n"
                         "1 @ 0x3010\n"
                         "#\t0x3010\t?\n"
                         "\n"
                         "1 @\n"
                         "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_profile_is_its_first_line),
        cmocka_unit_test(stacks_come_by_count_with_return_addresses_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
