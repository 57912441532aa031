#include "tools/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The beginning of an ELF file with one program header. */
struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    char interpreter[64];
};

static struct image image_of(uint32_t segment_type, const char *interpreter)
{
    struct image image = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_DYN,
                   .e_machine = EM_X86_64,
                   .e_phoff = offsetof(struct image, segment),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 1},
        .segment = {.p_type = segment_type,
                    .p_offset = offsetof(struct image, interpreter),
                    .p_filesz = strlen(interpreter) + 1},
    };
    strcpy(image.interpreter, interpreter);
    return image;
}

static int inspect(const void *bytes, size_t size_bytes, struct ph_error *error)
{
    char interpreter[PATH_MAX];
    int failed = ph_program_inspect(bytes, size_bytes, interpreter, error);
    assert_string_equal(interpreter, "");
    return failed;
}

static void a_dynamic_program_passes(void **state)
{
    struct image image = image_of(PT_INTERP, "/lib64/ld-linux-x86-64.so.2");
    assert_int_equal(inspect(&image, sizeof(image), NULL), 0);
}

static void a_static_program_is_found_out(void **state)
{
    struct ph_error error;
    struct image image = image_of(PT_LOAD, "");
    assert_int_equal(inspect(&image, sizeof(image), &error), -ENOEXEC);
    assert_non_null(strstr(error.text, "statically linked"));
}

static void another_c_library_is_found_out(void **state)
{
    struct ph_error error;
    struct image image = image_of(PT_INTERP, "/lib/ld-musl-x86_64.so.1");
    assert_int_equal(inspect(&image, sizeof(image), &error), -ENOEXEC);
    assert_non_null(strstr(error.text, "/lib/ld-musl-x86_64.so.1"));
}

static void another_machine_is_found_out(void **state)
{
    struct ph_error error;
    struct image image = image_of(PT_INTERP, "/lib/ld-linux-aarch64.so.1");
    image.header.e_machine = EM_AARCH64;
    assert_int_equal(inspect(&image, sizeof(image), &error), -ENOEXEC);
    assert_non_null(strstr(error.text, "x86-64"));
}

static void headers_out_of_reach_say_nothing(void **state)
{
    struct image image = image_of(PT_INTERP, "/lib64/ld-linux-x86-64.so.2");
    image.segment.p_offset = UINT64_MAX - 2;
    assert_int_equal(inspect(&image, sizeof(image), NULL), 0);
    image.header.e_phoff = UINT64_MAX - 2;
    assert_int_equal(inspect(&image, sizeof(image), NULL), 0);
    image.header.e_phoff = 0;
    image.header.e_phnum = 0xffff;
    assert_int_equal(inspect(&image, sizeof(image), NULL), 0);
}

static void files_cut_anywhere_are_not_read_past_their_end(void **state)
{
    struct image image = image_of(PT_INTERP, "/lib64/ld-linux-x86-64.so.2");
    for (size_t size = 0; size <= sizeof(image); size++) {
        unsigned char *copy = malloc(size + 1);
        assert_non_null(copy);
        memcpy(copy, &image, size);
        assert_int_equal(inspect(copy, size, NULL), 0);
        free(copy);
    }
}

static void a_script_names_its_interpreter(void **state)
{
    static const char *const scripts[][2] = {
        {"#!/bin/sh\necho", "/bin/sh"},
        {"#! /usr/bin/env python3\n", "/usr/bin/env"},
        {"#!/bin/sh -e", "/bin/sh"},
        {"#!/bin/sh", "/bin/sh"},
        {"#!\t /usr/bin/perl\r\n", "/usr/bin/perl"},
        {"#!", ""},
        {"#!\n", ""},
    };
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        char interpreter[PATH_MAX];
        const char *script = scripts[i][0];
        assert_int_equal(ph_program_inspect((const unsigned char *)script, strlen(script), interpreter, NULL), 0);
        assert_string_equal(interpreter, scripts[i][1]);
    }
}

static void what_is_no_program_passes(void **state)
{
    assert_int_equal(inspect("echo hello\n", 11, NULL), 0);
    assert_int_equal(inspect("", 0, NULL), 0);
}

static void programs_are_found_as_a_shell_does(void **state)
{
    char *path = ph_program_find("sh");
    assert_non_null(path);
    assert_int_equal(access(path, X_OK), 0);
    assert_string_equal(strrchr(path, '/'), "/sh");
    free(path);
    path = ph_program_find("./no/such");
    assert_string_equal(path, "./no/such");
    free(path);
    assert_null(ph_program_find("no-such-program-anywhere"));
    assert_int_equal(errno, ENOENT);
}

static void an_empty_entry_of_path_is_the_working_folder(void **state)
{
    char folder[] = "/tmp/porthole-test.XXXXXX", before[PATH_MAX];
    char *old_path = strdup(getenv("PATH"));
    assert_non_null(mkdtemp(folder));
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(symlink("/bin/sh", "mine"), 0);
    setenv("PATH", "/nowhere::/bin", 1);
    char *path = ph_program_find("mine");
    setenv("PATH", old_path, 1);
    unlink("mine");
    assert_int_equal(chdir(before), 0);
    rmdir(folder);
    free(old_path);
    assert_string_equal(path, "./mine");
    free(path);
}

static void real_programs_of_this_machine_pass(void **state)
{
    assert_int_equal(ph_program_check("/proc/self/exe", NULL), 0);
    assert_int_equal(ph_program_check("/bin/sh", NULL), 0);
    assert_int_equal(ph_program_check("/no/such/file", NULL), 0);
}

static void a_script_is_judged_by_its_interpreter(void **state)
{
    char script[] = "/tmp/porthole-test.XXXXXX", loader[] = "/tmp/porthole-test.XXXXXX", line[64];
    struct ph_error error;
    struct image image = image_of(PT_LOAD, "");
    int script_fd = mkstemp(script), loader_fd = mkstemp(loader);
    int line_length = snprintf(line, sizeof(line), "#!%s -x\n", loader);
    assert_int_equal(write(script_fd, line, (size_t)line_length), line_length);
    assert_int_equal(write(loader_fd, &image, sizeof(image)), sizeof(image));
    int failed = ph_program_check(script, &error);
    close(script_fd);
    close(loader_fd);
    unlink(script);
    unlink(loader);
    assert_int_equal(failed, -ENOEXEC);
    assert_non_null(strstr(error.text, loader));
}

static void a_program_of_another_user_with_the_setuid_bit_is_found_out(void **state)
{
    char path[] = "/tmp/porthole-test.XXXXXX";
    struct ph_error error;
    struct image image = image_of(PT_INTERP, "/lib64/ld-linux-x86-64.so.2");
    if (getuid() != 0)
        skip();
    int fd = mkstemp(path);
    assert_int_equal(write(fd, &image, sizeof(image)), sizeof(image));
    assert_int_equal(fchmod(fd, 04755), 0);
    int own = ph_program_check(path, &error);
    assert_int_equal(fchown(fd, 12345, 0), 0);
    assert_int_equal(fchmod(fd, 04755), 0);
    int of_another = ph_program_check(path, &error);
    close(fd);
    unlink(path);
    assert_int_equal(own, 0);
    assert_int_equal(of_another, -ENOEXEC);
    assert_non_null(strstr(error.text, "raised privileges"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dynamic_program_passes),
        cmocka_unit_test(a_static_program_is_found_out),
        cmocka_unit_test(another_c_library_is_found_out),
        cmocka_unit_test(another_machine_is_found_out),
        cmocka_unit_test(headers_out_of_reach_say_nothing),
        cmocka_unit_test(files_cut_anywhere_are_not_read_past_their_end),
        cmocka_unit_test(a_script_names_its_interpreter),
        cmocka_unit_test(what_is_no_program_passes),
        cmocka_unit_test(programs_are_found_as_a_shell_does),
        cmocka_unit_test(an_empty_entry_of_path_is_the_working_folder),
        cmocka_unit_test(real_programs_of_this_machine_pass),
        cmocka_unit_test(a_script_is_judged_by_its_interpreter),
        cmocka_unit_test(a_program_of_another_user_with_the_setuid_bit_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
