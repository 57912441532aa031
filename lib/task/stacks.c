#include "task/stacks.h"

#include "elf/modules.h"

#include <errno.h>
#include <string.h>

/* ---- From outside ---- */

static void set_register(struct ph_registers *registers, unsigned number, uint64_t value)
{
    registers->values[number] = value;
    registers->known |= UINT64_C(1) << number;
}

static struct ph_registers registers_of(const struct ph_task_look *look)
{
    struct ph_registers registers = {.is_of_caller = look->is_of_caller};
    set_register(&registers, PH_REGISTER_SP, look->sp);
    set_register(&registers, PH_REGISTER_PC, look->pc);
    if (look->is_of_caller)
        set_register(&registers, PH_REGISTER_BP, look->bp);
    return registers;
}

int ph_stack_of_blocked(struct ph_unwinder *unwinder, int folder, const struct ph_task *task,
                        const struct ph_task_look *look, struct ph_task_stack *ret_stack)
{
    struct ph_task_stack stack = {.count = 0, .end = PH_UNWIND_COMPLETE};
    struct ph_registers registers = registers_of(look);
    struct ph_stack memory = {.low = look->sp,
                              .is_live = true,
                              .high = task->stack_high > look->sp ? task->stack_high : 0,
                              .hook_frame = look->is_of_caller ? 0 : task->wait_frame};
    if (!look->is_blocked)
        return -EAGAIN;
    if (look->sp) /* a thread that has ended and is still listed has none */
        stack.count =
            ph_unwinder_run(unwinder, &registers, &memory, stack.addresses, PH_UNWIND_FRAMES_MAX, &stack.end);
    int result = ph_task_look_again(folder, task->tid, look);
    if (result < 0)
        return result;
    *ret_stack = stack;
    return 0;
}

/* ---- From a copy ---- */

void ph_stack_of_capture(struct ph_unwinder *unwinder, const struct ph_capture *capture,
                         struct ph_task_stack *ret_stack)
{
    struct ph_registers registers = {.known = (UINT64_C(1) << PH_REGISTERS) - 1};
    struct ph_stack memory = {.low = capture->stack_low,
                              .bytes = capture->stack,
                              .size_bytes = capture->stack_bytes,
                              .high = capture->stack_high};
    memcpy(registers.values, capture->registers, sizeof(registers.values));
    ret_stack->count =
        ph_unwinder_run(unwinder, &registers, &memory, ret_stack->addresses, PH_UNWIND_FRAMES_MAX, &ret_stack->end);
}

/* ---- Into a profile ---- */

static bool is_of_probe(const struct ph_probe *probe, uint64_t address)
{
    return address >= probe->text_low && address < probe->text_high;
}

/* Of frames of the probe in a row the outermost says what the host has called. */
void ph_stack_strip(struct ph_task_stack *stack, const struct ph_probe *probe)
{
    size_t kept = 0;
    for (size_t i = 0; i < stack->count; i++) {
        uint64_t address = stack->addresses[i];
        if (is_of_probe(probe, address)) {
            bool is_inner = i + 1 < stack->count && is_of_probe(probe, stack->addresses[i + 1]);
            address = is_inner ? 0 : probe->allocator_entry((uintptr_t)address);
            if (!address)
                continue;
        }
        stack->addresses[kept++] = address;
    }
    stack->count = kept;
}

/* Both are in the order of addresses, but for the main program, which is moved to the begin of @order: so it is near. */
static uint32_t mapping_of(const struct ph_modules *modules, const struct ph_module **order, uint64_t address)
{
    const struct ph_module *module = ph_modules_find(modules, address);
    if (!module)
        return 0;
    size_t place = (size_t)(module - modules->modules);
    while (order[place] != module)
        place = place + 1 == modules->count ? 0 : place + 1;
    return (uint32_t)place + 1;
}

#define SET_LABELS (sizeof(((struct ph_label_set *)0)->labels) / sizeof(((struct ph_label_set *)0)->labels[0]))
#define LABELS_MAX 32 /* those of labels.h and a set */

static uint32_t add_set(struct ph_profile *profile, const struct ph_label_set *set, struct ph_label *labels,
                        uint32_t count)
{
    for (uint32_t i = 0; set && i < set->count && i < SET_LABELS && count < LABELS_MAX; i++)
        labels[count++] = (struct ph_label){.key = ph_profile_string(profile, set->labels[i].key),
                                            .text = ph_profile_string(profile, set->labels[i].value)};
    return count;
}

void ph_stack_into_profile(struct ph_profile *profile, const struct ph_modules *modules,
                           const struct ph_module **order, const struct ph_task_stack *stack,
                           const struct ph_label *labels, uint32_t label_count,
                           const struct ph_label_set *label_set, const int64_t *values)
{
    uint32_t frames[PH_UNWIND_FRAMES_MAX];
    struct ph_label all[LABELS_MAX];
    uint32_t count = label_count < LABELS_MAX ? label_count : LABELS_MAX;
    for (size_t i = 0; i < stack->count; i++)
        frames[i] = ph_profile_add_location(profile, mapping_of(modules, order, stack->addresses[i]),
                                            stack->addresses[i], false, NULL, 0);
    if (count)
        memcpy(all, labels, count * sizeof(*all));
    count = add_set(profile, label_set, all, count);
    ph_profile_add_sample(profile, frames, (uint32_t)stack->count, all, count, values);
}
