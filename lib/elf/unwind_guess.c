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

/* Is it @function that is called before @return_address? An indirect call does not tell. */
static enum ph_unwind_call call_of(struct ph_unwind_rules *rules, uint64_t return_address, uint64_t function)
{
    uint64_t target;
    enum ph_unwind_call call = ph_unwind_rules_call(rules, return_address, &target);
    if (call == PH_UNWIND_DIRECT_CALL && target != function && follow_stub(rules, target) != function)
        return PH_UNWIND_NO_CALL;
    return call;
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

/* The frames that a place leads to, by their ends. */
struct chain {
    uint64_t ends[PH_UNWIND_FRAMES_MAX];
    size_t count;
};

static bool leads_out(struct ph_unwind_walk walk, struct chain *ret_chain)
{
    int status = PH_UNWIND_GOES_ON;
    ret_chain->count = 0;
    while (status == PH_UNWIND_GOES_ON && ret_chain->count < PH_UNWIND_FRAMES_MAX) {
        ret_chain->ends[ret_chain->count++] = walk.registers.values[PH_REGISTER_SP];
        status = walk.registers.values[PH_REGISTER_PC] == 0 ? PH_UNWIND_COMPLETE
                                                            : ph_unwind_step(&walk, ph_unwind_rule(&walk));
    }
    return status == PH_UNWIND_COMPLETE;
}

static bool is_in(const struct chain *chain, uint64_t end)
{
    bool found = false;
    for (size_t i = 0; i < chain->count && !found; i++)
        found = chain->ends[i] == end;
    return found;
}

struct search {
    const struct ph_unwind_walk *walk;
    struct ph_unwind_rule rule;
    uint64_t function, limit, prologue_place;
    unsigned trials;
};

/* What calls the function if the frame pointer is @place, and does the stack lead out from there? */
static enum ph_unwind_call try_place(struct search *search, uint64_t place, struct chain *ret_chain)
{
    struct ph_unwind_walk trial = *search->walk;
    trial.registers.values[PH_REGISTER_BP] = place;
    trial.registers.known |= BP;
    if (ph_unwind_step(&trial, search->rule) != PH_UNWIND_GOES_ON)
        return PH_UNWIND_NO_CALL;
    enum ph_unwind_call call =
        call_of(search->walk->rules, trial.registers.values[PH_REGISTER_PC], search->function);
    if (call == PH_UNWIND_NO_CALL)
        return call;
    search->trials++;
    return leads_out(trial, ret_chain) ? call : PH_UNWIND_NO_CALL;
}

/*
 * The first place that is called directly, by name, is the one. One that is called through a pointer may be a remainder
 * of calls before, which leads out as well; then the right one is not among the frames it leads to, and only the code
 * can tell. 0: there is none, or more than one.
 */
static uint64_t search_place(struct search *search)
{
    struct chain chain, first_chain = {.count = 0};
    uint64_t first = 0;
    bool is_ambiguous = false;
    for (uint64_t place = search->walk->registers.values[PH_REGISTER_SP];
         place < search->limit && search->trials < TRIALS_MAX; place += WORD_BYTES) {
        uint64_t word;
        if (ph_unwind_word(search->walk->view, place, &word) != PH_UNWIND_GOES_ON)
            break; /* the stack, or its copy, ends */
        enum ph_unwind_call call = try_place(search, place, &chain);
        if (call == PH_UNWIND_NO_CALL)
            continue;
        bool leads_here = first && is_in(&first_chain, chain.ends[0]);
        if (call == PH_UNWIND_DIRECT_CALL)
            return leads_here && !is_ambiguous ? first : place;
        is_ambiguous |= first && !leads_here;
        if (!first) {
            first = place;
            first_chain = chain;
        }
    }
    if (!is_ambiguous)
        return first;
    bool is_told = search->prologue_place && try_place(search, search->prologue_place, &chain) != PH_UNWIND_NO_CALL;
    return is_told ? search->prologue_place : 0;
}

/* Where the frame pointer is if the stack pointer was moved as the function begins, and no more: no alloca(). */
static uint64_t prologue_place(const struct ph_unwind_walk *walk, struct ph_unwind_rule rule,
                               const struct ph_cfi_frame *frame)
{
    uint8_t code[PH_UNWIND_PROLOGUE_BYTES];
    if (rule.kind != PH_UNWIND_FROM_BP || !ph_memory_read(&walk->rules->memory, frame->start, code, sizeof(code)))
        return 0;
    int64_t lowest = 0;
    for (unsigned number = 0; number < PH_REGISTERS; number++)
        if (frame->state.how[number] == PH_CFI_SAVED_AT && frame->state.offset[number] < lowest)
            lowest = frame->state.offset[number];
    uint32_t size_bytes = ph_unwind_frame_bytes(code);
    uint64_t saved_bytes = (uint64_t)(-lowest - rule.cfa_offset);
    return size_bytes ? walk->registers.values[PH_REGISTER_SP] + size_bytes + saved_bytes : 0;
}

int ph_unwind_guess_pointer(struct ph_unwind_walk *walk, struct ph_unwind_rule rule)
{
    struct ph_cfi_frame frame;
    const struct ph_cfi_tables *tables;
    uint64_t sp = walk->registers.values[PH_REGISTER_SP], high = walk->view->stack->high;
    if (!ph_unwind_rules_read(walk->rules, ph_unwind_pc(walk), &frame, &tables))
        return PH_UNWIND_NO_POINTER;
    struct search search = {walk, rule, frame.start, sp + SEARCH_BYTES_MAX, prologue_place(walk, rule, &frame), 0};
    if (high > sp && high < search.limit)
        search.limit = high;
    uint64_t place = search_place(&search);
    if (!place)
        return PH_UNWIND_NO_POINTER;
    walk->registers.values[PH_REGISTER_BP] = place;
    walk->registers.known |= BP;
    return PH_UNWIND_GOES_ON;
}
