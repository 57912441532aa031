/* With a folder as argument it writes pages there, for tests/clients/test_diff_html.sh to open in a browser. */
#include "tools/diff_html.h"

#include "report_big.h"
#include "report_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *page_of(struct ph_growth_report *report, size_t *ret_size)
{
    struct ph_buf out = PH_BUF_INIT;
    assert_int_equal(ph_diff_html_write(report, &out), 0);
    report_fixture_free(report);
    return ph_buf_take(&out, ret_size);
}

static size_t count_of(const char *page, const char *text)
{
    size_t count = 0;
    for (const char *hit = page; (hit = strstr(hit, text)); hit++)
        count++;
    return count;
}

static void assert_has(const char *page, const char *text)
{
    if (!strstr(page, text))
        fail_msg("the page lacks %s", text);
}

static void assert_lacks(const char *page, const char *text)
{
    if (strstr(page, text))
        fail_msg("the page has %s", text);
}

/* The page without the program's own style and script. */
static char *content_of(struct ph_growth_report *report)
{
    char *page = page_of(report, NULL);
    char *begin = strstr(page, "<style>"), *end = strstr(page, "</style>");
    memset(begin, ' ', (size_t)(end - begin));
    begin = strstr(page, "<script>");
    memset(begin, ' ', strlen(begin));
    return page;
}

static void one_sentence_tells_what_grew_since_when(void **state)
{
    char *page = content_of(report_of_series());
    assert_has(page,
               "<h1>In-use bytes grew by <span class=grew>60.5 MiB</span>: <code class=name>session_new</code> "
               "has been growing since 03:01:35.</h1>");
    free(page);
    page = content_of(report_of_pair());
    assert_has(page, "</span>: <code class=name>session_new</code> alone by 44.0 MiB.</h1>");
    free(page);
    page = content_of(report_of_nothing());
    assert_has(page, "<h1>In-use bytes did not change.</h1>");
    free(page);
}

/* Everything that a profile names tries to run something. */
static struct ph_growth_report *report_of_hostile_names(void)
{
    static const char hostile[] =
        "</script><img src=x onerror='window.hacked=1'><script>window.hacked=2</script>\x1b&\"";
    struct ph_growth_report *report = report_of_series();
    for (size_t i = 0; i < report->frame_count; i++) {
        report->frames[i].function = report->frames[i].module = hostile;
        report->frames[i].file = "\"><img src=y>";
    }
    for (size_t i = 0; i < report->profile_count; i++)
        report->profiles[i].name = hostile;
    report->warnings[0] = hostile;
    return report;
}

static void names_from_profiles_are_text(void **state)
{
    char *page = content_of(report_of_hostile_names());
    assert_lacks(page, "<img");
    assert_lacks(page, "<script>");
    assert_lacks(page, "\x1b");
    assert_has(page, "&lt;/script&gt;&lt;img src=x onerror=&#39;window.hacked=1&#39;&gt;&lt;script&gt;"
                     "window.hacked=2&lt;/script&gt;\\x1b&amp;&quot;");
    assert_int_equal(count_of(page, "</script>"), 1); /* that of the data */
    free(page);
}

static void nothing_in_the_data_ends_its_element(void **state)
{
    struct ph_growth_report *report = report_of_series();
    report->frames[0].function = "a<b\xe2\x80\xa8\xe2\x80\xa9\xe2\x82\xac</SCRIPT ><!--";
    char *page = content_of(report);
    char *data = strstr(page, "id=data>") + strlen("id=data>");
    *strstr(data, "</script>") = '\0';
    assert_lacks(data, "<");
    assert_lacks(data, "\xe2\x80\xa8");
    assert_has(data, "a\\u003cb\\u2028\\u2029\xe2\x82\xac\\u003c/SCRIPT >\\u003c!--");
    free(page);
}

static void the_page_asks_nobody_for_anything(void **state)
{
    char *page = page_of(report_of_series(), NULL);
    assert_has(page, "content=\"default-src 'none'; script-src 'sha256-");
    assert_lacks(page, "unsafe-");
    assert_lacks(page, "https:");
    assert_lacks(page, "@import");
    assert_lacks(page, "url(");
    assert_lacks(page, " style=");
    assert_lacks(page, " onclick=");
    assert_int_equal(count_of(page, "http:"), 1); /* the name of SVG, which is no address */
    assert_has(page, "createElementNS('http://www.w3.org/2000/svg'");
    free(page);
}

static void warnings_and_what_could_not_be_decided_are_told(void **state)
{
    char *page = content_of(report_of_series());
    assert_has(page, "<li>heap07.pb.gz: another process than before");
    assert_has(page, "Whether 1 call site grew: too few sampled objects");
    free(page);
    page = content_of(report_of_pair());
    assert_has(page, "Since when: two profiles do not tell");
    assert_has(page, "How fast: the profiles do not tell their times");
    assert_has(page, "How old the memory is");
    assert_lacks(page, "id=warnings");
    free(page);
}

static void a_place_tells_its_callers_and_what_grew_below_it(void **state)
{
    char *page = content_of(report_of_series());
    assert_has(page, "<b class=grew>+53.0 MiB</b>, 77.3% of all growth");
    assert_has(page, "2 functions it calls grew:");
    assert_has(page, "push_back(int&amp;&amp;)"); /* demangled */
    free(page);
}

static void a_report_of_many_stacks_stays_small(void **state)
{
    size_t size, few;
    free(page_of(report_of_many(2000, 12), &few));
    free(page_of(report_of_many(20000, 12), &size));
    assert_in_range(size, 0, 4 << 20);
    assert_in_range(size, 0, 3 * few);
}

static void a_recursion_without_end_does_not_make_the_page_endless(void **state)
{
    struct ph_growth_report *report = report_of_pair();
    uint32_t *frames = calloc(1000000, sizeof(*frames));
    assert_non_null(frames);
    report->sites[0].frames = frames;
    report->sites[0].frame_count = 1000000;
    size_t size;
    char *page = page_of(report, &size);
    assert_in_range(size, 0, 200000);
    assert_has(page, "\"deeper\":999750");
    free(page);
    free(frames);
}

static int write_page(const char *folder, const char *name, struct ph_growth_report *report)
{
    char path[512];
    size_t size;
    char *page = page_of(report, &size);
    snprintf(path, sizeof(path), "%s/%s.html", folder, name);
    FILE *file = fopen(path, "w");
    int status = file && fwrite(page, 1, size, file) == size ? 0 : 1;
    if (file && fclose(file) != 0)
        status = 1;
    free(page);
    return status;
}

static int write_pages(const char *folder)
{
    return write_page(folder, "series", report_of_series()) || write_page(folder, "pair", report_of_pair()) ||
           write_page(folder, "nothing", report_of_nothing()) ||
           write_page(folder, "hostile", report_of_hostile_names()) ||
           write_page(folder, "many", report_of_many(3000, 60)) ||
           write_page(folder, "huge", report_of_many(100000, 3));
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sentence_tells_what_grew_since_when),
        cmocka_unit_test(names_from_profiles_are_text),
        cmocka_unit_test(nothing_in_the_data_ends_its_element),
        cmocka_unit_test(the_page_asks_nobody_for_anything),
        cmocka_unit_test(warnings_and_what_could_not_be_decided_are_told),
        cmocka_unit_test(a_place_tells_its_callers_and_what_grew_below_it),
        cmocka_unit_test(a_report_of_many_stacks_stays_small),
        cmocka_unit_test(a_recursion_without_end_does_not_make_the_page_endless),
    };
    setenv("TZ", "UTC0", 1);
    if (argc > 1)
        return write_pages(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
