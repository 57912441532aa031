/* Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2; System V ABI AMD64, 3.4 and figure 3.36. */
#include "elf/unwind_machine.h"

#include <stddef.h>
#include <string.h>
#include <ucontext.h>

struct ph_unwind_rule ph_unwind_rule_of(const struct ph_cfi_frame *frame, uintptr_t base)
{
    static const uint8_t kinds[] = {
        [PH_CFI_FROM_SP] = PH_UNWIND_FROM_SP,     [PH_CFI_FROM_BP] = PH_UNWIND_FROM_BP,
        [PH_CFI_BEHIND_BP] = PH_UNWIND_BEHIND_BP, [PH_CFI_END] = PH_UNWIND_OUTERMOST,
        [PH_CFI_OTHER] = PH_UNWIND_TABLES,
    };
    if (frame->is_signal)
        return (struct ph_unwind_rule){.kind = PH_UNWIND_SIGNAL};
    struct ph_cfi_rule rule = ph_cfi_rule_of(&frame->state, base);
    return (struct ph_unwind_rule){rule.cfa_offset, rule.bp_offset, -8, kinds[rule.kind], PH_UNWIND_CALL_UNREAD};
}

bool ph_unwind_is_sigreturn(const uint8_t *code)
{
    /* mov $15, %rax; syscall */
    return memcmp(code, "\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05", PH_UNWIND_SIGRETURN_BYTES) == 0;
}

/* There the stack pointer points to the ucontext_t. */
int ph_unwind_saved_by_signal(unsigned number)
{
    static const int8_t places[PH_REGISTERS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                                REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                                REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    return (int)(offsetof(ucontext_t, uc_mcontext.gregs) + (size_t)places[number] * sizeof(greg_t));
}

uint64_t ph_unwind_code_address(uint64_t value)
{
    return value;
}

#define OPCODE_CALL     0xe8 /* and four bytes: the distance */
#define OPCODE_INDIRECT 0xff /* /2: by register or memory; 2, 3, 4, 6 or 7 bytes */

/* How many bytes a ModRM byte and what follows it take, if it is one of "call"; 0 if not. */
static size_t operand_bytes(uint8_t modrm, uint8_t sib)
{
    static const uint8_t displacement_bytes[] = {0, 1, 4, 0};
    unsigned mode = modrm >> 6, base = modrm & 7;
    if ((modrm >> 3 & 7) != 2)
        return 0;
    size_t size_bytes = 1u + displacement_bytes[mode];
    if (mode != 3 && base == 4) {
        size_bytes++;
        base = sib & 7;
    }
    return mode == 0 && base == 5 ? size_bytes + 4 : size_bytes;
}

enum ph_unwind_call ph_unwind_call_before(const uint8_t *code, uint64_t return_address, uint64_t *ret_target)
{
    const uint8_t *end = code + PH_UNWIND_CALL_BYTES;
    if (end[-5] == OPCODE_CALL) {
        int32_t distance;
        memcpy(&distance, end - 4, sizeof(distance));
        *ret_target = return_address + (uint64_t)(int64_t)distance;
        return PH_UNWIND_DIRECT_CALL;
    }
    for (size_t size_bytes = 2; size_bytes <= 7; size_bytes++)
        if (end[-(ptrdiff_t)size_bytes] == OPCODE_INDIRECT &&
            operand_bytes(end[1 - (ptrdiff_t)size_bytes], size_bytes > 2 ? end[2 - (ptrdiff_t)size_bytes] : 0) ==
                size_bytes - 1)
            return PH_UNWIND_INDIRECT_CALL;
    return PH_UNWIND_NO_CALL;
}

/* [endbr64] [bnd] jmp *distance(%rip) */
uint64_t ph_unwind_jump_slot(const uint8_t *code, uint64_t address)
{
    size_t at = memcmp(code, "\xf3\x0f\x1e\xfa", 4) == 0 ? 4 : 0;
    at += code[at] == 0xf2;
    int32_t distance;
    if (code[at] != 0xff || code[at + 1] != 0x25)
        return 0;
    memcpy(&distance, code + at + 2, sizeof(distance));
    return address + at + 6 + (uint64_t)(int64_t)distance;
}

/* sub $size, %rsp: with one byte, or four */
uint32_t ph_unwind_frame_bytes(const uint8_t *code)
{
    uint32_t size_bytes;
    for (size_t at = 0; at + 7 <= PH_UNWIND_PROLOGUE_BYTES; at++) {
        if (code[at] != 0x48 || code[at + 2] != 0xec)
            continue;
        if (code[at + 1] == 0x83)
            return code[at + 3];
        memcpy(&size_bytes, code + at + 3, sizeof(size_bytes));
        if (code[at + 1] == 0x81)
            return size_bytes;
    }
    return 0;
}
