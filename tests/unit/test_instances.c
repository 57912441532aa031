#include "tools/instances.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEADER        "Num       RefCount Protocol Flags    Type St Inode Path\n"
#define LISTENS(name) "000000007c464591: 00000002 00000000 00010000 0001 01  1146 " name "\n"
#define TALKS(name)   "000000007c464592: 00000003 00000000 00000000 0001 03  1147 " name "\n"

static void expect(const char *text, const pid_t *pids, size_t count)
{
    pid_t *got;
    size_t got_count;
    assert_int_equal(ph_instances_parse(text, strlen(text), &got, &got_count), 0);
    assert_int_equal(got_count, count);
    if (count)
        assert_memory_equal(got, pids, count * sizeof(*pids));
    free(got);
}

static void sockets_of_porthole_are_found_in_order(void **state)
{
    static const pid_t pids[] = {7, 123, 4194304};
    expect(HEADER LISTENS("@porthole/123") LISTENS("/run/x.sock") LISTENS("@porthole/7")
               LISTENS("@porthole/4194304"),
           pids, 3);
}

static void a_process_with_connections_is_found_once(void **state)
{
    static const pid_t pids[] = {7};
    expect(HEADER LISTENS("@porthole/7") TALKS("@porthole/7") TALKS("@porthole/7") LISTENS("@porthole/7"), pids, 1);
}

static void a_connection_that_outlives_its_listener_is_no_process(void **state)
{
    expect(HEADER TALKS("@porthole/7"), NULL, 0);
}

static void names_that_only_resemble_are_left_out(void **state)
{
    expect(HEADER LISTENS("@porthole/") LISTENS("@porthole/7x") LISTENS("@porthole/-1") LISTENS("@porthole/0")
               LISTENS("@porthole/2147483648") LISTENS("@porthole/7@") LISTENS("porthole/7")
                   LISTENS("/tmp/@porthole/7") LISTENS("@xporthole/7"),
           NULL, 0);
}

static void lines_of_other_shapes_are_skipped(void **state)
{
    static const pid_t pids[] = {7};
    expect("", NULL, 0);
    expect("\n\nx\n1: 2 3 zz 4 5 6 @porthole/9\n" LISTENS("@porthole/7") "000: 2 0 00010000 1", pids, 1);
}

static void a_table_cut_anywhere_is_not_read_past_its_end(void **state)
{
    static const char text[] = HEADER LISTENS("@porthole/123");
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    for (size_t size = 0; size < sizeof(text); size++) {
        pid_t *pids;
        size_t count;
        memcpy(pages + page - size, text, size);
        assert_int_equal(ph_instances_parse(pages + page - size, size, &pids, &count), 0);
        assert_true(count <= 1);
        free(pids);
    }
    munmap(pages, 2 * page);
}

static void a_command_line_has_blanks_between_its_words(void **state)
{
    char *command = ph_instance_command(getpid());
    assert_non_null(command);
    assert_non_null(strstr(command, "test_instances"));
    free(command);
    assert_null(ph_instance_command(0x7fffffff));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_of_porthole_are_found_in_order),
        cmocka_unit_test(a_process_with_connections_is_found_once),
        cmocka_unit_test(a_connection_that_outlives_its_listener_is_no_process),
        cmocka_unit_test(names_that_only_resemble_are_left_out),
        cmocka_unit_test(lines_of_other_shapes_are_skipped),
        cmocka_unit_test(a_table_cut_anywhere_is_not_read_past_its_end),
        cmocka_unit_test(a_command_line_has_blanks_between_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
