/*
 * unwind_machine.h - what differs between processors, for the unwinder: one sibling file each (unwind_x86_64.c, unwind_aarch64.c),
 * chosen by configure.
 */
#ifndef PH_ELF_UNWIND_MACHINE_H
#define PH_ELF_UNWIND_MACHINE_H

#include "base/cfi.h"
#include "elf/unwind.h"

enum ph_unwind_kind {
    PH_UNWIND_FROM_SP, /* the frame's end is stack pointer + cfa_offset */
    PH_UNWIND_FROM_BP, /* … frame pointer + cfa_offset */
    PH_UNWIND_BEHIND_BP, /* … what memory holds at frame pointer + cfa_offset; the caller's frame pointer is at it + bp_offset */
    PH_UNWIND_OUTERMOST,
    PH_UNWIND_TABLES,    /* what the tables say has to be read in full */
    PH_UNWIND_SIGNAL,    /* … of a signal frame */
    PH_UNWIND_SIGRETURN, /* a signal frame without tables */
    PH_UNWIND_RULELESS,  /* code without tables */
    PH_UNWIND_NO_CODE,
};

struct ph_unwind_rule {
    int32_t cfa_offset;
    int16_t bp_offset; /* where the caller's frame pointer is, from the frame's end; 0: in the register */
    int16_t ra_offset; /* the return address; 0: in the register */
    uint8_t kind;      /* enum ph_unwind_kind */
    uint8_t call;      /* enum ph_unwind_call: what is there; PH_UNWIND_CALL_UNREAD: not looked at yet */
};

/** ph_unwind_rule_of() - the short form of @frame, or PH_UNWIND_TABLES. @base: see struct ph_cfi_machine. */
struct ph_unwind_rule ph_unwind_rule_of(const struct ph_cfi_frame *frame, uintptr_t base);

/** ph_unwind_is_sigreturn() - does @code, PH_UNWIND_SIGRETURN_BYTES, return from a signal handler? */
#define PH_UNWIND_SIGRETURN_BYTES 9
bool ph_unwind_is_sigreturn(const uint8_t *code);

/** ph_unwind_saved_by_signal() - where the kernel saved a register, from the stack pointer at that code on; -1: nowhere. */
int ph_unwind_saved_by_signal(unsigned number);

/** ph_unwind_code_address() - without a signature in its upper bits (AArch64's pointer authentication). */
uint64_t ph_unwind_code_address(uint64_t value);

enum ph_unwind_call { PH_UNWIND_CALL_UNREAD, PH_UNWIND_NO_CALL, PH_UNWIND_INDIRECT_CALL, PH_UNWIND_DIRECT_CALL };

/** ph_unwind_call_before() - what @code, the PH_UNWIND_CALL_BYTES before @return_address, ends with. @ret_target: of a direct call. */
#define PH_UNWIND_CALL_BYTES 8
enum ph_unwind_call ph_unwind_call_before(const uint8_t *code, uint64_t return_address, uint64_t *ret_target);

/** ph_unwind_jump_slot() - if @code, PH_UNWIND_STUB_BYTES at @address, only jumps to where memory says: the address of that word. 0: it
 * is no such stub of a procedure linkage table. */
#define PH_UNWIND_STUB_BYTES 16
uint64_t ph_unwind_jump_slot(const uint8_t *code, uint64_t address);

/** ph_unwind_frame_bytes() - by how much @code, the PH_UNWIND_PROLOGUE_BYTES that a function begins with, moves the stack pointer for
 * its variables, below the registers it saves. 0: it does not tell. */
#define PH_UNWIND_PROLOGUE_BYTES 64
uint32_t ph_unwind_frame_bytes(const uint8_t *code);

#endif
