/* The tables of every module in this process, at each place where rules change, against what libdw reads there. */
#include "base/cfi.h"

#include <dlfcn.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <dwarf.h>

#define LEFT_MAX_PERCENT 1 /* of the places of all modules: PLTs, signal frames, what was written by hand */

struct module {
    const char *path;
    uintptr_t base;
    const uint8_t *header;
    Dwarf_CFI *cfi;
};

struct tally {
    unsigned long places, left, different;
};

/* An offset from the frame's end, as libdw tells it: DW_OP_call_frame_cfa, DW_OP_plus_uconst. */
static bool is_offset(const Dwarf_Op *ops, size_t count, int64_t *ret_offset)
{
    if (count == 0 || count > 2 || ops[0].atom != DW_OP_call_frame_cfa ||
        (count == 2 && ops[1].atom != DW_OP_plus_uconst))
        return false;
    *ret_offset = count == 2 ? (int64_t)ops[1].number : 0;
    return true;
}

static bool takes_sp_from_frame_end(Dwarf_Frame *frame)
{
    Dwarf_Op memory[3], *ops;
    size_t count;
    assert_int_equal(dwarf_frame_register(frame, 7, memory, &ops, &count), 0);
    return count == 2 && ops[0].atom == DW_OP_call_frame_cfa && ops[1].atom == DW_OP_stack_value;
}

/* What libdw says of the frame's end. */
static struct ph_cfi_rule end_of(Dwarf_Frame *frame)
{
    struct ph_cfi_rule rule = {.kind = PH_CFI_OTHER};
    Dwarf_Op *ops;
    size_t count;
    assert_int_equal(dwarf_frame_cfa(frame, &ops, &count), 0);
    if (count == 1 && ops[0].atom == DW_OP_bregx && (ops[0].number == 6 || ops[0].number == 7)) {
        rule.kind = ops[0].number == 6 ? PH_CFI_FROM_BP : PH_CFI_FROM_SP;
        rule.cfa_offset = (int32_t)ops[0].number2;
    } else if (count == 2 && ops[0].atom == DW_OP_breg6 && ops[1].atom == DW_OP_deref) {
        rule.kind = PH_CFI_BEHIND_BP;
        rule.cfa_offset = (int32_t)ops[0].number;
    }
    return rule;
}

static struct ph_cfi_rule rule_of(Dwarf_Frame *frame, bool is_signal_frame)
{
    const struct ph_cfi_rule other = {.kind = PH_CFI_OTHER}, end = {.kind = PH_CFI_END};
    struct ph_cfi_rule rule = end_of(frame);
    Dwarf_Op memory[3], *ops;
    size_t count;
    int64_t offset = 0;
    assert_int_equal(dwarf_frame_register(frame, 16, memory, &ops, &count), 0);
    if (count == 0 && ops == memory)
        return end; /* undefined */
    if (is_signal_frame || !is_offset(ops, count, &offset) || offset != -8 || !takes_sp_from_frame_end(frame))
        return other;
    assert_int_equal(dwarf_frame_register(frame, 6, memory, &ops, &count), 0);
    if (rule.kind == PH_CFI_BEHIND_BP) {
        if (count != 2 || ops[0].atom != DW_OP_call_frame_cfa || ops[1].atom != DW_OP_breg6)
            return other;
        rule.bp_offset = (int16_t)ops[1].number;
    } else if (count) {
        if (!is_offset(ops, count, &offset))
            return other;
        rule.bp_offset = (int16_t)offset;
    }
    return rule;
}

static void compare(const struct module *module, uintptr_t pc, struct ph_cfi_rule theirs, struct tally *tally)
{
    struct ph_cfi_rule ours = ph_cfi_find(module->header, pc);
    tally->places++;
    tally->left += ours.kind == PH_CFI_OTHER;
    if (ours.kind == PH_CFI_OTHER ||
        (ours.kind == theirs.kind && ours.cfa_offset == theirs.cfa_offset && ours.bp_offset == theirs.bp_offset))
        return;
    if (tally->different++ < 5)
        print_message("%s+%#lx: kind %d, %d, %d; libdw: %d, %d, %d\n", module->path, pc - module->base, ours.kind,
                      ours.cfa_offset, ours.bp_offset, theirs.kind, theirs.cfa_offset, theirs.bp_offset);
}

/* From @pc to @limit: each range with one rule, at its first and last byte, and the gap behind a function. */
static void compare_range(const struct module *module, uintptr_t pc, uintptr_t limit, struct tally *tally)
{
    while (pc < limit) {
        Dwarf_Frame *frame;
        Dwarf_Addr start, end;
        bool is_signal_frame;
        if (dwarf_cfi_addrframe(module->cfi, pc - module->base, &frame) != 0) {
            compare(module, pc, (struct ph_cfi_rule){.kind = PH_CFI_END}, tally);
            compare(module, limit - 1, (struct ph_cfi_rule){.kind = PH_CFI_END}, tally);
            return;
        }
        assert_int_equal(dwarf_frame_info(frame, &start, &end, &is_signal_frame), 16);
        struct ph_cfi_rule rule = rule_of(frame, is_signal_frame);
        free(frame);
        compare(module, pc, rule, tally);
        compare(module, module->base + end - 1, rule, tally);
        pc = module->base + end;
    }
}

struct row {
    int32_t start, entry; /* from the header */
};

static void compare_module(const struct module *module, struct tally *tally)
{
    uint32_t count;
    memcpy(&count, module->header + 8, sizeof(count));
    const struct row *rows = (const struct row *)(module->header + 12);
    assert_int_equal(module->header[1] & 0x0f, 0x0b); /* four bytes before the count */
    for (uint32_t i = 0; i < count; i++) {
        uintptr_t start = (uintptr_t)module->header + (uintptr_t)(intptr_t)rows[i].start;
        uintptr_t limit =
            i + 1 < count ? (uintptr_t)module->header + (uintptr_t)(intptr_t)rows[i + 1].start : start + 1;
        compare_range(module, start, limit, tally);
    }
}

static void compare_file(const struct link_map *map, struct tally *tally)
{
    struct dl_find_object object;
    struct tally here = {0};
    const char *path = map->l_name[0] ? map->l_name : "/proc/self/exe";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || _dl_find_object(map->l_ld, &object) != 0 || !object.dlfo_eh_frame)
        return; /* the kernel's vDSO has no file */
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    Dwarf_CFI *cfi = dwarf_getcfi_elf(elf);
    assert_non_null(cfi);
    compare_module(&(struct module){path, map->l_addr, object.dlfo_eh_frame, cfi}, &here);
    print_message("%s: %lu places, %.2f %% left to libgcc, %lu different\n", path, here.places,
                  100.0 * (double)here.left / (double)here.places, here.different);
    tally->places += here.places;
    tally->left += here.left;
    tally->different += here.different;
    dwarf_cfi_end(cfi);
    elf_end(elf);
    close(fd);
}

static void real_tables_are_read_as_libdw_reads_them(void **state)
{
    (void)state;
    struct tally tally = {0};
    elf_version(EV_CURRENT);
    for (const struct link_map *map = _r_debug.r_map; map; map = map->l_next)
        compare_file(map, &tally);
    assert_true(tally.places > 10000); /* libc alone has that many */
    assert_int_equal(tally.different, 0);
    assert_true(100 * tally.left < LEFT_MAX_PERCENT * tally.places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(real_tables_are_read_as_libdw_reads_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
