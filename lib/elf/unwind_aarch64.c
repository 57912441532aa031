/*
 * Arm Architecture Reference Manual for A-profile, C6.2 (instructions), D8.8 (pointer authentication); DWARF for the Arm 64-bit
 * Architecture, 4.1. A leaf's caller is in LR; the kernel's signal return in the vDSO has no tables.
 */
#include "elf/unwind_machine.h"

#include <stddef.h>
#include <string.h>
#include <ucontext.h>

#define ADDRESS_BITS  48 /* what mmap() hands out unless asked for more */
#define SIGINFO_BYTES 128

static bool saved_at(const struct ph_cfi_state *state, unsigned number, int16_t *ret_offset)
{
    bool is_saved = state->how[number] == PH_CFI_SAVED_AT;
    *ret_offset = (int16_t)(is_saved ? state->offset[number] : 0);
    if (is_saved)
        return *ret_offset == state->offset[number] && *ret_offset != 0;
    return state->how[number] == PH_CFI_SAVED_SAME;
}

struct ph_unwind_rule ph_unwind_rule_of(const struct ph_cfi_frame *frame, uintptr_t base)
{
    const struct ph_cfi_state *state = &frame->state;
    struct ph_unwind_rule rule = {.kind = PH_UNWIND_TABLES, .cfa_offset = (int32_t)state->cfa_offset};
    (void)base;
    if (frame->is_signal)
        rule.kind = PH_UNWIND_SIGNAL;
    else if (state->how[PH_CFI_REGISTER_RA] == PH_CFI_SAVED_UNDEFINED)
        rule.kind = PH_UNWIND_OUTERMOST;
    else if (!state->is_expression && rule.cfa_offset == state->cfa_offset &&
             state->how[PH_CFI_REGISTER_SP] == PH_CFI_SAVED_SAME &&
             saved_at(state, PH_CFI_REGISTER_BP, &rule.bp_offset) &&
             saved_at(state, PH_CFI_REGISTER_RA, &rule.ra_offset)) {
        if (state->cfa_register == PH_CFI_REGISTER_SP)
            rule.kind = PH_UNWIND_FROM_SP;
        else if (state->cfa_register == PH_CFI_REGISTER_BP)
            rule.kind = PH_UNWIND_FROM_BP;
    }
    return rule;
}

bool ph_unwind_is_sigreturn(const uint8_t *code)
{
    /* mov x8, #139; svc #0 */
    return memcmp(code, "\x68\x11\x80\xd2\x01\x00\x00\xd4", 8) == 0;
}

/* There the stack pointer points to the siginfo_t, and the ucontext_t follows. */
int ph_unwind_saved_by_signal(unsigned number)
{
    size_t place = SIGINFO_BYTES;
    if (number == PH_REGISTER_PC)
        place += offsetof(ucontext_t, uc_mcontext.pc);
    else if (number == PH_REGISTER_SP)
        place += offsetof(ucontext_t, uc_mcontext.sp);
    else
        place += offsetof(ucontext_t, uc_mcontext.regs) + number * sizeof(uint64_t);
    return (int)place;
}

uint64_t ph_unwind_code_address(uint64_t value)
{
    return value & ((UINT64_C(1) << ADDRESS_BITS) - 1);
}

static uint32_t word_of(const uint8_t *code)
{
    uint32_t word;
    memcpy(&word, code, sizeof(word));
    return word;
}

static int64_t signed_bits(uint32_t value, unsigned bits)
{
    return (int64_t)((uint64_t)value << (64 - bits)) >> (64 - bits);
}

enum ph_unwind_call ph_unwind_call_before(const uint8_t *code, uint64_t return_address, uint64_t *ret_target)
{
    uint32_t word = word_of(code + PH_UNWIND_CALL_BYTES - 4);
    if (word >> 26 == 0x25) { /* bl */
        *ret_target = return_address - 4 + (uint64_t)signed_bits(word & 0x3ffffff, 26) * 4;
        return PH_UNWIND_DIRECT_CALL;
    }
    /* blr; blraa and its kin */
    bool is_indirect = (word & 0xfffffc1f) == 0xd63f0000 || (word & 0xfefff800) == 0xd63f0800;
    return is_indirect ? PH_UNWIND_INDIRECT_CALL : PH_UNWIND_NO_CALL;
}

/* [bti c] adrp x16, page; ldr x17, [x16, #offset] */
uint64_t ph_unwind_jump_slot(const uint8_t *code, uint64_t address)
{
    size_t at = word_of(code) == 0xd503245f ? 4 : 0;
    uint32_t page = word_of(code + at), load = word_of(code + at + 4);
    if ((page & 0x9f00001f) != 0x90000010 || (load & 0xffc003ff) != 0xf9400211)
        return 0;
    int64_t pages = signed_bits((page >> 5 & 0x7ffff) << 2 | (page >> 29 & 3), 21);
    return ((address + at) & ~UINT64_C(0xfff)) + (uint64_t)pages * 4096 + (load >> 10 & 0xfff) * 8;
}

/* The saved registers are at the low end of a frame, and the stack pointer moves once for all. */
uint32_t ph_unwind_frame_bytes(const uint8_t *code)
{
    (void)code;
    return 0;
}
