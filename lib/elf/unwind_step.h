/*
 * unwind_step.h - from one frame to its caller.
 */
#ifndef PH_ELF_UNWIND_STEP_H
#define PH_ELF_UNWIND_STEP_H

#include "elf/unwind_rules.h"
#include "elf/unwind_view.h"

struct ph_unwind_walk {
    struct ph_unwind_rules *rules;
    struct ph_unwind_view *view;
    struct ph_registers registers; /* of the frame */
    bool is_exact;                 /* the frame did not call: it is the leaf, or was interrupted */
    bool is_thorough;              /* every register is followed, not only those that most frames need */
    bool has_lost;                 /* a register was needed that is known at the leaf, but was not followed */
};

/** ph_unwind_pc() - where the frame is looked up. */
static inline uint64_t ph_unwind_pc(const struct ph_unwind_walk *walk)
{
    return walk->registers.values[PH_REGISTER_PC] - !walk->is_exact;
}

/** ph_unwind_rule() - of the frame. */
struct ph_unwind_rule ph_unwind_rule(const struct ph_unwind_walk *walk);

/** ph_unwind_step() - by @rule. PH_UNWIND_GOES_ON, with @walk at the caller, or an enum ph_unwind_end, with @walk as it was. */
int ph_unwind_step(struct ph_unwind_walk *walk, struct ph_unwind_rule rule);

#endif
