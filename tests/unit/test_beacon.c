#include "family/beacon.h"
#include "family_probe.h"
#include "processes_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_MS 20000
#define CALM_MS     50
#define VISITORS    5000

static char name[PH_BEACON_NAME_MAX];
static int pipe_ends[2];

static int set_up(void **state)
{
    snprintf(name, sizeof(name), "porthole-test-beacon/%d", (int)getpid());
    return pipe(pipe_ends);
}

static int tear_down(void **state)
{
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    return 0;
}

static struct ph_beacon light(void)
{
    struct ph_beacon beacon = PH_BEACON_OUT;
    assert_int_equal(ph_beacon_light(&family_probe, name, &beacon), 0);
    return beacon;
}

static bool is_reported(int fd, int timeout_ms)
{
    struct pollfd slot = {.fd = fd, .events = POLLIN};
    return poll(&slot, 1, timeout_ms) == 1;
}

/* Does the holder go? Follows @fd where it is led; closed if so. */
static bool goes_out(int *fd, int timeout_ms)
{
    while (*fd >= 0 && is_reported(*fd, timeout_ms))
        *fd = ph_beacon_settle(&family_probe, *fd);
    return *fd == -ECONNRESET;
}

static int watch(struct ucred *ret_holder)
{
    int fd = ph_beacon_watch(&family_probe, name, ret_holder);
    assert_true(fd >= 0);
    return fd;
}

static void one_at_a_time_holds_a_name(void **state)
{
    struct ph_beacon beacon = light(), other;
    assert_int_equal(ph_beacon_light(&family_probe, name, &other), -EADDRINUSE);
    ph_beacon_put_out(&beacon);
    ph_beacon_put_out(&beacon);
    beacon = light();
    ph_beacon_put_out(&beacon);
}

static void a_name_that_nobody_holds_cannot_be_watched(void **state)
{
    struct ucred holder;
    assert_int_equal(ph_beacon_watch(&family_probe, name, &holder), -ECONNREFUSED);
}

static void who_watches_learns_who_holds_it_and_when_that_ends(void **state)
{
    struct ucred holder;
    struct ph_beacon beacon = light();
    int answered = watch(&holder), waiting;
    assert_int_equal(holder.pid, getpid());
    assert_int_equal(holder.uid, geteuid());
    assert_false(goes_out(&answered, CALM_MS));
    assert_true(is_reported(beacon.fd, PATIENCE_MS));
    ph_beacon_answer(&beacon);
    assert_false(beacon.is_deaf);
    assert_false(goes_out(&answered, CALM_MS));
    waiting = watch(&holder);
    ph_beacon_put_out(&beacon);
    assert_true(goes_out(&answered, PATIENCE_MS));
    assert_true(goes_out(&waiting, PATIENCE_MS));
}

/* A server that replaces its workers for months must not run out of places. */
static void who_has_gone_takes_no_place_and_no_descriptor_of_the_holder(void **state)
{
    struct ucred holder;
    struct ph_beacon beacon = light();
    int first = watch(&holder), last = -1;
    ph_beacon_answer(&beacon);
    for (int i = 0; i < VISITORS; i++) {
        last = watch(&holder);
        ph_beacon_answer(&beacon);
        close(last);
    }
    assert_false(is_reported(beacon.fd, 0));
    int next = dup(first);
    assert_true(next < last + 2);
    close(next);
    assert_false(goes_out(&first, CALM_MS));
    ph_beacon_put_out(&beacon);
    assert_true(goes_out(&first, PATIENCE_MS));
}

static void who_has_no_descriptor_left_to_answer_is_watched_as_well(void **state)
{
    struct ucred holder;
    struct rlimit limit;
    struct ph_beacon beacon = light();
    int fd = watch(&holder);
    getrlimit(RLIMIT_NOFILE, &limit);
    struct rlimit none = {.rlim_cur = (rlim_t)fd, .rlim_max = limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    ph_beacon_answer(&beacon);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_true(beacon.is_deaf);
    assert_false(goes_out(&fd, CALM_MS));
    ph_beacon_put_out(&beacon);
    assert_true(goes_out(&fd, PATIENCE_MS));
}

static struct ph_beacon light_in_child(void)
{
    struct ph_beacon beacon = PH_BEACON_OUT;
    int status = ph_beacon_light(&family_probe, name, &beacon);
    fixture_tell(pipe_ends[1], status == 0 ? 'l' : 'e', 0);
    return beacon;
}

/* @answers: NULL if watchers are left at the door. */
static int light_and_stay(void *answers)
{
    struct ph_beacon beacon = light_in_child();
    while (poll(&(struct pollfd){.fd = beacon.fd, .events = POLLIN}, answers != NULL, -1) == 1)
        ph_beacon_answer(&beacon);
    return 0;
}

static int light_and_exec(void *go)
{
    char byte;
    light_in_child();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (read(*(int *)go, &byte, 1) == 1)
        execl("/bin/sleep", "sleep", "60", NULL);
    return 1;
}

static pid_t holder_of(int (*body)(void *argument), void *argument)
{
    struct fixture_report report;
    pid_t pid = fixture_child(body, argument);
    assert_true(fixture_hear(pipe_ends[0], PATIENCE_MS, &report));
    assert_int_equal(report.what, 'l');
    return pid;
}

static void it_goes_out_when_its_holder_is_killed(void **state)
{
    for (int answers = 0; answers < 2; answers++) {
        struct ucred holder;
        pid_t pid = holder_of(light_and_stay, answers ? name : NULL);
        int fd = watch(&holder);
        assert_int_equal(holder.pid, pid);
        assert_int_equal(is_reported(fd, answers ? PATIENCE_MS : CALM_MS), answers);
        assert_false(goes_out(&fd, CALM_MS));
        fixture_end(pid);
        assert_true(goes_out(&fd, PATIENCE_MS));
    }
}

static void it_goes_out_when_its_holder_execs(void **state)
{
    struct ucred holder;
    int go[2];
    fixture_pipe(go);
    pid_t pid = holder_of(light_and_exec, &go[0]);
    int fd = watch(&holder);
    assert_false(goes_out(&fd, CALM_MS));
    assert_int_equal(write(go[1], "x", 1), 1);
    assert_true(goes_out(&fd, PATIENCE_MS));
    fixture_end(pid);
    close(go[0]);
    close(go[1]);
}

static void more_watchers_than_the_kernel_lets_wait_are_told_so(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ucred holder;
    int fds[8], status = 0, count = 0;
    socklen_t size_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    int narrow = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path + 1, name, strlen(name));
    assert_int_equal(bind(narrow, (struct sockaddr *)&address, size_bytes), 0);
    assert_int_equal(listen(narrow, 1), 0);
    while (count < 8 && (status = ph_beacon_watch(&family_probe, name, &holder)) >= 0)
        fds[count++] = status;
    assert_int_equal(status, -EAGAIN);
    assert_true(count > 0);
    close(narrow);
    while (count > 0)
        close(fds[--count]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_at_a_time_holds_a_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_that_nobody_holds_cannot_be_watched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_watches_learns_who_holds_it_and_when_that_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_has_gone_takes_no_place_and_no_descriptor_of_the_holder, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_has_no_descriptor_left_to_answer_is_watched_as_well, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_goes_out_when_its_holder_is_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_goes_out_when_its_holder_execs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_watchers_than_the_kernel_lets_wait_are_told_so, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
