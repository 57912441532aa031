#include "server/router.h"
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

/* The status of the refusal, 0 if the request may pass; the reply is left for a closer look. */
static unsigned admit(struct ph_request *request, struct ph_reply *reply)
{
    *reply = (struct ph_reply){0};
    return ph_router_admit(request, reply) ? 0 : reply->status;
}

/* GET /debug/pprof/heap with what a test changes about it. */
struct asked {
    const char *target, *host, *authorization;
    enum ph_method method;
    bool is_local, is_refused_peer, is_version_1_0, has_token;
};

static unsigned ask(const struct asked *asked)
{
    struct ph_site site = fixture_site();
    if (asked->has_token)
        site.token = (struct ph_token){"0123456789abcdef", 16};
    struct ph_request *request = fixture_get(&site, asked->target ? asked->target : "/debug/pprof/heap");
    struct ph_reply reply;
    if (asked->host)
        strcpy(request->host, asked->host);
    if (asked->authorization)
        strcpy(request->authorization, asked->authorization);
    if (asked->method)
        request->method = asked->method;
    request->is_local = asked->is_local;
    request->is_refused_peer = asked->is_refused_peer;
    request->is_version_1_1 = !asked->is_version_1_0;
    unsigned status = admit(request, &reply);
    ph_reply_fini(&reply);
    ph_request_free(request);
    return status;
}

static void every_route_is_found_by_its_path_and_only_by_that(void **state)
{
    size_t count;
    const struct ph_route *routes = ph_routes(&count);
    assert_true(count > 10);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(ph_route_find(routes[i].path), &routes[i]); /* also: no path has two rows */
        assert_true(routes[i].summary[0]);
        assert_true(routes[i].methods & PH_METHOD_HEAD);
    }
    assert_null(ph_route_find("/debug/pprof/heap/"));
    assert_null(ph_route_find("/debug/pprof/hea"));
    assert_null(ph_route_find(""));
}

static void a_route_has_the_name_of_its_last_part(void **state)
{
    assert_string_equal(ph_route_name(ph_route_find("/debug/pprof/heap")), "heap");
    assert_string_equal(ph_route_name(ph_route_find("/debug/")), "");
}

static void only_symbol_takes_post(void **state)
{
    size_t count;
    const struct ph_route *routes = ph_routes(&count);
    for (size_t i = 0; i < count; i++) {
        bool is_symbol = strcmp(ph_route_name(&routes[i]), "symbol") == 0;
        assert_int_equal(ask(&(struct asked){.target = routes[i].path, .method = PH_METHOD_POST}),
                         is_symbol ? 0 : 405);
        assert_int_equal(ask(&(struct asked){.target = routes[i].path, .method = PH_METHOD_OTHER}), 405);
        assert_int_equal(ask(&(struct asked){.target = routes[i].path, .method = PH_METHOD_HEAD}), 0);
        assert_int_equal(ask(&(struct asked){.target = routes[i].path}), 0);
    }
}

static void a_refused_method_is_told_what_is_allowed(void **state)
{
    struct ph_site site = fixture_site();
    struct ph_reply reply;
    struct ph_request *request = fixture_get(&site, "/pprof/symbol");
    request->method = PH_METHOD_OTHER;
    assert_int_equal(admit(request, &reply), 405);
    assert_string_equal(fixture_header(&reply, "Allow"), "GET, HEAD, POST");
    ph_reply_fini(&reply);
    ph_request_free(request);
}

static void an_unknown_profile_is_refused_in_gos_words(void **state)
{
    struct ph_site site = fixture_site();
    struct ph_reply reply;
    struct ph_request *request = fixture_get(&site, "/debug/pprof/x?seconds=1");
    assert_int_equal(admit(request, &reply), 404);
    assert_string_equal(reply.body.data, "Unknown profile\n");
    ph_reply_fini(&reply);
    ph_request_free(request);
}

static void a_foreign_host_is_refused_over_tcp_only(void **state)
{
    assert_int_equal(ask(&(struct asked){.host = "evil.example"}), 403);
    assert_int_equal(ask(&(struct asked){.host = "evil.example", .is_version_1_0 = true}), 403);
    assert_int_equal(ask(&(struct asked){.host = "evil.example", .is_local = true}), 0);
    assert_int_equal(ask(&(struct asked){.host = "evil.example", .target = "/nonesuch"}), 403);
}

static void only_http_1_0_needs_no_host(void **state)
{
    assert_int_equal(ask(&(struct asked){.host = ""}), 400);
    assert_int_equal(ask(&(struct asked){.host = "", .is_version_1_0 = true}), 0);
    assert_int_equal(ask(&(struct asked){.host = "", .is_local = true}), 0);
}

static void a_token_is_needed_over_tcp_only(void **state)
{
    assert_int_equal(ask(&(struct asked){.has_token = true}), 401);
    assert_int_equal(ask(&(struct asked){.has_token = true, .authorization = "Bearer x"}), 401);
    assert_int_equal(ask(&(struct asked){.has_token = true, .authorization = "Bearer 0123456789abcdef"}), 0);
    assert_int_equal(ask(&(struct asked){.has_token = true, .is_local = true}), 0);
}

static void who_may_not_ask_learns_nothing_about_routes(void **state)
{
    assert_int_equal(ask(&(struct asked){.has_token = true, .target = "/nonesuch"}), 401);
    assert_int_equal(ask(&(struct asked){.has_token = true, .method = PH_METHOD_OTHER}), 401);
    assert_int_equal(ask(&(struct asked){.has_token = true, .host = "evil.example"}), 403);
}

static void another_user_at_the_local_socket_is_refused_whatever_he_sends(void **state)
{
    assert_int_equal(ask(&(struct asked){.is_local = true, .is_refused_peer = true}), 403);
    assert_int_equal(ask(&(struct asked){.is_local = true,
                                         .is_refused_peer = true,
                                         .has_token = true,
                                         .authorization = "Bearer 0123456789abcdef"}),
                     403);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_found_by_its_path_and_only_by_that),
        cmocka_unit_test(a_route_has_the_name_of_its_last_part),
        cmocka_unit_test(only_symbol_takes_post),
        cmocka_unit_test(a_refused_method_is_told_what_is_allowed),
        cmocka_unit_test(an_unknown_profile_is_refused_in_gos_words),
        cmocka_unit_test(a_foreign_host_is_refused_over_tcp_only),
        cmocka_unit_test(only_http_1_0_needs_no_host),
        cmocka_unit_test(a_token_is_needed_over_tcp_only),
        cmocka_unit_test(who_may_not_ask_learns_nothing_about_routes),
        cmocka_unit_test(another_user_at_the_local_socket_is_refused_whatever_he_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
