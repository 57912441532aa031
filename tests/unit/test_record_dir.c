#include "tools/record_dir.h"

#include "rich.h"
#include "tools/read_file.h"
#include "tools/series_dir.h"
#include "tools/source.h"

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

#define S INT64_C(1000000000)

static const struct ph_origin nginx = {
    .program = "/usr/sbin/nginx", .build_id = "abcd", .base_address = 0x5000, .pid = 10, .start_ns = 900 * S};

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

static struct ph_record_dir open_dir(void)
{
    struct ph_record_dir dir;
    struct ph_error error;
    assert_int_equal(ph_record_dir_open("series", &dir, &error), 0);
    ph_record_dir_describe(&dir, "http://h:1", 10 * S);
    return dir;
}

static void save(struct ph_record_dir *dir, const struct ph_origin *origin, int64_t time_ns, char name[64])
{
    struct ph_error error;
    struct ph_profile *profile = rich_heap(1);
    rich_add_heap(profile, (const uint64_t[]){1}, 1, 1, 100);
    profile->time_ns = time_ns;
    assert_int_equal(ph_record_dir_save(dir, profile, origin, name, &error), 0);
    assert_true(profile->time_ns > 0);
    ph_profile_free(profile);
}

static void expect_refused(int code, const char *reason)
{
    struct ph_record_dir dir;
    struct ph_error error;
    assert_int_equal(ph_record_dir_open("series", &dir, &error), code);
    assert_non_null(strstr(error.text, reason));
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void profiles_are_numbered_and_dated(void **state)
{
    char name[64];
    struct ph_record_dir dir = open_dir();
    save(&dir, &nginx, 1795435200 * S, name);
    assert_string_equal(name, "heap-0001-20261123T120000Z.pb.gz");
    save(&dir, &nginx, 1795435210 * S, name);
    assert_string_equal(name, "heap-0002-20261123T120010Z.pb.gz");
    assert_int_equal(dir.count, 2);
    ph_record_dir_close(&dir);
}

static void a_saved_profile_is_pprof_and_has_a_time(void **state)
{
    char name[64], path[80];
    struct ph_record_dir dir = open_dir();
    save(&dir, &nginx, 0, name);
    ph_record_dir_close(&dir);
    snprintf(path, sizeof(path), "series/%s", name);
    struct ph_target target = {.kind = PH_TARGET_FILE, .text = path};
    struct ph_source_options options = {.query = ""};
    struct ph_profile *profile;
    enum ph_format format;
    struct ph_error error;
    assert_int_equal(ph_source_read(&target, &options, &format, &profile, &error), 0);
    assert_int_equal(format, PH_FORMAT_PPROF);
    assert_true(profile->time_ns > 0);
    assert_int_equal(ph_profile_total(profile, 3), 100);
    ph_profile_free(profile);
}

static void a_folder_is_gone_on_with(void **state)
{
    char name[64];
    struct ph_record_dir dir = open_dir();
    save(&dir, &nginx, 1795435200 * S, name);
    save(&dir, &nginx, 1795435210 * S, name);
    ph_record_dir_close(&dir);
    dir = open_dir();
    assert_int_equal(dir.count, 2);
    assert_string_equal(dir.first_path, "series/heap-0001-20261123T120000Z.pb.gz");
    assert_int_equal(ph_series_log_last(&dir.log)->pid, 10);
    save(&dir, &nginx, 1795435220 * S, name);
    assert_string_equal(name, "heap-0003-20261123T120020Z.pb.gz");
    assert_int_equal(dir.log.process_count, 1);
    ph_record_dir_close(&dir);
}

static void a_number_is_not_given_twice_when_files_were_taken_away(void **state)
{
    char name[64];
    struct ph_record_dir dir = open_dir();
    save(&dir, &nginx, 1795435200 * S, name);
    save(&dir, &nginx, 1795435210 * S, name);
    ph_record_dir_close(&dir);
    assert_int_equal(unlink("series/heap-0001-20261123T120000Z.pb.gz"), 0);
    dir = open_dir();
    assert_int_equal(dir.count, 1);
    save(&dir, &nginx, 1795435220 * S, name);
    assert_string_equal(name, "heap-0003-20261123T120020Z.pb.gz");
    ph_record_dir_close(&dir);
}

static void another_process_is_a_row_in_the_log(void **state)
{
    char name[64];
    struct ph_origin later = nginx;
    struct ph_record_dir dir = open_dir();
    save(&dir, &nginx, 1795435200 * S, name);
    later.pid = 11;
    save(&dir, &later, 1795435210 * S, name);
    save(&dir, &later, 1795435220 * S, name);
    ph_record_dir_close(&dir);
    dir = open_dir();
    assert_int_equal(dir.log.process_count, 2);
    assert_string_equal(dir.log.processes[1].first_file, "heap-0002-20261123T120010Z.pb.gz");
    assert_int_equal(dir.log.processes[1].origin.pid, 11);
    ph_record_dir_close(&dir);
}

/* One process after the other is replaced, and in the end all of them. */
static void a_family_that_goes_on_is_one_row_in_the_log(void **state)
{
    char name[64];
    struct ph_record_dir dir = open_dir();
    struct ph_origin family = nginx;
    family.family_count = 2;
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 2; j++)
            family.family[j] = (struct ph_origin_process){.pid = 10 + i + j, .start_ns = (900 + 10 * (i + j)) * S};
        family.pid = family.family[0].pid;
        family.start_ns = family.family[0].start_ns;
        save(&dir, &family, (1795435200 + i) * S, name);
    }
    assert_int_equal(dir.log.process_count, 1);
    assert_int_equal(dir.log.processes[0].origin.pid, 10);
    ph_record_dir_close(&dir);
}

static void the_log_tells_the_last_target_and_interval(void **state)
{
    char name[64];
    struct ph_record_dir dir = open_dir();
    save(&dir, &nginx, 1795435200 * S, name);
    ph_record_dir_describe(&dir, "4242", 5 * S);
    save(&dir, &nginx, 1795435210 * S, name);
    ph_record_dir_close(&dir);
    struct ph_error error;
    assert_int_equal(ph_record_dir_open("series", &dir, &error), 0);
    assert_string_equal(dir.log.target, "4242");
    assert_int_equal(dir.log.every_ns, 5 * S);
    ph_record_dir_close(&dir);
}

static void files_of_others_in_a_series_are_not_counted(void **state)
{
    char name[64];
    struct ph_record_dir dir = open_dir();
    save(&dir, &nginx, 1795435200 * S, name);
    ph_record_dir_close(&dir);
    put("series/report.html", "x");
    put("series/heap-99999-x.pb.gz", "x");
    dir = open_dir();
    assert_int_equal(dir.count, 1);
    assert_int_equal(dir.last_number, 1);
    ph_record_dir_close(&dir);
}

static void a_new_folder_without_a_profile_goes_again(void **state)
{
    struct ph_record_dir dir = open_dir();
    ph_record_dir_close(&dir);
    assert_int_equal(access("series", F_OK), -1);
    assert_int_equal(mkdir("series", 0700), 0);
    dir = open_dir();
    ph_record_dir_close(&dir);
    assert_int_equal(access("series", F_OK), 0);
}

static void two_do_not_write_into_one_folder(void **state)
{
    struct ph_record_dir dir = open_dir();
    expect_refused(-EBUSY, "another `porthole record`");
    ph_record_dir_close(&dir);
    dir = open_dir();
    ph_record_dir_close(&dir);
}

static void folders_of_other_things_are_refused(void **state)
{
    assert_int_equal(mkdir("series", 0700), 0);
    put("series/thesis.tex", "x");
    expect_refused(-EEXIST, "choose a new folder");
    put("series/" PH_SERIES_FILE, "{");
    expect_refused(-EINVAL, "series/series.json: line 1");
    assert_int_equal(system("rm -r series"), 0);
    put("series", "x");
    expect_refused(-ENOTDIR, "Not a directory");
}

static void a_full_series_takes_no_more(void **state)
{
    char name[64];
    struct ph_error error;
    struct ph_record_dir dir = open_dir();
    dir.last_number = PH_RECORD_MAX - 1;
    save(&dir, &nginx, 1795435200 * S, name);
    assert_string_equal(name, "heap-9999-20261123T120000Z.pb.gz");
    struct ph_profile *profile = rich_heap(1);
    assert_int_equal(ph_record_dir_save(&dir, profile, &nginx, name, &error), -EFBIG);
    assert_non_null(strstr(error.text, "is full"));
    ph_profile_free(profile);
    ph_record_dir_close(&dir);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(profiles_are_numbered_and_dated),
        IN_FOLDER(a_saved_profile_is_pprof_and_has_a_time),
        IN_FOLDER(a_folder_is_gone_on_with),
        IN_FOLDER(a_number_is_not_given_twice_when_files_were_taken_away),
        IN_FOLDER(another_process_is_a_row_in_the_log),
        IN_FOLDER(a_family_that_goes_on_is_one_row_in_the_log),
        IN_FOLDER(the_log_tells_the_last_target_and_interval),
        IN_FOLDER(files_of_others_in_a_series_are_not_counted),
        IN_FOLDER(a_new_folder_without_a_profile_goes_again),
        IN_FOLDER(two_do_not_write_into_one_folder),
        IN_FOLDER(folders_of_other_things_are_refused),
        IN_FOLDER(a_full_series_takes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
