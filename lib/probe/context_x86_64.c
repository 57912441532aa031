#include "probe/context.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* System V ABI, AMD64 supplement, figure 3.36. */
static const int by_dwarf_number[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                      REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                      REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};

void ph_context_registers_sig(const ucontext_t *context, uint64_t *ret_registers)
{
    for (size_t i = 0; i < sizeof(by_dwarf_number) / sizeof(by_dwarf_number[0]); i++)
        ret_registers[i] = (uint64_t)context->uc_mcontext.gregs[by_dwarf_number[i]];
}

void ph_context_at_call_sig(uint64_t *registers, uintptr_t call, uintptr_t frame)
{
    registers[6] = *(const uint64_t *)frame; /* RBP, saved by the hook */
    registers[7] = frame + sizeof(uint64_t); /* RSP: at the return address */
    registers[16] = call;
}

uintptr_t ph_context_pc_sig(const ucontext_t *context)
{
    return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
}

uintptr_t ph_context_sp_sig(const ucontext_t *context)
{
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
}

/* The two bytes before the next instruction are read only where a call has just returned. */
bool ph_context_ends_call_sig(const ucontext_t *context)
{
    static const uint8_t syscall_instruction[] = {0x0f, 0x05};
    if (context->uc_mcontext.gregs[REG_RAX] != -EINTR)
        return false;
    const uint8_t *pc = (const uint8_t *)context->uc_mcontext.gregs[REG_RIP];
    bool at_page_start =
        ((uintptr_t)pc & 4095) < sizeof(syscall_instruction); /* what lies before may not be mapped */
    return !at_page_start &&
           memcmp(pc - sizeof(syscall_instruction), syscall_instruction, sizeof(syscall_instruction)) == 0;
}
