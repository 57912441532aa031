/* What a server that executes its own file is given again. The probe is linked into this program. */
#include "probe/reexec.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char program[PATH_MAX];
static char *lines[PH_REEXEC_LINES_MAX];

static int remembered(void **state)
{
    (void)state;
    setenv("LD_PRELOAD", "/x/libporthole.so", 1);
    setenv("PORTHOLE_LISTEN", "127.0.0.1:7000", 1);
    unsetenv("MALLOC_CONF");
    ph_reexec_remember();
    setenv("PORTHOLE_LISTEN", "later", 1); /* the host writes over it */
    return readlink("/proc/self/exe", program, sizeof(program) - 1) > 0 ? 0 : -1;
}

static size_t lacking(const char *path, char *const *environment)
{
    memset(lines, 0, sizeof(lines));
    return ph_reexec_lacking(path, environment, lines);
}

static bool has_line(const char *line)
{
    for (size_t i = 0; i < PH_REEXEC_LINES_MAX && lines[i]; i++)
        if (strcmp(lines[i], line) == 0)
            return true;
    return false;
}

static void the_own_program_gets_back_what_it_was_started_with(void **state)
{
    (void)state;
    char *swept[] = {"NGINX=5;", NULL};
    assert_true(lacking(program, swept) >= 2);
    assert_true(has_line("LD_PRELOAD=/x/libporthole.so"));
    assert_true(has_line("PORTHOLE_LISTEN=127.0.0.1:7000"));
    assert_true(lacking(program, NULL) >= 2);
}

static void what_it_still_has_is_left_as_it_is(void **state)
{
    (void)state;
    char *own_port[] = {"PORTHOLE_LISTEN=127.0.0.1:8000", NULL};
    assert_true(lacking(program, own_port) >= 1);
    assert_false(has_line("PORTHOLE_LISTEN=127.0.0.1:7000"));
}

static void an_environment_with_a_preload_is_the_hosts_affair(void **state)
{
    (void)state;
    char *other[] = {"LD_PRELOAD=", NULL};
    assert_int_equal(lacking(program, other), 0);
}

static void other_programs_get_nothing(void **state)
{
    (void)state;
    char *swept[] = {NULL};
    assert_int_equal(lacking("/bin/sh", swept), 0);
    assert_int_equal(lacking("/no/such/program", swept), 0);
    assert_int_equal(lacking(NULL, swept), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_own_program_gets_back_what_it_was_started_with),
        cmocka_unit_test(what_it_still_has_is_left_as_it_is),
        cmocka_unit_test(an_environment_with_a_preload_is_the_hosts_affair),
        cmocka_unit_test(other_programs_get_nothing),
    };
    return cmocka_run_group_tests(tests, remembered, NULL);
}
