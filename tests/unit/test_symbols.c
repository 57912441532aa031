#include "elf/symbols.h"

#include "elf_fixture.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include <cmocka.h>

static struct fixture_found find(const void *place, unsigned skip_bytes)
{
    struct ph_modules modules = fixture_snapshot();
    struct fixture_found found = fixture_find(&modules, (uintptr_t)place + skip_bytes, FIXTURE_NO_DEBUG);
    ph_modules_fini(&modules);
    return found;
}

__attribute__((noinline)) static void function_of_this_file(void)
{
    __asm__ volatile("nop");
}

static void static_and_global_functions_of_the_executable_have_names(void **state)
{
    function_of_this_file();
    assert_string_equal(find((const void *)function_of_this_file, 0).text, "function_of_this_file+0");
    assert_string_equal(find((const void *)function_of_this_file, 1).text, "function_of_this_file+1");
    assert_string_equal(find((const void *)ph_symbols_find, 3).text, "ph_symbols_find+3");
}

static void functions_of_libc_have_their_public_names(void **state)
{
    /* Not those that libc chooses by processor: dlsym() leads to an implementation with a private name. */
    static const char *const names[] = {"malloc",  "free",           "qsort", "fopen",     "printf",
                                        "getenv",  "write",          "open",  "socket",    "listen",
                                        "accept4", "pthread_create", "mmap",  "bsearch",   "system",
                                        "strtol",  "getaddrinfo",    "fork",  "sigaction", "poll"};
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    assert_non_null(libc);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char wanted[64];
        const char *address = dlsym(libc, names[i]);
        struct fixture_found found = find(address, 1);
        assert_non_null(address);
        snprintf(wanted, sizeof(wanted), "%s+1", names[i]);
        if (strcmp(found.text, wanted) == 0)
            continue;
        /* Another public name of the same place: open64 for open. */
        *strchr(found.text, '+') = '\0';
        assert_true(found.text[0] != '_');
        assert_ptr_equal(dlsym(libc, found.text), address);
    }
    dlclose(libc);
}

static void addresses_without_a_symbol_have_no_name(void **state)
{
    char *heap = malloc(100);
    assert_string_equal(find(NULL, 0).text, "");
    assert_string_equal(find(heap, 0).text, "");
    assert_string_equal(find((const void *)UINTPTR_MAX, 0).text, "");
    free(heap);
}

static void the_order_of_the_symbols_is_kept(void **state)
{
    struct ph_modules modules = fixture_snapshot();
    struct ph_arena text = PH_ARENA_INIT;
    struct ph_symbol symbols[] = {{.address = (uintptr_t)function_of_this_file},
                                  {.address = 1},
                                  {.address = (uintptr_t)dlsym(RTLD_NEXT, "qsort") + 1},
                                  {.address = (uintptr_t)function_of_this_file + 1},
                                  {.address = (uintptr_t)function_of_this_file + 1}};
    assert_int_equal(ph_symbols_find_in(&modules, symbols, 5, &text, FIXTURE_NO_DEBUG), 0);
    assert_string_equal(symbols[0].name, "function_of_this_file");
    assert_null(symbols[1].name);
    assert_string_equal(symbols[2].name, "qsort");
    assert_string_equal(symbols[3].name, "function_of_this_file");
    assert_string_equal(symbols[4].name, "function_of_this_file");
    assert_int_equal(symbols[4].offset, 1);
    assert_int_equal(ph_symbols_find(&modules, symbols, 0, &text), 0);
    ph_arena_fini(&text);
    ph_modules_fini(&modules);
}

static void addresses_of_one_file_may_come_in_falling_order(void **state)
{
    enum { COUNT = 40 };
    const char *last = dlsym(RTLD_NEXT, "qsort");
    struct ph_modules modules = fixture_snapshot();
    struct ph_arena text = PH_ARENA_INIT;
    struct ph_symbol symbols[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        symbols[i].address = (uintptr_t)last + (COUNT - i) * 256;
    assert_int_equal(ph_symbols_find_in(&modules, symbols, COUNT, &text, FIXTURE_NO_DEBUG), 0);
    for (size_t i = 0; i < COUNT; i++) {
        struct fixture_found alone = fixture_find(&modules, symbols[i].address, FIXTURE_NO_DEBUG);
        assert_int_equal(strcspn(alone.text, "+"), symbols[i].name ? strlen(symbols[i].name) : 0);
        assert_memory_equal(alone.text, symbols[i].name ? symbols[i].name : "", strcspn(alone.text, "+"));
    }
    ph_arena_fini(&text);
    ph_modules_fini(&modules);
}

static void the_vdso_has_names(void **state)
{
    struct ph_modules modules = fixture_snapshot();
    const struct ph_module *vdso = ph_modules_find(&modules, getauxval(AT_SYSINFO_EHDR));
    if (!vdso)
        skip();
    struct ph_symbol symbols[512];
    struct ph_arena text = PH_ARENA_INIT;
    bool has_clock = false;
    for (size_t i = 0; i < 512; i++)
        symbols[i].address = vdso->start + i * (vdso->limit - vdso->start) / 512;
    assert_int_equal(ph_symbols_find(&modules, symbols, 512, &text), 0);
    for (size_t i = 0; i < 512; i++)
        has_clock = has_clock || (symbols[i].name && strstr(symbols[i].name, "clock_gettime"));
    assert_true(has_clock);
    ph_arena_fini(&text);
    ph_modules_fini(&modules);
}

static const char *const all_names[] = {"symbols_static+2", "symbols_unsized+2", "symbols_label+2"};
static const char *const no_names[] = {"", "", ""};

static void symtab_names_functions_that_are_not_exported(void **state)
{
    struct fixture_library library = fixture_load(SYMBOLS_LIBRARY("plain.so"));
    fixture_expect(&library, FIXTURE_NO_DEBUG, all_names);
    dlclose(library.handle);
}

static void a_stripped_library_has_names_for_exported_functions_only(void **state)
{
    struct fixture_library library = fixture_load(SYMBOLS_LIBRARY("stripped.so"));
    fixture_expect(&library, FIXTURE_NO_DEBUG, no_names);
    dlclose(library.handle);
}

static void gnu_debugdata_names_functions_of_a_stripped_library(void **state)
{
    struct fixture_library library = fixture_load(SYMBOLS_LIBRARY("mini.so"));
    fixture_expect(&library, FIXTURE_NO_DEBUG, all_names);
    dlclose(library.handle);
}

static void a_separate_debug_file_names_functions_of_a_stripped_library(void **state)
{
    struct fixture_library library = fixture_load(SYMBOLS_LIBRARY("stripped.so"));
    fixture_expect(&library, PH_SYMBOLS_DIR "/debug", all_names);
    dlclose(library.handle);
}

static void a_library_without_build_id_has_names(void **state)
{
    struct fixture_library library = fixture_load(SYMBOLS_LIBRARY("bare.so"));
    fixture_expect(&library, FIXTURE_NO_DEBUG, all_names);
    dlclose(library.handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(static_and_global_functions_of_the_executable_have_names),
        cmocka_unit_test(functions_of_libc_have_their_public_names),
        cmocka_unit_test(addresses_without_a_symbol_have_no_name),
        cmocka_unit_test(the_order_of_the_symbols_is_kept),
        cmocka_unit_test(addresses_of_one_file_may_come_in_falling_order),
        cmocka_unit_test(the_vdso_has_names),
        cmocka_unit_test(symtab_names_functions_that_are_not_exported),
        cmocka_unit_test(a_stripped_library_has_names_for_exported_functions_only),
        cmocka_unit_test(gnu_debugdata_names_functions_of_a_stripped_library),
        cmocka_unit_test(a_separate_debug_file_names_functions_of_a_stripped_library),
        cmocka_unit_test(a_library_without_build_id_has_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
