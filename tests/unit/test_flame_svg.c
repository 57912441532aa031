#include "tools/flame_svg.h"

#include "model/folded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static struct ph_buf graph_of(const char *text, const char *title)
{
    struct ph_buf out = PH_BUF_INIT;
    struct ph_profile *profile = NULL;
    struct ph_flame_options options = {.title = title};
    assert_int_equal(ph_folded_read(text, strlen(text), "inuse_space", "bytes", &profile, NULL), 0);
    assert_int_equal(ph_flame_svg_write(profile, &options, &out), 0);
    ph_profile_free(profile);
    return out;
}

static void add_values(struct ph_profile *profile, const char *name, const int64_t *values)
{
    struct ph_function function = {.name = ph_profile_string(profile, name)};
    struct ph_line line = {.function = ph_profile_add_function(profile, &function)};
    uint32_t frame = ph_profile_add_location(profile, 0, 0, false, &line, 1);
    ph_profile_add_sample(profile, &frame, 1, NULL, 0, values);
}

static size_t count(const struct ph_buf *graph, const char *text)
{
    size_t found = 0;
    for (const char *at = graph->data; (at = strstr(at, text)) != NULL; at++)
        found++;
    return found;
}

static void every_frame_is_a_box_with_name_value_and_share(void **state)
{
    struct ph_buf graph = graph_of("main;serve 3072\nmain;idle 1024\n", "two");
    assert_int_equal(count(&graph, "class=\"f\""), 4);
    assert_int_equal(count(&graph, "<title>serve (3.0 KiB, 75.00%)</title>"), 1);
    assert_int_equal(count(&graph, "<title>all (4.0 KiB, 100.00%)</title>"), 1);
    assert_int_equal(count(&graph, "width=\"885.00\""), 1); /* three quarters of 1180 */
    assert_int_equal(count(&graph, ">serve</text>"), 1);
    ph_buf_fini(&graph);
}

static void markup_and_control_characters_are_only_text(void **state)
{
    struct ph_buf graph = graph_of("a<b>&\"c';\x1b[31m\x01\xff\xef\xbf\xbf]]> 5\n", "<script>\x07");
    assert_int_equal(count(&graph, "a&lt;b&gt;&amp;&quot;c&#39;"), 2);
    assert_int_equal(count(&graph, "\\x1b[31m\\x01\xef\xbf\xbd\xef\xbf\xbd]]&gt;"), 2);
    assert_int_equal(count(&graph, "&lt;script&gt;\\x07"), 2);
    assert_int_equal(count(&graph, "<script>"), 1);
    assert_int_equal(count(&graph, "]]>"), 1);
    ph_buf_fini(&graph);
}

static void names_are_cut_to_their_boxes(void **state)
{
    struct ph_buf graph =
        graph_of("main;a_name_that_is_longer_than_the_box_it_is_written_in 10\nmain;x 990\n", "names");
    assert_int_equal(count(&graph, "a_name_that_is_longer_than_the_box_it_is_written_in"), 1);
    assert_int_equal(count(&graph, "></text></g>"), 1);
    ph_buf_fini(&graph);
}

static void boxes_that_could_not_be_seen_are_left_out(void **state)
{
    struct ph_buf graph = graph_of("main;tiny 1\nmain;large 1000000\n", "tiny");
    assert_int_equal(count(&graph, "tiny ("), 0);
    assert_int_equal(count(&graph, "large ("), 1);
    ph_buf_fini(&graph);
}

static void a_profile_without_samples_is_a_graph_without_boxes(void **state)
{
    struct ph_buf graph = graph_of("", "empty");
    assert_int_equal(count(&graph, "class=\"f\""), 0);
    assert_int_equal(count(&graph, "</svg>"), 1);
    ph_buf_fini(&graph);
}

static void times_are_told_with_their_samples(void **state)
{
    struct ph_buf out = PH_BUF_INIT;
    struct ph_profile *profile = ph_profile_new();
    struct ph_flame_options options = {.title = "cpu", .type = 0};
    ph_profile_add_type(profile, "samples", "count");
    options.type = ph_profile_add_type(profile, "cpu", "nanoseconds");
    add_values(profile, "parse", (const int64_t[]){1, 10000000});
    add_values(profile, "load", (const int64_t[]){123, 1230000000});
    assert_int_equal(ph_flame_svg_write(profile, &options, &out), 0);
    assert_int_equal(count(&out, "<title>load (1.23s, 123 samples, 99.19%)</title>"), 1);
    assert_int_equal(count(&out, "<title>parse (10.0ms, 1 sample, 0.81%)</title>"), 1);
    assert_int_equal(count(&out, "cpu 1.24s, 124 samples; 2 stacks"), 1);
    ph_buf_fini(&out);
    ph_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_is_a_box_with_name_value_and_share),
        cmocka_unit_test(markup_and_control_characters_are_only_text),
        cmocka_unit_test(names_are_cut_to_their_boxes),
        cmocka_unit_test(boxes_that_could_not_be_seen_are_left_out),
        cmocka_unit_test(a_profile_without_samples_is_a_graph_without_boxes),
        cmocka_unit_test(times_are_told_with_their_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
