#include "server/listen.h"
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/porthole-listen.XXXXXX";
static char path[sizeof(folder) + 8];

static int make_folder(void **state)
{
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/socket", folder);
    return 0;
}

static int remove_folder(void **state)
{
    return rmdir(folder);
}

static struct ph_address parse(const char *text)
{
    struct ph_address address;
    assert_int_equal(ph_address_parse(text, &address, NULL), 0);
    return address;
}

static void expect_address(const char *text, const char *url, bool is_loopback)
{
    char written[PH_URL_MAX];
    struct ph_address address = parse(text);
    ph_address_url(&address, written);
    assert_string_equal(written, url);
    assert_int_equal(address.is_loopback, is_loopback);
}

static void addresses_are_numeric_or_localhost_or_a_path(void **state)
{
    expect_address("127.0.0.1:6060", "http://127.0.0.1:6060", true);
    expect_address("localhost:1", "http://127.0.0.1:1", true);
    expect_address("127.255.0.9:0", "http://127.255.0.9:0", true);
    expect_address("[::1]:65535", "http://[::1]:65535", true);
    expect_address("[::ffff:127.0.0.1]:1", "http://[::ffff:127.0.0.1]:1", true);
    expect_address("unix:/run/x", "unix:/run/x", true);
}

static void addresses_that_others_can_reach_are_not_loopback(void **state)
{
    expect_address("0.0.0.0:6060", "http://0.0.0.0:6060", false);
    expect_address("192.0.2.1:6060", "http://192.0.2.1:6060", false);
    expect_address("128.0.0.1:6060", "http://128.0.0.1:6060", false);
    expect_address("[::]:6060", "http://[::]:6060", false);
    expect_address("[::ffff:192.0.2.1]:1", "http://[::ffff:192.0.2.1]:1", false);
    expect_address("[2001:db8::1]:1", "http://[2001:db8::1]:1", false);
}

static void what_is_no_address_is_refused_with_what_is(void **state)
{
    static const char *const wrong[] = {"",
                                        "6060",
                                        ":6060",
                                        "127.0.0.1",
                                        "127.0.0.1:",
                                        "127.0.0.1:65536",
                                        "127.0.0.1:-1",
                                        "host:1",
                                        "127.1:6060",
                                        "[::1]",
                                        "[::1:6060",
                                        "::1:6060",
                                        "[]:1",
                                        "[127.0.0.1]:1",
                                        "unix:",
                                        "unix:x",
                                        "unix:@abc",
                                        "127.0.0.1:60 60",
                                        "http://127.0.0.1:1"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct ph_address untouched = {.size_bytes = 77};
        struct ph_error error = {0, ""};
        assert_int_equal(ph_address_parse(wrong[i], &untouched, &error), -EINVAL);
        assert_int_equal(untouched.size_bytes, 77);
        assert_non_null(strstr(error.text, "expected ADDR:PORT"));
    }
}

static void paths_have_at_most_107_bytes(void **state)
{
    char text[5 + 109] = "unix:/";
    struct ph_address address;
    memset(text + 6, 'a', 106);
    assert_int_equal(ph_address_parse(text, &address, NULL), 0);
    text[5 + 107] = 'a';
    assert_int_equal(ph_address_parse(text, &address, NULL), -EINVAL);
}

static struct ph_listener listen_at(const char *text, int wanted)
{
    struct ph_listener listener = {.fd = -1};
    struct ph_address address = parse(text);
    assert_int_equal(ph_listen(&fixture_probe, &address, &listener, NULL), wanted);
    return listener;
}

static void a_taken_port_leads_to_a_later_one_that_is_told(void **state)
{
    struct ph_listener first, second;
    struct ph_address address = parse("127.0.0.1:0"), again;
    char taken[PH_URL_MAX], used[PH_URL_MAX];
    assert_int_equal(ph_listen(&fixture_probe, &address, &first, NULL), 0);
    ph_address_url(&address, taken);
    again = address;
    assert_int_equal(ph_listen(&fixture_probe, &again, &second, NULL), 0);
    ph_address_url(&again, used);
    int distance = atoi(strrchr(used, ':') + 1) - atoi(strrchr(taken, ':') + 1);
    assert_in_range(distance, 1, 19);
    ph_listener_close(&first);
    ph_listener_close(&second);
}

static void a_socket_file_is_for_its_user_only_and_goes_at_the_end(void **state)
{
    struct stat facts;
    char text[80];
    snprintf(text, sizeof(text), "unix:%s", path);
    mode_t before = umask(0);
    struct ph_listener listener = listen_at(text, 0);
    umask(before);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
    listen_at(text, -EADDRINUSE); /* somebody listens there */
    ph_listener_close(&listener);
    ph_listener_close(&listener);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_stale_socket_file_is_replaced_and_another_file_is_not(void **state)
{
    char text[80];
    snprintf(text, sizeof(text), "unix:%s", path);
    struct ph_listener stale = listen_at(text, 0);
    close(stale.fd); /* as if its process had been killed */
    struct ph_listener listener = listen_at(text, 0);
    ph_listener_close(&listener);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    listen_at(text, -EADDRINUSE);
    assert_int_equal(unlink(path), 0);
}

static void a_socket_file_of_somebody_else_is_left_alone(void **state)
{
    char text[80];
    snprintf(text, sizeof(text), "unix:%s", path);
    struct ph_listener ours = listen_at(text, 0);
    assert_int_equal(unlink(path), 0);
    struct ph_listener theirs = listen_at(text, 0);
    ph_listener_close(&ours);
    assert_int_equal(access(path, F_OK), 0);
    ph_listener_close(&theirs);
}

static void the_own_user_is_admitted_at_the_abstract_socket(void **state)
{
    struct ph_listener listener;
    struct ph_address address = ph_address_abstract();
    char url[PH_URL_MAX], wanted[PH_URL_MAX];
    ph_address_url(&address, url);
    snprintf(wanted, sizeof(wanted), "unix:@porthole/%d", (int)getpid());
    assert_string_equal(url, wanted);
    assert_int_equal(ph_listen(&fixture_probe, &address, &listener, NULL), 0);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address.storage, address.size_bytes), 0);
    int fd = accept(listener.fd, NULL, NULL);
    assert_true(fd >= 0);
    assert_true(ph_peer_admitted(fd, geteuid()));
    close(fd);
    close(client);
    ph_listener_close(&listener);
}

static void what_is_no_socket_is_not_admitted(void **state)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_false(ph_peer_admitted(ends[0], geteuid()));
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_numeric_or_localhost_or_a_path),
        cmocka_unit_test(addresses_that_others_can_reach_are_not_loopback),
        cmocka_unit_test(what_is_no_address_is_refused_with_what_is),
        cmocka_unit_test(paths_have_at_most_107_bytes),
        cmocka_unit_test(a_taken_port_leads_to_a_later_one_that_is_told),
        cmocka_unit_test(a_socket_file_is_for_its_user_only_and_goes_at_the_end),
        cmocka_unit_test(a_stale_socket_file_is_replaced_and_another_file_is_not),
        cmocka_unit_test(a_socket_file_of_somebody_else_is_left_alone),
        cmocka_unit_test(the_own_user_is_admitted_at_the_abstract_socket),
        cmocka_unit_test(what_is_no_socket_is_not_admitted),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
