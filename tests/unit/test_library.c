#include "tools/library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[PATH_MAX];

static int make_root(void **state)
{
    char folder[] = "/tmp/porthole-test.XXXXXX";
    return mkdtemp(folder) && realpath(folder, root) ? 0 : -1;
}

static int remove_root(void **state)
{
    char command[PATH_MAX + 16];
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    return system(command);
}

static const char *below(const char *path)
{
    static char text[4][2 * PATH_MAX];
    static unsigned next;
    char *chosen = text[next++ % 4];
    snprintf(chosen, sizeof(text[0]), "%s/%s", root, path);
    return chosen;
}

/* An empty file at @path below the root, with the folders above it. */
static void put(const char *path)
{
    char full[2 * PATH_MAX];
    strcpy(full, below(path));
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    int fd = open(full, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void expect(const char *executable, const char *library)
{
    char *path;
    struct ph_error error;
    assert_int_equal(ph_library_find(below(executable), below("configured"), &path, &error), 0);
    assert_string_equal(path, below(library));
    free(path);
}

static void the_library_of_the_own_build_tree_is_used(void **state)
{
    put("build/tools/.libs/porthole");
    put("build/lib/.libs/libporthole.so");
    expect("build/tools/porthole", "build/lib/.libs/libporthole.so");
    expect("build/tools/.libs/porthole", "build/lib/.libs/libporthole.so");
}

static void an_installed_command_finds_the_library_of_its_prefix(void **state)
{
    put("one/bin/porthole");
    put("one/lib/libporthole.so");
    put("two/bin/porthole");
    put("two/lib/x86_64-linux-gnu/libporthole.so");
    expect("one/bin/porthole", "one/lib/libporthole.so");
    expect("two/bin/porthole", "two/lib/x86_64-linux-gnu/libporthole.so");
}

static void elsewhere_the_configured_folder_counts(void **state)
{
    put("three/bin/porthole");
    put("configured/libporthole.so");
    expect("three/bin/porthole", "configured/libporthole.so");
}

static void a_missing_library_is_told_with_where_it_should_be(void **state)
{
    char *path;
    struct ph_error error;
    assert_int_equal(ph_library_find("/no/such/porthole", "/no/such/lib", &path, &error), -ENOENT);
    assert_non_null(strstr(error.text, "/no/such/lib"));
    assert_int_equal(ph_library_find("", "/no/such/lib", &path, &error), -ENOENT);
}

static void a_path_that_ld_preload_would_split_is_refused(void **state)
{
    char *path;
    struct ph_error error;
    put("a blank/bin/porthole");
    put("a blank/lib/libporthole.so");
    assert_int_equal(ph_library_find(below("a blank/bin/porthole"), "/no/such", &path, &error), -EINVAL);
    assert_non_null(strstr(error.text, "LD_PRELOAD"));
}

static void expect_preload(const char *before, const char *after)
{
    char *value = ph_library_preload("/p/libporthole.so", before);
    assert_string_equal(value, after);
    free(value);
}

static void other_preloads_stay_behind_the_library(void **state)
{
    expect_preload(NULL, "/p/libporthole.so");
    expect_preload("", "/p/libporthole.so");
    expect_preload("libfaketime.so", "/p/libporthole.so:libfaketime.so");
    expect_preload("a.so b.so::c.so ", "/p/libporthole.so:a.so:b.so:c.so");
}

static void the_library_is_not_preloaded_twice(void **state)
{
    expect_preload("/p/libporthole.so", "/p/libporthole.so");
    expect_preload("a.so:/p/libporthole.so:/p/libporthole.so.1:/p/lib",
                   "/p/libporthole.so:a.so:/p/libporthole.so.1:/p/lib");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_of_the_own_build_tree_is_used),
        cmocka_unit_test(an_installed_command_finds_the_library_of_its_prefix),
        cmocka_unit_test(elsewhere_the_configured_folder_counts),
        cmocka_unit_test(a_missing_library_is_told_with_where_it_should_be),
        cmocka_unit_test(a_path_that_ld_preload_would_split_is_refused),
        cmocka_unit_test(other_preloads_stay_behind_the_library),
        cmocka_unit_test(the_library_is_not_preloaded_twice),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
