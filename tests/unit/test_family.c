#include "base/clock.h"
#include "family/beacon.h"
#include "family/family.h"
#include "family_probe.h"
#include "processes_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define PATIENCE_MS 20000
#define CALM_MS     100
#define MEMBERS     8
#define MANY        200
#define FRONTS      10
#define WATCHERS    4200

static int pipe_ends[2]; /* reports of the family */
static int orders[2];    /* to be read by the founder: the number of members to fork */
static pid_t founder;

static struct fixture_report next_report(void)
{
    struct fixture_report report = {0};
    assert_true(fixture_hear(pipe_ends[0], PATIENCE_MS, &report));
    return report;
}

static void expect_silence(void)
{
    struct fixture_report report;
    assert_false(fixture_hear(pipe_ends[0], CALM_MS, &report));
}

/* A member as the endpoint thread is one: it tells what it is, and follows when the front has gone. SIGUSR1: leave.
 * SIGUSR2: exec another program. */
static volatile sig_atomic_t told_to_leave, told_to_exec;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        told_to_leave = 1;
    else
        told_to_exec = 1;
}

static int fork_members(void);

static void obey(struct ph_family *family)
{
    if (told_to_exec)
        execl("/bin/sleep", "sleep", "60", NULL);
    if (!told_to_leave)
        return;
    ph_family_resign(family);
    ph_family_leave(family);
    ph_family_free(family);
    _exit(0);
}

/* @orders_fd: where the number of processes to fork comes from; -1: none. */
static int be_member(int orders_fd)
{
    struct ph_family *family;
    struct ph_error error = {0};
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t both, before;
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGUSR2);
    sigprocmask(SIG_BLOCK, &both, &before); /* seen by ppoll() only */
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL * (orders_fd >= 0));
    int status = ph_family_enter(&family_probe, &family, &error);
    if (status < 0) {
        fixture_tell(pipe_ends[1], 'e', status);
        return 1;
    }
    fixture_tell(pipe_ends[1], ph_family_elect(family) ? 'f' : 'm', ph_family_is_founder(family));
    for (;;) {
        struct pollfd slots[3] = {{.fd = ph_family_watch_fd(family), .events = POLLIN},
                                  {.fd = orders_fd, .events = POLLIN},
                                  {.fd = ph_family_beacon(family)->fd, .events = POLLIN}};
        int ready = ppoll(slots, 3, NULL, &before);
        obey(family);
        if (ready > 0 && slots[0].revents && ph_family_elect(family))
            fixture_tell(pipe_ends[1], 'f', 0);
        if (ready > 0 && slots[2].revents)
            ph_beacon_answer(ph_family_beacon(family));
        if (ready > 0 && slots[1].revents && fork_members() == 0)
            return be_member(-1);
    }
}

/* As the probe does: in the child nothing of ours is open, and the agent is told. Returns 0 in each child. */
static int fork_members(void)
{
    int count = 0;
    if (read(orders[0], &count, sizeof(count)) != sizeof(count))
        _exit(98);
    for (int i = 0; i < count; i++)
        if (fork() == 0) {
            alarm(60);
            for (int fd = 3; fd < 64; fd++)
                if (fd != pipe_ends[1])
                    close(fd);
            ph_family_forked();
            return 0;
        }
    return 1;
}

static int be_founder(void *argument)
{
    signal(SIGCHLD, SIG_IGN);
    return be_member(orders[0]);
}

static int set_up(void **state)
{
    fixture_pipe(pipe_ends);
    fixture_pipe(orders);
    founder = fixture_child(be_founder, NULL);
    struct fixture_report report = next_report();
    assert_int_equal(report.what, 'f');
    assert_int_equal(report.pid, founder);
    assert_int_equal(report.number, 1);
    return 0;
}

static int tear_down(void **state)
{
    fixture_end(founder);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    close(orders[0]);
    close(orders[1]);
    return 0;
}

/* The pids of @count new members, none of which is the front. */
static void add_members(int count, pid_t *ret_pids)
{
    assert_int_equal(write(orders[1], &count, sizeof(count)), sizeof(count));
    for (int i = 0; i < count; i++) {
        struct fixture_report report = next_report();
        assert_int_equal(report.what, 'm');
        assert_int_equal(report.number, 0);
        ret_pids[i] = report.pid;
    }
}

static void kill_all(const pid_t *pids, int count)
{
    for (int i = 0; i < count; i++)
        if (pids[i])
            fixture_kill(pids[i], SIGKILL);
}

static bool take_out(pid_t *pids, int count, pid_t pid)
{
    for (int i = 0; i < count; i++)
        if (pids[i] == pid) {
            pids[i] = 0;
            return true;
        }
    return false;
}

/* One of @pids says that it is the front now. Taken out of them. */
static pid_t expect_front(pid_t *pids, int count)
{
    struct fixture_report report = {0};
    assert_true(fixture_hear(pipe_ends[0], PATIENCE_MS, &report));
    assert_int_equal(report.what, 'f');
    assert_true(take_out(pids, count, report.pid));
    return report.pid;
}

static void forked_processes_join_and_one_of_them_follows_a_killed_front(void **state)
{
    pid_t pids[MEMBERS];
    add_members(MEMBERS, pids);
    fixture_kill(founder, SIGKILL);
    for (int i = 0; i < MEMBERS; i++)
        fixture_kill(expect_front(pids, MEMBERS), SIGKILL);
    expect_silence();
}

static void a_front_that_execs_is_followed(void **state)
{
    pid_t pids[MEMBERS];
    add_members(MEMBERS, pids);
    fixture_kill(founder, SIGUSR2);
    pid_t front = expect_front(pids, MEMBERS);
    expect_silence();
    kill_all(pids, MEMBERS);
    fixture_kill(front, SIGKILL);
}

static void a_front_that_closes_its_window_is_followed(void **state)
{
    pid_t pids[MEMBERS];
    add_members(MEMBERS, pids);
    fixture_kill(founder, SIGUSR1);
    pid_t front = expect_front(pids, MEMBERS);
    expect_silence();
    fixture_kill(front, SIGKILL);
    front = expect_front(pids, MEMBERS);
    kill_all(pids, MEMBERS);
    fixture_kill(front, SIGKILL);
}

static void a_member_that_ends_changes_nothing(void **state)
{
    pid_t pids[MEMBERS];
    add_members(MEMBERS, pids);
    for (int i = 0; i < MEMBERS; i++)
        fixture_kill(pids[i], i % 2 ? SIGKILL : SIGUSR1);
    expect_silence();
    assert_int_equal(fixture_kill(founder, 0), 0);
}

static void of_two_hundred_one_follows_each_time_within_a_second(void **state)
{
    pid_t pids[MANY], front = founder;
    add_members(MANY, pids);
    int64_t quickest_ns = PATIENCE_MS * PH_NS_PER_MS;
    for (int i = 0; i < FRONTS; i++) {
        int64_t start_ns = ph_clock_monotonic_ns();
        fixture_kill(front, SIGKILL);
        front = expect_front(pids, MANY);
        quickest_ns = MIN(quickest_ns, ph_clock_monotonic_ns() - start_ns);
    }
    assert_true(quickest_ns < PH_NS_PER_S);
    expect_silence();
    kill_all(pids, MANY);
    fixture_kill(front, SIGKILL);
}

/* The name of the beacon is nobody's secret: /proc/net/unix has it. */
static void look_for_beacon(pid_t front, char ret_name[PH_BEACON_NAME_MAX])
{
    char line[256], mark[] = "@porthole-front/";
    FILE *file = fopen("/proc/net/unix", "re");
    assert_non_null(file);
    ret_name[0] = '\0';
    while (fgets(line, sizeof(line), file)) {
        const char *found = strstr(line, mark);
        struct ucred holder;
        char name[PH_BEACON_NAME_MAX] = "";
        if (!found)
            continue;
        sscanf(found + 1, "%99s", name);
        int fd = ph_beacon_watch(&family_probe, name, &holder);
        if (fd >= 0 && holder.pid == front)
            strcpy(ret_name, name);
        if (fd >= 0)
            close(fd);
    }
    fclose(file);
}

/* While other sockets come and go, the kernel may leave one out of the list. */
static void name_of_beacon(pid_t front, char ret_name[PH_BEACON_NAME_MAX])
{
    ret_name[0] = '\0';
    for (int i = 0; i < 500 && !ret_name[0]; i++) {
        look_for_beacon(front, ret_name);
        usleep(ret_name[0] ? 0 : 10000);
    }
    assert_string_not_equal(ret_name, "");
}

static void a_stranger_who_takes_the_name_does_not_stop_them(void **state)
{
    char name[PH_BEACON_NAME_MAX];
    pid_t pids[MEMBERS];
    add_members(MEMBERS, pids);
    name_of_beacon(founder, name);
    for (int i = 0; i < MEMBERS; i++)
        fixture_kill(pids[i], SIGSTOP);
    fixture_end(founder);
    struct ph_beacon stranger;
    assert_int_equal(ph_beacon_light(&family_probe, name, &stranger), 0);
    for (int i = 0; i < MEMBERS; i++)
        fixture_kill(pids[i], SIGCONT);
    pid_t front = expect_front(pids, MEMBERS);
    expect_silence();
    fixture_kill(front, SIGKILL);
    front = expect_front(pids, MEMBERS);
    expect_silence();
    ph_beacon_put_out(&stranger);
    kill_all(pids, MEMBERS);
    fixture_kill(front, SIGKILL);
}

/* A front that is stopped answers nobody, and the queue at its beacon is full. */
static void who_cannot_watch_the_beacon_follows_as_well(void **state)
{
    static int fds[WATCHERS];
    struct rlimit limit;
    char name[PH_BEACON_NAME_MAX];
    struct ucred holder;
    int count = 0, status = 0;
    pid_t pids[2];
    getrlimit(RLIMIT_NOFILE, &limit);
    struct rlimit wanted = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &wanted);
    add_members(2, pids);
    fixture_kill(pids[1], SIGSTOP);
    fixture_end(founder);
    pid_t front = expect_front(pids, 1);
    name_of_beacon(front, name);
    fixture_kill(front, SIGSTOP);
    while (count < WATCHERS && (status = ph_beacon_watch(&family_probe, name, &holder)) >= 0)
        fds[count++] = status;
    fixture_kill(pids[1], SIGCONT);
    expect_silence();
    fixture_kill(front, SIGKILL);
    if (status == -EAGAIN)
        fixture_kill(expect_front(pids, 2), SIGKILL);
    else
        fixture_kill(pids[1], SIGKILL);
    for (int i = 0; i < count; i++)
        close(fds[i]);
    setrlimit(RLIMIT_NOFILE, &limit);
    if (status != -EAGAIN)
        skip(); /* not so many descriptors, or a longer queue */
}

static void who_comes_back_alone_founds_anew_under_the_same_name(void **state)
{
    struct ph_family *family;
    char id[PH_FAMILY_ID_BYTES];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ph_family_enter(&family_probe, &family, NULL), 0);
        assert_true(ph_family_is_founder(family));
        assert_true(ph_family_elect(family));
        assert_true(ph_family_is_front(family));
        assert_int_equal(ph_family_watch_fd(family), -1);
        if (i == 0)
            strcpy(id, ph_segment_id(ph_family_segment(family)));
        assert_string_equal(ph_segment_id(ph_family_segment(family)), id);
        ph_family_resign(family);
        assert_false(ph_family_is_front(family));
        ph_family_leave(family);
        ph_family_free(family);
    }
    ph_family_free(NULL);
}

/* Exit status: what it is there; 77 if no namespace may be made. */
static int enter_elsewhere(void *argument)
{
    struct ph_family *family;
    ph_family_forked();
    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET | CLONE_NEWUSER) < 0)
        return 77;
    if (ph_family_enter(&family_probe, &family, NULL) < 0)
        return 2;
    return ph_family_is_founder(family) ? 0 : 1;
}

static void in_another_network_namespace_a_family_of_its_own_begins(void **state)
{
    struct ph_family *family;
    assert_int_equal(ph_family_enter(&family_probe, &family, NULL), 0);
    int status = fixture_status(fixture_child(enter_elsewhere, NULL));
    ph_family_resign(family);
    ph_family_leave(family);
    ph_family_free(family);
    if (status == 77)
        skip();
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(forked_processes_join_and_one_of_them_follows_a_killed_front, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_front_that_execs_is_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_front_that_closes_its_window_is_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_member_that_ends_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_two_hundred_one_follows_each_time_within_a_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stranger_who_takes_the_name_does_not_stop_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_cannot_watch_the_beacon_follows_as_well, set_up, tear_down),
        cmocka_unit_test(who_comes_back_alone_founds_anew_under_the_same_name),
        cmocka_unit_test(in_another_network_namespace_a_family_of_its_own_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
