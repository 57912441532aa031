#include "probe/allocator.h"

#include "base/cfi.h"
#include "probe/backtrace.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#define FUNCTIONS_MAX 96

/* Functions of the allocator that the host's code calls, and those that they go on in by a jump: malloc() leaves the frame to
 * je_malloc_default(), realloc() to a static function. Both are told as what was called. */
static struct {
    uintptr_t start, entry;
} functions[FUNCTIONS_MAX];
static size_t function_count;
static pthread_once_t functions_once = PTHREAD_ONCE_INIT;

#define ALLOC(name) extern const char entry_##name[] __asm__(#name);
#include "probe/allocator.def"
#undef ALLOC

/* The function that holds @address, by the unwinding tables of this object: they are there when symbols are stripped. */
static bool find_function(uintptr_t address, uintptr_t *ret_start, uintptr_t *ret_end)
{
    struct dl_find_object object;
    struct ph_cfi_tables tables = {.low = 0, .high = UINTPTR_MAX};
    struct ph_cfi_frame frame;
    uintptr_t low, high;
    ph_text_range(&low, &high);
    if (address < low || address >= high || _dl_find_object((void *)address, &object) != 0 || !object.dlfo_eh_frame)
        return false;
    tables.header = (uintptr_t)object.dlfo_eh_frame;
    if (ph_cfi_read(&tables, address, &frame) != PH_CFI_FOUND)
        return false;
    *ret_start = (uintptr_t)frame.start;
    *ret_end = (uintptr_t)(frame.start + frame.length);
    return true;
}

static uintptr_t entry_at(uintptr_t start)
{
    for (size_t i = 0; i < function_count; i++)
        if (functions[i].start == start)
            return functions[i].entry;
    return 0;
}

static void add(uintptr_t start, uintptr_t entry)
{
    if (function_count == FUNCTIONS_MAX || entry_at(start))
        return;
    functions[function_count].start = start;
    functions[function_count++].entry = entry;
}

/* Where a jump with 32 bits leads that might begin at @code (Intel 64 manual, volume 2: JMP, Jcc); 0: none does. */
static uintptr_t jump_target(const uint8_t *code, const uint8_t *end)
{
    int32_t distance;
    size_t bytes = code[0] == 0xe9 ? 1 : code[0] == 0x0f && (code[1] & 0xf0) == 0x80 ? 2 : 0;
    if (!bytes || (size_t)(end - code) < bytes + sizeof(distance))
        return 0;
    memcpy(&distance, code + bytes, sizeof(distance));
    return (uintptr_t)code + bytes + sizeof(distance) + (uintptr_t)(intptr_t)distance;
}

/* That bytes in the midst of an instruction look like a jump to the very begin of another function is as good as impossible. */
static void add_jumped_to(uintptr_t entry, uintptr_t end)
{
    for (uintptr_t at = entry; at + 1 < end; at++) {
        uintptr_t target = jump_target((const uint8_t *)at, (const uint8_t *)end), start, target_end;
        if ((target < entry || target >= end) && find_function(target, &start, &target_end) && start == target)
            add(start, entry);
    }
}

/* An executable that is not position-independent may have an address of its own for malloc(): what is not in this object is left out. */
static void find_functions(void)
{
    static const char *const entries[] = {
#define ALLOC(name) entry_##name,
#include "probe/allocator.def"
#undef ALLOC
    };
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        uintptr_t entry = (uintptr_t)entries[i], start, end;
        if (find_function(entry, &start, &end) && start == entry)
            add(entry, entry);
    }
    for (size_t i = 0, count = function_count; i < count; i++) {
        uintptr_t start, end;
        if (find_function(functions[i].start, &start, &end))
            add_jumped_to(start, end);
    }
}

uintptr_t ph_allocator_entry(uintptr_t address)
{
    uintptr_t start, end;
    pthread_once(&functions_once, find_functions);
    return find_function(address, &start, &end) ? entry_at(start) : 0;
}
