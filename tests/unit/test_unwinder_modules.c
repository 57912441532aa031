/* Modules that come, go and are replaced while stacks that lead through them are unwound; code without tables. */
#include "unwinder_fixture.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

static struct recorded recorded, other;
static struct recorded *wanted;

__attribute__((noinline)) static void take(void)
{
    record(wanted);
    __asm__ volatile("" : : : "memory");
}

/* Where the module was. */
static uintptr_t record_through(const char *path, struct recorded *ret_recorded)
{
    void *library = dlopen(path, RTLD_NOW);
    assert_non_null(library);
    void (*call)(void (*)(void)) = dlsym(library, "unwind_call");
    assert_non_null(call);
    wanted = ret_recorded;
    call(take);
    dlclose(library);
    return (uintptr_t)call;
}

#define SMALL PH_UNWIND_DIR "/unwind_small.so"
#define LARGE PH_UNWIND_DIR "/unwind_large.so"

static enum ph_unwind_end end_of(struct ph_unwinder *unwinder, const struct recorded *from, size_t *ret_count)
{
    uint64_t frames[PH_UNWIND_FRAMES_MAX];
    enum ph_unwind_end end;
    *ret_count = ph_unwinder_run(unwinder, &from->registers, &from->stack, frames, PH_UNWIND_FRAMES_MAX, &end);
    return end;
}

static void a_module_that_came_later_is_noticed(void **state)
{
    (void)state;
    struct ph_unwinder *unwinder = new_unwinder();
    void *library = dlopen(SMALL, RTLD_NOW);
    record_through(SMALL, &recorded);
    expect_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
    dlclose(library);
    ph_unwinder_free(unwinder);
}

static void a_module_that_went_is_known_until_the_next_round(void **state)
{
    (void)state;
    struct ph_unwinder *unwinder = new_unwinder();
    size_t count;
    void *library = dlopen(SMALL, RTLD_NOW);
    record_through(SMALL, &recorded);
    expect_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
    assert_false(ph_unwinder_refresh(unwinder));
    dlclose(library);
    expect_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
    assert_true(ph_unwinder_refresh(unwinder));
    assert_int_equal(end_of(unwinder, &recorded, &count), PH_UNWIND_BAD);
    assert_int_equal(count, 2); /* record(), take() */
    ph_unwinder_free(unwinder);
}

static void a_module_that_went_before_it_was_read_ends_the_stack(void **state)
{
    (void)state;
    size_t count;
    void *library = dlopen(SMALL, RTLD_NOW);
    struct ph_unwinder *unwinder = new_unwinder(); /* knows that it is there, and has not looked at it */
    record_through(SMALL, &recorded);
    dlclose(library);
    enum ph_unwind_end end = end_of(unwinder, &recorded, &count);
    assert_true(end == PH_UNWIND_NO_RULE || end == PH_UNWIND_BAD);
    assert_true(count == 2 || count == 3);
    ph_unwinder_free(unwinder);
}

static void another_module_at_the_same_place_has_rules_of_its_own(void **state)
{
    (void)state;
    struct ph_unwinder *unwinder = new_unwinder();
    void *library = dlopen(SMALL, RTLD_NOW);
    uintptr_t small = record_through(SMALL, &recorded);
    expect_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
    dlclose(library);
    library = dlopen(LARGE, RTLD_NOW);
    if (record_through(LARGE, &other) != small) {
        dlclose(library);
        ph_unwinder_free(unwinder);
        skip();
    }
    ph_unwinder_refresh(unwinder);
    expect_same(unwinder, &other, PH_UNWIND_COMPLETE);
    dlclose(library);
    ph_unwinder_free(unwinder);
}

#if defined(__x86_64__)
/* push %rbp; mov %rsp, %rbp; call *%rdi; pop %rbp; ret - as a JIT compiler makes it; the second keeps no frame pointer. */
static const uint8_t with_frame_pointer[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
static const uint8_t without[] = {0x48, 0x83, 0xec, 0x18, 0xff, 0xd7, 0x48, 0x83, 0xc4, 0x18, 0xc3};

static void (*make_code(const uint8_t *code, size_t size_bytes))(void (*)(void))
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(page, MAP_FAILED);
    memcpy(page, code, size_bytes);
    assert_int_equal(mprotect(page, 4096, PROT_READ | PROT_EXEC), 0);
    return (void (*)(void (*)(void)))(uintptr_t)page;
}

static void code_without_tables_is_left_by_its_frame_pointer(void **state)
{
    (void)state;
    uint64_t frames[PH_UNWIND_FRAMES_MAX];
    enum ph_unwind_end end;
    struct ph_unwinder *unwinder = new_unwinder();
    wanted = &recorded;
    make_code(with_frame_pointer, sizeof(with_frame_pointer))(take);
    size_t count =
        ph_unwinder_run(unwinder, &recorded.registers, &recorded.stack, frames, PH_UNWIND_FRAMES_MAX, &end);
    assert_int_equal(end, PH_UNWIND_COMPLETE);
    take();
    assert_int_equal(count, recorded.frame_count + 1);
    assert_memory_equal(frames + 4, recorded.frames + 3, (count - 4) * sizeof(*frames));
    ph_unwinder_free(unwinder);
}

static void code_without_tables_and_frame_pointer_ends_the_stack(void **state)
{
    (void)state;
    size_t count;
    struct ph_unwinder *unwinder = new_unwinder();
    wanted = &recorded;
    make_code(without, sizeof(without))(take);
    recorded.registers.values[PH_REGISTER_BP] = 0;
    for (size_t i = 0; i + 8 <= recorded.stack.size_bytes; i += 8) {
        uint64_t word;
        memcpy(&word, recorded.bytes + i, sizeof(word));
        if (word > recorded.stack.low && word < recorded.stack.high)
            memset(recorded.bytes + i, 0, sizeof(word)); /* what may look like one */
    }
    assert_int_equal(end_of(unwinder, &recorded, &count), PH_UNWIND_NO_RULE);
    assert_int_equal(count, 3);
    /* What lies beside a frame pointer must be an address behind a call. */
    uint64_t frame[2] = {0, (uintptr_t)end_of};
    size_t at = recorded.stack.size_bytes / 2 / 16 * 16;
    memcpy(recorded.bytes + at, frame, sizeof(frame));
    recorded.registers.values[PH_REGISTER_BP] = recorded.stack.low + at;
    assert_int_equal(end_of(unwinder, &recorded, &count), PH_UNWIND_NO_RULE);
    assert_int_equal(count, 3);
    ph_unwinder_free(unwinder);
}
/* jmp *0(%rip); at 16: push %rbp; mov %rsp, %rbp; call *%rdi; jmp over; call 0; over: pop %rbp; ret */
static const uint8_t stub_and_caller[] = {0xff, 0x25, 0,    0,    0,    0,    0,    0,    0,    0,    0,
                                          0,    0,    0,    0,    0,    0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7,
                                          0xeb, 0x05, 0xe8, 0xe3, 0xff, 0xff, 0xff, 0x5d, 0xc3};
#define CALLER 16
#define FIRST  22 /* where the first call returns to */
#define SECOND 29

static void a_stub_without_tables_is_left_to_its_caller(void **state)
{
    (void)state;
    uint64_t frames[PH_UNWIND_FRAMES_MAX], word;
    enum ph_unwind_end end;
    struct ph_unwinder *unwinder = new_unwinder();
    uintptr_t code = (uintptr_t)make_code(stub_and_caller, sizeof(stub_and_caller));
    wanted = &recorded;
    ((void (*)(void (*)(void)))(code + CALLER))(take);
    size_t at = 0;
    for (; at + sizeof(word) <= recorded.stack.size_bytes; at += sizeof(word)) {
        memcpy(&word, recorded.bytes + at, sizeof(word));
        if (word == code + FIRST)
            break;
    }
    assert_true(at + sizeof(word) <= recorded.stack.size_bytes);
    /* As if the stub were being run, called by the second call. */
    word = code + SECOND;
    memcpy(recorded.bytes + at, &word, sizeof(word));
    recorded.registers.values[PH_REGISTER_SP] = recorded.stack.low + at;
    recorded.registers.values[PH_REGISTER_BP] = recorded.stack.low + at + sizeof(word);
    recorded.registers.values[PH_REGISTER_PC] = code;
    size_t count =
        ph_unwinder_run(unwinder, &recorded.registers, &recorded.stack, frames, PH_UNWIND_FRAMES_MAX, &end);
    assert_int_equal(end, PH_UNWIND_COMPLETE);
    assert_true(count > 4);
    assert_int_equal(frames[0], code);
    assert_int_equal(frames[1], code + SECOND - 1);
    ph_unwinder_free(unwinder);
}

static void a_module_where_code_without_tables_was_is_noticed(void **state)
{
    (void)state;
    struct ph_unwinder *unwinder = new_unwinder();
    void *library = dlopen(SMALL, RTLD_NOW);
    uintptr_t place = record_through(SMALL, &recorded) & ~(uintptr_t)4095;
    dlclose(library);
    void *page =
        mmap((void *)place, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    assert_int_equal(page, place);
    size_t count;
    end_of(unwinder, &recorded, &count); /* nothing is known of the place */
    munmap(page, 4096);
    library = dlopen(SMALL, RTLD_NOW);
    if (record_through(SMALL, &recorded) / 4096 * 4096 == place) {
        ph_unwinder_refresh(unwinder);
        expect_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
    }
    dlclose(library);
    ph_unwinder_free(unwinder);
}

/* mov $15, %rax; syscall - at the begin of a page, as kernels and emulators place it. */
static const uint8_t restorer_code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};

struct kernel_sigaction { /* what the system call takes; libc's wrapper has a restorer of its own */
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

static void on_signal(int number)
{
    (void)number;
    take();
}

static void a_signal_frame_without_tables_is_unwound(void **state)
{
    (void)state;
    struct ph_unwinder *unwinder = new_unwinder();
    struct kernel_sigaction action = {.handler = on_signal, .flags = 0x04000000 /* SA_RESTORER */};
    struct sigaction before;
    sigaction(SIGUSR1, NULL, &before);
    action.restorer = (void (*)(void))(uintptr_t)make_code(restorer_code, sizeof(restorer_code));
    wanted = &recorded;
    assert_int_equal(syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8), 0);
    raise(SIGUSR1);
    sigaction(SIGUSR1, &before, NULL);
    expect_same(unwinder, &recorded, PH_UNWIND_COMPLETE);
    ph_unwinder_free(unwinder);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_module_that_came_later_is_noticed),
        cmocka_unit_test(a_module_that_went_is_known_until_the_next_round),
        cmocka_unit_test(a_module_that_went_before_it_was_read_ends_the_stack),
        cmocka_unit_test(another_module_at_the_same_place_has_rules_of_its_own),
#if defined(__x86_64__)
        cmocka_unit_test(code_without_tables_is_left_by_its_frame_pointer),
        cmocka_unit_test(code_without_tables_and_frame_pointer_ends_the_stack),
        cmocka_unit_test(a_module_where_code_without_tables_was_is_noticed),
        cmocka_unit_test(a_stub_without_tables_is_left_to_its_caller),
        cmocka_unit_test(a_signal_frame_without_tables_is_unwound),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
