/* Stacks, registers and tables that were not made by a compiler: bounded, and nothing outside of them is read. */
#include "base/cfi.h"
#include "elf/unwind_expression.h"
#include "elf/unwind_tables.h"
#include "unwinder_fixture.h"

#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static struct recorded recorded;
static uint64_t random_state = 88172645463325252;

/* G. Marsaglia, "Xorshift RNGs", 2003. */
static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

__attribute__((noinline)) static void call_at_depth(int depth)
{
    char frame[64];
    __asm__ volatile("" : : "r"(frame) : "memory");
    if (depth)
        call_at_depth(depth - 1);
    else
        record(&recorded);
    __asm__ volatile("" : : "r"(frame) : "memory");
}

static void run(struct ph_unwinder *unwinder, const struct recorded *from)
{
    uint64_t frames[PH_UNWIND_FRAMES_MAX];
    enum ph_unwind_end end = (enum ph_unwind_end) - 1;
    size_t count = ph_unwinder_run(unwinder, &from->registers, &from->stack, frames, PH_UNWIND_FRAMES_MAX, &end);
    assert_in_range(count, 1, PH_UNWIND_FRAMES_MAX);
    assert_in_range(end, PH_UNWIND_COMPLETE, PH_UNWIND_BAD);
    assert_true((ph_unwind_end_text(end)[0] == '\0') == (end == PH_UNWIND_COMPLETE));
}

/* Some words are replaced by others of the stack, by addresses in code or of the stack, or by anything. */
static void damage(struct recorded *copy, size_t changes)
{
    size_t words = copy->stack.size_bytes / sizeof(uint64_t);
    for (size_t i = 0; i < changes; i++) {
        uint64_t word = next_random(), place = next_random() % words;
        if (word % 4 == 0)
            memcpy(&word, copy->bytes + next_random() % words * sizeof(word), sizeof(word));
        else if (word % 4 == 1)
            word = recorded.frames[next_random() % recorded.frame_count] + next_random() % 64 - 32;
        else if (word % 4 == 2)
            word = copy->stack.low + next_random() % copy->stack.size_bytes / 8 * 8;
        memcpy(copy->bytes + place * sizeof(word), &word, sizeof(word));
    }
}

static void damaged_stacks_are_bounded(void **state)
{
    (void)state;
    static struct recorded copy;
    struct ph_unwinder *unwinder = new_unwinder();
    call_at_depth(20);
    for (int i = 0; i < 3000; i++) {
        copy = recorded;
        copy.stack.bytes = copy.bytes;
        copy.stack.is_live = i % 8 == 0;
        copy.stack.hook_frame = i % 3 ? 0 : copy.stack.low + next_random() % copy.stack.size_bytes;
        copy.registers.known = i % 2 ? copy.registers.known : next_random();
        damage(&copy, 1 + next_random() % 200);
        if (i % 4 == 0)
            copy.registers.values[next_random() % PH_REGISTERS] = copy.stack.low + next_random() % 4096;
        run(unwinder, &copy);
    }
    ph_unwinder_free(unwinder);
}

static void registers_that_mean_nothing_are_bounded(void **state)
{
    (void)state;
    struct ph_unwinder *unwinder = new_unwinder();
    call_at_depth(3);
    for (int i = 0; i < 3000; i++) {
        for (size_t number = 0; number < PH_REGISTERS; number++)
            recorded.registers.values[number] = next_random() >> next_random() % 64;
        if (i % 2) /* in code, and anywhere in it */
            recorded.registers.values[PH_REGISTER_PC] =
                recorded.frames[next_random() % recorded.frame_count] + next_random() % 8192 - 4096;
        recorded.stack.is_live = i % 3 == 0;
        run(unwinder, &recorded);
    }
    ph_unwinder_free(unwinder);
}

/* ---- tables -------------------------------------------------------------------------------------------------- */

/* Of libc, or of whatever is the largest that is loaded. */
static int find_tables(struct dl_phdr_info *info, size_t size, void *argument)
{
    uint64_t *largest = argument, here = 0, bytes = 0;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME) {
            here = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            bytes = info->dlpi_phdr[i].p_memsz;
        }
    if (bytes > largest[1] && bytes < 100000) {
        largest[0] = here;
        largest[1] = bytes;
    }
    return 0;
}

struct copy {
    struct ph_cfi_tables tables;
    uint64_t start; /* of the code that the header speaks of */
    uint32_t count;
};

static struct copy copy_tables(void)
{
    struct copy copy;
    struct ph_memory memory;
    uint64_t largest[2] = {0, 0};
    int32_t start;
    dl_iterate_phdr(find_tables, largest);
    ph_memory_open(&memory);
    assert_int_equal(ph_unwind_tables_copy(&memory, largest[0], &copy.tables), 0);
    ph_memory_close(&memory);
    memcpy(&copy.count, (void *)(copy.tables.header + 8), sizeof(copy.count));
    memcpy(&start, (void *)(copy.tables.header + 12), sizeof(start));
    copy.start = largest[0] + (uint64_t)(int64_t)start;
    assert_true(copy.count > 100);
    return copy;
}

static void a_copy_of_tables_says_the_same_as_the_tables(void **state)
{
    (void)state;
    struct copy copy = copy_tables();
    const uint8_t *header = (const uint8_t *)(copy.tables.header + copy.tables.delta);
    size_t found = 0;
    for (uint64_t pc = copy.start; pc < copy.start + 100000; pc += 7) {
        struct ph_cfi_frame frame;
        struct ph_cfi_rule rule = ph_cfi_find(header, (uintptr_t)pc), ours = {.kind = PH_CFI_OTHER};
        enum ph_cfi_found status = ph_cfi_read(&copy.tables, pc, &frame);
        if (status == PH_CFI_FOUND && !frame.is_signal)
            ours = ph_cfi_rule_of(&frame.state, copy.tables.header);
        else if (status == PH_CFI_NOTHING)
            ours.kind = PH_CFI_END;
        found += status == PH_CFI_FOUND;
        assert_int_equal(ours.kind, rule.kind);
        if (rule.kind < PH_CFI_END) {
            assert_int_equal(ours.cfa_offset, rule.cfa_offset);
            assert_int_equal(ours.bp_offset, rule.bp_offset);
        }
    }
    assert_true(found > 1000);
    ph_unwind_tables_free(&copy.tables);
}

/* At the end of a page behind which nothing can be read. */
static void tables_that_are_cut_or_damaged_are_refused_or_read_within_their_bounds(void **state)
{
    (void)state;
    struct copy copy = copy_tables();
    size_t size_bytes = copy.tables.high - copy.tables.low, page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages_bytes = (size_bytes / page_bytes + 1) * page_bytes;
    uint8_t *pages =
        mmap(NULL, pages_bytes + page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    assert_int_equal(mprotect(pages + pages_bytes, page_bytes, PROT_NONE), 0);
    for (int round = 0; round < 400; round++) {
        size_t kept = round % 2 ? next_random() % size_bytes + 1 : size_bytes;
        uint8_t *bytes = pages + pages_bytes - kept;
        memcpy(bytes, (void *)copy.tables.low, kept);
        for (int i = 0; i < 2000 && round % 4 != 1; i++)
            bytes[12 + next_random() % (kept > 12 ? kept - 12 : 1) % kept] = (uint8_t)next_random();
        struct ph_cfi_tables tables = {(uintptr_t)bytes, (uintptr_t)bytes + kept, (uintptr_t)bytes, 0};
        tables.header += copy.tables.header - copy.tables.low;
        tables.delta = copy.tables.delta + copy.tables.low - tables.low;
        for (int i = 0; i < 200; i++) {
            struct ph_cfi_frame frame;
            ph_cfi_read(&tables, copy.start + next_random() % 65536, &frame);
        }
    }
    munmap(pages, pages_bytes + page_bytes);
    ph_unwind_tables_free(&copy.tables);
}

static void tables_that_are_not_there_are_not_copied(void **state)
{
    (void)state;
    struct ph_memory memory;
    struct ph_cfi_tables tables;
    static const uint8_t header[16] = {1, 0x1b, 3, 0x3b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
    ph_memory_open(&memory);
    assert_int_equal(ph_unwind_tables_copy(&memory, 0, &tables), -2);    /* ENOENT */
    assert_int_equal(ph_unwind_tables_copy(&memory, 4096, &tables), -2); /* not mapped */
    assert_int_equal(ph_unwind_tables_copy(&memory, (uintptr_t)&memory, &tables), -2);
    assert_int_equal(ph_unwind_tables_copy(&memory, (uintptr_t)header, &tables), -27); /* EFBIG */
    ph_memory_close(&memory);
}

/* ---- expressions --------------------------------------------------------------------------------------------- */

#define CODE(text) text, sizeof(text) - 1
static const struct expression {
    const char *code;
    size_t size_bytes;
    int status;
    uint64_t result;
} expressions[] = {
    {CODE("\x30"), -1, 0},
    {CODE("\x4f"), -1, 31},
    {CODE("\x03\x01\x02\x03\x04\x05\x06\x07\x08"), -1, 0x0807060504030201},
    {CODE("\x08\xff"), -1, 255},
    {CODE("\x09\xff"), -1, UINT64_MAX},
    {CODE("\x0a\xfe\xff"), -1, 65534},
    {CODE("\x0b\xfe\xff"), -1, UINT64_MAX - 1},
    {CODE("\x0c\xfe\xff\xff\xff"), -1, 0xfffffffe},
    {CODE("\x0d\xfe\xff\xff\xff"), -1, UINT64_MAX - 1},
    {CODE("\x0e\x01\x00\x00\x00\x00\x00\x00\x80"), -1, 0x8000000000000001},
    {CODE("\x10\x80\x01"), -1, 128},
    {CODE("\x11\x7f"), -1, UINT64_MAX},
    {CODE("\x32\x12\x22"), -1, 4},                       /* dup */
    {CODE("\x32\x33\x13"), -1, 2},                       /* drop */
    {CODE("\x32\x33\x14\x1c"), -1, 1},                   /* over */
    {CODE("\x32\x33\x34\x15\x02\x1e"), -1, 8},           /* pick */
    {CODE("\x32\x33\x16\x1c"), -1, 1},                   /* swap */
    {CODE("\x32\x33\x34\x17\x1c\x1c"), -1, 4 - (2 - 3)}, /* rot: 4, 2, 3 */
    {CODE("\x09\xfb\x19"), -1, 5},
    {CODE("\x36\x33\x1a"), -1, 2},
    {CODE("\x09\xf9\x32\x1b"), -1, (uint64_t)-3},
    {CODE("\x32\x09\xff\x1b"), -1, (uint64_t)-2},
    {CODE("\x37\x34\x1d"), -1, 3},
    {CODE("\x37\x34\x1e"), -1, 28},
    {CODE("\x37\x1f"), -1, (uint64_t)-7},
    {CODE("\x37\x20"), -1, ~UINT64_C(7)},
    {CODE("\x36\x33\x21"), -1, 7},
    {CODE("\x36\x33\x22"), -1, 9},
    {CODE("\x36\x23\x80\x01"), -1, 134},
    {CODE("\x31\x34\x24"), -1, 16},
    {CODE("\x31\x08\x40\x24"), -1, 0},
    {CODE("\x09\xff\x08\x3c\x25"), -1, 15},
    {CODE("\x09\xf0\x32\x26"), -1, (uint64_t)-4},
    {CODE("\x36\x33\x27"), -1, 5},
    {CODE("\x33\x33\x29"), -1, 1},
    {CODE("\x09\xff\x33\x2a"), -1, 0},
    {CODE("\x34\x33\x2b"), -1, 1},
    {CODE("\x34\x33\x2c"), -1, 0},
    {CODE("\x09\xff\x33\x2d"), -1, 1},
    {CODE("\x34\x33\x2e"), -1, 1},
    {CODE("\x32\x31\x28\x01\x00\x33\x96"), -1, 2}, /* bra over lit3 */
    {CODE("\x32\x30\x28\x01\x00\x33"), -1, 3},
    {CODE("\x32\x2f\x01\x00\x33"), -1, 2},
    {CODE("\x77\x80"), PH_UNWIND_BAD, 0}, /* cut */
    {CODE("\x77\x00\x06"), -1, 0x1122334455667788},
    {CODE("\x77\x00\x94\x02"), -1, 0x7788},
    {CODE("\x77\x00\x94\x09"), PH_UNWIND_BAD, 0},
    {CODE("\x77\x01\x06"), PH_UNWIND_CUT, 0},
    {CODE("\x57"), -1, 0x10000},
    {CODE("\x90\x07"), -1, 0x10000},
    {CODE("\x92\x07\x08"), -1, 0x10008},
    {CODE("\x76\x00"), PH_UNWIND_NO_POINTER, 0},
    {CODE("\x90\x40"), PH_UNWIND_BAD, 0},
    {CODE(""), PH_UNWIND_BAD, 0},
    {CODE("\x13"), PH_UNWIND_BAD, 0},
    {CODE("\x31\x22"), PH_UNWIND_BAD, 0},
    {CODE("\x31\x30\x1b"), PH_UNWIND_BAD, 0},
    {CODE("\x31\x30\x1d"), PH_UNWIND_BAD, 0},
    {CODE("\x31\x15\x01"), PH_UNWIND_BAD, 0},
    {CODE("\x2f\x10\x00"), PH_UNWIND_BAD, 0},     /* out of the block */
    {CODE("\x2f\xfd\xff"), PH_UNWIND_BAD, 0},     /* for ever */
    {CODE("\x31\x2f\xfc\xff"), PH_UNWIND_BAD, 0}, /* for ever, and the stack grows */
    {CODE("\xe0"), PH_UNWIND_BAD, 0},
};

static void expressions_result_in_what_the_standard_says(void **state)
{
    (void)state;
    uint64_t word = 0x1122334455667788;
    struct ph_stack stack = {.low = 0x10000, .bytes = (const uint8_t *)&word, .size_bytes = 8};
    struct ph_registers registers = {.known = 1 << 7};
    struct ph_unwind_view *view = malloc(sizeof(*view));
    assert_non_null(view);
    registers.values[7] = 0x10000;
    ph_unwind_view_over(view, &stack, NULL);
    for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
        const struct expression *expression = &expressions[i];
        uint64_t result = 0;
        struct ph_cfi_cursor code = {.at = (uintptr_t)expression->code};
        code.end = code.at + expression->size_bytes;
        int status = ph_unwind_evaluate(code, &registers, view, NULL, &result);
        if (status != expression->status || result != expression->result)
            print_message("expression %zu: %d, %#lx\n", i, status, result);
        assert_int_equal(status, expression->status);
        assert_int_equal(result, expression->result);
    }
    free(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_stacks_are_bounded),
        cmocka_unit_test(registers_that_mean_nothing_are_bounded),
        cmocka_unit_test(a_copy_of_tables_says_the_same_as_the_tables),
        cmocka_unit_test(tables_that_are_cut_or_damaged_are_refused_or_read_within_their_bounds),
        cmocka_unit_test(tables_that_are_not_there_are_not_copied),
        cmocka_unit_test(expressions_result_in_what_the_standard_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
