#include "elf/modules.h"

#include "elf_fixture.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char maps[] =
    "55d0c0000000-55d0c0002000 r--p 00000000 fe:01 1234                       /usr/bin/my server\n"
    "55d0c0002000-55d0c0009000 r-xp 00002000 fe:01 1234                       /usr/bin/my server\n"
    "55d0c0009000-55d0c000a000 rw-p 00009000 fe:01 1234                       /usr/bin/my server\n"
    "55d0c1000000-55d0c1021000 rw-p 00000000 00:00 0                          [heap]\n"
    "7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n"
    "7f0000010000-7f0000020000 r-xp 00026000 103:05 18446744073709551615      /tmp/odd\\012name\\012 (deleted)\n"
    "this is no mapping\n"
    "\n"
    "7f0000030000-7f0000020000 r-xp 00000000 fe:01 99                         /backwards\n"
    "7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0                          [vdso]\n"
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]";

static struct ph_modules parse(const char *text)
{
    struct ph_modules modules;
    assert_int_equal(ph_modules_parse(text, strlen(text), &modules, NULL), 0);
    return modules;
}

static void a_maps_text_gives_its_executable_mappings(void **state)
{
    struct ph_modules modules = parse(maps);
    assert_int_equal(modules.count, 5);
    const struct ph_module *server = &modules.modules[0];
    assert_int_equal(server->start, 0x55d0c0002000);
    assert_int_equal(server->limit, 0x55d0c0009000);
    assert_int_equal(server->offset, 0x2000);
    assert_string_equal(server->path, "/usr/bin/my server");
    assert_string_equal(server->build_id, "");
    assert_int_equal(server->device, makedev(0xfe, 1));
    assert_int_equal(server->inode, 1234);
    assert_true(server->is_main);
    assert_false(server->deleted);
    assert_string_equal(modules.modules[1].path, "");
    assert_false(modules.modules[1].is_main);
    assert_string_equal(modules.modules[3].path, "[vdso]");
    assert_string_equal(modules.modules[4].path, "[vsyscall]");
    assert_int_equal(modules.modules[4].limit, 0xffffffffff601000);
    ph_modules_fini(&modules);
}

static void escaped_line_ends_and_the_deleted_mark_are_taken_from_paths(void **state)
{
    struct ph_modules modules = parse(maps);
    assert_string_equal(modules.modules[2].path, "/tmp/odd\nname\n");
    assert_true(modules.modules[2].deleted);
    assert_int_equal(modules.modules[2].inode, UINT64_MAX);
    assert_int_equal(modules.modules[2].device, makedev(0x103, 5));
    ph_modules_fini(&modules);
}

static void a_new_file_at_the_path_of_a_deleted_one_is_another(void **state)
{
    struct ph_modules modules = parse("1000-2000 r-xp 00000000 00:01 7 /a (deleted)\n"
                                      "3000-4000 r-xp 00000000 00:01 7 /a\n"
                                      "5000-6000 r-xp 00000000 00:01 8 /a\n");
    assert_true(modules.modules[0].deleted);
    assert_false(modules.modules[1].deleted);
    assert_true(modules.modules[0].file != modules.modules[1].file);
    assert_true(modules.modules[1].file != modules.modules[2].file);
    assert_string_equal(modules.modules[0].path, "/a");
    ph_modules_fini(&modules);
}

static void a_text_cut_at_every_byte_is_read_to_its_end_only(void **state)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + page_bytes, page_bytes, PROT_NONE), 0);
    size_t last = 0;
    for (size_t size_bytes = 0; size_bytes < sizeof(maps); size_bytes++) {
        char *text = memcpy(pages + page_bytes - size_bytes, maps, size_bytes);
        struct ph_modules modules;
        assert_int_equal(ph_modules_parse(text, size_bytes, &modules, NULL), 0);
        assert_in_range(modules.count, last, last + 1);
        last = modules.count;
        ph_modules_fini(&modules);
    }
    assert_int_equal(last, 5);
    munmap(pages, 2 * page_bytes);
}

static void an_address_is_found_in_the_mapping_that_holds_it(void **state)
{
    /* In the wrong order, as no kernel writes it. */
    struct ph_modules modules = parse("3000-5000 r-xp 00000000 00:01 2 /b\n"
                                      "1000-2000 r-xp 00000000 00:01 1 /a\n"
                                      "5000-6000 r-xp 00002000 00:01 2 /b\n");
    assert_null(ph_modules_find(&modules, 0));
    assert_null(ph_modules_find(&modules, 0xfff));
    assert_string_equal(ph_modules_find(&modules, 0x1000)->path, "/a");
    assert_string_equal(ph_modules_find(&modules, 0x1fff)->path, "/a");
    assert_null(ph_modules_find(&modules, 0x2000));
    assert_int_equal(ph_modules_find(&modules, 0x4fff)->start, 0x3000);
    assert_int_equal(ph_modules_find(&modules, 0x5000)->start, 0x5000);
    assert_null(ph_modules_find(&modules, 0x6000));
    assert_null(ph_modules_find(&modules, UINT64_MAX));
    assert_int_equal(modules.modules[1].file, modules.modules[2].file);
    assert_true(modules.modules[0].file != modules.modules[1].file);
    ph_modules_fini(&modules);
    modules = parse("");
    assert_int_equal(modules.count, 0);
    assert_null(ph_modules_find(&modules, 0x1000));
    ph_modules_fini(&modules);
}

/* The build id as the dynamic linker's data leads to it; "" if there is none. */
static void loaded_build_id(const struct dl_phdr_info *info, char *text)
{
    *text = '\0';
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const char *note = (const char *)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        const char *end = note + info->dlpi_phdr[i].p_memsz;
        size_t align_bytes = info->dlpi_phdr[i].p_align == 8 ? 8 : 4;
        while (info->dlpi_phdr[i].p_type == PT_NOTE && note < end) {
            const ElfW(Nhdr) *header = (const void *)note;
            const unsigned char *content = (const void *)(note + 12 + ((header->n_namesz + 3) & ~3u));
            if (header->n_type == NT_GNU_BUILD_ID && memcmp(note + 12, "GNU", 4) == 0)
                for (unsigned k = 0; k < header->n_descsz; k++)
                    sprintf(text + 2 * k, "%02x", content[k]);
            note = (const char *)content + ((header->n_descsz + align_bytes - 1) & ~(align_bytes - 1));
        }
    }
}

static int check_loaded(struct dl_phdr_info *info, size_t size_bytes, void *checked)
{
    struct ph_modules modules = fixture_snapshot();
    for (int i = 0; i < info->dlpi_phnum; i++) {
        char build_id[256];
        if (info->dlpi_phdr[i].p_type != PT_LOAD || !(info->dlpi_phdr[i].p_flags & PF_X))
            continue;
        const struct ph_module *module = ph_modules_find(&modules, info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
        assert_non_null(module);
        assert_int_equal(module->bias, info->dlpi_addr);
        loaded_build_id(info, build_id);
        assert_string_equal(module->build_id, build_id);
        assert_true(module->header_hash != 0);
        ++*(unsigned *)checked;
    }
    ph_modules_fini(&modules);
    return 0;
}

static void every_loaded_library_has_the_bias_and_build_id_the_loader_knows(void **state)
{
    unsigned checked = 0;
    dl_iterate_phdr(check_loaded, &checked);
    assert_true(checked >= 4); /* program, libc, loader, vDSO */
}

static void the_executable_is_told_from_its_libraries(void **state)
{
    char path[FIXTURE_PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    assert_true(length > 0);
    path[length] = '\0';
    struct ph_modules modules = fixture_snapshot();
    const struct ph_module *own = ph_modules_find(&modules, (uintptr_t)the_executable_is_told_from_its_libraries);
    assert_non_null(own);
    for (size_t i = 0; i < modules.count; i++)
        assert_int_equal(modules.modules[i].is_main, strcmp(modules.modules[i].path, path) == 0);
    assert_true(own->is_main);
    ph_modules_fini(&modules);
}

/* Argument of this program that makes it tell whether it knows its executable. */
#define WHO_IS_MAIN "--who-is-main"

static int who_is_main(void)
{
    struct ph_modules modules = fixture_snapshot();
    const struct ph_module *own = ph_modules_find(&modules, (uintptr_t)who_is_main);
    return own && own->is_main ? 0 : 1;
}

/* ld.so PROGRAM: then the loader is what the kernel started, and libraries may be mapped below the program. */
static int run_by_loader(const void *loader)
{
    char path[FIXTURE_PATH_MAX] = "";
    if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
        return 125;
    execl(loader, loader, path, WHO_IS_MAIN, (char *)NULL);
    return 126;
}

static void the_executable_is_known_when_the_loader_was_called_by_hand(void **state)
{
    Dl_info loader;
    assert_true(dladdr((const void *)getauxval(AT_BASE), &loader));
    fixture_in_child(run_by_loader, loader.dli_fname);
}

static void the_build_id_of_a_replaced_library_is_that_of_the_running_one(void **state)
{
    const char *path = fixture_copy(SYMBOLS_LIBRARY("plain.so"), "replaced.so");
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    uintptr_t address = (uintptr_t)dlsym(library, "symbols_exported");
    struct ph_modules before = fixture_snapshot();
    assert_false(ph_modules_find(&before, address)->deleted);
    assert_int_equal(strlen(ph_modules_find(&before, address)->build_id), 40);
    fixture_copy(SYMBOLS_LIBRARY("other.so"), "replaced.so");
    struct ph_modules after = fixture_snapshot();
    assert_true(ph_modules_find(&after, address)->deleted);
    assert_string_equal(ph_modules_find(&after, address)->path, path);
    assert_string_equal(ph_modules_find(&after, address)->build_id, ph_modules_find(&before, address)->build_id);
    assert_int_equal(ph_modules_find(&after, address)->bias, ph_modules_find(&before, address)->bias);
    ph_modules_fini(&before);
    ph_modules_fini(&after);
    dlclose(library);
}

static void the_profile_gets_every_mapping_and_the_executable_first(void **state)
{
    struct ph_modules modules = parse("1000-2000 r-xp 00000000 00:01 1 /lib/a.so\n"
                                      "3000-4000 r-xp 00001000 00:01 2 /lib/b.so\n");
    modules.modules[0].is_main = false;
    modules.modules[1].is_main = true;
    modules.modules[1].build_id = "abcd";
    const struct ph_module *order[2];
    struct ph_profile *profile = ph_profile_new();
    assert_int_equal(ph_modules_into_profile(&modules, profile, order), 0);
    assert_int_equal(profile->mapping_count, 2);
    assert_ptr_equal(order[0], &modules.modules[1]);
    assert_ptr_equal(order[1], &modules.modules[0]);
    const struct ph_mapping *first = &profile->mappings[0];
    assert_int_equal(first->start, 0x3000);
    assert_int_equal(first->limit, 0x4000);
    assert_int_equal(first->offset, 0x1000);
    assert_string_equal(ph_profile_text(profile, first->file), "/lib/b.so");
    assert_string_equal(ph_profile_text(profile, first->build_id), "abcd");
    assert_false(first->has_functions);
    assert_string_equal(ph_profile_text(profile, profile->mappings[1].file), "/lib/a.so");
    ph_profile_free(profile);
    ph_modules_fini(&modules);
}

static void thousands_of_mappings_of_one_file_are_all_listed(void **state)
{
    enum { PAGES = 3000 };
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    int fd = open(SYMBOLS_LIBRARY("plain.so"), O_RDONLY | O_CLOEXEC);
    char *pages = mmap(NULL, 2 * PAGES * page_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(fd >= 0 && pages != MAP_FAILED);
    struct ph_modules before = fixture_snapshot();
    for (size_t i = 0; i < PAGES; i++)
        assert_true(mmap(pages + 2 * i * page_bytes, page_bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd,
                         0) != MAP_FAILED);
    struct ph_modules after = fixture_snapshot();
    assert_int_equal(after.count, before.count + PAGES);
    const struct ph_module *last = ph_modules_find(&after, (uintptr_t)(pages + 2 * (PAGES - 1) * page_bytes));
    assert_non_null(last);
    assert_int_equal(strlen(last->build_id), 40);
    munmap(pages, 2 * PAGES * page_bytes);
    ph_modules_fini(&before);
    ph_modules_fini(&after);
    close(fd);
}

static void no_descriptor_stays_open(void **state)
{
    size_t before = fixture_open_descriptors();
    for (unsigned i = 0; i < 3; i++) {
        struct ph_modules modules = fixture_snapshot();
        ph_modules_fini(&modules);
    }
    assert_int_equal(fixture_open_descriptors(), before);
}

static void without_descriptors_the_error_says_so(void **state)
{
    struct ph_modules modules;
    struct ph_error error;
    rlim_t before = fixture_limit_descriptors(0);
    int status = ph_modules_self(&modules, &error);
    fixture_limit_descriptors(before);
    assert_int_equal(status, -EMFILE);
    assert_string_equal(error.text, "cannot read /proc/self/maps: Too many open files");
}

/* One descriptor is enough for a file, not for the pipe that memory is read through. */
static rlim_t leave_one_descriptor(void)
{
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(next >= 0);
    close(next);
    return fixture_limit_descriptors((rlim_t)next + 1);
}

static void with_few_descriptors_build_ids_come_from_the_files(void **state)
{
    struct ph_modules modules;
    rlim_t before = leave_one_descriptor();
    int status = ph_modules_self(&modules, NULL);
    fixture_limit_descriptors(before);
    assert_int_equal(status, 0);
    const struct ph_module *libc = ph_modules_find(&modules, (uintptr_t)dlsym(RTLD_NEXT, "qsort"));
    assert_non_null(libc);
    assert_int_equal(strlen(libc->build_id), 40);
    assert_true(libc->bias != 0);
    ph_modules_fini(&modules);
}

static bool leave_mounts(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* Not in every container, and not where the root is no mount, as below a chroot(). */
static bool may_mount(void)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(leave_mounts() ? 0 : 1);
    waitpid(pid, &status, 0);
    return status == 0;
}

/* Another file stands at the path of the mapped one, which is not deleted, and memory cannot be read. */
static int snapshot_under_mount(const void *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library || !leave_mounts() || mount(SYMBOLS_LIBRARY("other.so"), path, NULL, MS_BIND, NULL) < 0)
        return 1;
    leave_one_descriptor();
    struct ph_modules modules = fixture_snapshot();
    const struct ph_module *module = ph_modules_find(&modules, (uintptr_t)dlsym(library, "symbols_exported"));
    return !module || module->deleted ? 2 : module->build_id[0] || module->header_hash ? 3 : 0;
}

static void a_file_mounted_over_the_mapped_one_is_not_taken_for_it(void **state)
{
    if (!may_mount())
        skip();
    fixture_in_child(snapshot_under_mount, fixture_copy(SYMBOLS_LIBRARY("plain.so"), "mounted.so"));
}

static int snapshot_after_chroot(const void *folder)
{
    struct ph_modules modules;
    struct ph_error error;
    if (chroot(folder) < 0 || chdir("/") < 0)
        return 1;
    fixture_become_nobody();
    if (ph_modules_self(&modules, &error) != -ENOENT)
        return 2;
    return strstr(error.text, "/proc/self/maps") ? 0 : 3;
}

static void without_proc_the_error_says_so(void **state)
{
    if (geteuid() != 0)
        skip();
    fixture_in_child(snapshot_after_chroot, fixture_path(""));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_maps_text_gives_its_executable_mappings),
        cmocka_unit_test(escaped_line_ends_and_the_deleted_mark_are_taken_from_paths),
        cmocka_unit_test(a_new_file_at_the_path_of_a_deleted_one_is_another),
        cmocka_unit_test(a_text_cut_at_every_byte_is_read_to_its_end_only),
        cmocka_unit_test(an_address_is_found_in_the_mapping_that_holds_it),
        cmocka_unit_test(every_loaded_library_has_the_bias_and_build_id_the_loader_knows),
        cmocka_unit_test(the_executable_is_told_from_its_libraries),
        cmocka_unit_test(the_executable_is_known_when_the_loader_was_called_by_hand),
        cmocka_unit_test(the_build_id_of_a_replaced_library_is_that_of_the_running_one),
        cmocka_unit_test(the_profile_gets_every_mapping_and_the_executable_first),
        cmocka_unit_test(thousands_of_mappings_of_one_file_are_all_listed),
        cmocka_unit_test(no_descriptor_stays_open),
        cmocka_unit_test(without_descriptors_the_error_says_so),
        cmocka_unit_test(with_few_descriptors_build_ids_come_from_the_files),
        cmocka_unit_test(a_file_mounted_over_the_mapped_one_is_not_taken_for_it),
        cmocka_unit_test(without_proc_the_error_says_so),
    };
    if (argc == 2 && strcmp(argv[1], WHO_IS_MAIN) == 0)
        return who_is_main();
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
