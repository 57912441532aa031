/*
 * cfi_machine.h - runs the instructions of .eh_frame: what is known of the caller's registers at one place of the
 * code. DWARF 5, 6.4.2. Registers by System V ABI AMD64, figure 3.36; DWARF for the Arm 64-bit Architecture, 4.1.
 */
#ifndef PH_BASE_CFI_MACHINE_H
#define PH_BASE_CFI_MACHINE_H

#include "base/cfi_bytes.h"

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#define PH_CFI_REGISTERS   17
#define PH_CFI_REGISTER_BP 6
#define PH_CFI_REGISTER_SP 7
#define PH_CFI_REGISTER_RA 16 /* where the return address is */
#elif defined(__aarch64__)
#define PH_CFI_REGISTERS   33
#define PH_CFI_REGISTER_BP 29
#define PH_CFI_REGISTER_SP 31
#define PH_CFI_REGISTER_RA 30
#endif
#define PH_CFI_STATES_MAX 8 /* DW_CFA_remember_state; compilers nest one */

enum ph_cfi_saved {
    PH_CFI_SAVED_SAME,      /* in the register */
    PH_CFI_SAVED_AT,        /* at an offset from the frame's end */
    PH_CFI_SAVED_IS,        /* it is the frame's end plus an offset */
    PH_CFI_SAVED_IN,        /* in the register whose number is the offset */
    PH_CFI_SAVED_AT_RESULT, /* at what an expression results in; the offset is the block's, see below */
    PH_CFI_SAVED_IS_RESULT, /* it is what the expression results in */
    PH_CFI_SAVED_UNDEFINED,
};

/* Blocks of expressions (length and operations) are told by their distance from a place of the caller's choice. */
struct ph_cfi_state {
    int64_t cfa_offset;
    uint64_t cfa_register;
    int32_t cfa_block;  /* if it is an expression */
    bool is_expression; /* the frame's end is not register + offset */
    bool is_mixed;      /* half of an expression was changed since, which means nothing (DWARF 5, 6.4.2.2) */
    uint8_t how[PH_CFI_REGISTERS];    /* enum ph_cfi_saved */
    int32_t offset[PH_CFI_REGISTERS]; /* unwritten unless @how needs it */
};

struct ph_cfi_machine {
    uint64_t code_factor;
    int64_t data_factor;
    uintptr_t base; /* of the distances of blocks */
    uint64_t location, pc;
    unsigned depth;
    bool failed; /* an instruction that is not understood, or cut */
    struct ph_cfi_state now, initial;
    struct ph_cfi_state remembered[PH_CFI_STATES_MAX];
};

/** ph_cfi_begin() - the machine before the first instruction, for @pc. Factors and base are the caller's to set. */
void ph_cfi_begin(struct ph_cfi_machine *machine, uint64_t pc);

/** ph_cfi_run() - the instructions in @cursor, or until they speak of code behind machine->pc. */
void ph_cfi_run(struct ph_cfi_machine *machine, struct ph_cfi_cursor cursor);

#endif
