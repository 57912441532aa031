/* Names from files that were replaced, deleted or moved while their code runs: the right ones or none. */
#include "elf/symbols.h"

#include "elf_fixture.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const all_names[] = {"symbols_static+2", "symbols_unsized+2", "symbols_label+2"};

__attribute__((noinline)) static void function_of_this_file(void)
{
    __asm__ volatile("nop");
}

/* As nobody, for whom the kernel's links to mapped files are closed. */
static int replaced_library_has_no_names(const void *argument)
{
    const struct fixture_library *library = argument;
    uintptr_t exported = (uintptr_t)library->exported, hidden = (uintptr_t)library->places[0];
    fixture_become_nobody();
    struct ph_modules modules = fixture_snapshot();
    if (fixture_find(&modules, exported, FIXTURE_NO_DEBUG).text[0] ||
        fixture_find(&modules, hidden, FIXTURE_NO_DEBUG).text[0])
        return 1;
    if (access(PH_SYMBOLS_DIR "/debug", X_OK) < 0)
        return 0; /* a build folder that is closed to nobody */
    /* The debug file still fits if the running code has its build id. */
    bool has_debug_file = ph_modules_find(&modules, exported)->build_id[0] != '\0';
    const char *wanted = has_debug_file ? "symbols_static+0" : "";
    return strcmp(fixture_find(&modules, hidden, PH_SYMBOLS_DIR "/debug").text, wanted) == 0 ? 0 : 2;
}

static void a_replaced_library_gives_no_wrong_names(void **state)
{
    /* What is mapped, and what takes its place; NULL: nothing does. */
    static const char *const pairs[][2] = {{SYMBOLS_LIBRARY("plain.so"), SYMBOLS_LIBRARY("other.so")},
                                           {SYMBOLS_LIBRARY("plain.so"), SYMBOLS_LIBRARY("bare.so")},
                                           {SYMBOLS_LIBRARY("plain.so"), NULL},
                                           {SYMBOLS_LIBRARY("otherbare.so"), SYMBOLS_LIBRARY("plain.so")},
                                           {SYMBOLS_LIBRARY("bare.so"), SYMBOLS_LIBRARY("otherbare.so")}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct fixture_library library = fixture_load(fixture_copy(pairs[i][0], "replaced.so"));
        if (pairs[i][1])
            fixture_copy(pairs[i][1], "replaced.so");
        else
            assert_int_equal(unlink(fixture_path("replaced.so")), 0);
        fixture_in_child(replaced_library_has_no_names, &library);
        dlclose(library.handle);
    }
}

static void a_library_replaced_by_the_same_build_keeps_its_names(void **state)
{
    struct fixture_library library = fixture_load(fixture_copy(SYMBOLS_LIBRARY("plain.so"), "same.so"));
    fixture_copy(SYMBOLS_LIBRARY("plain.so"), "same.so");
    fixture_expect(&library, FIXTURE_NO_DEBUG, all_names);
    dlclose(library.handle);
}

static void the_kernel_leads_root_to_the_file_of_a_deleted_library(void **state)
{
    char link[FIXTURE_PATH_MAX];
    const char *path = fixture_copy(SYMBOLS_LIBRARY("bare.so"), "deleted.so");
    struct fixture_library library = fixture_load(path);
    assert_int_equal(unlink(path), 0);
    struct ph_modules modules = fixture_snapshot();
    const struct ph_module *module = ph_modules_find(&modules, (uintptr_t)library.exported);
    snprintf(link, sizeof(link), "/proc/self/map_files/%llx-%llx", (unsigned long long)module->start,
             (unsigned long long)module->limit);
    if (access(link, R_OK) == 0)
        fixture_expect(&library, FIXTURE_NO_DEBUG, all_names);
    ph_modules_fini(&modules);
    dlclose(library.handle);
}

/* Makes or removes the folders of a debug file below @folder, which itself is not touched. */
static void make_folders(char *path, size_t folder_bytes)
{
    for (char *slash = strchr(path + folder_bytes + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        assert_int_equal(mkdir(path, 0755), 0);
        *slash = '/';
    }
}

static void remove_folders(char *path, size_t folder_bytes)
{
    for (char *slash = strrchr(path, '/'); slash > path + folder_bytes; slash = strrchr(path, '/')) {
        *slash = '\0';
        assert_int_equal(rmdir(path), 0);
    }
}

static void a_debug_file_of_another_build_is_not_used(void **state)
{
    char path[2 * FIXTURE_PATH_MAX];
    struct fixture_library library = fixture_load(SYMBOLS_LIBRARY("stripped.so"));
    struct ph_modules modules = fixture_snapshot();
    uintptr_t place = (uintptr_t)library.places[0];
    const char *folder = fixture_path("");
    const char *build_id = ph_modules_find(&modules, place)->build_id;
    snprintf(path, sizeof(path), "%s.build-id/%.2s/%s.debug", folder, build_id, build_id + 2);
    make_folders(path, strlen(folder));
    assert_int_equal(symlink(SYMBOLS_LIBRARY("other.so"), path), 0);
    assert_string_equal(fixture_find(&modules, place, folder).text, "");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(SYMBOLS_LIBRARY("plain.so"), path), 0);
    assert_string_equal(fixture_find(&modules, place, folder).text, "symbols_static+0");
    assert_int_equal(unlink(path), 0);
    remove_folders(path, strlen(folder) - 1);
    ph_modules_fini(&modules);
    dlclose(library.handle);
}

/* Argument of this program that makes it delete its own file and name a function of its own. */
#define DELETE_ME "--delete-me"

static int delete_me_and_find(const char *path)
{
    fixture_become_nobody();
    struct ph_modules modules = fixture_snapshot();
    const struct ph_module *own = ph_modules_find(&modules, (uintptr_t)function_of_this_file);
    struct fixture_found found = fixture_find(&modules, (uintptr_t)function_of_this_file, FIXTURE_NO_DEBUG);
    bool is_own = own && own->deleted && own->is_main && strcmp(own->path, path) == 0;
    ph_modules_fini(&modules);
    if (!is_own)
        return 1;
    return strcmp(found.text, "function_of_this_file+0") == 0 ? 0 : 2;
}

static int run_deleted(const void *path)
{
    execl(path, path, DELETE_ME, (char *)NULL);
    return 126;
}

static void a_deleted_executable_keeps_its_names(void **state)
{
    fixture_in_child(run_deleted, fixture_copy("/proc/self/exe", "program"));
}

static void names_come_from_a_maps_text_only_while_it_is_the_same_file(void **state)
{
    const char *path = fixture_copy(SYMBOLS_LIBRARY("plain.so"), "offline.so");
    struct ph_modules modules = fixture_parse(path, 0, 0x20000);
    uintptr_t address = 0x1000;
    while (address < 0x20000 &&
           strcmp(fixture_find(&modules, address, FIXTURE_NO_DEBUG).text, "symbols_static+0") != 0)
        address++;
    assert_true(address < 0x20000);
    fixture_copy(SYMBOLS_LIBRARY("plain.so"), "offline.so");
    assert_string_equal(fixture_find(&modules, address, FIXTURE_NO_DEBUG).text, "");
    ph_modules_fini(&modules);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replaced_library_gives_no_wrong_names),
        cmocka_unit_test(a_library_replaced_by_the_same_build_keeps_its_names),
        cmocka_unit_test(the_kernel_leads_root_to_the_file_of_a_deleted_library),
        cmocka_unit_test(a_debug_file_of_another_build_is_not_used),
        cmocka_unit_test(a_deleted_executable_keeps_its_names),
        cmocka_unit_test(names_come_from_a_maps_text_only_while_it_is_the_same_file),
    };
    function_of_this_file();
    if (argc == 2 && strcmp(argv[1], DELETE_ME) == 0)
        return unlink(argv[0]) < 0 ? 125 : delete_me_and_find(argv[0]);
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
