#include "base/cfi_machine.h"

#include <string.h>

/* Offsets that do not fit are of no compiler. Registers that are not kept: nobody needs them. */
static void set(struct ph_cfi_machine *machine, int64_t number, enum ph_cfi_saved how, int64_t offset)
{
    if ((uint64_t)number >= PH_CFI_REGISTERS)
        return;
    machine->now.how[number] = (uint8_t)how;
    machine->now.offset[number] = (int32_t)offset;
    machine->failed |= machine->now.offset[number] != offset;
}

static void ignore(struct ph_cfi_machine *machine, int64_t first, int64_t second)
{
    (void)machine, (void)first, (void)second;
}

static void advance(struct ph_cfi_machine *machine, int64_t delta, int64_t none)
{
    (void)none;
    machine->location += (uint64_t)delta * machine->code_factor;
}

/* One action for each way to save a register. */
#define SAVE(action, how)                                                                                          \
    static void action(struct ph_cfi_machine *machine, int64_t number, int64_t value)                              \
    {                                                                                                              \
        set(machine, number, how, value);                                                                          \
    }
SAVE(keep, PH_CFI_SAVED_SAME)
SAVE(save_at, PH_CFI_SAVED_AT)
SAVE(save_value, PH_CFI_SAVED_IS)
SAVE(save_in, PH_CFI_SAVED_IN)
SAVE(save_at_result, PH_CFI_SAVED_AT_RESULT)
SAVE(save_result, PH_CFI_SAVED_IS_RESULT)
SAVE(undefine, PH_CFI_SAVED_UNDEFINED)
#undef SAVE

static void restore(struct ph_cfi_machine *machine, int64_t number, int64_t none)
{
    (void)none;
    if ((uint64_t)number >= PH_CFI_REGISTERS)
        return;
    machine->now.how[number] = machine->initial.how[number];
    machine->now.offset[number] = machine->initial.offset[number];
}

static void remember(struct ph_cfi_machine *machine, int64_t first, int64_t second)
{
    (void)first, (void)second;
    if (machine->depth < PH_CFI_STATES_MAX)
        machine->remembered[machine->depth++] = machine->now;
    else
        machine->failed = true;
}

static void recall(struct ph_cfi_machine *machine, int64_t first, int64_t second)
{
    (void)first, (void)second;
    if (machine->depth)
        machine->now = machine->remembered[--machine->depth];
    else
        machine->failed = true;
}

static void define_cfa(struct ph_cfi_machine *machine, int64_t number, int64_t offset)
{
    machine->now.cfa_register = (uint64_t)number;
    machine->now.cfa_offset = offset;
    machine->now.is_expression = machine->now.is_mixed = false;
}

/* These two change half of a rule. Assemblers take it after an expression, too. */
static void define_cfa_register(struct ph_cfi_machine *machine, int64_t number, int64_t none)
{
    (void)none;
    machine->now.cfa_register = (uint64_t)number;
    machine->now.is_mixed |= machine->now.is_expression;
}

static void define_cfa_offset(struct ph_cfi_machine *machine, int64_t offset, int64_t none)
{
    (void)none;
    machine->now.cfa_offset = offset;
    machine->now.is_mixed |= machine->now.is_expression;
}

static void define_cfa_expression(struct ph_cfi_machine *machine, int64_t block, int64_t none)
{
    (void)none;
    machine->now.cfa_block = (int32_t)block;
    machine->now.is_expression = true;
    machine->now.is_mixed = false;
    machine->failed |= machine->now.cfa_block != block;
}

enum operand { NONE, IN_OPCODE, BYTE_1, BYTE_2, BYTE_4, ULEB, ULEB_FACTORED, SLEB, SLEB_FACTORED, BLOCK };

/* DWARF 5, 6.4.2 and 7.24; the last two are GNU's. Without an action: not understood. */
static const struct operation {
    enum operand first, second;
    void (*act)(struct ph_cfi_machine *machine, int64_t first, int64_t second);
} operations[] = {
    [0x00] = {NONE, NONE, ignore},                     /* nop */
    [0x02] = {BYTE_1, NONE, advance},                  /* advance_loc1 */
    [0x03] = {BYTE_2, NONE, advance},                  /* advance_loc2 */
    [0x04] = {BYTE_4, NONE, advance},                  /* advance_loc4 */
    [0x05] = {ULEB, ULEB_FACTORED, save_at},           /* offset_extended */
    [0x06] = {ULEB, NONE, restore},                    /* restore_extended */
    [0x07] = {ULEB, NONE, undefine},                   /* undefined */
    [0x08] = {ULEB, NONE, keep},                       /* same_value */
    [0x09] = {ULEB, ULEB, save_in},                    /* register */
    [0x0a] = {NONE, NONE, remember},                   /* remember_state */
    [0x0b] = {NONE, NONE, recall},                     /* restore_state */
    [0x0c] = {ULEB, ULEB, define_cfa},                 /* def_cfa */
    [0x0d] = {ULEB, NONE, define_cfa_register},        /* def_cfa_register */
    [0x0e] = {ULEB, NONE, define_cfa_offset},          /* def_cfa_offset */
    [0x0f] = {BLOCK, NONE, define_cfa_expression},     /* def_cfa_expression */
    [0x10] = {ULEB, BLOCK, save_at_result},            /* expression */
    [0x11] = {ULEB, SLEB_FACTORED, save_at},           /* offset_extended_sf */
    [0x12] = {ULEB, SLEB_FACTORED, define_cfa},        /* def_cfa_sf */
    [0x13] = {SLEB_FACTORED, NONE, define_cfa_offset}, /* def_cfa_offset_sf */
    [0x14] = {ULEB, ULEB_FACTORED, save_value},        /* val_offset */
    [0x15] = {ULEB, SLEB_FACTORED, save_value},        /* val_offset_sf */
    [0x16] = {ULEB, BLOCK, save_result},               /* val_expression */
#if defined(__aarch64__)
    [0x2d] = {NONE, NONE, ignore}, /* negate_ra_state: signatures are stripped anyway */
#endif
    [0x2e] = {ULEB, NONE, ignore}, /* GNU_args_size */
    [0x3f] = {NONE, NONE, NULL},
};

/* The three whose first operand is in the low six bits; by the high two. */
static const struct operation short_operations[] = {
    [1] = {IN_OPCODE, NONE, advance},          /* advance_loc */
    [2] = {IN_OPCODE, ULEB_FACTORED, save_at}, /* offset */
    [3] = {IN_OPCODE, NONE, restore},          /* restore */
};

static int64_t read_operand(const struct ph_cfi_machine *machine, enum operand kind, struct ph_cfi_cursor *cursor)
{
    switch (kind) {
    case BYTE_1:
    case BYTE_2:
    case BYTE_4:
        return (int64_t)ph_cfi_take_unsigned(cursor, (size_t)1 << (kind - BYTE_1));
    case ULEB:
        return (int64_t)ph_cfi_take_uleb(cursor);
    case ULEB_FACTORED:
        return (int64_t)(ph_cfi_take_uleb(cursor) * (uint64_t)machine->data_factor);
    case SLEB:
        return ph_cfi_take_sleb(cursor);
    case SLEB_FACTORED:
        return (int64_t)((uint64_t)ph_cfi_take_sleb(cursor) * (uint64_t)machine->data_factor);
    case BLOCK: {
        uintptr_t block = cursor->at;
        ph_cfi_skip(cursor, ph_cfi_take_uleb(cursor));
        return (int64_t)(block - machine->base);
    }
    default:
        return 0;
    }
}

/* Most operations have none, or one that is in the opcode. */
static inline int64_t take_operand(const struct ph_cfi_machine *machine, enum operand kind, uint8_t opcode,
                                   struct ph_cfi_cursor *cursor)
{
    if (kind == NONE)
        return 0;
    return kind == IN_OPCODE ? opcode & 0x3f : read_operand(machine, kind, cursor);
}

void ph_cfi_begin(struct ph_cfi_machine *machine, uint64_t pc)
{
    struct ph_cfi_state *state = &machine->now;
    machine->location = machine->depth = 0;
    machine->pc = pc;
    machine->failed = false;
    /* The states are large, and this is done on the host's threads: only what is read is written. */
    state->cfa_register = PH_CFI_REGISTERS;
    state->cfa_offset = 0;
    state->is_expression = state->is_mixed = false;
    memset(state->how, PH_CFI_SAVED_SAME, sizeof(state->how));
}

void ph_cfi_run(struct ph_cfi_machine *machine, struct ph_cfi_cursor cursor)
{
    while (cursor.at < cursor.end && machine->location <= machine->pc && !machine->failed) {
        uint8_t opcode = ph_cfi_take_byte(&cursor);
        const struct operation *operation = opcode >> 6 ? &short_operations[opcode >> 6] : &operations[opcode];
        int64_t first = take_operand(machine, operation->first, opcode, &cursor);
        int64_t second = take_operand(machine, operation->second, opcode, &cursor);
        if (operation->act && !cursor.is_cut)
            operation->act(machine, first, second);
        else
            machine->failed = true;
    }
}
