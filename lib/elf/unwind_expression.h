/*
 * unwind_expression.h - the expressions of .eh_frame. DWARF 5, 2.5, as far as LSB 5.0 and compilers use it there: values and
 * stack operations, arithmetic, branches, registers, memory. Bounded in steps and in stack.
 */
#ifndef PH_ELF_UNWIND_EXPRESSION_H
#define PH_ELF_UNWIND_EXPRESSION_H

#include "base/cfi_bytes.h"
#include "elf/unwind_view.h"

/**
 * ph_unwind_evaluate() - what the operations in @code result in. @initial: on the stack before the first; NULL: nothing is.
 * PH_UNWIND_GOES_ON; PH_UNWIND_NO_POINTER if a register is not known; PH_UNWIND_CUT; PH_UNWIND_BAD.
 */
int ph_unwind_evaluate(struct ph_cfi_cursor code, const struct ph_registers *registers, struct ph_unwind_view *view,
                       const uint64_t *initial, uint64_t *ret_result);

#endif
