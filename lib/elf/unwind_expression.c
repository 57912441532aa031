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

/* Of those with two operands: the second from the top, then the top. */
static bool combine(uint8_t operation, uint64_t a, uint64_t b, uint64_t *ret_value)
{
    int64_t left = (int64_t)a, right = (int64_t)b;
    switch (operation) {
    case 0x1a:
        return *ret_value = a & b, true;
    case 0x1b:
        return *ret_value = b == 0 ? 0 : b == UINT64_MAX ? -a : (uint64_t)(left / right), b != 0;
    case 0x1c:
        return *ret_value = a - b, true;
    case 0x1d:
        return *ret_value = b ? a % b : 0, b != 0;
    case 0x1e:
        return *ret_value = a * b, true;
    case 0x21:
        return *ret_value = a | b, true;
    case 0x22:
        return *ret_value = a + b, true;
    case 0x24:
        return *ret_value = b < 64 ? a << b : 0, true;
    case 0x25:
        return *ret_value = b < 64 ? a >> b : 0, true;
    case 0x26:
        return *ret_value = (uint64_t)(left >> (b < 64 ? b : 63)), true;
    case 0x27:
        return *ret_value = a ^ b, true;
    case 0x29:
        return *ret_value = left == right, true;
    case 0x2a:
        return *ret_value = left >= right, true;
    case 0x2b:
        return *ret_value = left > right, true;
    case 0x2c:
        return *ret_value = left <= right, true;
    case 0x2d:
        return *ret_value = left < right, true;
    case 0x2e:
        return *ret_value = left != right, true;
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

/* Numbers: DWARF 5, 7.7.1. */
static void obey(struct machine *machine, uint8_t operation)
{
    struct ph_cfi_cursor *code = &machine->code;
    if (operation >= 0x30 && operation <= 0x4f)
        return push(machine, operation - 0x30u); /* lit0… */
    if (operation >= 0x50 && operation <= 0x6f)
        return push_register(machine, operation - 0x50u, 0); /* reg0… */
    if (operation >= 0x70 && operation <= 0x8f)
        return push_register(machine, operation - 0x70u, ph_cfi_take_sleb(code)); /* breg0… */
    switch (operation) {
    case 0x03:
    case 0x0e:
    case 0x0f:
        return push(machine, ph_cfi_take_unsigned(code, 8)); /* addr, const8u, const8s */
    case 0x06:
        return dereference(machine, 8);
    case 0x08:
        return push(machine, ph_cfi_take_byte(code));
    case 0x09:
        return push(machine, (uint64_t)take_signed(machine, 1));
    case 0x0a:
        return push(machine, ph_cfi_take_unsigned(code, 2));
    case 0x0b:
        return push(machine, (uint64_t)take_signed(machine, 2));
    case 0x0c:
        return push(machine, ph_cfi_take_unsigned(code, 4));
    case 0x0d:
        return push(machine, (uint64_t)take_signed(machine, 4));
    case 0x10:
        return push(machine, ph_cfi_take_uleb(code));
    case 0x11:
        return push(machine, (uint64_t)ph_cfi_take_sleb(code));
    case 0x12:
        return pick(machine, 0);
    case 0x13:
        return (void)pop(machine);
    case 0x14:
        return pick(machine, 1);
    case 0x15:
        return pick(machine, ph_cfi_take_byte(code));
    case 0x16:
        return swap(machine);
    case 0x17:
        return rotate(machine);
    case 0x19: { /* abs */
        uint64_t value = pop(machine);
        return push(machine, (int64_t)value < 0 ? -value : value);
    }
    case 0x1f:
        return push(machine, -pop(machine));
    case 0x20:
        return push(machine, ~pop(machine));
    case 0x23:
        return push(machine, pop(machine) + ph_cfi_take_uleb(code)); /* plus_uconst */
    case 0x28: {                                                     /* bra */
        int64_t distance = take_signed(machine, 2);
        return pop(machine) ? jump(machine, distance) : (void)0;
    }
    case 0x2f:
        return jump(machine, take_signed(machine, 2)); /* skip */
    case 0x90:
        return push_register(machine, ph_cfi_take_uleb(code), 0); /* regx */
    case 0x92: {                                                  /* bregx */
        uint64_t number = ph_cfi_take_uleb(code);
        return push_register(machine, number, ph_cfi_take_sleb(code));
    }
    case 0x94:
        return dereference(machine, ph_cfi_take_byte(code)); /* deref_size */
    case 0x96:
        return; /* nop */
    default:
        return combine_two(machine, operation);
    }
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
