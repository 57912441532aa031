#include "family/family.h"
#include "processes_fixture.h"
#include "server/router.h"
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define CHILDREN    52 /* with this process three more than the page shows */
#define PATIENCE_MS 20000

static struct ph_probe probe;
static struct ph_site site;
static struct ph_reply reply;

static int set_up(void **state)
{
    probe = fixture_probe;
    probe.allocator = PH_ALLOCATOR_OTHER;
    probe.allocator_file = "/nowhere/lib<other>.so";
    site = fixture_site();
    site.probe = &probe;
    reply = (struct ph_reply){0};
    return 0;
}

static int tear_down(void **state)
{
    ph_reply_fini(&reply);
    return 0;
}

static const char *get(const char *target, ph_route_handler *handle)
{
    struct ph_request *request = fixture_get(&site, target);
    handle(request, &reply);
    ph_request_free(request);
    assert_int_equal(reply.status, 200);
    return reply.body.data;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        count++;
    }
    return count;
}

static void what_is_amiss_stands_on_the_page_in_a_line_each(void **state)
{
    probe.degraded = PH_DEGRADED_SPARES | PH_DEGRADED_ROOT;
    const char *page = get("/debug/", ph_route_page);
    assert_int_equal(count_of(page, "<li id=notice-"), 3);
    assert_non_null(
        strstr(page, "<li id=notice-spare_threads class=latent><b>If the program forbids itself new threads,"));
    assert_non_null(strstr(page, "<li id=notice-root class=latent><b>"));
    assert_non_null(strstr(page, "<li id=notice-heap><b>No heap profiles:</b> malloc belongs to "
                                 "/nowhere/lib&lt;other&gt;.so, which"));
    assert_null(strstr(page, "Heap sampling"));
}

static void a_process_by_itself_has_no_table_of_processes(void **state)
{
    assert_null(strstr(get("/debug/", ph_route_page), "class=processes"));
}

/* A process may call itself anything. */
static void names_do_not_become_markup(void **state)
{
    assert_int_equal(prctl(PR_SET_NAME, "<b>x</b>&"), 0);
    const char *page = get("/debug/", ph_route_page);
    assert_non_null(strstr(page, "<h1>&lt;b&gt;x&lt;/b&gt;&amp;</h1>"));
    assert_null(strstr(page, "<b>x"));
}

static int ends[2];

static int be_member(void *unused)
{
    struct ph_family *own;
    ph_family_forked();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (ph_family_enter(&fixture_probe, &own, NULL) < 0)
        return 1;
    fixture_tell(ends[1], 'm', 0);
    pause();
    return 0;
}

static void of_a_large_family_the_page_shows_some_and_the_list_all(void **state)
{
    struct fixture_report report;
    pid_t children[CHILDREN];
    char text[32];
    fixture_pipe(ends);
    assert_int_equal(ph_family_enter(&fixture_probe, &site.family, NULL), 0);
    assert_true(ph_family_elect(site.family));
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fixture_child(be_member, NULL);
        assert_true(fixture_hear(ends[0], PATIENCE_MS, &report));
    }
    const char *page = get("/debug/", ph_route_page);
    assert_non_null(strstr(page, "<h2>53 processes</h2>"));
    assert_int_equal(count_of(page, "<td class=command>"), 50);
    assert_non_null(strstr(page, "and 3 more: <a href=\"/debug/processes?format=html\">"));
    assert_int_equal(count_of(get("/debug/processes?format=html", ph_route_processes), "<td class=command>"), 53);
    assert_int_equal(count_of(get("/debug/processes", ph_route_processes), "\"role\":\"member\""), CHILDREN);
    snprintf(text, sizeof(text), "/debug/processes?pid=%d", (int)children[7]);
    assert_int_equal(count_of(get(text, ph_route_processes), "\"pid\":"), 1);
    for (int i = 0; i < CHILDREN; i++)
        fixture_end(children[i]);
    ph_family_resign(site.family);
    ph_family_leave(site.family);
    ph_family_free(site.family);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_amiss_stands_on_the_page_in_a_line_each),
        TEST(a_process_by_itself_has_no_table_of_processes),
        TEST(names_do_not_become_markup),
        TEST(of_a_large_family_the_page_shows_some_and_the_list_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
