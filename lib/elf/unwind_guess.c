#include "elf/unwind_guess.h"

#define WORD_BYTES       sizeof(uint64_t)
#define SEARCH_BYTES_MAX ((uint64_t)256 * 1024) /* above the stack pointer: alloca() takes less */
#define TRIALS_MAX       64                     /* places from which the whole stack is walked */
#define BP               (UINT64_C(1) << PH_REGISTER_BP)

/* ---- what the code says -------------------------------------------------------------------------------------- */

/* Where a call of @target arrives: behind a stub, if it is one. */
static uint64_t follow_stub(struct ph_unwind_rules *rules, uint64_t target)
{
    uint8_t code[PH_UNWIND_STUB_BYTES];
    uint64_t slot, to;
    if (!ph_memory_read(&rules->memory, target, code, sizeof(code)))
        return target;
    slot = ph_unwind_jump_slot(code, target);
    return slot && ph_memory_read(&rules->memory, slot, &to, sizeof(to)) ? to : target;
}

static bool calls(struct ph_unwind_rules *rules, uint64_t return_address, uint64_t function)
{
    uint64_t target;
    switch (ph_unwind_rules_call(rules, return_address, &target)) {
    case PH_UNWIND_INDIRECT_CALL:
        return true;
    case PH_UNWIND_DIRECT_CALL:
        return target == function || follow_stub(rules, target) == function;
    default:
        return false;
    }
}

/* ---- code without tables ------------------------------------------------------------------------------------- */

static void go_to(struct ph_unwind_walk *walk, uint64_t pc, uint64_t sp)
{
    walk->registers.values[PH_REGISTER_PC] = pc;
    walk->registers.values[PH_REGISTER_SP] = sp;
    walk->is_exact = false;
}

/* A stub has just been called, and its frame is only the return address. */
static bool leave_stub(struct ph_unwind_walk *walk)
{
    uint64_t sp = walk->registers.values[PH_REGISTER_SP], pc = walk->registers.values[PH_REGISTER_PC], target;
    uint64_t caller = walk->registers.values[PH_CFI_REGISTER_RA];
    bool is_pushed = PH_CFI_REGISTER_RA == PH_REGISTER_PC;
    if (!walk->is_exact || (is_pushed && ph_unwind_word(walk->view, sp, &caller) != PH_UNWIND_GOES_ON))
        return false;
    if (ph_unwind_rules_call(walk->rules, caller, &target) != PH_UNWIND_DIRECT_CALL ||
        pc - target >= PH_UNWIND_STUB_BYTES)
        return false;
    go_to(walk, caller, is_pushed ? sp + WORD_BYTES : sp);
    return true;
}

int ph_unwind_guess_ruleless(struct ph_unwind_walk *walk)
{
    uint64_t bp = walk->registers.values[PH_REGISTER_BP], caller, caller_bp;
    if (leave_stub(walk))
        return PH_UNWIND_GOES_ON;
    if (!(walk->registers.known & BP) || bp < walk->registers.values[PH_REGISTER_SP] || bp % WORD_BYTES)
        return PH_UNWIND_NO_RULE;
    int status = ph_unwind_word(walk->view, bp + WORD_BYTES, &caller);
    if (status == PH_UNWIND_GOES_ON)
        status = ph_unwind_word(walk->view, bp, &caller_bp);
    if (status != PH_UNWIND_GOES_ON)
        return status == PH_UNWIND_CUT ? PH_UNWIND_CUT : PH_UNWIND_NO_RULE;
    caller = ph_unwind_code_address(caller);
    if (!ph_unwind_rules_follows_call(walk->rules, caller))
        return PH_UNWIND_NO_RULE;
    go_to(walk, caller, bp + 2 * WORD_BYTES);
    walk->registers.values[PH_REGISTER_BP] = caller_bp;
    walk->registers.known &= BP | UINT64_C(1) << PH_REGISTER_SP | UINT64_C(1) << PH_REGISTER_PC;
    return PH_UNWIND_GOES_ON;
}

/* ---- an unknown frame pointer -------------------------------------------------------------------------------- */

static bool leads_out(struct ph_unwind_walk walk)
{
    int status = PH_UNWIND_GOES_ON;
    for (int frames = 0; frames < PH_UNWIND_FRAMES_MAX && status == PH_UNWIND_GOES_ON; frames++)
        status = walk.registers.values[PH_REGISTER_PC] == 0
                     ? PH_UNWIND_COMPLETE
                     : ph_unwind_step(&walk, ph_unwind_rules_find(walk.rules, ph_unwind_pc(&walk)));
    return status == PH_UNWIND_COMPLETE;
}

int ph_unwind_guess_pointer(struct ph_unwind_walk *walk, struct ph_unwind_rule rule)
{
    struct ph_cfi_frame frame;
    const struct ph_cfi_tables *tables;
    uint64_t sp = walk->registers.values[PH_REGISTER_SP], high = walk->view->stack->high;
    if (!ph_unwind_rules_read(walk->rules, ph_unwind_pc(walk), &frame, &tables))
        return PH_UNWIND_NO_POINTER;
    uint64_t limit = high > sp && high - sp < SEARCH_BYTES_MAX ? high : sp + SEARCH_BYTES_MAX;
    unsigned trials = 0;
    for (uint64_t place = sp; place < limit && trials < TRIALS_MAX; place += WORD_BYTES) {
        struct ph_unwind_walk trial = *walk;
        uint64_t word;
        if (ph_unwind_word(walk->view, place, &word) != PH_UNWIND_GOES_ON)
            break; /* the stack, or its copy, ends */
        trial.registers.values[PH_REGISTER_BP] = place;
        trial.registers.known |= BP;
        if (ph_unwind_step(&trial, rule) != PH_UNWIND_GOES_ON ||
            !calls(walk->rules, trial.registers.values[PH_REGISTER_PC], frame.start))
            continue;
        trials++;
        if (!leads_out(trial))
            continue;
        walk->registers.values[PH_REGISTER_BP] = place;
        walk->registers.known |= BP;
        return PH_UNWIND_GOES_ON;
    }
    return PH_UNWIND_NO_POINTER;
}
