/*
 * cfi_machine.h - runs the instructions of .eh_frame: what is known of the caller's registers at one place of the
 * code. DWARF 5, 6.4.2; registers by System V ABI AMD64, figure 3.36.
 */
#ifndef PH_BASE_CFI_MACHINE_H
#define PH_BASE_CFI_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define PH_CFI_REGISTER_BP 6
#define PH_CFI_REGISTER_SP 7
#define PH_CFI_REGISTER_RA 16
#define PH_CFI_STATES_MAX  8 /* DW_CFA_remember_state; compilers nest one */

enum ph_cfi_saved {
    PH_CFI_SAVED_SAME,  /* in the register */
    PH_CFI_SAVED_AT,    /* at an offset from the frame's end */
    PH_CFI_SAVED_AT_BP, /* at an offset from RBP */
    PH_CFI_SAVED_UNDEFINED,
    PH_CFI_SAVED_OTHER,
};

struct ph_cfi_register {
    enum ph_cfi_saved how;
    int64_t offset;
};

struct ph_cfi_state {
    uint64_t cfa_register;
    int64_t cfa_offset;
    bool is_indirect;   /* the frame's end is what memory holds at register + offset */
    bool is_expression; /* … or something else */
    struct ph_cfi_register bp, sp, ra;
};

struct ph_cfi_machine {
    uint64_t code_factor;
    int64_t data_factor;
    struct ph_cfi_state now, initial, remembered[PH_CFI_STATES_MAX];
    unsigned depth;
    uint64_t location, pc;
    bool failed; /* an instruction that is not understood */
};

/** ph_cfi_run() - the instructions from @at to @end, or until they speak of code behind machine->pc. */
void ph_cfi_run(struct ph_cfi_machine *machine, const uint8_t *at, const uint8_t *end);

#endif
