/*
 * cfi.h - how to get from one frame to its caller, read from a module's .eh_frame. x86-64.
 *
 * Formats: Linux Standard Base 5.0, Core Generic, 10.6 (.eh_frame, .eh_frame_hdr); DWARF 5, 6.4 (call frames);
 * System V ABI AMD64, figure 3.36 (register numbers). Only what code of compilers needs to be walked is understood:
 * the frame's end as stack pointer or RBP plus a number, or stored beside RBP, the return address right below it,
 * RBP kept or saved in the frame. What needs more says so, and libgcc does it.
 */
#ifndef PH_BASE_CFI_H
#define PH_BASE_CFI_H

#include <stdint.h>

enum ph_cfi_kind {
    PH_CFI_FROM_SP,   /* the frame's end is stack pointer + cfa_offset */
    PH_CFI_FROM_BP,   /* … RBP + cfa_offset */
    PH_CFI_BEHIND_BP, /* … what memory holds at RBP + cfa_offset, and the caller's RBP is at RBP + bp_offset */
    PH_CFI_END,       /* the outermost frame, or code without unwinding tables */
    PH_CFI_OTHER,     /* a signal frame, an expression, another register: for libgcc */
};

struct ph_cfi_rule {
    int32_t cfa_offset;
    int16_t bp_offset; /* where the caller's RBP is, from the frame's end; 0: still in the register */
    uint8_t kind;      /* enum ph_cfi_kind */
};

/**
 * ph_cfi_find() - the rule at @pc, an address inside the instruction that is being executed or called from.
 * @header: .eh_frame_hdr of the module that holds it, as _dl_find_object() tells; NULL for none.
 *
 * Trusts the module as the unwinder of libgcc does. Allocates nothing, takes no lock; async-signal-safe.
 */
struct ph_cfi_rule ph_cfi_find(const uint8_t *header, uintptr_t pc);

#endif
