/*
 * unwind.h - from registers and stack memory to return addresses, on a thread of ours, for any thread of this process.
 *
 * The stack is a copy: taken by the signal handler of a running thread, or read from outside while the thread is blocked.
 * Rules come from the modules' .eh_frame, read once per module through checked reads: the host may dlclose() meanwhile. Most
 * frames need only rules of the kinds in base/cfi.h; the others are stepped by libunwind's accessors over the same copy.
 *
 * An unwinder belongs to one thread at a time. It learns of new modules by itself.
 */
#ifndef PH_ELF_UNWIND_H
#define PH_ELF_UNWIND_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PH_UNWIND_FRAMES_MAX 256

/* Registers by their DWARF numbers: x86-64 psABI, figure 3.36 (6: rbp, 7: rsp, 16: return address = rip); AArch64: 0 to 30,
 * 31: sp, 32: pc. */
#if defined(__x86_64__)
#define PH_REGISTERS   17
#define PH_REGISTER_BP 6
#define PH_REGISTER_SP 7
#define PH_REGISTER_PC 16
#elif defined(__aarch64__)
#define PH_REGISTERS   33
#define PH_REGISTER_BP 29
#define PH_REGISTER_SP 31
#define PH_REGISTER_PC 32
#endif

struct ph_registers {
    uint64_t values[PH_REGISTERS];
    uint64_t known;    /* bit n: values[n] is. Of a blocked thread only SP and PC are */
    bool is_of_caller; /* PC is where a call returns to, perhaps behind the end of the function that called */
};

/* Code may keep data below its stack pointer, which no signal handler touches: the red zone (System V ABI AMD64, 3.2.2). A copy begins
 * there, or assembly such as OpenSSL's is not unwound everywhere. */
#if defined(__x86_64__)
#define PH_RED_ZONE_BYTES 128
#else
#define PH_RED_ZONE_BYTES 0
#endif

/* Stack memory from @low on. What lies outside the copy is read from the live stack if @live: right only for a thread that does not
 * run; never faults. */
struct ph_stack {
    uint64_t low;
    const uint8_t *bytes;
    size_t size_bytes;
    bool is_live;
    uint64_t high; /* exclusive end of the thread's stack; 0 if unknown */
    uint64_t
        hook_frame; /* frame address of the hooked call the thread waits in (probe.h); 0: none. It gives RBP back
                             where only SP and PC are known: [hook_frame] is the caller's, [hook_frame + 8] where it returns */
};

/* Why a stack ends where it does. */
enum ph_unwind_end {
    PH_UNWIND_COMPLETE,   /* at the thread's outermost frame: _start, clone() */
    PH_UNWIND_CUT,        /* the copy ends: a deep stack */
    PH_UNWIND_FULL,       /* capacity */
    PH_UNWIND_NO_RULE,    /* code without unwinding information: a JIT, hand-written assembly */
    PH_UNWIND_NO_POINTER, /* the frame needs a register that is not known of a blocked thread */
    PH_UNWIND_BAD,        /* the rules lead nowhere: memory that is not readable, a stack that does not ascend */
};

/** ph_unwind_end_text() - "the copied part of the stack ends", …; "" for PH_UNWIND_COMPLETE. Static. */
const char *ph_unwind_end_text(enum ph_unwind_end end);

struct ph_unwinder;

/** ph_unwinder_new() - 0; -ENOMEM; the errno of reading the maps. ph_unwinder_free(NULL) is fine. */
int ph_unwinder_new(struct ph_unwinder **ret_unwinder, struct ph_error *error);
void ph_unwinder_free(struct ph_unwinder *unwinder);

/**
 * ph_unwinder_run() - the addresses of one stack, leaf first: the leaf's as it is, if it did not call, the others' return
 * addresses, less one where they are looked up (so that a call at the end of a function names that function); @ret_addresses has the
 * looked-up form.
 * Returns the number, at least 1 (the leaf) if @capacity is; @ret_end says why there are not more. Signal frames are stepped over
 * (the frame they interrupted is not less one).
 */
size_t ph_unwinder_run(struct ph_unwinder *unwinder, const struct ph_registers *registers,
                       const struct ph_stack *stack, uint64_t *ret_addresses, size_t capacity,
                       enum ph_unwind_end *ret_end);

/** ph_unwinder_refresh() - read the maps again if a module of earlier stacks went, or was replaced: true. Called before a round of stacks;
 * cheap otherwise. */
bool ph_unwinder_refresh(struct ph_unwinder *unwinder);

#endif
