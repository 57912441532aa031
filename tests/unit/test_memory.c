#include "elf/memory.h"

#include "elf_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE_BYTES 20000

static void memory_is_read_over_many_pages(void **state)
{
    unsigned char *from = malloc(SIZE_BYTES), *to = malloc(SIZE_BYTES);
    struct ph_memory memory;
    assert_true(from && to);
    for (size_t i = 0; i < SIZE_BYTES; i++)
        from[i] = (unsigned char)(i * 7 + i / 256);
    ph_memory_open(&memory);
    assert_true(ph_memory_read(&memory, (uintptr_t)from, to, SIZE_BYTES));
    assert_memory_equal(from, to, SIZE_BYTES);
    assert_true(ph_memory_read(&memory, (uintptr_t)from + 3, to, 1));
    assert_int_equal(to[0], from[3]);
    ph_memory_close(&memory);
    free(from);
    free(to);
}

static void memory_that_is_gone_or_closed_fails_and_the_next_read_works(void **state)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 3 * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char buffer[64];
    struct ph_memory memory;
    assert_true(pages != MAP_FAILED);
    memset(pages, 'x', 3 * page_bytes);
    assert_int_equal(munmap(pages + page_bytes, page_bytes), 0);
    assert_int_equal(mprotect(pages + 2 * page_bytes, page_bytes, PROT_NONE), 0);
    ph_memory_open(&memory);
    assert_false(ph_memory_read(&memory, (uintptr_t)pages + page_bytes, buffer, 1));
    assert_false(ph_memory_read(&memory, (uintptr_t)pages + page_bytes - 10, buffer, 20)); /* half of it is there */
    assert_false(ph_memory_read(&memory, (uintptr_t)pages + 2 * page_bytes, buffer, 1));
    assert_false(ph_memory_read(&memory, UINT64_MAX - 10, buffer, 5));
    assert_false(ph_memory_read(&memory, 0, buffer, 5));
    strcpy(pages, "still in step");
    assert_true(ph_memory_read(&memory, (uintptr_t)pages, buffer, sizeof("still in step")));
    assert_string_equal(buffer, "still in step");
    ph_memory_close(&memory);
    munmap(pages, 3 * page_bytes);
}

/* As after setuid(): the kernel then closes /proc/self/mem. */
static int read_undumpable(const void *word)
{
    char buffer[8];
    struct ph_memory memory;
    fixture_become_nobody();
    prctl(PR_SET_DUMPABLE, 0);
    ph_memory_open(&memory);
    return ph_memory_read(&memory, (uintptr_t)word, buffer, 8) && memcmp(word, buffer, 8) == 0 ? 0 : 1;
}

static void a_process_that_changed_its_user_can_read_its_memory(void **state)
{
    fixture_in_child(read_undumpable, "eight by");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_read_over_many_pages),
        cmocka_unit_test(memory_that_is_gone_or_closed_fails_and_the_next_read_works),
        cmocka_unit_test(a_process_that_changed_its_user_can_read_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
