#include "unwind_fixture.h"

#include "probe/unwind.h"

#include <alloca.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

#define KEEP(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")

/* ---- looks ---- */

struct gathering {
    struct stack *stack;
    uintptr_t low, high;
};

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *argument)
{
    struct gathering *gathering = argument;
    uintptr_t pc = _Unwind_GetIP(context);
    if (!pc || gathering->stack->count == FRAMES_MAX)
        return _URC_END_OF_STACK;
    if (pc < gathering->low || pc >= gathering->high)
        gathering->stack->frames[gathering->stack->count++] = (void *)pc;
    return _URC_NO_REASON;
}

/* Of its own frame nothing is to be seen. */
__attribute__((noinline)) void stack_of_libgcc(struct stack *ret_stack, uintptr_t low, uintptr_t high)
{
    struct gathering gathering = {ret_stack, low, high};
    ret_stack->count = 0;
    _Unwind_Backtrace(note, &gathering);
    ret_stack->count--;
    memmove(ret_stack->frames, ret_stack->frames + 1, ret_stack->count * sizeof(void *));
}

/* The first frames are two calls here. */
static bool are_same(const struct stack *one, const struct stack *other)
{
    return one->count == other->count && one->count > 1 &&
           memcmp(one->frames + 1, other->frames + 1, (one->count - 1) * sizeof(void *)) == 0;
}

__attribute__((noinline)) enum look unwind_look(void)
{
    struct stack ours = {.count = 0}, theirs;
    bool done = ph_unwind(ours.frames, FRAMES_MAX, 0, 0, &ours.count);
    stack_of_libgcc(&theirs, 0, 0);
    if (!done)
        return LOOK_LEFT_TO_LIBGCC;
    if (are_same(&ours, &theirs))
        return LOOK_SAME;
    for (size_t i = 0; i < ours.count || i < theirs.count; i++)
        fprintf(stderr, "%p %p\n", i < ours.count ? ours.frames[i] : NULL,
                i < theirs.count ? theirs.frames[i] : NULL);
    return LOOK_DIFFERENT;
}

/* ---- kinds of frames ---- */

static void descend(struct journey *journey);

static unsigned random_below(struct journey *journey, unsigned limit)
{
    journey->random ^= journey->random << 13; /* G. Marsaglia, "Xorshift RNGs", 2003 */
    journey->random ^= journey->random >> 7;
    journey->random ^= journey->random << 17;
    return (unsigned)(journey->random >> 33) % limit;
}

static void through_array(struct journey *journey)
{
    char array[70000];
    KEEP(array);
    descend(journey);
    KEEP(array);
}

static void through_alloca(struct journey *journey)
{
    char *memory = alloca(1 + random_below(journey, 5000));
    KEEP(memory);
    descend(journey);
    KEEP(memory);
}

static void through_aligned(struct journey *journey)
{
    _Alignas(128) char array[200];
    KEEP(array);
    descend(journey);
    KEEP(array);
}

/* Arguments in memory, an aligned array and alloca() together make gcc keep the frame's end beside RBP. */
static __attribute__((noinline)) int aligned_of_many(struct journey *journey, int a, int b, int c, int d, int e,
                                                     int f, double g, int h)
{
    _Alignas(64) char array[200];
    char *memory = alloca(1 + random_below(journey, 500));
    KEEP(array);
    KEEP(memory);
    descend(journey);
    KEEP(array);
    return a + b + c + d + e + f + (int)g + h;
}

static void through_many_arguments(struct journey *journey)
{
    int result = aligned_of_many(journey, 1, 2, 3, 4, 5, 6, 7.0, 8);
    KEEP(&result);
}

static __thread struct journey *current __attribute__((tls_model("initial-exec")));

static int compare_numbers(const void *one, const void *other)
{
    struct journey *journey = current;
    if (journey && journey->depth && random_below(journey, 3) == 0)
        descend(journey);
    current = journey;
    return *(const int *)one - *(const int *)other;
}

static void through_qsort(struct journey *journey)
{
    int numbers[] = {5, 3, 8, 1, 9, 2};
    current = journey;
    qsort(numbers, 6, sizeof(int), compare_numbers);
}

static void through_bsearch(struct journey *journey)
{
    int numbers[] = {1, 2, 3, 5, 8, 13, 21}, wanted = 13;
    current = journey;
    KEEP(bsearch(&wanted, numbers, 7, sizeof(int), compare_numbers));
}

static __attribute__((noinline, noreturn)) void descend_and_jump(struct journey *journey, jmp_buf *back)
{
    descend(journey);
    longjmp(*back, 1);
}

/* The call that does not return is the last instruction: the return address is in the next function. */
static void through_jump(struct journey *journey)
{
    jmp_buf back;
    if (setjmp(back) == 0)
        descend_and_jump(journey, &back);
}

void unwind_handle(int signal)
{
    struct journey *journey = current;
    bool could_be_left = journey->may_be_left;
    (void)signal;
    journey->may_be_left = true;
    descend(journey);
    journey->may_be_left = could_be_left;
}

static void through_signal(struct journey *journey)
{
    current = journey;
    raise(SIGUSR1);
}

static void through_frame_pointer(struct journey *journey)
{
    KEEP(__builtin_frame_address(0)); /* so that there is one */
    descend(journey);
    KEEP(journey);
}

/* ---- many places: more than the cache holds ---- */

#define CALL(number)                                                                                               \
    case number:                                                                                                   \
        __asm__ volatile("nop # %0" : : "i"(number)); /* no two calls become one */                                \
        descend(journey);                                                                                          \
        break;
#define CALL_4(n)   CALL(n) CALL(n + 1) CALL(n + 2) CALL(n + 3)
#define CALL_16(n)  CALL_4(n) CALL_4(n + 4) CALL_4(n + 8) CALL_4(n + 12)
#define CALL_64(n)  CALL_16(n) CALL_16(n + 16) CALL_16(n + 32) CALL_16(n + 48)
#define CALL_256(n) CALL_64(n) CALL_64(n + 64) CALL_64(n + 128) CALL_64(n + 192)

#define THROUGH_PLACES(size_bytes)                                                                                 \
    static void through_places_##size_bytes(struct journey *journey)                                               \
    {                                                                                                              \
        char array[size_bytes];                                                                                    \
        KEEP(array);                                                                                               \
        switch (random_below(journey, 512)) {                                                                      \
            CALL_256(0)                                                                                            \
            CALL_256(256)                                                                                          \
        }                                                                                                          \
        KEEP(array);                                                                                               \
    }
THROUGH_PLACES(24)
THROUGH_PLACES(56)
THROUGH_PLACES(88)
THROUGH_PLACES(120)
THROUGH_PLACES(152)
THROUGH_PLACES(1000)

/* ---- the way ---- */

static void (*const kinds[])(struct journey *journey) = {
    through_signal,        through_array,      through_alloca,     through_aligned,     through_many_arguments,
    through_qsort,         through_bsearch,    through_jump,       through_places_24,   through_places_56,
    through_frame_pointer, through_places_88,  through_places_120, through_places_152,  through_places_1000,
    through_places_24,     through_places_152, through_places_56,  through_places_1000, through_places_88,
};

static void look(struct journey *journey)
{
    switch (unwind_look()) {
    case LOOK_SAME:
        journey->same++;
        break;
    case LOOK_LEFT_TO_LIBGCC:
        journey->left++;
        journey->wrong += !journey->may_be_left;
        break;
    case LOOK_DIFFERENT:
        journey->wrong++;
        break;
    }
}

static bool bare_only; /* atomic */

static __attribute__((noinline)) void descend(struct journey *journey)
{
    if (journey->depth == 0 || random_below(journey, 8) == 0)
        look(journey);
    if (journey->depth == 0)
        return;
    journey->depth--;
    bool is_bare = __atomic_load_n(&bare_only, __ATOMIC_RELAXED) || random_below(journey, 4);
    kinds[is_bare + random_below(journey, sizeof(kinds) / sizeof(kinds[0]) - is_bare)](journey);
    KEEP(journey);
}

void unwind_travel(struct journey *journey, unsigned count, bool is_bare)
{
    __atomic_store_n(&bare_only, is_bare, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < count; i++) {
        journey->depth = 1 + random_below(journey, 30);
        descend(journey);
    }
}

/* ---- in assembly ---- */

__asm__(".text\n"
        ".globl unwind_on_stack\n"
        ".type unwind_on_stack, @function\n"
        "unwind_on_stack:\n"
        ".cfi_startproc\n"
        "pushq %rbp\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset 6, -16\n"
        "movq %rsp, %rbp\n"
        ".cfi_def_cfa_register 6\n"
        "movq %rdi, %rsp\n"
        "call *%rsi\n"
        "leave\n"
        ".cfi_def_cfa 7, 8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size unwind_on_stack, . - unwind_on_stack\n"
        ".globl unwind_liar\n"
        ".type unwind_liar, @function\n"
        "unwind_liar:\n"
        ".cfi_startproc\n"
        "subq $8, %rsp\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset 6, -32000\n"
        "call *%rdi\n"
        "addq $8, %rsp\n"
        ".cfi_def_cfa_offset 8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size unwind_liar, . - unwind_liar\n");
