#include "base/cfi_machine.h"

#include "base/cfi_bytes.h"

static struct ph_cfi_register *find_register(struct ph_cfi_state *state, uint64_t number)
{
    switch (number) {
    case PH_CFI_REGISTER_BP:
        return &state->bp;
    case PH_CFI_REGISTER_SP:
        return &state->sp;
    case PH_CFI_REGISTER_RA:
        return &state->ra;
    default:
        return NULL; /* nobody needs the others */
    }
}

static void set(struct ph_cfi_machine *machine, int64_t number, enum ph_cfi_saved how, int64_t offset)
{
    struct ph_cfi_register *saved = find_register(&machine->now, (uint64_t)number);
    if (saved)
        *saved = (struct ph_cfi_register){how, offset};
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

static void save_at(struct ph_cfi_machine *machine, int64_t number, int64_t offset)
{
    set(machine, number, PH_CFI_SAVED_AT, offset);
}

static void restore(struct ph_cfi_machine *machine, int64_t number, int64_t none)
{
    const struct ph_cfi_register *initial = find_register(&machine->initial, (uint64_t)number);
    (void)none;
    if (initial)
        set(machine, number, initial->how, initial->offset);
}

static void undefine(struct ph_cfi_machine *machine, int64_t number, int64_t none)
{
    set(machine, number, PH_CFI_SAVED_UNDEFINED, none);
}

static void keep(struct ph_cfi_machine *machine, int64_t number, int64_t none)
{
    set(machine, number, PH_CFI_SAVED_SAME, none);
}

static void complicate(struct ph_cfi_machine *machine, int64_t number, int64_t second)
{
    (void)second;
    set(machine, number, PH_CFI_SAVED_OTHER, 0);
}

/* The two expressions that gcc writes for a function that aligns its stack: what lies at an offset from RBP, and
 * what is stored there. DWARF 5, 2.5. */
#define OP_BREG_BP 0x76
#define OP_DEREF   0x06

/* @operation: the one behind the offset; 0 for none. */
static bool is_bp_offset(const uint8_t *block, uint8_t operation, int64_t *ret_offset)
{
    const uint8_t *at = block;
    uint64_t size_bytes = ph_cfi_take_uleb(&at);
    const uint8_t *end = at + size_bytes;
    if (size_bytes < 2 || *at++ != OP_BREG_BP)
        return false;
    *ret_offset = ph_cfi_take_sleb(&at);
    return operation ? at == end - 1 && *at == operation : at == end;
}

static void save_by_expression(struct ph_cfi_machine *machine, int64_t number, int64_t block)
{
    int64_t offset = 0;
    bool known = is_bp_offset((const uint8_t *)(uintptr_t)block, 0, &offset);
    set(machine, number, known ? PH_CFI_SAVED_AT_BP : PH_CFI_SAVED_OTHER, offset);
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
    machine->now.is_indirect = machine->now.is_expression = false;
}

/* These two change half of a rule. Half of an expression means nothing (DWARF 5, 6.4.2.2); assemblers take it. */
static void define_cfa_register(struct ph_cfi_machine *machine, int64_t number, int64_t none)
{
    (void)none;
    machine->now.cfa_register = (uint64_t)number;
    machine->now.is_expression |= machine->now.is_indirect;
}

static void define_cfa_offset(struct ph_cfi_machine *machine, int64_t offset, int64_t none)
{
    (void)none;
    machine->now.cfa_offset = offset;
    machine->now.is_expression |= machine->now.is_indirect;
}

static void define_cfa_expression(struct ph_cfi_machine *machine, int64_t block, int64_t none)
{
    int64_t offset = 0;
    bool known = is_bp_offset((const uint8_t *)(uintptr_t)block, OP_DEREF, &offset);
    define_cfa(machine, PH_CFI_REGISTER_BP, offset + none);
    machine->now.is_indirect = known;
    machine->now.is_expression = !known;
}

enum operand { NONE, IN_OPCODE, BYTE_1, BYTE_2, BYTE_4, ULEB, ULEB_FACTORED, SLEB, SLEB_FACTORED, BLOCK };

/* DWARF 5, 6.4.2 and 7.24; the last two are GNU's. Without an action: libgcc shall do it. */
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
    [0x09] = {ULEB, ULEB, complicate},                 /* register */
    [0x0a] = {NONE, NONE, remember},                   /* remember_state */
    [0x0b] = {NONE, NONE, recall},                     /* restore_state */
    [0x0c] = {ULEB, ULEB, define_cfa},                 /* def_cfa */
    [0x0d] = {ULEB, NONE, define_cfa_register},        /* def_cfa_register */
    [0x0e] = {ULEB, NONE, define_cfa_offset},          /* def_cfa_offset */
    [0x0f] = {BLOCK, NONE, define_cfa_expression},     /* def_cfa_expression */
    [0x10] = {ULEB, BLOCK, save_by_expression},        /* expression */
    [0x11] = {ULEB, SLEB_FACTORED, save_at},           /* offset_extended_sf */
    [0x12] = {ULEB, SLEB_FACTORED, define_cfa},        /* def_cfa_sf */
    [0x13] = {SLEB_FACTORED, NONE, define_cfa_offset}, /* def_cfa_offset_sf */
    [0x14] = {ULEB, ULEB, complicate},                 /* val_offset */
    [0x15] = {ULEB, SLEB, complicate},                 /* val_offset_sf */
    [0x16] = {ULEB, BLOCK, complicate},                /* val_expression */
    [0x2e] = {ULEB, NONE, ignore},                     /* GNU_args_size */
    [0x3f] = {NONE, NONE, NULL},
};

/* The three whose first operand is in the low six bits; by the high two. */
static const struct operation short_operations[] = {
    [1] = {IN_OPCODE, NONE, advance},          /* advance_loc */
    [2] = {IN_OPCODE, ULEB_FACTORED, save_at}, /* offset */
    [3] = {IN_OPCODE, NONE, restore},          /* restore */
};

static int64_t take_operand(const struct ph_cfi_machine *machine, enum operand kind, uint8_t opcode,
                            const uint8_t **at)
{
    switch (kind) {
    case IN_OPCODE:
        return opcode & 0x3f;
    case BYTE_1:
    case BYTE_2:
    case BYTE_4:
        return (int64_t)ph_cfi_take_unsigned(at, (size_t)1 << (kind - BYTE_1));
    case ULEB:
        return (int64_t)ph_cfi_take_uleb(at);
    case ULEB_FACTORED:
        return (int64_t)ph_cfi_take_uleb(at) * machine->data_factor;
    case SLEB:
        return ph_cfi_take_sleb(at);
    case SLEB_FACTORED:
        return ph_cfi_take_sleb(at) * machine->data_factor;
    case BLOCK: {
        const uint8_t *block = *at;
        uint64_t size_bytes = ph_cfi_take_uleb(at);
        *at += size_bytes;
        return (int64_t)(uintptr_t)block;
    }
    default:
        return 0;
    }
}

void ph_cfi_run(struct ph_cfi_machine *machine, const uint8_t *at, const uint8_t *end)
{
    while (at < end && machine->location <= machine->pc && !machine->failed) {
        uint8_t opcode = *at++;
        const struct operation *operation = opcode >> 6 ? &short_operations[opcode >> 6] : &operations[opcode];
        int64_t first = take_operand(machine, operation->first, opcode, &at);
        int64_t second = take_operand(machine, operation->second, opcode, &at);
        if (operation->act)
            operation->act(machine, first, second);
        else
            machine->failed = true;
    }
}
