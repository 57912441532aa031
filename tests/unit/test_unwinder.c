/* Stacks recorded from real code are unwound as libgcc unwinds them where they are. */
#include "unwinder_fixture.h"

#include <alloca.h>
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct recorded recorded;
static struct ph_unwinder *unwinder;

static int setup(void **state)
{
    (void)state;
    unwinder = new_unwinder();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ph_unwinder_free(unwinder);
    return 0;
}

static void use(volatile void *memory)
{
    __asm__ volatile("" : : "r"(memory) : "memory");
}

/* ---- frames of compilers ------------------------------------------------------------------------------------- */

__attribute__((noinline)) static void call_at_depth(int depth, void (*call)(void))
{
    char frame[48];
    use(frame);
    if (depth)
        call_at_depth(depth - 1, call);
    else
        call();
    use(frame);
}

__attribute__((noinline)) static void call_with_alloca(int depth, void (*call)(void))
{
    char *frame = alloca((size_t)depth * 100 + 1);
    use(frame);
    if (depth)
        call_with_alloca(depth - 1, call);
    else
        call();
    use(frame);
}

__attribute__((noinline)) static void call_aligned(int depth, void (*call)(void))
{
    char frame[64] __attribute__((aligned(128)));
    use(frame);
    if (depth)
        call_aligned(depth - 1, call);
    else
        call_with_alloca(3, call);
    use(frame);
}

/* With arguments on the stack, too: then the frame's end is stored in it (-mstackrealign, "DRAP" in gcc). */
__attribute__((noinline)) static long call_realigned(long a, long b, long c, long d, long e, long f, long g,
                                                     long depth, void (*call)(void))
{
    char frame[64] __attribute__((aligned(128)));
    char *more = alloca((size_t)g + 1);
    use(frame);
    use(more);
    if (depth)
        a += call_realigned(b, c, d, e, f, g, a, depth - 1, call);
    else
        call();
    use(frame);
    return a + g;
}

static void (*call_of_comparison)(void);

static int compare(const void *left, const void *right)
{
    if (call_of_comparison)
        call_of_comparison();
    call_of_comparison = NULL;
    return *(const int *)left - *(const int *)right;
}

/* Through a function of libc. */
__attribute__((noinline)) static void call_by_qsort(void (*call)(void))
{
    int numbers[] = {3, 1, 2};
    call_of_comparison = call;
    qsort(numbers, 3, sizeof(numbers[0]), compare);
    use(numbers);
}

__attribute__((noinline)) static void take(void)
{
    record(&recorded);
    use(&recorded);
}

static void recursion_is_unwound(void **state)
{
    (void)state;
    call_at_depth(100, take);
    expect_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
    assert_true(recorded.frame_count > 100);
}

static void frames_of_variable_size_are_unwound(void **state)
{
    (void)state;
    call_with_alloca(20, take);
    expect_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
}

static void frames_that_align_their_stack_are_unwound(void **state)
{
    (void)state;
    call_aligned(5, take);
    expect_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
    call_realigned(1, 2, 3, 4, 5, 6, 7, 5, take);
    expect_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
}

static void frames_of_libc_are_unwound(void **state)
{
    (void)state;
    call_by_qsort(take);
    expect_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
}

static void *run_thread(void *argument)
{
    void (*call)(void) = (void (*)(void))(uintptr_t)argument;
    call_with_alloca(2, call);
    return NULL;
}

static void a_thread_ends_at_its_start(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_thread, (void *)(uintptr_t)take), 0);
    pthread_join(thread, NULL);
    expect_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
}

static void what_does_not_fit_is_said(void **state)
{
    (void)state;
    uint64_t frames[64];
    enum ph_unwind_end end;
    call_at_depth(50, take);
    for (size_t capacity = 1; capacity <= 40; capacity++) {
        assert_int_equal(ph_unwinder_run(unwinder, &recorded.registers, &recorded.stack, frames, capacity, &end),
                         capacity);
        assert_int_equal(end, PH_UNWIND_FULL);
        assert_memory_equal(frames, recorded.frames, capacity * sizeof(*frames));
    }
    size_t count = recorded.frame_count;
    uint64_t exact[PH_UNWIND_FRAMES_MAX];
    assert_int_equal(ph_unwinder_run(unwinder, &recorded.registers, &recorded.stack, exact, count, &end), count);
    assert_int_equal(end, PH_UNWIND_COMPLETE);
}

/* ---- signal frames ------------------------------------------------------------------------------------------- */

static bool is_same_live;

/* While it runs, what it interrupted is on another stack, and does not change. */
static void on_signal(int number)
{
    (void)number;
    record(&recorded);
    recorded.stack.is_live = true;
    recorded.stack.high = 0;
    is_same_live = is_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
    recorded.stack.is_live = false;
}

static void be_interrupted(void)
{
    raise(SIGUSR1);
}

static void handle_on(void *stack, size_t size_bytes)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = stack ? SA_ONSTACK : 0};
    stack_t other = {.ss_sp = stack, .ss_size = size_bytes, .ss_flags = stack ? 0 : SS_DISABLE};
    assert_int_equal(sigaltstack(&other, NULL), 0);
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
}

static void a_signal_frame_is_unwound(void **state)
{
    (void)state;
    handle_on(NULL, 0);
    call_with_alloca(3, be_interrupted);
    expect_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
    assert_true(is_same_live);
}

static void a_handler_with_a_stack_of_its_own_is_unwound_if_the_other_can_be_read(void **state)
{
    (void)state;
    size_t size_bytes = 65536;
    void *stack = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(stack, MAP_FAILED);
    handle_on(stack, size_bytes);
    record_end = (uintptr_t)stack + size_bytes;
    call_with_alloca(3, be_interrupted);
    record_end = 0;
    assert_true(is_same_live);
    uint64_t frames[8];
    enum ph_unwind_end end;
    assert_int_equal(ph_unwinder_run(unwinder, &recorded.registers, &recorded.stack, frames, 8, &end), 4);
    assert_memory_equal(frames, recorded.frames, 4 * sizeof(*frames));
    assert_int_equal(end, PH_UNWIND_CUT);
    handle_on(NULL, 0);
    munmap(stack, size_bytes);
}

static void *be_interrupted_on(void *stack)
{
    handle_on(stack, 65536);
    record_end = (uintptr_t)stack + 65536;
    call_with_alloca(3, be_interrupted);
    record_end = 0;
    handle_on(NULL, 0);
    return NULL;
}

/* The thread's own stack lies below: this one is a part of the main thread's. */
static void a_handler_may_have_its_stack_above(void **state)
{
    (void)state;
    pthread_t thread;
    void *stack = alloca(65536);
    is_same_live = false;
    assert_int_equal(pthread_create(&thread, NULL, be_interrupted_on, stack), 0);
    pthread_join(thread, NULL);
    assert_true(is_same_live);
}

/* ---- at each instruction ------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#define TRAP_FLAG UINT64_C(0x100)

static struct {
    bool is_on;
    size_t steps, steps_max, different, without_libgcc;
} stepping;

/* The processor stops behind each instruction. What is still to be run is run at full speed behind steps_max. */
static void on_step(int number, siginfo_t *info, void *argument)
{
    ucontext_t *context = argument;
    (void)info;
    if (number == SIGUSR2) {
        context->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
        return;
    }
    if (!stepping.is_on || stepping.steps == stepping.steps_max) {
        context->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
        return;
    }
    stepping.steps++;
    record_interrupted(&recorded, context);
    if (recorded.frame_count <= 2)
        stepping.without_libgcc++;
    if (stepping.different < 3 && !is_same(unwinder, &recorded, PH_UNWIND_COMPLETE))
        stepping.different++;
}

__attribute__((noinline)) static void step_through(void (*call)(void), size_t steps_max)
{
    struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO}, before;
    memset(&stepping, 0, sizeof(stepping));
    stepping.steps_max = steps_max;
    sigaction(SIGUSR2, &action, NULL);
    sigaction(SIGTRAP, &action, &before);
    stepping.is_on = true;
    raise(SIGUSR2);
    call();
    stepping.is_on = false;
    sigaction(SIGTRAP, &before, NULL);
    print_message("%zu instructions, %zu different, %zu with hardly a frame\n", stepping.steps, stepping.different,
                  stepping.without_libgcc);
    assert_int_equal(stepping.different, 0);
    assert_true(stepping.steps > 20);
}

static void call_lazily(void)
{
    getsid(0);
    getpgid(0);
}

static void stubs_and_lazy_binding_are_unwound_at_each_instruction(void **state)
{
    (void)state;
    step_through(call_lazily, 20000);
}

static char text[600];

static void call_strings(void)
{
    static char other[600];
    volatile size_t lengths[] = {1, 7, 15, 33, 64, 100, 200, 500};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        memset(text, 'a', lengths[i]);
        text[lengths[i]] = '\0';
        memcpy(other, text, lengths[i] + 1);
        memmove(other + 3, other, lengths[i]);
        use(other + strlen(other) + (strchr(text, 'b') != NULL) + (strcmp(text, other) != 0));
    }
}

static void assembly_of_libc_is_unwound_at_each_instruction(void **state)
{
    (void)state;
    step_through(call_strings, 20000);
}

static void call_clock(void)
{
    struct timespec time;
    for (int clock = 0; clock < 5; clock++)
        clock_gettime(clock, &time);
    use(&time);
}

static void the_vdso_is_unwound_at_each_instruction(void **state)
{
    (void)state;
    assert_true(getauxval(AT_SYSINFO_EHDR) != 0);
    step_through(call_clock, 20000);
}

static void nothing(void)
{
}

static void call_frames(void)
{
    call_at_depth(3, nothing);
    call_with_alloca(3, nothing);
    call_aligned(2, nothing);
    call_realigned(1, 2, 3, 4, 5, 6, 7, 2, nothing);
    call_by_qsort(nothing);
}

static void frames_are_unwound_at_each_instruction(void **state)
{
    (void)state;
    step_through(call_frames, 20000);
}

/* OpenSSL's functions, as far as they are assembly that follows its frames by expressions. */
static struct {
    int (*init)(void *), (*update)(void *, const void *, size_t), (*final)(unsigned char *, void *);
    void *(*number)(void), *(*context)(void), *(*set)(const unsigned char *, int, void *);
    int (*power)(void *, const void *, const void *, const void *, void *);
    void *numbers[4], *work;
} crypto;

static void call_sha(void)
{
    static unsigned char state[256], digest[64];
    crypto.init(state);
    crypto.update(state, text, sizeof(text));
    crypto.final(digest, state);
}

static void call_power(void)
{
    crypto.power(crypto.numbers[0], crypto.numbers[1], crypto.numbers[2], crypto.numbers[3], crypto.work);
}

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    assert_non_null(found);
    return found;
}

static void assembly_of_openssl_is_unwound_at_each_instruction(void **state)
{
    (void)state;
    static const char *const hashes[][3] = {{"SHA1_Init", "SHA1_Update", "SHA1_Final"},
                                            {"SHA256_Init", "SHA256_Update", "SHA256_Final"},
                                            {"SHA512_Init", "SHA512_Update", "SHA512_Final"}};
    void *library = dlopen("libcrypto.so.3", RTLD_NOW);
    if (!library)
        skip();
    for (size_t i = 0; i < 3; i++) {
        crypto.init = symbol(library, hashes[i][0]);
        crypto.update = symbol(library, hashes[i][1]);
        crypto.final = symbol(library, hashes[i][2]);
        step_through(call_sha, 20000);
    }
    unsigned char bytes[256];
    memset(bytes, 0xa5, sizeof(bytes));
    crypto.number = symbol(library, "BN_new");
    crypto.context = symbol(library, "BN_CTX_new");
    crypto.set = symbol(library, "BN_bin2bn");
    crypto.power = symbol(library, "BN_mod_exp_mont_consttime") ? symbol(library, "BN_mod_exp") : NULL;
    for (size_t i = 0; i < 4; i++)
        crypto.numbers[i] = crypto.number();
    for (int i = 1; i < 4; i++)
        crypto.set(bytes, 128, crypto.numbers[i]);
    bytes[127] = 1;
    bytes[0] = 0x11;
    crypto.set(bytes, 128, crypto.numbers[1]);
    crypto.work = crypto.context();
    step_through(call_power, 60000);
}
#endif

/* ---- what a copy lacks --------------------------------------------------------------------------------------- */

static void a_copy_that_ends_early_is_said_to(void **state)
{
    (void)state;
    uint64_t frames[PH_UNWIND_FRAMES_MAX];
    enum ph_unwind_end end;
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    call_aligned(10, take);
    size_t size_bytes = recorded.stack.size_bytes, before = 0;
    size_t pages_bytes = (size_bytes / page_bytes + 1) * page_bytes;
    uint8_t *pages =
        mmap(NULL, pages_bytes + page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    assert_int_equal(mprotect(pages + pages_bytes, page_bytes, PROT_NONE), 0);
    for (size_t kept = 0; kept < size_bytes; kept++) {
        struct ph_stack stack = recorded.stack;
        uint8_t *bytes = pages + pages_bytes - kept;
        memcpy(bytes, recorded.bytes, kept);
        stack.bytes = bytes;
        stack.size_bytes = kept;
        size_t count = ph_unwinder_run(unwinder, &recorded.registers, &stack, frames, PH_UNWIND_FRAMES_MAX, &end);
        assert_true(count >= before && count <= recorded.frame_count);
        assert_memory_equal(frames, recorded.frames, count * sizeof(*frames));
        assert_int_equal(end, count == recorded.frame_count ? PH_UNWIND_COMPLETE : PH_UNWIND_CUT);
        before = count;
    }
    assert_int_equal(before, recorded.frame_count);
    munmap(pages, pages_bytes + page_bytes);
}

static void a_register_that_is_lost_on_the_way_is_followed(void **state)
{
    (void)state;
    /* All that is known of a thread that does not run; frames that need no frame pointer are enough for qsort(). */
    call_at_depth(10, take);
    recorded.registers.known = UINT64_C(1) << PH_REGISTER_SP | UINT64_C(1) << PH_REGISTER_PC;
    expect_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recursion_is_unwound),
        cmocka_unit_test(frames_of_variable_size_are_unwound),
        cmocka_unit_test(frames_that_align_their_stack_are_unwound),
        cmocka_unit_test(frames_of_libc_are_unwound),
        cmocka_unit_test(a_thread_ends_at_its_start),
        cmocka_unit_test(what_does_not_fit_is_said),
        cmocka_unit_test(a_signal_frame_is_unwound),
        cmocka_unit_test(a_handler_with_a_stack_of_its_own_is_unwound_if_the_other_can_be_read),
        cmocka_unit_test(a_handler_may_have_its_stack_above),
#if defined(__x86_64__)
        cmocka_unit_test(frames_are_unwound_at_each_instruction),
        cmocka_unit_test(stubs_and_lazy_binding_are_unwound_at_each_instruction),
        cmocka_unit_test(assembly_of_libc_is_unwound_at_each_instruction),
        cmocka_unit_test(the_vdso_is_unwound_at_each_instruction),
        cmocka_unit_test(assembly_of_openssl_is_unwound_at_each_instruction),
#endif
        cmocka_unit_test(a_copy_that_ends_early_is_said_to),
        cmocka_unit_test(a_register_that_is_lost_on_the_way_is_followed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
