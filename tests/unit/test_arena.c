#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdint.h>
#include <string.h>

static void pieces_are_aligned_apart_and_stay(void **state)
{
    struct ph_arena arena = PH_ARENA_INIT;
    enum { COUNT = 5000 };
    static unsigned char *pieces[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        pieces[i] = ph_arena_alloc(&arena, i % 97);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], (int)(i % 251), i % 97);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < i % 97; j++)
            assert_int_equal(pieces[i][j], i % 251);
    ph_arena_fini(&arena);
}

static void a_large_piece_does_not_end_the_small_ones(void **state)
{
    struct ph_arena arena = PH_ARENA_INIT;
    char *small = ph_arena_copy(&arena, "small", 5);
    const char *next = arena.next;
    char *large = ph_arena_alloc(&arena, 10 << 20);
    assert_non_null(large);
    assert_ptr_equal(arena.next, next); /* the rest of the block is not lost */
    memset(large, 'x', 10 << 20);
    char *after = ph_arena_copy(&arena, "after", 5);
    assert_string_equal(small, "small");
    assert_string_equal(after, "after");
    ph_arena_fini(&arena);
}

static void copies_end_in_a_nul(void **state)
{
    struct ph_arena arena = PH_ARENA_INIT;
    assert_string_equal(ph_arena_copy(&arena, "abcdef", 3), "abc");
    assert_string_equal(ph_arena_copy(&arena, NULL, 0), "");
    assert_memory_equal(ph_arena_copy(&arena, "a\0b", 3), "a\0b", 4);
    ph_arena_fini(&arena);
}

static void sizes_beyond_memory_are_refused(void **state)
{
    struct ph_arena arena = PH_ARENA_INIT;
    size_t huge = SIZE_MAX; /* compilers refuse the constant */
    __asm__("" : "+r"(huge));
    assert_null(ph_arena_alloc(&arena, huge));
    assert_null(ph_arena_copy(&arena, "", huge));
    assert_non_null(ph_arena_alloc(&arena, 1));
    ph_arena_fini(&arena);
}

static void an_arena_is_usable_again(void **state)
{
    struct ph_arena arena = PH_ARENA_INIT;
    ph_arena_alloc(&arena, 100);
    ph_arena_fini(&arena);
    assert_null(arena.blocks);
    assert_string_equal(ph_arena_copy(&arena, "again", 5), "again");
    ph_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_apart_and_stay),
        cmocka_unit_test(a_large_piece_does_not_end_the_small_ones),
        cmocka_unit_test(copies_end_in_a_nul),
        cmocka_unit_test(sizes_beyond_memory_are_refused),
        cmocka_unit_test(an_arena_is_usable_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
