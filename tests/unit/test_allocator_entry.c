/* Which function of the allocator was called, told by an address within what it does. */
#include "probe/allocator.h"
#include "probe/backtrace.h"
#include "probe/export.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

#include <cmocka.h>

int mallctl(const char *name, void *old, size_t *old_size, void *new_value, size_t new_size);
void *mallocx(size_t size_bytes, int flags);
extern const char own_malloc[] __asm__("malloc"), own_calloc[] __asm__("calloc"), own_realloc[] __asm__("realloc"),
    own_aligned_alloc[] __asm__("aligned_alloc"), own_mallocx[] __asm__("mallocx"), own_free[] __asm__("free"),
    own_new[] __asm__("_Znwm"), je_malloc_default[], je_free_default[];
void *_Znwm(size_t size_bytes);

/* ---- From within ---- */

static uintptr_t seen; /* the outermost entry of the last sample's stack */

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *unused)
{
    (void)unused;
    uintptr_t entry = ph_allocator_entry(_Unwind_GetIP(context) - 1);
    if (entry)
        seen = entry;
    return _URC_NO_REASON;
}

/* jemalloc asks for the stack in the midst of an allocation. */
static void on_sample(void **frames, unsigned *count, unsigned capacity)
{
    (void)frames;
    (void)capacity;
    *count = 0;
    _Unwind_Backtrace(look, NULL);
}

static void *volatile piece;

static void by_malloc(void)
{
    piece = malloc(1 << 20);
}

static void by_calloc(void)
{
    piece = calloc(2, 1 << 20);
}

static void by_realloc(void)
{
    piece = realloc(malloc(16), 3 << 20);
}

static void by_aligned_alloc(void)
{
    piece = aligned_alloc(4096, 1 << 20);
}

static void by_mallocx(void)
{
    piece = mallocx(1 << 20, 0);
}

static void by_new(void)
{
    piece = _Znwm(1 << 20);
}

static const struct {
    void (*allocate)(void);
    const char *entry;
} ways[] = {{by_malloc, own_malloc},   {by_calloc, own_calloc},
            {by_realloc, own_realloc}, {by_aligned_alloc, own_aligned_alloc},
            {by_mallocx, own_mallocx}, {by_new, own_new}};

static void an_allocation_is_told_as_what_was_called_for_it(void **state)
{
    void (*hook)(void **, unsigned *, unsigned) = on_sample;
    size_t often = 0; /* every byte is sampled */
    (void)state;
    assert_int_equal(mallctl("prof.reset", NULL, NULL, &often, sizeof(often)), 0);
    assert_int_equal(mallctl("experimental.hooks.prof_backtrace", NULL, NULL, &hook, sizeof(hook)), 0);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        for (int again = 0; again < 4; again++) {
            seen = 0;
            ways[i].allocate();
            free(piece);
            if (seen)
                break;
        }
        assert_int_equal(seen, (uintptr_t)ways[i].entry);
    }
}

/* ---- From outside ---- */

static void the_slow_way_of_a_function_is_the_functions(void **state)
{
    (void)state;
    assert_int_equal(ph_allocator_entry((uintptr_t)own_free), (uintptr_t)own_free);
    assert_int_equal(ph_allocator_entry((uintptr_t)je_free_default + 9), (uintptr_t)own_free);
    assert_int_equal(ph_allocator_entry((uintptr_t)je_malloc_default), (uintptr_t)own_malloc);
}

static void what_is_not_the_allocators_has_no_entry(void **state)
{
    (void)state;
    assert_int_equal(ph_allocator_entry((uintptr_t)poll + 4), 0);
    assert_int_equal(ph_allocator_entry((uintptr_t)ph_allocator_entry), 0);
    assert_int_equal(ph_allocator_entry((uintptr_t)strlen), 0);
    assert_int_equal(ph_allocator_entry(16), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_allocation_is_told_as_what_was_called_for_it),
        cmocka_unit_test(the_slow_way_of_a_function_is_the_functions),
        cmocka_unit_test(what_is_not_the_allocators_has_no_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
