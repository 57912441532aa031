#include "probe/backtrace.h"

#include "probe/unwind.h"

#include <stdbool.h>
#include <unwind.h>

/* Set by the linker for this object: its ELF header and the end of its code. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char etext[] __attribute__((visibility("hidden")));

static unsigned suspended_count; /* atomic */
static bool has_registered;      /* atomic: there may be tables that only libgcc knows */

struct walk {
    void **frames;
    size_t count, capacity;
};

void ph_text_range(uintptr_t *ret_low, uintptr_t *ret_high)
{
    *ret_low = (uintptr_t)__ehdr_start;
    *ret_high = (uintptr_t)etext;
}

static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *argument)
{
    struct walk *walk = argument;
    uintptr_t pc = _Unwind_GetIP(context);
    if (pc == 0 || walk->count == walk->capacity)
        return _URC_END_OF_STACK;
    if (pc < (uintptr_t)__ehdr_start || pc >= (uintptr_t)etext)
        walk->frames[walk->count++] = (void *)pc;
    return _URC_NO_REASON;
}

void ph_backtrace_suspend(void)
{
    __atomic_store_n(&has_registered, true, __ATOMIC_RELAXED);
    __atomic_fetch_add(&suspended_count, 1, __ATOMIC_ACQ_REL);
}

void ph_backtrace_resume(void)
{
    __atomic_fetch_sub(&suspended_count, 1, __ATOMIC_ACQ_REL);
}

size_t ph_backtrace(void **ret_frames, size_t capacity)
{
    if (__atomic_load_n(&suspended_count, __ATOMIC_ACQUIRE))
        return 0;
    size_t count = 0;
    if (!__atomic_load_n(&has_registered, __ATOMIC_RELAXED) &&
        ph_unwind(ret_frames, capacity, (uintptr_t)__ehdr_start, (uintptr_t)etext, &count))
        return count;
    struct walk walk = {ret_frames, 0, capacity};
    _Unwind_Backtrace(note_frame, &walk);
    return walk.count;
}

static _Unwind_Reason_Code note_interruption(struct _Unwind_Context *context, void *argument)
{
    struct ph_interruption *found = argument;
    int is_exact =
        0; /* the address is where the thread was, not where a call returns to: below it is a signal's frame */
    uintptr_t address = _Unwind_GetIPInfo(context, &is_exact);
    if (!is_exact)
        return _URC_NO_REASON;
    *found = (struct ph_interruption){address, _Unwind_GetCFA(context)};
    return _URC_END_OF_STACK;
}

struct ph_interruption ph_interruption_now(void)
{
    struct ph_interruption found = {0, 0};
    if (__atomic_load_n(&suspended_count, __ATOMIC_ACQUIRE))
        return PH_INTERRUPTION_UNKNOWN;
    _Unwind_Backtrace(note_interruption, &found);
    return found;
}

bool ph_may_be_in_handler(bool unknown)
{
    if (__atomic_load_n(&has_registered, __ATOMIC_RELAXED))
        return unknown;
    struct ph_interruption now = ph_interruption_now();
    return now.address || now.frame;
}

void ph_backtrace_warm(void)
{
    void *frame;
    struct walk walk = {&frame, 0, 1};
    ph_backtrace(&frame, 1);
    _Unwind_Backtrace(note_frame, &walk);
}
