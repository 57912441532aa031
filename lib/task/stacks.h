/*
 * stacks.h - the stack of one thread, by whichever way disturbs it least: blocked, from outside; running, by one signal.
 */
#ifndef PH_TASK_STACKS_H
#define PH_TASK_STACKS_H

#include "elf/unwind.h"
#include "model/profile.h"
#include "task/tasks.h"

struct ph_task_stack {
    uint64_t addresses[PH_UNWIND_FRAMES_MAX]; /* leaf first, in the form that is looked up */
    size_t count;
    enum ph_unwind_end end;
};

/**
 * ph_stack_of_blocked() - from outside: @look and its stack, unwound, then looked at again. @folder: ph_tasks_folder().
 * 0; -EAGAIN if it ran meanwhile; -ESRCH. The thread notices nothing.
 */
int ph_stack_of_blocked(struct ph_unwinder *unwinder, int folder, const struct ph_task *task,
                        const struct ph_task_look *look, struct ph_task_stack *ret_stack);

/** ph_stack_of_capture() - of what the signal handler copied. */
void ph_stack_of_capture(struct ph_unwinder *unwinder, const struct ph_capture *capture,
                         struct ph_task_stack *ret_stack);

/** ph_stack_strip() - leave out the frames of the probe itself, but for one where the host has called its allocator: that of malloc(),
 * free() or whatever it called, so that one sees what allocating costs. */
void ph_stack_strip(struct ph_task_stack *stack, const struct ph_probe *probe);

struct ph_modules;
struct ph_module;

/**
 * ph_stack_into_profile() - one sample with this stack: locations without names (ph_symbolize() gives them later), with the labels of
 * @label_set (probe->label_set) after @labels.
 * @modules, @order: as from ph_modules_into_profile().
 */
void ph_stack_into_profile(struct ph_profile *profile, const struct ph_modules *modules,
                           const struct ph_module **order, const struct ph_task_stack *stack,
                           const struct ph_label *labels, uint32_t label_count,
                           const struct ph_label_set *label_set, const int64_t *values);

#endif
