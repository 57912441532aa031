#include "elf/unwind_expression.h"

#define STACK_MAX 64 /* as in libgcc's */
#define STEPS_MAX 1000

struct machine {
    struct ph_cfi_cursor code;
    uintptr_t start;
    const struct ph_registers *registers;
    struct ph_unwind_view *view;
    uint64_t stack[STACK_MAX];
    unsigned depth;
    int status; /* PH_UNWIND_GOES_ON, or why not */
};

static void fail(struct machine *machine, int status)
{
    if (machine->status == PH_UNWIND_GOES_ON)
        machine->status = status;
}

static void push(struct machine *machine, uint64_t value)
{
    if (machine->depth < STACK_MAX)
        machine->stack[machine->depth++] = value;
    else
        fail(machine, PH_UNWIND_BAD);
}

static uint64_t pop(struct machine *machine)
{
    if (machine->depth)
        return machine->stack[--machine->depth];
    fail(machine, PH_UNWIND_BAD);
    return 0;
}

/* @from: 0 for the top. */
static void pick(struct machine *machine, unsigned from)
{
    if (from < machine->depth)
        push(machine, machine->stack[machine->depth - 1 - from]);
    else
        fail(machine, PH_UNWIND_BAD);
}

static void push_register(struct machine *machine, uint64_t number, int64_t offset)
{
    if (number >= PH_REGISTERS)
        fail(machine, PH_UNWIND_BAD);
    else if (!(machine->registers->known >> number & 1))
        fail(machine, PH_UNWIND_NO_POINTER);
    else
        push(machine, machine->registers->values[number] + (uint64_t)offset);
}

static void dereference(struct machine *machine, size_t size_bytes)
{
    uint64_t value = 0;
    if (size_bytes == 0 || size_bytes > sizeof(value))
        fail(machine, PH_UNWIND_BAD);
    else
        fail(machine, ph_unwind_read(machine->view, pop(machine), size_bytes, &value));
    push(machine, value);
}

static void jump(struct machine *machine, int64_t distance)
{
    uintptr_t to = machine->code.at + (uintptr_t)(intptr_t)distance;
    if (to >= machine->start && to <= machine->code.end)
        machine->code.at = to;
    else
        fail(machine, PH_UNWIND_BAD);
}

/* DW_OP_rot: the top goes below the two others. */
static void rotate(struct machine *machine)
{
    uint64_t top = pop(machine), second = pop(machine), third = pop(machine);
    push(machine, top);
    push(machine, third);
    push(machine, second);
}

static void swap(struct machine *machine)
{
    uint64_t top = pop(machine), second = pop(machine);
    push(machine, top);
    push(machine, second);
}

/* Of those with two operands: @a is the second from the top, @b the top. */
static bool combine(uint8_t operation, uint64_t a, uint64_t b, uint64_t *ret_value)
{
    int64_t left = (int64_t)a, right = (int64_t)b;
    if (b == 0 && (operation == 0x1b || operation == 0x1d))
        return false; /* a division */
    switch (operation) {
    case 0x1a:
        *ret_value = a & b;
        return true;
    case 0x1b:
        *ret_value = b == UINT64_MAX ? -a : (uint64_t)(left / right);
        return true;
    case 0x1c:
        *ret_value = a - b;
        return true;
    case 0x1d:
        *ret_value = a % b;
        return true;
    case 0x1e:
        *ret_value = a * b;
        return true;
    case 0x21:
        *ret_value = a | b;
        return true;
    case 0x22:
        *ret_value = a + b;
        return true;
    case 0x24:
        *ret_value = b < 64 ? a << b : 0;
        return true;
    case 0x25:
        *ret_value = b < 64 ? a >> b : 0;
        return true;
    case 0x26:
        *ret_value = (uint64_t)(left >> (b < 64 ? b : 63));
        return true;
    case 0x27:
        *ret_value = a ^ b;
        return true;
    case 0x29:
        *ret_value = left == right;
        return true;
    case 0x2a:
        *ret_value = left >= right;
        return true;
    case 0x2b:
        *ret_value = left > right;
        return true;
    case 0x2c:
        *ret_value = left <= right;
        return true;
    case 0x2d:
        *ret_value = left < right;
        return true;
    case 0x2e:
        *ret_value = left != right;
        return true;
    default:
        return false;
    }
}

static int64_t take_signed(struct machine *machine, size_t size_bytes)
{
    unsigned unused = (unsigned)(64 - 8 * size_bytes);
    return (int64_t)(ph_cfi_take_unsigned(&machine->code, size_bytes) << unused) >> unused;
}

static void combine_two(struct machine *machine, uint8_t operation)
{
    uint64_t top = pop(machine), second = pop(machine), value = 0;
    if (!combine(operation, second, top, &value))
        fail(machine, PH_UNWIND_BAD);
    push(machine, value);
}

/* ---- operations by their numbers (DWARF 5, 7.7.1); each of these tells whether the operation is of its kind ------ */

static bool push_constant(struct machine *machine, uint8_t operation)
{
    static const uint8_t sizes[] = {[0x03] = 8, [0x08] = 1, 1, 2, 2, 4, 4, 8, 8}; /* addr, const1u, const1s, … */
    uint8_t size_bytes = operation < sizeof(sizes) ? sizes[operation] : 0;
    bool is_signed = operation >= 0x08 && operation % 2;
    if (operation >= 0x30 && operation <= 0x4f)
        push(machine, operation - 0x30u); /* lit0, … */
    else if (operation == 0x10)
        push(machine, ph_cfi_take_uleb(&machine->code)); /* constu */
    else if (operation == 0x11)
        push(machine, (uint64_t)ph_cfi_take_sleb(&machine->code)); /* consts */
    else if (size_bytes)
        push(machine, is_signed ? (uint64_t)take_signed(machine, size_bytes)
                                : ph_cfi_take_unsigned(&machine->code, size_bytes));
    else
        return false;
    return true;
}

static bool push_from_register(struct machine *machine, uint8_t operation)
{
    uint64_t number;
    if (operation >= 0x50 && operation <= 0x6f)
        push_register(machine, operation - 0x50u, 0);
    else if (operation >= 0x70 && operation <= 0x8f)
        push_register(machine, operation - 0x70u, ph_cfi_take_sleb(&machine->code));
    else if (operation == 0x90 || operation == 0x92) { /* regx, bregx */
        number = ph_cfi_take_uleb(&machine->code);
        push_register(machine, number, operation == 0x92 ? ph_cfi_take_sleb(&machine->code) : 0);
    } else
        return false;
    return true;
}

static bool arrange(struct machine *machine, uint8_t operation)
{
    switch (operation) {
    case 0x12:
        pick(machine, 0); /* dup */
        return true;
    case 0x13:
        pop(machine); /* drop */
        return true;
    case 0x14:
        pick(machine, 1); /* over */
        return true;
    case 0x15:
        pick(machine, ph_cfi_take_byte(&machine->code));
        return true;
    case 0x16:
        swap(machine);
        return true;
    case 0x17:
        rotate(machine);
        return true;
    default:
        return false;
    }
}

static bool change_top(struct machine *machine, uint8_t operation)
{
    uint64_t value;
    switch (operation) {
    case 0x06:
        dereference(machine, 8);
        return true;
    case 0x94:
        dereference(machine, ph_cfi_take_byte(&machine->code)); /* deref_size */
        return true;
    case 0x19:
        value = pop(machine);
        push(machine, (int64_t)value < 0 ? -value : value); /* abs */
        return true;
    case 0x1f:
        push(machine, -pop(machine));
        return true;
    case 0x20:
        push(machine, ~pop(machine));
        return true;
    case 0x23:
        push(machine, pop(machine) + ph_cfi_take_uleb(&machine->code)); /* plus_uconst */
        return true;
    default:
        return false;
    }
}

static bool go_elsewhere(struct machine *machine, uint8_t operation)
{
    int64_t distance;
    if (operation != 0x28 && operation != 0x2f) /* bra, skip */
        return operation == 0x96;               /* nop */
    distance = take_signed(machine, 2);
    if (operation == 0x2f || pop(machine))
        jump(machine, distance);
    return true;
}

static void obey(struct machine *machine, uint8_t operation)
{
    if (!push_constant(machine, operation) && !push_from_register(machine, operation) &&
        !arrange(machine, operation) && !change_top(machine, operation) && !go_elsewhere(machine, operation))
        combine_two(machine, operation);
}

int ph_unwind_evaluate(struct ph_cfi_cursor code, const struct ph_registers *registers, struct ph_unwind_view *view,
                       const uint64_t *initial, uint64_t *ret_result)
{
    struct machine machine = {.code = code, .start = code.at, .registers = registers, .view = view};
    machine.status = PH_UNWIND_GOES_ON;
    if (initial)
        push(&machine, *initial);
    for (unsigned steps = 0; machine.code.at < machine.code.end && machine.status == PH_UNWIND_GOES_ON; steps++) {
        if (steps == STEPS_MAX)
            return PH_UNWIND_BAD;
        obey(&machine, ph_cfi_take_byte(&machine.code));
    }
    uint64_t result = pop(&machine);
    if (machine.code.is_cut)
        return PH_UNWIND_BAD;
    if (machine.status == PH_UNWIND_GOES_ON)
        *ret_result = result;
    return machine.status;
}
