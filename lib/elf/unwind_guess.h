/*
 * unwind_guess.h - callers where the tables do not say enough: code without them, and frames that need a frame pointer that is not
 * known. What is found is held against the code: a return address follows a call, and a call leads to the function that was called.
 */
#ifndef PH_ELF_UNWIND_GUESS_H
#define PH_ELF_UNWIND_GUESS_H

#include "elf/unwind_step.h"

/**
 * ph_unwind_guess_ruleless() - the caller of a frame of code without tables: a stub of a procedure linkage table, or code that keeps
 * frame pointers, as JIT compilers and Go do. PH_UNWIND_GOES_ON, with @walk at the caller; PH_UNWIND_CUT; PH_UNWIND_NO_RULE.
 */
int ph_unwind_guess_ruleless(struct ph_unwind_walk *walk);

/**
 * ph_unwind_guess_pointer() - the frame pointer of a frame by whose @rule it is needed: the place above the stack pointer from
 * which the stack leads to its outermost frame. PH_UNWIND_GOES_ON, with the pointer known; PH_UNWIND_NO_POINTER.
 */
int ph_unwind_guess_pointer(struct ph_unwind_walk *walk, struct ph_unwind_rule rule);

#endif
