/* Names from files that were replaced, deleted or damaged, and in processes with limits. */
#include "elf/symbols.h"

#include "elf_fixture.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
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
    fixture_become_nobody();
    struct ph_modules modules = fixture_snapshot();
    bool has_name = fixture_find(&modules, (uintptr_t)library->exported, FIXTURE_NO_DEBUG).text[0] ||
                    fixture_find(&modules, (uintptr_t)library->places[0], FIXTURE_NO_DEBUG).text[0];
    bool has_debug_name =
        strcmp(fixture_find(&modules, (uintptr_t)library->places[0], PH_SYMBOLS_DIR "/debug").text,
               "symbols_static+0") == 0;
    const struct ph_module *module = ph_modules_find(&modules, (uintptr_t)library->exported);
    return has_name ? 1 : has_debug_name != (module->build_id[0] != '\0') ? 2 : 0;
}

static void a_replaced_library_gives_no_wrong_names(void **state)
{
    static const char *const pairs[][2] = {{SYMBOLS_LIBRARY("plain.so"), SYMBOLS_LIBRARY("other.so")},
                                           {SYMBOLS_LIBRARY("plain.so"), SYMBOLS_LIBRARY("bare.so")},
                                           {SYMBOLS_LIBRARY("bare.so"), SYMBOLS_LIBRARY("otherbare.so")}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct fixture_library library = fixture_load(fixture_copy(pairs[i][0], "replaced.so"));
        fixture_copy(pairs[i][1], "replaced.so");
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

static void what_is_no_regular_elf_file_gives_no_names(void **state)
{
    const char *fifo = fixture_path("fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const char *const paths[] = {fifo,
                                 "/dev/null",
                                 "/dev/zero",
                                 fixture_path(""),
                                 fixture_write("empty", "", 0),
                                 fixture_write("text", "#!/bin/sh\n", 10)};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct ph_modules modules = fixture_parse(paths[i], 0x10000, 0x20000);
        assert_string_equal(fixture_find(&modules, 0x11000, FIXTURE_NO_DEBUG).text, "");
        ph_modules_fini(&modules);
    }
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

static void look_everywhere(const char *path)
{
    enum { COUNT = 64 };
    struct ph_modules modules = fixture_parse(path, 0, 0x10000);
    struct ph_symbol symbols[COUNT];
    struct ph_arena text = PH_ARENA_INIT;
    for (size_t i = 0; i < COUNT; i++)
        symbols[i].address = 0x1000 + i * 8;
    assert_int_equal(ph_symbols_find_in(&modules, symbols, COUNT, &text, FIXTURE_NO_DEBUG), 0);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(!symbols[i].name || strlen(symbols[i].name) > 0);
    ph_arena_fini(&text);
    ph_modules_fini(&modules);
}

static const char *const fuzzed[] = {SYMBOLS_LIBRARY("plain.so"), SYMBOLS_LIBRARY("mini.so")};

static void truncated_files_do_no_harm(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        size_t size_bytes;
        unsigned char *bytes = fixture_read(fuzzed[i], &size_bytes);
        for (size_t cut = 0; cut < size_bytes; cut += cut < 700 ? 7 : 97)
            look_everywhere(fixture_write("truncated.so", bytes, cut));
        free(bytes);
    }
}

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

/* Where damage hurts most: ELF and program headers, section headers at the end, anywhere. */
static size_t random_place(uint64_t *seed, size_t size_bytes)
{
    size_t ranges[][2] = {{16, 1024}, {size_bytes - 2048, 2048}, {0, size_bytes}};
    const size_t *range = ranges[next_random(seed) % 3];
    return (range[0] + next_random(seed) % range[1]) % size_bytes;
}

static void damaged_files_do_no_harm(void **state)
{
    static const uint64_t values[] = {0, 1, 0xff, 0xffff, 0x7fffffff, 0xffffffff, 0x7fffffffffffffff, UINT64_MAX};
    uint64_t seed = 1;
    for (unsigned round = 0; round < 1200; round++) {
        size_t size_bytes;
        unsigned char *bytes = fixture_read(fuzzed[round % 2], &size_bytes);
        for (unsigned i = next_random(&seed) % 4 + 1; i > 0; i--) {
            size_t place = random_place(&seed, size_bytes) & ~(size_t)7;
            size_t width = (size_t)1 << next_random(&seed) % 4;
            uint64_t value = values[next_random(&seed) % 8] + next_random(&seed) % 3;
            if (place + width <= size_bytes)
                memcpy(bytes + place, &value, width);
        }
        look_everywhere(fixture_write("damaged.so", bytes, size_bytes));
        free(bytes);
    }
}

static void without_descriptors_there_are_no_names_but_no_failure(void **state)
{
    struct rlimit limit, none;
    struct ph_modules modules = fixture_snapshot();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){0, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct fixture_found found = fixture_find(&modules, (uintptr_t)function_of_this_file, FIXTURE_NO_DEBUG);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_string_equal(found.text, "");
    ph_modules_fini(&modules);
}

static void no_descriptor_stays_open(void **state)
{
    static const char *const paths[] = {SYMBOLS_LIBRARY("plain.so"), SYMBOLS_LIBRARY("mini.so"),
                                        SYMBOLS_LIBRARY("stripped.so")};
    size_t before = fixture_open_descriptors();
    for (size_t i = 0; i < 3; i++) {
        struct fixture_library library = fixture_load(paths[i]);
        struct ph_modules modules = fixture_snapshot();
        fixture_find(&modules, (uintptr_t)library.places[0], PH_SYMBOLS_DIR "/debug");
        fixture_find(&modules, (uintptr_t)library.places[0], FIXTURE_NO_DEBUG);
        fixture_find(&modules, getauxval(AT_SYSINFO_EHDR), FIXTURE_NO_DEBUG);
        ph_modules_fini(&modules);
        dlclose(library.handle);
    }
    assert_int_equal(fixture_open_descriptors(), before);
}

#define PLUGIN_ROUNDS 150

/* What a server with plugins does: they come and go, and something else is mapped in their place. */
static void *load_and_unload(void *done)
{
    static const char *const paths[] = {SYMBOLS_LIBRARY("plain.so"), SYMBOLS_LIBRARY("mini.so"),
                                        SYMBOLS_LIBRARY("other.so"), SYMBOLS_LIBRARY("bare.so")};
    for (unsigned i = 0; !__atomic_load_n((const bool *)done, __ATOMIC_RELAXED); i++) {
        void *library = dlopen(paths[i % 4], RTLD_NOW | RTLD_LOCAL);
        if (library)
            dlclose(library);
    }
    return NULL;
}

static void libraries_that_come_and_go_meanwhile_do_no_harm(void **state)
{
    pthread_t thread;
    bool done = false;
    assert_int_equal(pthread_create(&thread, NULL, load_and_unload, &done), 0);
    for (unsigned round = 0; round < PLUGIN_ROUNDS; round++) {
        struct ph_modules modules = fixture_snapshot();
        for (size_t i = 0; i < modules.count; i++) {
            const struct ph_module *module = &modules.modules[i];
            if (strncmp(module->path, PH_SYMBOLS_DIR, sizeof(PH_SYMBOLS_DIR) - 1) == 0)
                fixture_find(&modules, module->start + 0x100, FIXTURE_NO_DEBUG);
        }
        uintptr_t own = (uintptr_t)function_of_this_file;
        assert_string_equal(fixture_find(&modules, own, FIXTURE_NO_DEBUG).text, "function_of_this_file+0");
        ph_modules_fini(&modules);
    }
    __atomic_store_n(&done, true, __ATOMIC_RELAXED);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static int find_after_chroot(const void *folder)
{
    int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (chroot(folder) < 0 || chdir("/") < 0)
        return 1;
    fixture_become_nobody();
    struct ph_modules modules;
    if (ph_modules_self_at(root_fd, &modules, NULL) < 0)
        return 2;
    const char *address = dlsym(RTLD_NEXT, "qsort");
    if (strcmp(fixture_find(&modules, (uintptr_t)function_of_this_file, FIXTURE_NO_DEBUG).text,
               "function_of_this_file+0") != 0)
        return 3;
    return strcmp(fixture_find(&modules, (uintptr_t)address, FIXTURE_NO_DEBUG).text, "qsort+0") == 0 ? 0 : 4;
}

static void names_are_found_after_a_chroot(void **state)
{
    if (geteuid() != 0)
        skip();
    fixture_in_child(find_after_chroot, fixture_path(""));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replaced_library_gives_no_wrong_names),
        cmocka_unit_test(a_library_replaced_by_the_same_build_keeps_its_names),
        cmocka_unit_test(the_kernel_leads_root_to_the_file_of_a_deleted_library),
        cmocka_unit_test(a_debug_file_of_another_build_is_not_used),
        cmocka_unit_test(a_deleted_executable_keeps_its_names),
        cmocka_unit_test(what_is_no_regular_elf_file_gives_no_names),
        cmocka_unit_test(names_come_from_a_maps_text_only_while_it_is_the_same_file),
        cmocka_unit_test(truncated_files_do_no_harm),
        cmocka_unit_test(damaged_files_do_no_harm),
        cmocka_unit_test(without_descriptors_there_are_no_names_but_no_failure),
        cmocka_unit_test(no_descriptor_stays_open),
        cmocka_unit_test(libraries_that_come_and_go_meanwhile_do_no_harm),
        cmocka_unit_test(names_are_found_after_a_chroot),
    };
    function_of_this_file();
    if (argc == 2 && strcmp(argv[1], DELETE_ME) == 0)
        return unlink(argv[0]) < 0 ? 125 : delete_me_and_find(argv[0]);
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
