#include "unwinder_fixture.h"

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unwind.h>

#include <cmocka.h>

struct walk {
    uint64_t *frames;
    size_t count, capacity;
    bool is_waiting; /* for the frame that was interrupted */
};

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *argument)
{
    struct walk *walk = argument;
    int is_exact = 0;
    uint64_t pc = _Unwind_GetIPInfo(context, &is_exact);
    if (walk->is_waiting && !is_exact)
        return _URC_NO_REASON;
    walk->is_waiting = false;
    if (!pc || walk->count == walk->capacity)
        return _URC_END_OF_STACK;
    walk->frames[walk->count++] = pc - !is_exact;
    if (is_exact && walk->count > 1)
        walk->frames[walk->count -
                     2]++; /* what was interrupted called nobody: the frame below is the signal's own */
    return _URC_NO_REASON;
}

uint64_t record_end;

static uint64_t stack_end(void)
{
    static _Thread_local uint64_t end; /* the main thread's is read from a file */
    pthread_attr_t attributes;
    void *low;
    size_t size_bytes;
    if (record_end)
        return record_end;
    if (end)
        return end;
    assert_int_equal(pthread_getattr_np(pthread_self(), &attributes), 0);
    pthread_attr_getstack(&attributes, &low, &size_bytes);
    pthread_attr_destroy(&attributes);
    return end = (uintptr_t)low + size_bytes;
}

/* Of all variables on it, as they lie: nothing that a sanitizer likes. */
__attribute__((no_sanitize("address", "undefined"))) static void copy_stack(struct recorded *recorded)
{
    uint64_t sp = recorded->registers.values[PH_REGISTER_SP] - PH_RED_ZONE_BYTES, end = stack_end();
    size_t size_bytes = end > sp && end - sp < RECORDED_BYTES_MAX ? end - sp : 0;
    assert_true(size_bytes != 0);
    for (size_t i = 0; i < size_bytes; i += sizeof(uint64_t)) {
        uint64_t word = *(volatile uint64_t *)(sp + i);
        __builtin_memcpy(recorded->bytes + i, &word, sizeof(word));
    }
    recorded->stack = (struct ph_stack){.low = sp, .bytes = recorded->bytes, .size_bytes = size_bytes, .high = end};
}

static void take_registers(struct recorded *recorded, const ucontext_t *context)
{
    struct ph_registers *registers = &recorded->registers;
#if defined(__x86_64__)
    static const int places[PH_REGISTERS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                             REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                             REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    for (size_t i = 0; i < PH_REGISTERS; i++)
        registers->values[i] = (uint64_t)context->uc_mcontext.gregs[places[i]];
#else
    memcpy(registers->values, context->uc_mcontext.regs, sizeof(context->uc_mcontext.regs));
    registers->values[PH_REGISTER_SP] = context->uc_mcontext.sp;
    registers->values[PH_REGISTER_PC] = context->uc_mcontext.pc;
#endif
    registers->known = (UINT64_C(1) << PH_REGISTERS) - 1;
}

/* Its own frame comes first, and libgcc's address in it is another one. */
__attribute__((noinline)) void record(struct recorded *recorded)
{
    ucontext_t context;
    struct walk walk = {.frames = recorded->frames, .capacity = PH_UNWIND_FRAMES_MAX};
    getcontext(&context);
    take_registers(recorded, &context);
    copy_stack(recorded);
    _Unwind_Backtrace(note, &walk);
    recorded->frame_count = walk.count;
    recorded->frames[0] = recorded->registers.values[PH_REGISTER_PC];
}

void record_interrupted(struct recorded *recorded, const ucontext_t *context)
{
    struct walk walk = {.frames = recorded->frames, .capacity = PH_UNWIND_FRAMES_MAX, .is_waiting = true};
    take_registers(recorded, context);
    copy_stack(recorded);
    _Unwind_Backtrace(note, &walk);
    recorded->frame_count = walk.count;
}

static void print_frames(const char *title, const uint64_t *frames, size_t count)
{
    print_message("%s\n", title);
    for (size_t i = 0; i < count && i < 20; i++) {
        Dl_info info = {0};
        dladdr((void *)(uintptr_t)frames[i], &info);
        print_message("  %#lx %s+%#lx %s\n", frames[i], info.dli_fname ? info.dli_fname : "?",
                      info.dli_fbase ? frames[i] - (uintptr_t)info.dli_fbase : 0,
                      info.dli_sname ? info.dli_sname : "");
    }
}

bool is_same(struct ph_unwinder *unwinder, const struct recorded *recorded, enum ph_unwind_end end)
{
    uint64_t frames[PH_UNWIND_FRAMES_MAX];
    enum ph_unwind_end found = PH_UNWIND_BAD;
    size_t count =
        ph_unwinder_run(unwinder, &recorded->registers, &recorded->stack, frames, PH_UNWIND_FRAMES_MAX, &found);
    if (found == end && count >= recorded->frame_count &&
        memcmp(frames, recorded->frames, recorded->frame_count * sizeof(*frames)) == 0)
        return true;
    print_message("end %d: %s\n", found, ph_unwind_end_text(found));
    print_frames("ours", frames, count);
    print_frames("libgcc's", recorded->frames, recorded->frame_count);
    return false;
}

void expect_same(struct ph_unwinder *unwinder, const struct recorded *recorded, enum ph_unwind_end end)
{
    assert_true(recorded->frame_count > 1);
    assert_true(is_same(unwinder, recorded, end));
}

struct ph_unwinder *new_unwinder(void)
{
    struct ph_unwinder *unwinder = NULL;
    struct ph_error error;
    assert_int_equal(ph_unwinder_new(&unwinder, &error), 0);
    return unwinder;
}
