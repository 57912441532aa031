/* The schema is checked end to end: tests/clients/test_diff.sh. */
#include "report_fixture.h"
#include "tools/diff_json.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *json_of(struct ph_growth_report *report)
{
    struct ph_buf out = PH_BUF_INIT;
    assert_int_equal(ph_diff_json_write(report, &out), 0);
    assert_int_equal(out.data[out.size_bytes - 1], '\n');
    json_t *root = json_loadb(out.data, out.size_bytes, 0, NULL);
    assert_non_null(root);
    ph_buf_fini(&out);
    report_fixture_free(report);
    return root;
}

static const json_t *at(const json_t *array, size_t place, const char *key)
{
    const json_t *value = json_object_get(json_array_get(array, place), key);
    assert_non_null(value);
    return value;
}

static void sites_have_all_that_was_found(void **state)
{
    json_t *root = json_of(report_of_series());
    const json_t *sites = json_object_get(root, "sites");
    assert_int_equal(json_array_size(sites), 6);
    assert_string_equal(json_string_value(at(sites, 0, "function")), "session_new");
    assert_string_equal(json_string_value(at(sites, 0, "label")), "growing");
    assert_int_equal(json_integer_value(at(sites, 0, "delta_bytes")), 44 << 20);
    assert_int_equal(json_integer_value(at(sites, 0, "delta_objects")), 11264);
    assert_int_equal(json_integer_value(at(sites, 0, "ci_low")), 36 << 20);
    assert_int_equal(json_integer_value(at(sites, 0, "onset_index")), 3);
    assert_string_equal(json_string_value(at(sites, 0, "onset_time")), "2026-11-23T03:01:35.000Z");
    assert_string_equal(json_string_value(at(sites, 0, "onset_low")), "2026-11-23T03:01:15.000Z");
    assert_int_equal(json_array_size(at(sites, 0, "series")), 12);
    assert_int_equal(json_array_size(at(sites, 0, "stack")), 4);
    assert_string_equal(json_string_value(at(at(sites, 0, "stack"), 1, "file")), "/src/leaky/http.c");
    assert_float_equal(json_number_value(at(sites, 0, "p_value")), 1e-12, 1e-15);
    assert_string_equal(json_string_value(at(sites, 3, "label")), "shrinking");
    assert_true(json_is_null(at(sites, 3, "onset_time")));
    assert_true(json_is_null(at(sites, 3, "rate_bytes_per_second")));
    json_decref(root);
}

static void inflections_have_their_path_and_children(void **state)
{
    json_t *root = json_of(report_of_series());
    const json_t *inflections = json_object_get(root, "inflections");
    assert_int_equal(json_array_size(inflections), 2);
    assert_string_equal(json_string_value(at(inflections, 0, "function")), "handle_request");
    assert_int_equal(json_integer_value(at(inflections, 0, "growth_bytes")), 53 << 20);
    assert_int_equal(json_array_size(at(inflections, 0, "children")), 2);
    assert_true(json_is_true(at(inflections, 0, "is_spine")));
    json_decref(root);
}

static void what_is_not_known_is_null(void **state)
{
    json_t *root = json_of(report_of_pair());
    const json_t *summary = json_object_get(root, "summary");
    assert_true(json_is_null(json_object_get(json_object_get(summary, "base"), "alloc_space")));
    assert_true(json_is_null(json_object_get(summary, "rate_per_second")));
    assert_true(json_is_null(at(json_object_get(root, "sites"), 0, "age_seconds")));
    assert_true(json_is_null(at(json_object_get(root, "sites"), 0, "rate_per_second")));
    assert_true(json_is_null(at(json_object_get(root, "profiles"), 0, "time")));
    json_decref(root);
}

static void infinite_numbers_are_null(void **state)
{
    struct ph_growth_report *report = report_of_series();
    report->sites[0].verdict.high = INFINITY;
    report->sites[0].verdict.low = -INFINITY;
    report->summary.total_p = NAN;
    json_t *root = json_of(report);
    assert_true(json_is_null(at(json_object_get(root, "sites"), 0, "ci_high")));
    assert_true(json_is_null(at(json_object_get(root, "sites"), 0, "ci_low")));
    json_decref(root);
}

static void names_are_kept_whatever_is_in_them(void **state)
{
    struct ph_growth_report *report = report_of_series();
    report->frames[0].function = "a\xff\xc3(b";
    json_t *root = json_of(report);
    const json_t *sites = json_object_get(root, "sites");
    assert_string_equal(json_string_value(at(sites, 5, "function")), REPORT_HOSTILE);
    assert_string_equal(json_string_value(at(sites, 0, "function")), "a\xef\xbf\xbd\xef\xbf\xbd(b");
    json_decref(root);
}

static void objects_are_not_called_bytes(void **state)
{
    struct ph_growth_report *report = report_of_series();
    report->metric = PH_HEAP_INUSE_OBJECTS;
    json_t *root = json_of(report);
    const json_t *sites = json_object_get(root, "sites");
    assert_true(json_is_null(at(sites, 0, "delta_bytes")));
    assert_int_equal(json_integer_value(at(sites, 0, "delta_objects")), 44 << 20);
    assert_true(json_is_null(at(json_object_get(root, "inflections"), 0, "growth_bytes")));
    json_decref(root);
}

static void noise_is_listed_up_to_a_hundred(void **state)
{
    struct ph_growth_report *report = report_of_series();
    struct ph_growth_site *sites = ph_arena_alloc(&report->memory, 300 * sizeof(*sites));
    for (size_t i = 0; i < 300; i++)
        sites[i] = report->sites[i < 6 ? i : 5];
    report->sites = sites;
    report->site_count = 300;
    json_t *root = json_of(report);
    assert_int_equal(json_array_size(json_object_get(root, "sites")), 105);
    assert_int_equal(json_integer_value(json_object_get(root, "site_count")), 300);
    json_decref(root);
}

/* The end is kept that tells most: the allocation of a site, the place of an inflection. */
static void very_deep_stacks_are_cut(void **state)
{
    static uint32_t frames[5000];
    struct ph_growth_report *report = report_of_series();
    for (size_t i = 0; i < 5000; i++)
        frames[i] = i == 0 || i == 4999 ? 1 : 2;
    report->sites[0].frames = report->inflections[0].frames = frames;
    report->sites[0].frame_count = report->inflections[0].frame_count = 5000;
    json_t *root = json_of(report);
    const json_t *site = at(json_object_get(root, "sites"), 0, "stack");
    const json_t *path = at(json_object_get(root, "inflections"), 0, "stack");
    assert_int_equal(json_array_size(site), 1000);
    assert_int_equal(json_array_size(path), 1000);
    assert_string_equal(json_string_value(at(site, 0, "function")), json_string_value(at(path, 999, "function")));
    assert_string_not_equal(json_string_value(at(site, 0, "function")), json_string_value(at(site, 1, "function")));
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sites_have_all_that_was_found),
        cmocka_unit_test(inflections_have_their_path_and_children),
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(infinite_numbers_are_null),
        cmocka_unit_test(names_are_kept_whatever_is_in_them),
        cmocka_unit_test(objects_are_not_called_bytes),
        cmocka_unit_test(noise_is_listed_up_to_a_hundred),
        cmocka_unit_test(very_deep_stacks_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
