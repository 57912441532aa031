#include "tools/diff_inputs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/porthole-inputs.XXXXXX";
static char path[64]; /* of the file that put() wrote last */

static const char *put(const char *name, const char *text)
{
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    return path;
}

static int make_folder(void **state)
{
    if (!mkdtemp(folder))
        return -1;
    put("heap9.folded", "main;leak 1000000\n");
    put("heap10.folded", "main;leak 90000000\n");
    put("report.html", "<!doctype html>");
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"heap9.folded", "heap10.folded", "report.html", "bad", "fifo"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static struct ph_growth *new_growth(void)
{
    const struct ph_growth_options options = {.metric = PH_HEAP_INUSE_SPACE, .min_change = -1};
    struct ph_growth *growth;
    struct ph_error error;
    assert_int_equal(ph_growth_new(&options, &growth, &error), 0);
    return growth;
}

static int64_t total_of(struct ph_diff_inputs *inputs, const char *name, bool is_last)
{
    struct ph_profile *profile;
    struct ph_error error;
    assert_int_equal(ph_diff_inputs_take(inputs, name, is_last, &profile, &error), 0);
    int64_t total = ph_profile_total(profile, 0);
    ph_profile_free(profile);
    return total;
}

static void a_folder_stands_for_its_profiles_in_order(void **state)
{
    struct ph_diff_inputs inputs = {0};
    struct ph_growth *growth = new_growth();
    struct ph_growth_report *report;
    struct ph_error error;
    assert_int_equal(ph_diff_inputs_add(&inputs, folder, &error), 0);
    assert_int_equal(inputs.count, 2);
    assert_int_equal(ph_diff_inputs_read(&inputs, growth, &error), 0);
    assert_int_equal(ph_growth_report(growth, &report, &error), 0);
    assert_int_equal(report->profiles[0].totals[PH_HEAP_INUSE_SPACE], 1000000);
    assert_int_equal(total_of(&inputs, report->profiles[0].name, false), 1000000);
    assert_int_equal(total_of(&inputs, report->profiles[1].name, true), 90000000);
    ph_growth_report_free(report);
    ph_growth_free(growth);
    ph_diff_inputs_fini(&inputs);
}

static void what_can_be_read_again_is_not_kept(void **state)
{
    struct ph_diff_inputs inputs = {.keeps_ends = true};
    struct ph_growth *growth = new_growth();
    struct ph_error error;
    assert_int_equal(ph_diff_inputs_add(&inputs, folder, &error), 0);
    assert_int_equal(ph_diff_inputs_read(&inputs, growth, &error), 0);
    assert_null(inputs.items[0].kept);
    ph_growth_free(growth);
    ph_diff_inputs_fini(&inputs);
}

static void a_pipe_is_kept(void **state)
{
    struct ph_diff_inputs inputs = {.keeps_ends = true};
    struct ph_growth *growth = new_growth();
    struct ph_error error;
    char fifo[64];
    snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    if (fork() == 0) {
        FILE *file = fopen(fifo, "w");
        fputs("main;leak 77\n", file);
        fclose(file);
        _exit(0);
    }
    assert_int_equal(ph_diff_inputs_add(&inputs, fifo, &error), 0);
    assert_int_equal(ph_diff_inputs_read(&inputs, growth, &error), 0);
    assert_int_equal(total_of(&inputs, fifo, false), 77);
    unlink(fifo);
    ph_growth_free(growth);
    ph_diff_inputs_fini(&inputs);
}

static void the_first_failure_ends_it(void **state)
{
    struct ph_diff_inputs inputs = {0};
    struct ph_growth *growth = new_growth();
    struct ph_error error;
    assert_int_equal(ph_diff_inputs_add(&inputs, put("bad", "<html>"), &error), 0);
    assert_int_equal(ph_diff_inputs_read(&inputs, growth, &error), -EINVAL);
    assert_non_null(strstr(error.text, "/bad: "));
    unlink(path);
    ph_growth_free(growth);
    ph_diff_inputs_fini(&inputs);
}

static void what_is_no_target_is_told_apart_from_what_is_missing(void **state)
{
    struct ph_diff_inputs inputs = {0};
    struct ph_profile *profile;
    struct ph_error error;
    assert_int_equal(ph_diff_inputs_add(&inputs, "ftp://host/heap", &error), -EINVAL);
    assert_int_equal(ph_diff_inputs_add(&inputs, "", &error), -EINVAL);
    assert_int_equal(inputs.count, 0);
    assert_int_equal(ph_diff_inputs_take(&inputs, "none", false, &profile, &error), -ENOENT);
    ph_diff_inputs_fini(&inputs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_stands_for_its_profiles_in_order),
        cmocka_unit_test(what_can_be_read_again_is_not_kept),
        cmocka_unit_test(a_pipe_is_kept),
        cmocka_unit_test(the_first_failure_ends_it),
        cmocka_unit_test(what_is_no_target_is_told_apart_from_what_is_missing),
    };
    alarm(60); /* a pipe that is read a second time never ends */
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
