/*
 * unwinder_fixture.h - a thread's registers and stack, recorded where it is, and what libgcc's unwinder says there.
 */
#ifndef TESTS_UNIT_UNWINDER_FIXTURE_H
#define TESTS_UNIT_UNWINDER_FIXTURE_H

#include "elf/unwind.h"

#include <stdbool.h>
#include <ucontext.h>

#define RECORDED_BYTES_MAX ((size_t)512 * 1024)

struct recorded {
    struct ph_registers registers;
    struct ph_stack stack;                 /* its bytes are below */
    uint64_t frames[PH_UNWIND_FRAMES_MAX]; /* libgcc's, as ph_unwinder_run() would tell them */
    size_t frame_count;
    uint8_t bytes[RECORDED_BYTES_MAX];
};

/** record() - from here. The first frame is the function that calls. Cannot be inlined. */
void record(struct recorded *recorded);

/** record_interrupted() - the same from within a signal handler, of what it interrupted. */
void record_interrupted(struct recorded *recorded, const ucontext_t *context);

/* The end of the stack, if it is not the thread's own; 0 if it is. */
extern uint64_t record_end;

/** expect_same() - what ph_unwinder_run() makes of the record is what libgcc said; prints both if not.
 * libgcc may stop earlier: it knows no code without tables. */
void expect_same(struct ph_unwinder *unwinder, const struct recorded *recorded, enum ph_unwind_end end);

/** is_same() - the same, as an answer. */
bool is_same(struct ph_unwinder *unwinder, const struct recorded *recorded, enum ph_unwind_end end);

/** new_unwinder() - or the test fails. */
struct ph_unwinder *new_unwinder(void);

#endif
