/* Names from files that are damaged or never were ELF files, and in processes with limits. */
#include "elf/symbols.h"

#include "elf_fixture.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

__attribute__((noinline)) static void function_of_this_file(void)
{
    __asm__ volatile("nop");
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

static void a_fifo_is_not_even_opened(void **state)
{
    const char *fifo = fixture_path("unopened");
    char event[sizeof(struct inotify_event) + NAME_MAX + 1];
    int watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_true(watch_fd >= 0 && inotify_add_watch(watch_fd, fifo, IN_OPEN) >= 0);
    struct ph_modules modules = fixture_parse(fifo, 0x10000, 0x20000);
    fixture_find(&modules, 0x11000, FIXTURE_NO_DEBUG);
    assert_int_equal(read(watch_fd, event, sizeof(event)), -1);
    close(open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    assert_true(read(watch_fd, event, sizeof(event)) > 0); /* the watch works */
    ph_modules_fini(&modules);
    close(watch_fd);
}

/* Every symbol becomes a function that covers the whole section, whose address is returned. */
static uint64_t cover_everything(unsigned char *bytes)
{
    const ElfW(Ehdr) *header = (void *)bytes;
    const ElfW(Shdr) *sections = (void *)(bytes + header->e_shoff), *symtab = sections, *code = sections;
    while (symtab->sh_type != SHT_SYMTAB)
        symtab++;
    while (!(code->sh_flags & SHF_EXECINSTR) || code->sh_size < 20000)
        code++;
    ElfW(Sym) *symbol = (void *)(bytes + symtab->sh_offset);
    for (size_t i = symtab->sh_size / sizeof(*symbol); i > 0; i--, symbol++) {
        symbol->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
        symbol->st_shndx = (uint16_t)(code - sections);
        symbol->st_value = code->sh_addr;
        symbol->st_size = code->sh_size;
    }
    return code->sh_addr;
}

static void a_symbol_table_that_no_linker_made_gives_no_names_and_no_failure(void **state)
{
    enum { COUNT = 20000 };
    size_t size_bytes;
    struct ph_arena text = PH_ARENA_INIT;
    struct ph_symbol *symbols = calloc(COUNT, sizeof(*symbols));
    unsigned char *bytes = fixture_read("/proc/self/exe", &size_bytes);
    assert_non_null(symbols);
    uint64_t start = cover_everything(bytes);
    const char *path = fixture_write("covered", bytes, size_bytes);
    struct ph_modules modules = fixture_parse(path, 0, 0x10000000);
    for (size_t i = 0; i < COUNT; i++)
        symbols[i].address = start + i;
    assert_int_equal(ph_symbols_find_in(&modules, symbols, COUNT, &text, FIXTURE_NO_DEBUG), 0);
    assert_null(symbols[COUNT / 2].name);
    ph_modules_fini(&modules);
    ph_arena_fini(&text);
    free(symbols);
    free(bytes);
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
    struct ph_modules modules = fixture_snapshot();
    rlim_t before = fixture_limit_descriptors(0);
    struct fixture_found found = fixture_find(&modules, (uintptr_t)function_of_this_file, FIXTURE_NO_DEBUG);
    fixture_limit_descriptors(before);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_regular_elf_file_gives_no_names),
        cmocka_unit_test(a_fifo_is_not_even_opened),
        cmocka_unit_test(a_symbol_table_that_no_linker_made_gives_no_names_and_no_failure),
        cmocka_unit_test(truncated_files_do_no_harm),
        cmocka_unit_test(damaged_files_do_no_harm),
        cmocka_unit_test(without_descriptors_there_are_no_names_but_no_failure),
        cmocka_unit_test(no_descriptor_stays_open),
        cmocka_unit_test(libraries_that_come_and_go_meanwhile_do_no_harm),
    };
    function_of_this_file();
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
