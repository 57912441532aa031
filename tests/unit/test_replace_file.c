#include "tools/replace_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int enter_folder(void **state)
{
    char *path = strdup("/tmp/porthole-test.XXXXXX");
    *state = path;
    return mkdtemp(path) && chdir(path) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    char command[80];
    snprintf(command, sizeof(command), "rm -rf %s", (char *)*state);
    int status = chdir("/") == 0 ? system(command) : -1;
    free(*state);
    return status;
}

static size_t file_count(void)
{
    DIR *folder = opendir(".");
    size_t count = 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2; /* . and .. */
}

static void expect_content(const char *content)
{
    char text[64] = "";
    FILE *file = fopen("name", "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, content);
}

static void a_file_is_made_and_replaced(void **state)
{
    assert_int_equal(ph_replace_file(".", "name", "first", 5, NULL), 0);
    expect_content("first");
    assert_int_equal(ph_replace_file(".", "name", "2nd", 3, NULL), 0);
    expect_content("2nd");
    assert_int_equal(ph_replace_file(".", "name", NULL, 0, NULL), 0);
    expect_content("");
    assert_int_equal(file_count(), 1);
}

static void who_reads_the_old_file_keeps_it(void **state)
{
    char text[8] = "";
    assert_int_equal(ph_replace_file(".", "name", "first", 5, NULL), 0);
    FILE *reader = fopen("name", "r");
    assert_int_equal(ph_replace_file(".", "name", "2nd", 3, NULL), 0);
    assert_int_equal(fread(text, 1, 5, reader), 5);
    assert_string_equal(text, "first");
    fclose(reader);
}

static void what_a_crash_left_is_in_nobodys_way(void **state)
{
    FILE *file = fopen(".porthole.new", "w");
    fputs("half of a profile that was longer", file);
    fclose(file);
    assert_int_equal(ph_replace_file(".", "name", "first", 5, NULL), 0);
    expect_content("first");
    assert_int_equal(file_count(), 1);
}

/* A file that may not grow further, as on a full disk, needs no privileges to make. */
static void a_disk_that_is_full_leaves_the_old_file_and_nothing_half(void **state)
{
    struct rlimit before, small;
    struct ph_error error;
    char bytes[10000];
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(ph_replace_file(".", "name", "first", 5, NULL), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){.rlim_cur = 4096, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    int failed = ph_replace_file(".", "name", bytes, sizeof(bytes), &error);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(failed, -EFBIG);
    assert_string_equal(error.text, "cannot write ./name: File too large");
    expect_content("first");
    assert_int_equal(file_count(), 1);
}

static void a_name_that_is_a_folder_is_refused(void **state)
{
    struct ph_error error;
    assert_int_equal(mkdir("name", 0700), 0);
    assert_int_equal(ph_replace_file(".", "name", "x", 1, &error), -EISDIR);
    assert_int_equal(file_count(), 1);
}

static void a_missing_folder_is_told(void **state)
{
    struct ph_error error;
    assert_int_equal(ph_replace_file("none", "name", "x", 1, &error), -ENOENT);
    assert_string_equal(error.text, "cannot write none/name: No such file or directory");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_is_made_and_replaced),
        IN_FOLDER(who_reads_the_old_file_keeps_it),
        IN_FOLDER(what_a_crash_left_is_in_nobodys_way),
        IN_FOLDER(a_disk_that_is_full_leaves_the_old_file_and_nothing_half),
        IN_FOLDER(a_name_that_is_a_folder_is_refused),
        IN_FOLDER(a_missing_folder_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
