/* That go tool pprof agrees is tested end to end: tests/clients/test_diff.sh. */
#include "model/pprof_read.h"
#include "rich.h"
#include "tools/diff_profile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t grown[] = {0x1000, 0x2000}, freed[] = {0x3000, 0x2000}, same[] = {0x4000};

static struct ph_profile *base_profile(void)
{
    struct ph_profile *base = rich_heap(512 << 10);
    rich_add_heap(base, grown, 2, 1, 100);
    rich_add_heap(base, freed, 2, 2, 700);
    rich_add_heap(base, same, 1, 3, 30);
    return base;
}

static struct ph_profile *new_profile(void)
{
    struct ph_profile *now = rich_heap(512 << 10);
    rich_add_heap(now, grown, 2, 5, 500);
    rich_add_heap(now, same, 1, 3, 30);
    return now;
}

static int write_pprof(struct ph_profile *base, struct ph_profile *now, struct ph_buf *out, struct ph_error *error)
{
    const struct ph_diff_end ends[] = {{base, "old.heap"}, {now, "new.heap"}};
    return ph_diff_pprof_write(&ends[0], &ends[1], out, error);
}

static int write_folded(struct ph_profile *base, struct ph_profile *now, enum ph_heap_type metric,
                        struct ph_buf *out, struct ph_error *error)
{
    const struct ph_diff_end ends[] = {{base, "old.heap"}, {now, "new.heap"}};
    return ph_diff_folded_write(&ends[0], &ends[1], metric, out, error);
}

static void the_difference_reads_as_that_of_pprof(void **state)
{
    struct ph_profile *base = base_profile(), *now = new_profile(), *difference;
    struct ph_buf out = PH_BUF_INIT;
    struct ph_error error;
    int64_t base_total = 0;
    assert_int_equal(write_pprof(base, now, &out, &error), 0);
    assert_int_equal(ph_pprof_read(out.data, out.size_bytes, &difference, &error), 0);
    int type = ph_profile_find_type(difference, "inuse_space");
    assert_int_equal(ph_profile_total(difference, (uint32_t)type), 530 - 830);
    for (uint32_t i = 0; i < difference->sample_count; i++) {
        const struct ph_sample *sample = &difference->samples[i];
        const struct ph_label *label = &difference->labels[sample->first_label];
        int64_t value = ph_profile_values(difference, i)[type];
        assert_int_equal(sample->label_count, value < 0 ? 1 : 0);
        if (value >= 0)
            continue;
        assert_string_equal(ph_profile_text(difference, label->key), "pprof::base");
        assert_string_equal(ph_profile_text(difference, label->text), "true");
        base_total += value;
    }
    assert_int_equal(base_total, -830);
    ph_buf_fini(&out);
    ph_profile_free(base);
    ph_profile_free(now);
    ph_profile_free(difference);
}

static void labels_of_the_base_stay(void **state)
{
    struct ph_profile *base = rich_profile(), *now = rich_profile(), *difference;
    struct ph_buf out = PH_BUF_INIT;
    struct ph_error error;
    uint32_t label_count = now->label_count, sample_count = now->sample_count;
    assert_int_equal(write_pprof(base, now, &out, &error), 0);
    assert_int_equal(ph_pprof_read(out.data, out.size_bytes, &difference, &error), 0);
    assert_true(label_count > 0);
    assert_int_equal(difference->sample_count, 2 * sample_count);
    assert_int_equal(difference->label_count, 2 * label_count + sample_count);
    ph_buf_fini(&out);
    ph_profile_free(base);
    ph_profile_free(now);
    ph_profile_free(difference);
}

static void profiles_of_other_types_have_no_difference(void **state)
{
    struct ph_profile *base = rich_heap(1), *now = rich_profile();
    struct ph_buf out = PH_BUF_INIT;
    struct ph_error error = {0};
    assert_int_equal(write_pprof(base, now, &out, &error), -EINVAL);
    assert_non_null(strstr(error.text, "old.heap counts alloc_objects/count"));
    assert_non_null(strstr(error.text, ", but new.heap counts "));
    assert_int_equal(out.size_bytes, 0);
    ph_profile_free(base);
    ph_profile_free(now);
}

/* pprof itself calls them so where it reads heap profiles without allocations; memray and others follow. */
static struct ph_profile *short_names(const char *space, int64_t bytes)
{
    struct ph_profile *profile = ph_profile_new();
    ph_profile_add_type(profile, "objects", "count");
    ph_profile_add_type(profile, space, "bytes");
    const int64_t values[] = {1, bytes};
    const uint32_t location = ph_profile_add_location(profile, 0, 0x1000, false, NULL, 0);
    assert_int_equal(ph_profile_add_sample(profile, &location, 1, NULL, 0, values), 0);
    return profile;
}

static void folded_lines_are_of_the_type_that_the_report_is_of(void **state)
{
    struct ph_profile *base = short_names("space", 100), *now = short_names("space", 300);
    struct ph_profile *other = short_names("retained", 5);
    struct ph_buf out = PH_BUF_INIT;
    struct ph_error error;
    assert_int_equal(write_folded(base, now, PH_HEAP_INUSE_SPACE, &out, &error), 0);
    assert_string_equal(out.data, "0x1000 100 300\n");
    assert_int_equal(write_folded(base, other, PH_HEAP_INUSE_SPACE, &out, &error), -EINVAL);
    assert_string_equal(error.text, "new.heap: it holds no inuse_space, but objects, retained");
    ph_buf_fini(&out);
    ph_profile_free(base);
    ph_profile_free(now);
    ph_profile_free(other);
}

static void folded_lines_have_both_values(void **state)
{
    struct ph_profile *base = base_profile(), *now = new_profile();
    struct ph_buf out = PH_BUF_INIT;
    struct ph_error error;
    const uint64_t appeared[] = {0x5000};
    rich_add_heap(now, appeared, 1, 1, 9);
    assert_int_equal(write_folded(base, now, PH_HEAP_INUSE_SPACE, &out, &error), 0);
    assert_string_equal(out.data, "0x2000;0x1000 100 500\n"
                                  "0x2000;0x3000 700 0\n"
                                  "0x4000 30 30\n"
                                  "0x5000 0 9\n");
    ph_buf_fini(&out);
    ph_profile_free(base);
    ph_profile_free(now);
}

static void the_difference_of_nothing_is_empty(void **state)
{
    struct ph_profile *base = rich_heap(1), *now = rich_heap(1), *difference;
    struct ph_buf out = PH_BUF_INIT;
    struct ph_error error;
    assert_int_equal(write_folded(base, now, PH_HEAP_INUSE_SPACE, &out, &error), 0);
    assert_int_equal(out.size_bytes, 0);
    assert_int_equal(write_pprof(base, now, &out, &error), 0);
    assert_int_equal(ph_pprof_read(out.data, out.size_bytes, &difference, &error), 0);
    assert_int_equal(difference->sample_count, 0);
    ph_buf_fini(&out);
    ph_profile_free(base);
    ph_profile_free(now);
    ph_profile_free(difference);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_difference_reads_as_that_of_pprof),
        cmocka_unit_test(labels_of_the_base_stay),
        cmocka_unit_test(profiles_of_other_types_have_no_difference),
        cmocka_unit_test(folded_lines_are_of_the_type_that_the_report_is_of),
        cmocka_unit_test(folded_lines_have_both_values),
        cmocka_unit_test(the_difference_of_nothing_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
