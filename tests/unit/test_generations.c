/* The address of a server that is reloaded: the next generation gets it when the last one has gone, and no stranger's. */
#include "takeover_fixture.h"

#include <arpa/inet.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TRY_MS 1300 /* more than between two tries to get a port */

static void the_next_generation_gets_the_port_when_the_last_one_has_gone(void **state)
{
    struct fixture_family old;
    struct fixture_founder next = {0};
    char listen[128];
    fixture_start_family(&old, 1);
    fixture_text_of_port(old.port, listen);
    unsigned other = fixture_found(&next, listen, "takeover");
    assert_int_not_equal(other, old.port);
    fixture_end(old.founder.pid);
    assert_int_equal(fixture_next_holder("takeover", old.url, old.founder.pid), old.pids[0]);
    fixture_kill(old.pids[0], SIGKILL);
    assert_int_equal(fixture_next_holder("takeover", old.url, old.pids[0]), next.pid);
    assert_int_equal(fixture_ask(fixture_dial_port(old.port), ""), 200);
    assert_int_equal(fixture_ask(fixture_dial_port(other), ""), 200);
    pid_t heir = fixture_fork(&next, FIXTURE_MEMBER);
    fixture_end(next.pid);
    assert_int_equal(fixture_next_holder("takeover", old.url, next.pid), heir);
    assert_int_equal(fixture_ask(fixture_dial_port(old.port), ""), 200);
    assert_int_equal(fixture_ask(fixture_dial_port(other), ""), 200);
    fixture_kill(heir, SIGKILL);
    fixture_forget(&old.founder);
    fixture_forget(&next);
}

/* As haproxy's master, which listens, forks a worker and becomes another program. */
static void it_gets_the_port_also_if_the_front_that_waited_for_it_has_gone(void **state)
{
    struct fixture_family old;
    struct fixture_founder next = {0};
    char listen[128];
    fixture_start_family(&old, 0);
    fixture_text_of_port(old.port, listen);
    unsigned other = fixture_found(&next, listen, "takeover");
    pid_t worker = fixture_fork(&next, FIXTURE_MEMBER);
    fixture_kill(worker, SIGSTOP);
    fixture_end(next.pid);
    fixture_end(old.founder.pid);
    fixture_kill(worker, SIGCONT);
    assert_int_equal(fixture_next_holder("takeover", old.url, old.founder.pid), worker);
    assert_int_equal(fixture_ask(fixture_dial_port(old.port), ""), 200);
    assert_int_equal(fixture_ask(fixture_dial_port(other), ""), 200);
    fixture_kill(worker, SIGKILL);
    fixture_forget(&old.founder);
    fixture_forget(&next);
}

/* The founder finds the port taken, and when it asks whose it is nobody is there any more. */
static void it_gets_the_port_also_if_the_last_one_ended_while_it_asked_for_it(void **state)
{
    struct fixture_family old;
    char listen[128];
    fixture_start_family(&old, 0);
    fixture_text_of_port(old.port, listen);
    struct fixture_founder next = {.accident = {AF_INET, 2, old.founder.pid, "", old.port}};
    snprintf(next.accident.name, sizeof(next.accident.name), "porthole-at/takeover/%s", old.url);
    unsigned other = fixture_found(&next, listen, "takeover");
    assert_int_not_equal(other, old.port);
    assert_int_equal(fixture_next_holder("takeover", old.url, 0), next.pid);
    assert_int_equal(fixture_ask(fixture_dial_port(old.port), ""), 200);
    fixture_end(next.pid);
    fixture_status(old.founder.pid);
    fixture_forget(&old.founder);
    fixture_forget(&next);
}

/* As when the kernel closes what a process had one by one: the beacon is out, and the port is taken still. */
static void it_gets_the_port_also_if_that_is_closed_later_than_the_last_front_has_gone(void **state)
{
    struct fixture_family old;
    char listen[128];
    fixture_start_family(&old, 0);
    pid_t closing = fixture_fork(&old.founder, FIXTURE_DORMANT);
    fixture_text_of_port(old.port, listen);
    struct fixture_founder next = {.accident = {AF_INET, 1, old.founder.pid, "", 0}};
    snprintf(next.accident.name, sizeof(next.accident.name), "porthole-at/takeover/%s", old.url);
    unsigned other = fixture_found(&next, listen, "takeover");
    assert_int_not_equal(other, old.port);
    fixture_kill(closing, SIGKILL);
    assert_int_equal(fixture_next_holder("takeover", old.url, 0), next.pid);
    assert_int_equal(fixture_ask(fixture_dial_port(old.port), ""), 200);
    fixture_end(next.pid);
    fixture_status(old.founder.pid);
    fixture_forget(&old.founder);
    fixture_forget(&next);
}

/* In a folder of its own, to be removed; its name is short wherever the tests run, as a socket's must be. */
static void name_socket_file(char ret_path[64], char ret_listen[128])
{
    char folder[] = "/tmp/porthole-takeover-XXXXXX";
    assert_non_null(mkdtemp(folder));
    snprintf(ret_path, 64, "%s/socket", folder);
    snprintf(ret_listen, 128, "unix:%s", ret_path);
}

static void remove_socket_file(char *path)
{
    unlink(path);
    rmdir(dirname(path));
}

static void it_gets_a_socket_file_also_if_the_last_front_ended_while_it_asked_for_it(void **state)
{
    struct fixture_founder first = {0};
    char path[64], listen[128];
    name_socket_file(path, listen);
    fixture_found(&first, listen, "takeover");
    pid_t closing = fixture_fork(&first, FIXTURE_DORMANT);
    struct fixture_founder next = {.accident = {AF_UNIX, 2, first.pid, "", 0}};
    snprintf(next.accident.name, sizeof(next.accident.name), "porthole-at/takeover/%s", listen);
    fixture_found(&next, listen, "takeover");
    fixture_kill(closing, SIGKILL);
    assert_int_equal(fixture_next_holder("takeover", listen, 0), next.pid);
    assert_int_equal(fixture_ask(fixture_dial_unix(path), ""), 200);
    fixture_end(next.pid);
    fixture_status(first.pid);
    remove_socket_file(path);
    fixture_forget(&first);
    fixture_forget(&next);
}

static void the_port_of_another_program_stays_its_own(void **state)
{
    struct fixture_family old;
    struct fixture_founder other = {0};
    char listen[128];
    fixture_start_family(&old, 0);
    fixture_text_of_port(old.port, listen);
    unsigned port = fixture_found(&other, listen, "another");
    assert_int_not_equal(port, old.port);
    fixture_end(old.founder.pid);
    usleep(TRY_MS * 1000);
    assert_int_equal(fixture_dial_port(old.port), -1);
    assert_int_equal(fixture_ask(fixture_dial_port(port), ""), 200);
    fixture_end(other.pid);
    fixture_forget(&old.founder);
    fixture_forget(&other);
}

/* As of a generation whose last thread is just ending: it has the port still, but nothing else. */
static void a_port_that_is_just_given_up_is_had(void **state)
{
    (void)state;
    struct fixture_founder founder = {0};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t bytes = sizeof(address);
    char listen_text[128];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&address, &bytes);
    pid_t holder = fork();
    assert_true(holder >= 0);
    if (holder == 0) {
        usleep(20000);
        _exit(0);
    }
    close(fd);
    fixture_text_of_port(ntohs(address.sin_port), listen_text);
    assert_int_equal(fixture_found(&founder, listen_text, "takeover"), ntohs(address.sin_port));
    fixture_end(founder.pid);
    waitpid(holder, NULL, 0);
    fixture_forget(&founder);
}

static void a_socket_file_goes_with_the_last_window(void **state)
{
    struct fixture_founder first = {0}, next = {0};
    struct stat facts;
    char path[64], listen[128];
    name_socket_file(path, listen);
    fixture_found(&first, listen, "takeover");
    pid_t member = fixture_fork(&first, FIXTURE_MEMBER);
    fixture_found(&next, listen, "takeover"); /* starts without, as there is no other file */
    assert_int_equal(fixture_holder("takeover", listen), first.pid);
    fixture_kill(first.pid, SIGUSR1);
    fixture_hear_of(&first, 's');
    assert_int_equal(fixture_next_holder("takeover", listen, first.pid), member);
    assert_int_equal(fixture_ask(fixture_dial_unix(path), ""), 200);
    fixture_kill(member, SIGUSR1);
    fixture_hear_of(&first, 's');
    assert_int_equal(fixture_next_holder("takeover", listen, member), next.pid);
    assert_int_equal(fixture_ask(fixture_dial_unix(path), ""), 200);
    fixture_kill(next.pid, SIGUSR1);
    fixture_hear_of(&next, 's');
    assert_int_equal(stat(path, &facts), -1);
    remove_socket_file(path);
    fixture_status(first.pid);
    fixture_status(next.pid);
    fixture_forget(&first);
    fixture_forget(&next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_next_generation_gets_the_port_when_the_last_one_has_gone, fixture_end_left),
        cmocka_unit_test_teardown(it_gets_the_port_also_if_the_front_that_waited_for_it_has_gone, fixture_end_left),
        cmocka_unit_test_teardown(it_gets_the_port_also_if_the_last_one_ended_while_it_asked_for_it,
                                  fixture_end_left),
        cmocka_unit_test_teardown(it_gets_the_port_also_if_that_is_closed_later_than_the_last_front_has_gone,
                                  fixture_end_left),
        cmocka_unit_test_teardown(it_gets_a_socket_file_also_if_the_last_front_ended_while_it_asked_for_it,
                                  fixture_end_left),
        cmocka_unit_test_teardown(the_port_of_another_program_stays_its_own, fixture_end_left),
        cmocka_unit_test_teardown(a_port_that_is_just_given_up_is_had, fixture_end_left),
        cmocka_unit_test_teardown(a_socket_file_goes_with_the_last_window, fixture_end_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
