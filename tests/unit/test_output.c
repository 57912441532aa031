#include "tools/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/porthole-output.XXXXXX";

static int enter_folder(void **state)
{
    return mkdtemp(folder) ? chdir(folder) : -1;
}

static int remove_folder(void **state)
{
    char command[sizeof(folder) + 16];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return chdir("/") == 0 ? system(command) : -1;
}

static int put(const char *path, const char *text, struct ph_error *error)
{
    return ph_output_write(path, text, strlen(text), error);
}

static void expect_content(const char *path, const char *text)
{
    char got[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    got[fread(got, 1, sizeof(got) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(got, text);
}

static size_t count_files(void)
{
    size_t count = 0;
    DIR *here = opendir(".");
    assert_non_null(here);
    for (struct dirent *entry; (entry = readdir(here));)
        count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    closedir(here);
    return count;
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode;
}

static void a_new_file_has_the_permissions_of_any_new_file(void **state)
{
    mode_t mask = umask(027);
    assert_int_equal(put("new", "text", NULL), 0);
    umask(mask);
    expect_content("new", "text");
    assert_int_equal(mode_of("new") & 0777, 0640);
    assert_int_equal(count_files(), 1);
    unlink("new");
}

static void a_file_is_replaced_and_keeps_its_permissions(void **state)
{
    assert_int_equal(put("old", "before", NULL), 0);
    assert_int_equal(chmod("old", 0600), 0);
    assert_int_equal(put("old", "behind", NULL), 0);
    expect_content("old", "behind");
    assert_int_equal(mode_of("old") & 0777, 0600);
    unlink("old");
}

static void a_link_stays_a_link(void **state)
{
    assert_int_equal(put("file", "before", NULL), 0);
    assert_int_equal(symlink("file", "link"), 0);
    assert_int_equal(put("link", "behind", NULL), 0);
    assert_true(S_ISLNK(mode_of("link")));
    expect_content("file", "behind");
    unlink("link");
    unlink("file");
}

static void what_fails_names_the_file_and_leaves_nothing(void **state)
{
    struct ph_error error = {0};
    assert_int_equal(put("nosuch/file", "text", &error), -ENOENT);
    assert_string_equal(error.text, "cannot write nosuch/file: No such file or directory");
    assert_int_equal(put("/dev/full", "text", &error), -ENOSPC);
    assert_string_equal(error.text, "cannot write /dev/full: No space left on device");
    assert_int_equal(mkdir("folder", 0755), 0);
    assert_true(put("folder", "text", &error) < 0);
    rmdir("folder");
    assert_int_equal(count_files(), 0);
}

static void devices_are_written_to_as_they_are(void **state)
{
    assert_int_equal(put("/dev/null", "text", NULL), 0);
    assert_true(S_ISCHR(mode_of("/dev/null")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_has_the_permissions_of_any_new_file),
        cmocka_unit_test(a_file_is_replaced_and_keeps_its_permissions),
        cmocka_unit_test(a_link_stays_a_link),
        cmocka_unit_test(what_fails_names_the_file_and_leaves_nothing),
        cmocka_unit_test(devices_are_written_to_as_they_are),
    };
    return cmocka_run_group_tests(tests, enter_folder, remove_folder);
}
