/*
 * unwind_fixture.h - long random ways down a stack, through all kinds of frames, and a look at them from below:
 * what ph_unwind() tells must be what libgcc tells.
 */
#ifndef PH_UNWIND_FIXTURE_H
#define PH_UNWIND_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMES_MAX 256

struct stack {
    void *frames[FRAMES_MAX];
    size_t count;
};

/** stack_of_libgcc() - what libgcc says, without @low to @high; the first frame is in the caller. */
void stack_of_libgcc(struct stack *ret_stack, uintptr_t low, uintptr_t high);

enum look { LOOK_SAME, LOOK_LEFT_TO_LIBGCC, LOOK_DIFFERENT };

/** unwind_look() - compares the two from here; prints both stacks if they differ. Any thread, also in a handler. */
enum look unwind_look(void);

struct journey {
    uint64_t random;                 /* not 0 */
    unsigned depth;                  /* frames to go */
    bool may_be_left;                /* to libgcc: below a handler, or while modules go */
    unsigned long same, left, wrong; /* looks; wrong: different, or left and may not be */
};

/** unwind_travel() - @count ways down, with looks on the way. Bare: no signals are raised. */
void unwind_travel(struct journey *journey, unsigned count, bool is_bare);

/** unwind_handle() - to be the handler of SIGUSR1, for ways through it. */
void unwind_handle(int signal);

/** unwind_on_stack() - calls @call with its stack at @stack_end; in assembly, its tables speak of RBP. */
void unwind_on_stack(void *stack_end, void (*call)(void));

/** unwind_liar() - calls @call; its tables say that RBP was saved 32000 bytes below, where it was not. */
void unwind_liar(void (*call)(void));

#endif
