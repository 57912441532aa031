#include "tools/series_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A new folder, where the test then is; removed with what the tests put there. */
static int enter_folder(void **state)
{
    char *path = strdup("/tmp/porthole-test.XXXXXX");
    if (!mkdtemp(path) || chdir(path) < 0)
        return -1;
    *state = path;
    return 0;
}

static int leave_folder(void **state)
{
    char command[80];
    snprintf(command, sizeof(command), "rm -rf %s", (char *)*state);
    int status = chdir("/") == 0 ? system(command) : -1;
    free(*state);
    return status;
}

static void make(const char *name)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fclose(file);
}

/* Are the files of @folder these, in this order? @names ends with NULL. */
static void expect(const char *folder, const char *const *names)
{
    char **paths;
    size_t count, expected = 0;
    struct ph_error error;
    assert_int_equal(ph_series_dir_list(folder, &paths, &count, &error), 0);
    for (; names[expected]; expected++)
        if (expected < count)
            assert_string_equal(paths[expected], names[expected]);
    assert_int_equal(count, expected);
    ph_series_dir_free(paths, count);
}

static void expect_refused(const char *folder, int code, const char *reason)
{
    char **paths;
    size_t count;
    struct ph_error error;
    assert_int_equal(ph_series_dir_list(folder, &paths, &count, &error), code);
    assert_non_null(strstr(error.text, folder));
    assert_non_null(strstr(error.text, reason));
}

static void files_come_by_name_whatever_they_are_called(void **state)
{
    make("b.txt");
    make("a heap");
    make("c");
    expect(".", (const char *const[]){"./a heap", "./b.txt", "./c", NULL});
}

static void numbers_in_names_count_by_value(void **state)
{
    make("jeprof.7.10.i10.heap");
    make("jeprof.7.9.i9.heap");
    make("jeprof.7.0.i0.heap");
    expect(".",
           (const char *const[]){"./jeprof.7.0.i0.heap", "./jeprof.7.9.i9.heap", "./jeprof.7.10.i10.heap", NULL});
}

static void the_names_that_record_gives_come_in_its_order(void **state)
{
    make("heap-0010-20261123T121510Z.pb.gz");
    make("heap-0009-20261123T121500Z.pb.gz");
    make("heap-1000-20261124T121500Z.pb.gz");
    make("heap-0999-20261124T121450Z.pb.gz");
    expect(".",
           (const char *const[]){"./heap-0009-20261123T121500Z.pb.gz", "./heap-0010-20261123T121510Z.pb.gz",
                                 "./heap-0999-20261124T121450Z.pb.gz", "./heap-1000-20261124T121500Z.pb.gz", NULL});
}

static void dot_files_and_what_is_no_file_are_left_out(void **state)
{
    make("heap");
    make(".heap.new");
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(symlink("nowhere", "broken"), 0);
    expect(".", (const char *const[]){"./heap", NULL});
}

static void beside_the_series_file_only_what_record_names_is_a_profile(void **state)
{
    make(PH_SERIES_FILE);
    make("report.html");
    make("report.txt");
    make("difference.pb.gz");
    make("heap-notes.pb.gz");
    make("heap-0000-20261123T121500Z.pb.gz");
    make("heap-0001-20261123T121500Z.folded");
    make("heap-99999-20261123T121500Z.pb.gz");
    expect_refused(".", -ENOENT, "no profile by `porthole record` in this folder");
    make("heap-0001-20261123T121500Z.pb.gz");
    make("heap-0002-.pb.gz"); /* of a time that is none */
    expect(".", (const char *const[]){"./heap-0001-20261123T121500Z.pb.gz", "./heap-0002-.pb.gz", NULL});
}

static void pages_and_notes_are_no_profiles(void **state)
{
    make("heap.0");
    make("heap.1.pb.gz");
    make("heap.2.txt");
    make("report.html");
    make("report.HTM");
    make("flame.svg");
    make("README.md");
    make("report.json");
    expect(".", (const char *const[]){"./heap.0", "./heap.1.pb.gz", "./heap.2.txt", NULL});
}

static void a_folder_with_nothing_but_a_page_is_not_empty(void **state)
{
    make(".hidden");
    assert_true(ph_series_dir_is_empty("."));
    make("report.html");
    assert_false(ph_series_dir_is_empty("."));
    assert_false(ph_series_dir_is_empty("missing"));
    expect_refused(".", -ENOENT, "no profile in this folder");
}

static void links_to_files_are_files(void **state)
{
    assert_int_equal(mkdir("kept", 0700), 0);
    assert_int_equal(mkdir("shown", 0700), 0);
    make("kept/one");
    assert_int_equal(symlink("../kept/one", "shown/first"), 0);
    expect("shown", (const char *const[]){"shown/first", NULL});
}

static void a_slash_at_the_end_is_not_doubled(void **state)
{
    assert_int_equal(mkdir("folder", 0700), 0);
    make("folder/heap");
    expect("folder/", (const char *const[]){"folder/heap", NULL});
}

static void many_files_are_listed(void **state)
{
    char name[16];
    char **paths;
    size_t count;
    struct ph_error error;
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "%03d", i);
        make(name);
    }
    assert_int_equal(ph_series_dir_list(".", &paths, &count, &error), 0);
    assert_int_equal(count, 300);
    assert_string_equal(paths[0], "./000");
    assert_string_equal(paths[299], "./299");
    ph_series_dir_free(paths, count);
}

static void what_holds_nothing_is_refused_by_name(void **state)
{
    assert_int_equal(mkdir("empty", 0700), 0);
    make("file");
    expect_refused("empty", -ENOENT, "no profile in this folder");
    expect_refused("missing", -ENOENT, "No such file or directory");
    expect_refused("file", -ENOTDIR, "Not a directory");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(files_come_by_name_whatever_they_are_called),
        IN_FOLDER(numbers_in_names_count_by_value),
        IN_FOLDER(the_names_that_record_gives_come_in_its_order),
        IN_FOLDER(dot_files_and_what_is_no_file_are_left_out),
        IN_FOLDER(beside_the_series_file_only_what_record_names_is_a_profile),
        IN_FOLDER(pages_and_notes_are_no_profiles),
        IN_FOLDER(a_folder_with_nothing_but_a_page_is_not_empty),
        IN_FOLDER(links_to_files_are_files),
        IN_FOLDER(a_slash_at_the_end_is_not_doubled),
        IN_FOLDER(many_files_are_listed),
        IN_FOLDER(what_holds_nothing_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
