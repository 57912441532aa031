#include "elf/unwind_step.h"

#include "elf/unwind_expression.h"
#include "elf/unwind_guess.h"

#define BIT(number) (UINT64_C(1) << (number))
#define FOLLOWED    (BIT(PH_REGISTER_BP) | BIT(PH_REGISTER_SP) | BIT(PH_REGISTER_PC))

#define TRY(expression)                                                                                            \
    do {                                                                                                           \
        int try_status = (expression);                                                                             \
        if (__builtin_expect(try_status != PH_UNWIND_GOES_ON, 0))                                                  \
            return try_status;                                                                                     \
    } while (0)

static uint64_t add(uint64_t base, int64_t offset)
{
    return base + (uint64_t)offset;
}

/* Stacks go up, and that is why this ends. Only a frame that did not call may end where it begins: a leaf with LR. */
static bool ascends(const struct ph_unwind_walk *walk, uint64_t cfa)
{
    uint64_t sp = walk->registers.values[PH_REGISTER_SP];
    bool may_stay = PH_CFI_REGISTER_RA != PH_REGISTER_PC && walk->is_exact;
    return (cfa > sp || (may_stay && cfa == sp)) && cfa % sizeof(uint64_t) == 0;
}

/* ---- by the short rules -------------------------------------------------------------------------------------- */

static int find_end(const struct ph_unwind_walk *walk, struct ph_unwind_rule rule, uint64_t *ret_cfa)
{
    const struct ph_registers *registers = &walk->registers;
    if (rule.kind == PH_UNWIND_FROM_SP) {
        *ret_cfa = add(registers->values[PH_REGISTER_SP], rule.cfa_offset);
        return PH_UNWIND_GOES_ON;
    }
    if (!(registers->known & BIT(PH_REGISTER_BP)))
        return PH_UNWIND_NO_POINTER;
    *ret_cfa = add(registers->values[PH_REGISTER_BP], rule.cfa_offset);
    if (rule.kind == PH_UNWIND_BEHIND_BP)
        TRY(ph_unwind_word(walk->view, *ret_cfa, ret_cfa));
    return PH_UNWIND_GOES_ON;
}

static int step_short(struct ph_unwind_walk *walk, struct ph_unwind_rule rule)
{
    struct ph_registers *registers = &walk->registers;
    uint64_t cfa, pc, bp = registers->values[PH_REGISTER_BP], known = registers->known & FOLLOWED;
    TRY(find_end(walk, rule, &cfa));
    if (!ascends(walk, cfa))
        return PH_UNWIND_BAD;
    if (rule.ra_offset)
        TRY(ph_unwind_word(walk->view, add(cfa, rule.ra_offset), &pc));
    else if (walk->is_exact && registers->known & BIT(PH_CFI_REGISTER_RA))
        pc = registers->values[PH_CFI_REGISTER_RA];
    else
        return walk->is_exact ? PH_UNWIND_NO_POINTER : PH_UNWIND_BAD;
    if (rule.bp_offset || rule.kind == PH_UNWIND_BEHIND_BP) {
        uint64_t saved = add(rule.kind == PH_UNWIND_BEHIND_BP ? bp : cfa, rule.bp_offset);
        int status = ph_unwind_word(walk->view, saved, &bp);
        if (status == PH_UNWIND_GOES_ON)
            known |= BIT(PH_REGISTER_BP);
        else if (saved >= registers->values[PH_REGISTER_SP])
            return status;
        /* else: what was below the stack pointer has been taken back into the register. */
    }
    registers->values[PH_REGISTER_BP] = bp;
    registers->values[PH_REGISTER_SP] = cfa;
    registers->values[PH_REGISTER_PC] = ph_unwind_code_address(pc);
    registers->known = known;
    walk->is_exact = false;
    return PH_UNWIND_GOES_ON;
}

/* ---- by all that the tables say ------------------------------------------------------------------------------ */

static int evaluate(struct ph_unwind_walk *walk, const struct ph_cfi_tables *tables, int32_t block,
                    const uint64_t *initial, uint64_t *ret_result)
{
    struct ph_cfi_cursor at = {.end = tables->high, .delta = tables->delta};
    at.at = tables->header + (uintptr_t)(intptr_t)block;
    uint64_t size_bytes = ph_cfi_take_uleb(&at);
    if (!ph_cfi_has(&at, size_bytes))
        return PH_UNWIND_BAD;
    at.end = at.at + (uintptr_t)size_bytes;
    return ph_unwind_evaluate(at, &walk->registers, walk->view, initial, ret_result);
}

static int read_register(const struct ph_registers *registers, uint64_t number, uint64_t *ret_value)
{
    if (number >= PH_REGISTERS)
        return PH_UNWIND_BAD;
    if (!(registers->known & BIT(number)))
        return PH_UNWIND_NO_POINTER;
    *ret_value = registers->values[number];
    return PH_UNWIND_GOES_ON;
}

static int find_end_in_full(struct ph_unwind_walk *walk, const struct ph_cfi_tables *tables,
                            const struct ph_cfi_state *state, uint64_t *ret_cfa)
{
    uint64_t base;
    if (state->is_expression && !state->is_mixed)
        return evaluate(walk, tables, state->cfa_block, NULL, ret_cfa);
    TRY(read_register(&walk->registers, state->cfa_register, &base));
    *ret_cfa = add(base, state->cfa_offset);
    return PH_UNWIND_GOES_ON;
}

/* One register of the caller. What a frame saved below its stack pointer may have been taken back already. */
static int restore(struct ph_unwind_walk *walk, const struct ph_cfi_tables *tables,
                   const struct ph_cfi_state *state, unsigned number, uint64_t cfa, uint64_t *ret_value)
{
    const struct ph_registers *registers = &walk->registers;
    uint64_t place = add(cfa, state->offset[number]);
    switch (state->how[number]) {
    case PH_CFI_SAVED_AT:
        break;
    case PH_CFI_SAVED_AT_RESULT:
        TRY(evaluate(walk, tables, state->offset[number], &cfa, &place));
        break;
    case PH_CFI_SAVED_IS:
        *ret_value = place;
        return PH_UNWIND_GOES_ON;
    case PH_CFI_SAVED_IS_RESULT:
        return evaluate(walk, tables, state->offset[number], &cfa, ret_value);
    case PH_CFI_SAVED_IN:
        return read_register(registers, (uint64_t)state->offset[number], ret_value);
    default:
        return read_register(registers, number, ret_value);
    }
    int status = ph_unwind_word(walk->view, place, ret_value);
    if (status != PH_UNWIND_GOES_ON && place < registers->values[PH_REGISTER_SP] && number != PH_CFI_REGISTER_RA)
        return read_register(registers, number, ret_value);
    return status;
}

/* Registers that nobody needs may be unknown, or lie outside the copy. */
static int restore_all(struct ph_unwind_walk *walk, const struct ph_cfi_tables *tables,
                       const struct ph_cfi_state *state, uint64_t cfa, struct ph_registers *ret_registers)
{
    struct ph_registers next = {.known = 0};
    for (unsigned number = 0; number < PH_CFI_REGISTERS; number++) {
        int status = PH_UNWIND_GOES_ON;
        if (number == PH_REGISTER_SP && state->how[number] == PH_CFI_SAVED_SAME)
            next.values[number] = cfa;
        else
            status = restore(walk, tables, state, number, cfa, &next.values[number]);
        if (status == PH_UNWIND_GOES_ON)
            next.known |= BIT(number);
        else if (number == PH_REGISTER_SP || number == PH_CFI_REGISTER_RA)
            return status;
    }
    next.values[PH_REGISTER_PC] = ph_unwind_code_address(next.values[PH_CFI_REGISTER_RA]);
    next.known |= BIT(PH_REGISTER_PC);
    *ret_registers = next;
    return PH_UNWIND_GOES_ON;
}

static int step_by_tables(struct ph_unwind_walk *walk)
{
    struct ph_cfi_frame frame;
    const struct ph_cfi_tables *tables;
    struct ph_registers next;
    uint64_t cfa;
    if (!ph_unwind_rules_read(walk->rules, ph_unwind_pc(walk), &frame, &tables))
        return PH_UNWIND_BAD;
    uint8_t ra = frame.state.how[PH_CFI_REGISTER_RA];
    if (ra == PH_CFI_SAVED_UNDEFINED)
        return PH_UNWIND_COMPLETE;
    if (ra == PH_CFI_SAVED_SAME && (PH_CFI_REGISTER_RA == PH_REGISTER_PC || !walk->is_exact))
        return PH_UNWIND_BAD;
    TRY(find_end_in_full(walk, tables, &frame.state, &cfa));
    TRY(restore_all(walk, tables, &frame.state, cfa, &next));
    /* A handler may have a stack of its own: only its frame may lead anywhere. */
    if (!frame.is_signal && !ascends(walk, next.values[PH_REGISTER_SP]))
        return PH_UNWIND_BAD;
    walk->registers = next;
    walk->is_exact = frame.is_signal;
    return PH_UNWIND_GOES_ON;
}

/* ---- by what the kernel saved -------------------------------------------------------------------------------- */

static int step_over_signal(struct ph_unwind_walk *walk)
{
    struct ph_registers next = {.known = 0};
    uint64_t sp = walk->registers.values[PH_REGISTER_SP];
    for (unsigned number = 0; number < PH_REGISTERS; number++) {
        TRY(ph_unwind_word(walk->view, add(sp, ph_unwind_saved_by_signal(number)), &next.values[number]));
        next.known |= BIT(number);
    }
    walk->registers = next;
    walk->is_exact = true;
    return PH_UNWIND_GOES_ON;
}

/* What a signal handler returns to did not call, and may be the first of its page. */
struct ph_unwind_rule ph_unwind_rule(const struct ph_unwind_walk *walk)
{
    struct ph_unwind_rule rule = ph_unwind_rules_find(walk->rules, ph_unwind_pc(walk));
    if (__builtin_expect(rule.kind < PH_UNWIND_RULELESS || walk->is_exact, 1))
        return rule;
    struct ph_unwind_rule exact = ph_unwind_rules_find(walk->rules, walk->registers.values[PH_REGISTER_PC]);
    return exact.kind == PH_UNWIND_SIGRETURN ? exact : rule;
}

int ph_unwind_step(struct ph_unwind_walk *walk, struct ph_unwind_rule rule)
{
    switch (rule.kind) {
    case PH_UNWIND_FROM_SP:
    case PH_UNWIND_FROM_BP:
    case PH_UNWIND_BEHIND_BP:
        return walk->is_thorough ? step_by_tables(walk) : step_short(walk, rule);
    case PH_UNWIND_OUTERMOST:
        return PH_UNWIND_COMPLETE;
    case PH_UNWIND_TABLES:
    case PH_UNWIND_SIGNAL: {
        int status = step_by_tables(walk);
        walk->has_lost |= status == PH_UNWIND_NO_POINTER && !walk->is_thorough;
        return status;
    }
    case PH_UNWIND_SIGRETURN:
        return step_over_signal(walk);
    case PH_UNWIND_RULELESS:
        return ph_unwind_guess_ruleless(walk);
    default:
        return PH_UNWIND_BAD;
    }
}
