/* The endpoint of a family when its front goes: who answers then, and that nobody is refused. */
#include "family/beacon.h"
#include "server_fixture.h"
#include "takeover_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static volatile sig_atomic_t is_enough;

static void end_asking(int number)
{
    is_enough = number;
}

/* Ask again and again. Tells how many requests got no answer ('n'), and fails if a connection was refused. */
static int be_client(void *argument)
{
    struct fixture_family *family = argument;
    int unanswered = 0;
    signal(SIGUSR1, end_asking);
    fixture_tell(family->founder.reports[1], 'c', 0);
    while (!is_enough) {
        int fd = fixture_dial_port(family->port);
        if (fd < 0)
            return 1;
        bool is_answered = fixture_ask(fd, "") == 200;
        unanswered += !is_answered && !is_enough; /* which ends poll(), too */
    }
    fixture_tell(family->founder.reports[1], 'n', unanswered);
    return 0;
}

static void killed_fronts_refuse_no_connection_and_lose_what_they_were_answering_at_most(void **state)
{
    struct fixture_family family;
    fixture_start_family(&family, FIXTURE_MEMBERS);
    pid_t client = fixture_child(be_client, &family), front = family.founder.pid;
    fixture_hear_of(&family.founder, 'c');
    assert_int_equal(fixture_next_holder("takeover", family.url, 0), front);
    for (int i = 0; i < FIXTURE_MEMBERS; i++) {
        usleep(20000);
        fixture_kill(front, SIGKILL);
        front = fixture_next_holder("takeover", family.url, front);
        assert_true(front > 0);
        assert_int_equal(fixture_ask(fixture_dial_port(family.port), ""), 200);
    }
    fixture_kill(client, SIGUSR1);
    assert_true(fixture_hear_of(&family.founder, 'n').number <= FIXTURE_MEMBERS);
    assert_int_equal(fixture_status(client), 0);
    fixture_kill(front, SIGKILL);
    fixture_status(family.founder.pid);
    fixture_forget(&family.founder);
}

static void connections_made_while_there_is_no_front_are_answered_by_the_next(void **state)
{
    struct fixture_family family;
    fixture_start_family(&family, 1);
    fixture_kill(family.pids[0], SIGSTOP);
    fixture_end(family.founder.pid);
    int fd = fixture_dial_port(family.port);
    assert_true(fd >= 0);
    fixture_kill(family.pids[0], SIGCONT);
    assert_int_equal(fixture_ask(fd, ""), 200);
    fixture_kill(family.pids[0], SIGKILL);
    fixture_forget(&family.founder);
}

static void a_front_that_execs_is_followed(void **state)
{
    struct fixture_family family;
    fixture_start_family(&family, 1);
    fixture_kill(family.founder.pid, SIGUSR2);
    assert_int_equal(fixture_next_holder("takeover", family.url, family.founder.pid), family.pids[0]);
    assert_int_equal(fixture_ask(fixture_dial_port(family.port), ""), 200);
    fixture_end(family.founder.pid);
    fixture_kill(family.pids[0], SIGKILL);
    fixture_forget(&family.founder);
}

static void the_port_closes_with_the_last_window_whoever_has_a_copy_of_it(void **state)
{
    struct fixture_family family;
    fixture_start_family(&family, 2);
    pid_t sleeper = fixture_fork(&family.founder, FIXTURE_DORMANT);
    pid_t front = family.founder.pid;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fixture_next_holder("takeover", family.url, 0), front);
        assert_int_equal(fixture_ask(fixture_dial_port(family.port), ""), 200);
        fixture_kill(front, SIGUSR1);
        fixture_hear_of(&family.founder, 's');
        if (i < 2)
            front = fixture_next_holder("takeover", family.url, front);
    }
    assert_int_equal(fixture_dial_port(family.port), -1);
    assert_int_equal(fixture_kill(sleeper, SIGKILL), 0);
    fixture_status(family.founder.pid);
    fixture_forget(&family.founder);
}

static void a_member_whose_sockets_are_gone_listens_again_at_the_same_port(void **state)
{
    struct fixture_family family;
    fixture_start_family(&family, 0);
    family.pids[0] = fixture_fork(&family.founder, FIXTURE_LOSER);
    fixture_end(family.founder.pid);
    assert_int_equal(fixture_next_holder("takeover", family.url, family.founder.pid), family.pids[0]);
    assert_int_equal(fixture_ask(fixture_dial_port(family.port), ""), 200);
    fixture_kill(family.pids[0], SIGKILL);
    fixture_forget(&family.founder);
}

/* A worker often may not read what the first process could. */
static void the_token_holds_after_a_takeover_though_its_file_has_gone(void **state)
{
    struct fixture_founder founder = {.token_file = "/tmp/porthole-token-XXXXXX"};
    int fd = mkstemp(founder.token_file);
    assert_int_equal(write(fd, "0123456789abcdef\n", 17), 17);
    close(fd);
    unsigned port = fixture_found(&founder, "127.0.0.1:0", "takeover");
    pid_t member = fixture_fork(&founder, FIXTURE_MEMBER);
    unlink(founder.token_file);
    fixture_end(founder.pid);
    assert_int_equal(fixture_ask(fixture_dial_port(port), ""), 401);
    assert_int_equal(fixture_ask(fixture_dial_port(port), "Authorization: Bearer 0123456789abcdef\r\n"), 200);
    fixture_kill(member, SIGKILL);
    fixture_forget(&founder);
}

/* A process that ends has the name for a while; without the beacon no later generation would wait for the address. */
static void a_front_that_finds_the_name_of_its_address_taken_gets_it_when_it_is_free(void **state)
{
    struct fixture_family family;
    struct ph_beacon rival;
    char name[PH_BEACON_NAME_MAX];
    fixture_start_family(&family, 1);
    snprintf(name, sizeof(name), "porthole-at/takeover/%s", family.url);
    fixture_kill(family.pids[0], SIGSTOP);
    fixture_end(family.founder.pid);
    assert_int_equal(ph_beacon_light(&fixture_probe, name, &rival), 0);
    fixture_kill(family.pids[0], SIGCONT);
    assert_int_equal(fixture_ask(fixture_dial_port(family.port), ""), 200);
    assert_int_equal(fixture_holder("takeover", family.url), getpid());
    ph_beacon_put_out(&rival);
    assert_int_equal(fixture_next_holder("takeover", family.url, 0), family.pids[0]);
    fixture_kill(family.pids[0], SIGKILL);
    fixture_forget(&family.founder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(killed_fronts_refuse_no_connection_and_lose_what_they_were_answering_at_most,
                                  fixture_end_left),
        cmocka_unit_test_teardown(connections_made_while_there_is_no_front_are_answered_by_the_next,
                                  fixture_end_left),
        cmocka_unit_test_teardown(a_front_that_execs_is_followed, fixture_end_left),
        cmocka_unit_test_teardown(the_port_closes_with_the_last_window_whoever_has_a_copy_of_it, fixture_end_left),
        cmocka_unit_test_teardown(a_member_whose_sockets_are_gone_listens_again_at_the_same_port, fixture_end_left),
        cmocka_unit_test_teardown(the_token_holds_after_a_takeover_though_its_file_has_gone, fixture_end_left),
        cmocka_unit_test_teardown(a_front_that_finds_the_name_of_its_address_taken_gets_it_when_it_is_free,
                                  fixture_end_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
