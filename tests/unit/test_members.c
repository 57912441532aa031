#include "family/family.h"
#include "processes_fixture.h"
#include "server/members.h"
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHILDREN    3
#define PATIENCE_MS 20000

static struct ph_family *family;
static pid_t children[CHILDREN];
static int ends[2];

/* A member that waits to be killed. */
static int be_member(void *unused)
{
    struct ph_family *own;
    ph_family_forked();
    if (ph_family_enter(&fixture_probe, &own, NULL) < 0)
        return 1;
    ph_family_elect(own);
    fixture_tell(ends[1], 'm', 0);
    pause();
    return 0;
}

static int set_up(void **state)
{
    struct fixture_report report;
    fixture_pipe(ends);
    if (ph_family_enter(&fixture_probe, &family, NULL) < 0 || !ph_family_elect(family))
        return -1;
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fixture_child(be_member, NULL);
        assert_true(fixture_hear(ends[0], PATIENCE_MS, &report));
    }
    return 0;
}

static int tear_down(void **state)
{
    for (int i = 0; i < CHILDREN; i++)
        if (children[i])
            fixture_end(children[i]);
    ph_family_resign(family);
    ph_family_leave(family);
    ph_family_free(family);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static struct ph_members read_members(void)
{
    struct ph_members members;
    struct ph_site site = fixture_site();
    site.family = family;
    assert_int_equal(ph_members_read(&site, &members), 0);
    return members;
}

static void a_process_without_a_family_is_its_own_front(void **state)
{
    struct ph_members members;
    struct ph_site site = fixture_site();
    assert_int_equal(ph_members_read(&site, &members), 0);
    assert_int_equal(members.count, 1);
    assert_int_equal(members.items[0].process.pid, getpid());
    assert_true(members.items[0].is_front);
    assert_false(members.items[0].is_hidden);
    ph_members_fini(&members);
}

static void all_members_are_listed_with_what_is_known_of_them(void **state)
{
    struct ph_members members = read_members();
    assert_int_equal(members.count, CHILDREN + 1);
    for (int i = 0; i < CHILDREN; i++) {
        const struct ph_listed *child = ph_members_find(&members, children[i]);
        assert_non_null(child);
        assert_false(child->is_hidden);
        assert_int_equal(child->process.ppid, getpid());
    }
    assert_null(ph_members_find(&members, 1));
    ph_members_fini(&members);
}

static void the_front_comes_first_and_the_others_by_pid(void **state)
{
    struct ph_members members = read_members();
    assert_true(members.items[0].is_front);
    assert_int_equal(members.items[0].process.pid, getpid());
    for (size_t i = 1; i < members.count; i++) {
        assert_false(members.items[i].is_front);
        assert_true(i == 1 || members.items[i].process.pid > members.items[i - 1].process.pid);
    }
    ph_members_fini(&members);
}

static void a_member_that_has_ended_is_not_listed(void **state)
{
    fixture_end(children[1]);
    struct ph_members members = read_members();
    assert_int_equal(members.count, CHILDREN);
    assert_null(ph_members_find(&members, children[1]));
    children[1] = 0;
    ph_members_fini(&members);
}

static void the_command_line_is_that_of_the_member(void **state)
{
    struct ph_buf own = PH_BUF_INIT, other = PH_BUF_INIT;
    struct ph_members members = read_members();
    ph_members_command(&members.items[0], &own);
    ph_members_command(ph_members_find(&members, children[0]), &other);
    assert_non_null(strstr(own.data, "test_members"));
    assert_string_equal(own.data, other.data);
    ph_buf_fini(&own);
    ph_buf_fini(&other);
    ph_members_fini(&members);
}

/* Its memory map may be locked for as long as the device takes. */
static void one_that_waits_for_a_device_is_not_asked_for_its_command_line(void **state)
{
    struct ph_buf command = PH_BUF_INIT;
    struct ph_members members = read_members();
    struct ph_listed waiting = *ph_members_find(&members, children[0]);
    waiting.process.state = 'D';
    ph_members_command(&waiting, &command);
    assert_int_equal(command.size_bytes, 0);
    ph_members_fini(&members);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_without_a_family_is_its_own_front),
        TEST(all_members_are_listed_with_what_is_known_of_them),
        TEST(the_front_comes_first_and_the_others_by_pid),
        TEST(a_member_that_has_ended_is_not_listed),
        TEST(the_command_line_is_that_of_the_member),
        TEST(one_that_waits_for_a_device_is_not_asked_for_its_command_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
