/* Whom a member's socket admits. */
#include "family/family.h"
#include "server/server.h"
#include "server/state.h"
#include "server_fixture.h"
#include "takeover_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OTHER_USER 65534

/* In a process of its own, which is the whole family. 0, or the number of the step that failed. */
static int try_keys(void *argument)
{
    struct ph_server *server;
    struct ph_error error = {0};
    char name[64], right[128], wrong[128];
    strcpy(fixture_options.listen, "off");
    if (ph_server_start(&fixture_probe, &server, &error) < 0)
        return 1;
    snprintf(name, sizeof(name), "@porthole/%d", (int)getpid());
    const char *key = ph_segment_key(ph_family_segment(server->site.family));
    snprintf(right, sizeof(right), "%s: %s\r\n", PH_FAMILY_HEADER, key);
    snprintf(wrong, sizeof(wrong), "%s: %.31sx\r\n", PH_FAMILY_HEADER, key);
    unsigned by_user = fixture_ask(fixture_dial_unix(name), ""),
             by_right_key = fixture_ask(fixture_dial_unix(name), right);
    unsigned by_wrong_key = fixture_ask(fixture_dial_unix(name), wrong);
    if (by_user != 200 || by_right_key != 200 || by_wrong_key != 403)
        return 2;
    if (geteuid() != 0)
        return 77;
    pid_t pid = fork();
    if (pid == 0) {
        if (setuid(OTHER_USER) < 0)
            _exit(3);
        _exit(fixture_ask(fixture_dial_unix(name), "") != 403      ? 4
              : fixture_ask(fixture_dial_unix(name), right) != 200 ? 5
                                                                   : 0);
    }
    int status = fixture_status(pid);
    ph_server_stop(server);
    return status;
}

static void the_key_of_the_family_admits_and_a_wrong_one_does_not(void **state)
{
    int status = fixture_status(fixture_child(try_keys, NULL));
    if (status == 77)
        skip(); /* only root can be two users */
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_key_of_the_family_admits_and_a_wrong_one_does_not, fixture_end_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
