#include "elf/unwind.h"

#include "elf/unwind_guess.h"
#include "elf/unwind_step.h"

#include <errno.h>
#include <stdlib.h>

struct ph_unwinder {
    struct ph_unwind_rules rules;
    struct ph_unwind_view view;
};

/* Where addresses go. */
struct result {
    uint64_t *addresses;
    size_t count, capacity;
};

const char *ph_unwind_end_text(enum ph_unwind_end end)
{
    static const char *const texts[] = {
        [PH_UNWIND_COMPLETE] = "",
        [PH_UNWIND_CUT] = "the copied part of the stack ends",
        [PH_UNWIND_FULL] = "more frames than are recorded",
        [PH_UNWIND_NO_RULE] = "code without unwinding tables",
        [PH_UNWIND_NO_POINTER] = "a frame needs a register that is not known of a blocked thread",
        [PH_UNWIND_BAD] = "the unwinding tables lead nowhere",
    };
    return texts[end];
}

int ph_unwinder_new(struct ph_unwinder **ret_unwinder, struct ph_error *error)
{
    struct ph_unwinder *unwinder = malloc(sizeof(*unwinder));
    if (!unwinder)
        return ph_error_set(error, -ENOMEM, "out of memory");
    int status = ph_unwind_rules_init(&unwinder->rules, error);
    if (status < 0) {
        free(unwinder);
        return status;
    }
    *ret_unwinder = unwinder;
    return 0;
}

void ph_unwinder_free(struct ph_unwinder *unwinder)
{
    if (!unwinder)
        return;
    ph_unwind_rules_fini(&unwinder->rules);
    free(unwinder);
}

bool ph_unwinder_refresh(struct ph_unwinder *unwinder)
{
    return ph_unwind_rules_refresh(&unwinder->rules);
}

/* The call that the thread waits in kept its frame pointer: its caller is known, whatever the frames between need. */
static int jump_to_hook(struct ph_unwind_walk *walk)
{
    uint64_t frame = walk->view->stack->hook_frame, bp, pc;
    struct ph_registers *registers = &walk->registers;
    if (!frame || frame + 2 * sizeof(uint64_t) <= registers->values[PH_REGISTER_SP] ||
        ph_unwind_word(walk->view, frame, &bp) != PH_UNWIND_GOES_ON ||
        ph_unwind_word(walk->view, frame + sizeof(uint64_t), &pc) != PH_UNWIND_GOES_ON)
        return PH_UNWIND_NO_POINTER;
    pc = ph_unwind_code_address(pc);
    if (!ph_unwind_rules_is_code(walk->rules, pc))
        return PH_UNWIND_NO_POINTER;
    registers->values[PH_REGISTER_BP] = bp;
    registers->values[PH_REGISTER_SP] = frame + 2 * sizeof(uint64_t);
    registers->values[PH_REGISTER_PC] = pc;
    registers->known =
        UINT64_C(1) << PH_REGISTER_BP | UINT64_C(1) << PH_REGISTER_SP | UINT64_C(1) << PH_REGISTER_PC;
    walk->is_exact = false;
    return PH_UNWIND_GOES_ON;
}

static bool note(struct result *result, uint64_t address)
{
    if (result->count == result->capacity)
        return false;
    result->addresses[result->count++] = address;
    return true;
}

/* To the end of the stack, or of the place for addresses. */
static int walk_up(struct ph_unwind_walk *walk, struct result *result)
{
    int status = PH_UNWIND_GOES_ON;
    while (status == PH_UNWIND_GOES_ON) {
        uint64_t pc = walk->registers.values[PH_REGISTER_PC];
        if (!pc && result->count)
            return PH_UNWIND_COMPLETE;
        struct ph_unwind_rule rule = ph_unwind_rule(walk);
        bool is_signal = rule.kind == PH_UNWIND_SIGNAL || rule.kind == PH_UNWIND_SIGRETURN;
        if (rule.kind == PH_UNWIND_NO_CODE && result->count)
            return PH_UNWIND_BAD;
        if (!note(result, is_signal ? pc : ph_unwind_pc(walk)))
            return PH_UNWIND_FULL;
        status = ph_unwind_step(walk, rule);
        if (status == PH_UNWIND_NO_POINTER && !walk->has_lost)
            status = jump_to_hook(walk);
        if (status == PH_UNWIND_NO_POINTER && !walk->has_lost)
            status = ph_unwind_guess_pointer(walk, rule);
    }
    return status;
}

size_t ph_unwinder_run(struct ph_unwinder *unwinder, const struct ph_registers *registers,
                       const struct ph_stack *stack, uint64_t *ret_addresses, size_t capacity,
                       enum ph_unwind_end *ret_end)
{
    struct ph_unwind_walk walk = {
        .rules = &unwinder->rules, .view = &unwinder->view, .is_exact = !registers->is_of_caller};
    struct result result = {.addresses = ret_addresses, .capacity = capacity};
    int end;
    ph_unwind_view_over(&unwinder->view, stack, &unwinder->rules.memory);
    walk.registers = *registers;
    end = walk_up(&walk, &result);
    if (end == PH_UNWIND_NO_POINTER && walk.has_lost) {
        walk.registers = *registers;
        walk.is_exact = !registers->is_of_caller;
        walk.is_thorough = true;
        walk.has_lost = false;
        result.count = 0;
        end = walk_up(&walk, &result);
    }
    *ret_end = (enum ph_unwind_end)end;
    return result.count;
}
