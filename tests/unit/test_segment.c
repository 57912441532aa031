#include "base/clock.h"
#include "family/alive.h"
#include "family/segment.h"
#include "processes_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 20000
#define KILLS       300
#define CROWD       4
#define RACERS      16

static struct ph_segment *segment;
static int pipe_ends[2];

static int set_up(void **state)
{
    struct ph_error error = {0};
    assert_int_equal(ph_segment_new(&segment, &error), 0);
    fixture_pipe(pipe_ends);
    return 0;
}

static int tear_down(void **state)
{
    ph_segment_free(segment);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    return 0;
}

static size_t count_members(void)
{
    return ph_segment_members(segment, NULL, 0);
}

static void wait_for_report(char what)
{
    struct fixture_report report;
    assert_true(fixture_hear(pipe_ends[0], PATIENCE_MS, &report));
    assert_int_equal(report.what, what);
}

static int stay(void)
{
    while (pause() < 0)
        ;
    return 0;
}

static int join_and_stay(void *argument)
{
    uint32_t row;
    int status = ph_segment_join(segment, &row);
    fixture_tell(pipe_ends[1], status == 0 ? 'm' : 'e', status);
    return stay();
}

static pid_t new_member(void)
{
    pid_t pid = fixture_child(join_and_stay, NULL);
    wait_for_report('m');
    return pid;
}

static void keys_and_names_are_drawn_anew_for_each_family(void **state)
{
    struct ph_segment *other;
    assert_int_equal(ph_segment_new(&other, NULL), 0);
    assert_int_equal(strlen(ph_segment_key(segment)), 32);
    assert_int_equal(strlen(ph_segment_id(segment)), 16);
    assert_int_equal(strspn(ph_segment_key(segment), "0123456789abcdef"), 32);
    assert_string_not_equal(ph_segment_key(segment), ph_segment_key(other));
    assert_string_not_equal(ph_segment_id(segment), ph_segment_id(other));
    assert_string_not_equal(ph_segment_program(segment), "");
    assert_int_equal(ph_segment_founder(segment), getpid());
    assert_int_equal(ph_segment_founder_user(segment), geteuid());
    ph_segment_free(other);
}

static int join_under_a_name(void *argument)
{
    prctl(PR_SET_NAME, "a worker) (of 8");
    return join_and_stay(NULL);
}

static void a_member_is_told_with_start_user_and_name(void **state)
{
    struct ph_member member;
    pid_t pid = fixture_child(join_under_a_name, NULL);
    wait_for_report('m');
    assert_int_equal(ph_segment_members(segment, &member, 1), 1);
    assert_int_equal(member.pid, pid);
    assert_true(member.start_ticks > 0);
    assert_int_equal(member.start_ticks, ph_start_ticks(pid));
    assert_int_equal(member.user, geteuid());
    assert_string_equal(member.name, "a worker) (of 8");
    assert_false(member.is_front);
    assert_true(ph_segment_has(segment, pid));
    assert_false(ph_segment_has(segment, getpid()));
    fixture_end(pid);
}

static void a_member_is_found_by_its_pid(void **state)
{
    struct ph_member member = {.pid = 1};
    pid_t first = new_member(), second = new_member();
    assert_false(ph_segment_find(segment, getpid(), &member));
    assert_int_equal(member.pid, 1);
    assert_true(ph_segment_find(segment, second, &member));
    assert_int_equal(member.pid, second);
    assert_int_equal(member.start_ticks, ph_start_ticks(second));
    assert_true(ph_segment_find(segment, first, &member));
    assert_int_equal(member.pid, first);
    fixture_end(first);
    fixture_end(second);
    assert_false(ph_segment_find(segment, first, &member));
}

static void members_are_in_order_of_pid_and_counted_beyond_the_room_for_them(void **state)
{
    struct ph_member members[4];
    pid_t pids[3];
    for (int i = 0; i < 3; i++)
        pids[i] = new_member();
    fixture_end(pids[0]);
    pids[0] = new_member(); /* the first row, a later pid */
    assert_int_equal(ph_segment_members(segment, members, 4), 3);
    assert_true(members[0].pid < members[1].pid && members[1].pid < members[2].pid);
    assert_int_equal(ph_segment_members(segment, members, 2), 3);
    for (int i = 0; i < 3; i++)
        fixture_end(pids[i]);
}

static void who_is_killed_is_no_member_and_its_row_is_used_again(void **state)
{
    uint32_t row;
    pid_t pid = new_member();
    assert_int_equal(count_members(), 1);
    fixture_kill(pid, SIGKILL);
    siginfo_t info;
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT); /* a zombie still has its pid */
    assert_int_equal(count_members(), 0);
    fixture_end(pid);
    assert_int_equal(ph_segment_join(segment, &row), 0);
    assert_int_equal(row, 0);
    ph_segment_leave(segment, row);
    assert_int_equal(count_members(), 0);
}

static int join_and_exec(void *argument)
{
    uint32_t row;
    ph_segment_join(segment, &row);
    fixture_tell(pipe_ends[1], 'm', 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl("/bin/sleep", "sleep", "60", NULL);
    return 1;
}

static void who_execs_another_program_is_no_member(void **state)
{
    pid_t pid = fixture_child(join_and_exec, NULL);
    wait_for_report('m');
    int64_t end_ns = ph_clock_monotonic_ns() + PATIENCE_MS * PH_NS_PER_MS;
    while (count_members() > 0 && ph_clock_monotonic_ns() < end_ns)
        usleep(1000);
    assert_int_equal(count_members(), 0);
    assert_int_equal(fixture_kill(pid, 0), 0);
    fixture_end(pid);
}

static void a_living_member_is_not_forgotten(void **state)
{
    struct ph_member member;
    pid_t pid = new_member();
    assert_int_equal(ph_segment_members(segment, &member, 1), 1);
    ph_segment_forget(segment, &member);
    assert_true(ph_segment_has(segment, pid));
    fixture_end(pid);
    ph_segment_forget(segment, &member);
    assert_false(ph_segment_has(segment, pid));
}

static void a_pid_that_came_again_is_another_process(void **state)
{
    uint64_t ticks = ph_start_ticks(getpid());
    assert_true(ticks > 0);
    assert_true(ph_process_is_there(getpid(), ticks));
    assert_true(ph_process_is_there(getpid(), 0));
    assert_false(ph_process_is_there(getpid(), ticks - 1));
}

/* The kernel's list of robust locks of a thread ends after 2,048: so several processes. */
static int fill(void *argument)
{
    uint32_t row;
    int status = 0;
    for (int i = 0; i < PH_MEMBERS_MAX / CROWD && status == 0; i++)
        status = ph_segment_join(segment, &row);
    fixture_tell(pipe_ends[1], status == 0 ? 'm' : 'e', status);
    return stay();
}

static void a_full_table_has_room_again_when_somebody_ends(void **state)
{
    pid_t pids[CROWD];
    uint32_t row;
    for (int i = 0; i < CROWD; i++) {
        pids[i] = fixture_child(fill, NULL);
        wait_for_report('m');
    }
    assert_int_equal(count_members(), PH_MEMBERS_MAX);
    assert_int_equal(ph_segment_join(segment, &row), -ENOSPC);
    fixture_end(pids[1]);
    assert_int_equal(ph_segment_join(segment, &row), 0);
    assert_int_equal(row, PH_MEMBERS_MAX / CROWD);
    ph_segment_leave(segment, row);
    for (int i = 0; i < CROWD; i++)
        if (i != 1)
            fixture_end(pids[i]);
    assert_int_equal(count_members(), 0);
}

static int come_and_go(void *argument)
{
    uint32_t row;
    prctl(PR_SET_NAME, "comes and goes");
    while (ph_segment_join(segment, &row) == 0) {
        ph_segment_succeed(segment, row);
        ph_segment_set_url(segment, "http://127.0.0.1:6060");
        ph_segment_leave(segment, row);
    }
    return 1;
}

/* While they come and go and are killed wherever they are, what is read makes sense; in the end nothing of them is left. */
static void a_process_killed_at_any_instruction_leaves_the_table_usable(void **state)
{
    struct ph_member members[8];
    char url[PH_SEGMENT_URL_BYTES];
    pid_t pids[CROWD];
    uint32_t row;
    srandom(4711);
    for (int i = 0; i < CROWD; i++)
        pids[i] = fixture_child(come_and_go, NULL);
    for (int i = 0; i < KILLS; i++) {
        usleep((useconds_t)(random() % 1000));
        fixture_end(pids[i % CROWD]);
        size_t count = ph_segment_members(segment, members, 8);
        assert_true(count <= CROWD);
        for (size_t j = 0; j < count; j++)
            assert_string_equal(members[j].name, "comes and goes");
        ph_segment_url(segment, url);
        assert_true(url[0] == '\0' || strcmp(url, "http://127.0.0.1:6060") == 0);
        pids[i % CROWD] = fixture_child(come_and_go, NULL);
    }
    for (int i = 0; i < CROWD; i++)
        fixture_end(pids[i]);
    assert_int_equal(count_members(), 0);
    assert_int_equal(ph_segment_join(segment, &row), 0);
    assert_int_equal(row, 0);
    assert_true(ph_segment_succeed(segment, row));
    ph_segment_leave(segment, row);
}

static int write_urls(void *argument)
{
    char urls[2][PH_SEGMENT_URL_BYTES];
    for (int i = 0; i < 2; i++) {
        memset(urls[i], 'a' + i, PH_SEGMENT_URL_BYTES - 1);
        urls[i][PH_SEGMENT_URL_BYTES - 1] = '\0';
    }
    fixture_tell(pipe_ends[1], 'w', 0);
    for (unsigned i = 0; getppid() > 1; i++)
        ph_segment_set_url(segment, urls[i % 2]);
    return 0;
}

static void a_url_is_read_whole_while_it_changes(void **state)
{
    char url[PH_SEGMENT_URL_BYTES];
    bool seen['b' + 1] = {false};
    pid_t pid = fixture_child(write_urls, NULL);
    wait_for_report('w');
    int64_t end_ns = ph_clock_monotonic_ns() + PATIENCE_MS * PH_NS_PER_MS;
    for (int i = 0; (i < 2000 || !seen['a'] || !seen['b']) && ph_clock_monotonic_ns() < end_ns; i++) {
        ph_segment_url(segment, url);
        assert_true(url[0] == '\0' || url[0] == 'a' || url[0] == 'b');
        assert_int_equal(strspn(url, (char[]){url[0], '\0'}), url[0] ? PH_SEGMENT_URL_BYTES - 1 : 0);
        seen[(unsigned char)url[0]] = true;
    }
    assert_true(seen['a'] && seen['b']);
    fixture_end(pid);
}

static int race(void *argument)
{
    uint32_t row;
    ph_segment_join(segment, &row);
    bool leads = ph_segment_succeed(segment, row);
    fixture_tell(pipe_ends[1], leads ? 'f' : 'm', 0);
    return stay();
}

static void of_all_that_would_be_front_one_is_until_it_ends(void **state)
{
    struct ph_member members[RACERS];
    struct fixture_report report;
    pid_t pids[RACERS], front = 0;
    uint32_t row;
    for (int i = 0; i < RACERS; i++)
        pids[i] = fixture_child(race, NULL);
    for (int i = 0; i < RACERS; i++) {
        assert_true(fixture_hear(pipe_ends[0], PATIENCE_MS, &report));
        assert_true(report.what == 'm' || front == 0);
        front = report.what == 'f' ? report.pid : front;
    }
    assert_true(front > 0);
    assert_int_equal(ph_segment_front(segment), front);
    assert_int_equal(ph_segment_members(segment, members, RACERS), RACERS);
    for (int i = 0; i < RACERS; i++)
        assert_int_equal(members[i].is_front, members[i].pid == front);
    assert_int_equal(ph_segment_join(segment, &row), 0);
    assert_false(ph_segment_succeed(segment, row));
    for (int i = 0; i < RACERS; i++)
        if (pids[i] == front)
            fixture_end(front);
    assert_true(ph_segment_succeed(segment, row));
    assert_true(ph_segment_succeed(segment, row));
    for (int i = 0; i < RACERS; i++)
        if (pids[i] != front)
            fixture_end(pids[i]);
    ph_segment_leave(segment, row);
}

static void who_resigns_leaves_the_place_to_another(void **state)
{
    uint32_t first, second;
    assert_int_equal(ph_segment_join(segment, &first), 0);
    assert_true(ph_segment_succeed(segment, first));
    pid_t pid = fixture_child(race, NULL);
    wait_for_report('m');
    ph_segment_resign(segment, first);
    assert_int_equal(ph_segment_front(segment), 0);
    second = first;
    ph_segment_resign(segment, second); /* twice is fine */
    fixture_end(pid);
    pid = fixture_child(race, NULL);
    wait_for_report('f');
    ph_segment_resign(segment, first);
    assert_int_equal(ph_segment_front(segment), pid);
    fixture_end(pid);
    ph_segment_leave(segment, first);
}

/* Exit status: 0 if this is home, 1 if not, 77 if no namespace may be made. */
static int look_from(void *flags)
{
    if (unshare(*(int *)flags) < 0 && unshare(*(int *)flags | CLONE_NEWUSER) < 0)
        return 77;
    if (*(int *)flags == 0 || !(*(int *)flags & CLONE_NEWPID))
        return ph_segment_is_home(segment) ? 0 : 1;
    pid_t pid = fork();
    if (pid < 0)
        return 77;
    if (pid == 0)
        _exit(ph_segment_is_home(segment) ? 0 : 1);
    return fixture_status(pid);
}

static void other_namespaces_are_not_home(void **state)
{
    int here = 0, net = CLONE_NEWNET, pid = CLONE_NEWPID;
    int net_status = fixture_status(fixture_child(look_from, &net));
    int pid_status = fixture_status(fixture_child(look_from, &pid));
    assert_int_equal(fixture_status(fixture_child(look_from, &here)), 0);
    if (net_status == 77 || pid_status == 77)
        skip();
    assert_int_equal(net_status, 1);
    assert_int_equal(pid_status, 1);
}

/* The one shared mapping without a file that this process has, as a member that was taken over would find it. */
static int fill_table(void *byte)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof(line), maps)) {
        unsigned long low, high;
        if (strstr(line, " rw-s ") && strstr(line, "/dev/zero") && sscanf(line, "%lx-%lx", &low, &high) == 2)
            memset((void *)low, *(int *)byte, high - low);
    }
    return maps ? 0 : 1;
}

static void a_table_full_of_lies_harms_nobody_who_reads_it(void **state)
{
    struct ph_member members[8];
    char url[PH_SEGMENT_URL_BYTES];
    uint32_t row;
    char key[PH_FAMILY_KEY_BYTES];
    memcpy(key, ph_segment_key(segment), sizeof(key));
    for (int byte = 0xff; byte > 0; byte -= 0x11) { /* 0xbb: all rows are taken, by somebody who lives for ever */
        assert_int_equal(fixture_status(fixture_child(fill_table, &byte)), 0);
        size_t count = ph_segment_members(segment, members, 8);
        assert_true(count <= PH_MEMBERS_MAX);
        for (size_t i = 0; i < count && i < 8; i++)
            assert_true(strnlen(members[i].name, sizeof(members[i].name)) < sizeof(members[i].name));
        ph_segment_url(segment, url);
        assert_true(strnlen(url, sizeof(url)) < sizeof(url));
        int joined = ph_segment_join(segment, &row);
        assert_true(joined == 0 || joined == -ENOSPC);
        assert_memory_equal(ph_segment_key(segment), key, sizeof(key));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_and_names_are_drawn_anew_for_each_family, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_member_is_told_with_start_user_and_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_member_is_found_by_its_pid, set_up, tear_down),
        cmocka_unit_test_setup_teardown(members_are_in_order_of_pid_and_counted_beyond_the_room_for_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_is_killed_is_no_member_and_its_row_is_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_execs_another_program_is_no_member, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_living_member_is_not_forgotten, set_up, tear_down),
        cmocka_unit_test(a_pid_that_came_again_is_another_process),
        cmocka_unit_test_setup_teardown(a_full_table_has_room_again_when_somebody_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_process_killed_at_any_instruction_leaves_the_table_usable, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_url_is_read_whole_while_it_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_all_that_would_be_front_one_is_until_it_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_resigns_leaves_the_place_to_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_namespaces_are_not_home, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_table_full_of_lies_harms_nobody_who_reads_it, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
