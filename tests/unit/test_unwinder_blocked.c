/* Threads that wait, seen from outside: the kernel tells their stack pointer and where they are, and nothing else. */
#include "unwinder_fixture.h"

#include "elf/unwind_machine.h"

#include <alloca.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- ways to wait -------------------------------------------------------------------------------------------- */

static int pipe_ends[2];
static sem_t semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static bool is_done; /* under the mutex */

static void use(volatile void *memory)
{
    __asm__ volatile("" : : "r"(memory) : "memory");
}

static void wait_in_read(void)
{
    char byte;
    assert_int_equal(read(pipe_ends[0], &byte, 1), 0);
}

static void wait_in_poll(void)
{
    struct pollfd poll_fd = {.fd = pipe_ends[0], .events = POLLIN};
    poll(&poll_fd, 1, -1);
}

static void wait_in_epoll(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int fd = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(fd, EPOLL_CTL_ADD, pipe_ends[0], &event);
    epoll_wait(fd, &event, 1, -1);
    close(fd);
}

static void wait_for_semaphore(void)
{
    sem_wait(&semaphore);
}

static void wait_for_condition(void)
{
    pthread_mutex_lock(&mutex);
    while (!is_done)
        pthread_cond_wait(&condition, &mutex);
    pthread_mutex_unlock(&mutex);
}

static void wait_for_mutex(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void wait_asleep(void)
{
    struct timespec duration = {.tv_nsec = 300 * 1000 * 1000};
    nanosleep(&duration, NULL);
}

/* ---- frames between ------------------------------------------------------------------------------------------ */

static uint64_t hook_frame;
static volatile size_t variable_bytes = 3000;

__attribute__((noinline)) static void straight(void (*wait)(void))
{
    wait();
    use(&wait);
}

__attribute__((noinline)) static void with_alloca(void (*wait)(void))
{
    char *frame = alloca(variable_bytes);
    use(frame);
    wait();
    use(frame);
}

__attribute__((noinline)) static void aligned(void (*wait)(void))
{
    char frame[64] __attribute__((aligned(256)));
    use(frame);
    with_alloca(wait);
    use(frame);
}

/* Its frame has a variable size, and it keeps a frame pointer that it makes known, as the probe's hooks do. */
__attribute__((noinline)) static void hooked(void (*wait)(void))
{
    char *frame = alloca(variable_bytes);
    use(frame);
    __atomic_store_n(&hook_frame, (uint64_t)(uintptr_t)__builtin_frame_address(0), __ATOMIC_RELEASE);
    wait();
    use(frame);
}

__attribute__((noinline)) static void below_hook(void (*wait)(void))
{
    char *frame = alloca(variable_bytes);
    use(frame);
    hooked(wait);
    use(frame);
}

/* ---- looking ------------------------------------------------------------------------------------------------- */

static struct thread {
    void (*frames)(void (*)(void)), (*wait)(void);
    pthread_t id;
    pid_t tid;           /* atomic */
    uint64_t stack_high; /* written before @tid */
    struct recorded recorded;
} thread;

__attribute__((noinline)) static void record_there(void)
{
    record(&thread.recorded);
    use(&thread);
}

/* By name: calls through a pointer do not tell whom they are for. */
__attribute__((noinline)) static void call_frames(void (*call)(void))
{
    if (thread.frames == with_alloca)
        with_alloca(call);
    else if (thread.frames == aligned)
        aligned(call);
    else if (thread.frames == below_hook)
        below_hook(call);
    else
        thread.frames(call);
    use(&thread);
}

/* First what libgcc says of the same frames, then the same call again, waiting. */
static void *run(void *argument)
{
    void (*volatile call)(void) = record_there;
    (void)argument;
    for (volatile int round = 0; round < 2; round++) {
        call_frames(call);
        call = thread.wait;
        if (round == 0) {
            __atomic_store_n(&hook_frame, 0, __ATOMIC_RELAXED);
            __atomic_store_n(&thread.tid, gettid(), __ATOMIC_RELEASE);
        }
    }
    return NULL;
}

/* 1 ms at a time, until the thread waits in a system call, and still does. */
static bool look(struct ph_registers *ret_registers)
{
    char path[64], text[256], again[256] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", thread.tid);
    for (int tries = 0; tries < 5000; tries++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t got = read(fd, text, sizeof(text) - 1);
        uint64_t a[6], sp, pc;
        long number;
        close(fd);
        text[got > 0 ? got : 0] = '\0';
        bool waits = sscanf(text, "%ld %lx %lx %lx %lx %lx %lx %lx %lx", &number, &a[0], &a[1], &a[2], &a[3], &a[4],
                            &a[5], &sp, &pc) == 9;
        if (waits && strcmp(text, again) == 0) {
            *ret_registers =
                (struct ph_registers){.known = UINT64_C(1) << PH_REGISTER_SP | UINT64_C(1) << PH_REGISTER_PC};
            ret_registers->values[PH_REGISTER_SP] = sp;
            ret_registers->values[PH_REGISTER_PC] = pc;
            return true;
        }
        strcpy(again, text);
        usleep(1000);
    }
    return false;
}

static void begin(void (*frames)(void (*)(void)), void (*wait)(void))
{
    thread.tid = 0;
    thread.frames = frames;
    thread.wait = wait;
    is_done = false;
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(sem_init(&semaphore, 0, 0), 0);
    if (wait == wait_for_mutex)
        pthread_mutex_lock(&mutex);
    assert_int_equal(pthread_create(&thread.id, NULL, run, NULL), 0);
    while (!__atomic_load_n(&thread.tid, __ATOMIC_ACQUIRE))
        usleep(100);
}

static void finish(void)
{
    if (thread.wait != wait_for_mutex)
        pthread_mutex_lock(&mutex);
    is_done = true;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
    sem_post(&semaphore);
    close(pipe_ends[1]);
    pthread_join(thread.id, NULL);
    close(pipe_ends[0]);
    sem_destroy(&semaphore);
}

/* The frames above the function that waits are those that libgcc saw when it recorded instead. */
static bool ends_alike(const uint64_t *frames, size_t count)
{
    const struct recorded *recorded = &thread.recorded;
    size_t shared = recorded->frame_count - 2; /* without record() and record_there() */
    return count > shared && memcmp(frames + count - shared, recorded->frames + 2, shared * sizeof(*frames)) == 0;
}

static void expect(void (*frames)(void (*)(void)), void (*wait)(void), bool with_hook)
{
    struct ph_unwinder *unwinder = new_unwinder();
    uint64_t found[PH_UNWIND_FRAMES_MAX];
    struct ph_registers registers;
    enum ph_unwind_end end = PH_UNWIND_BAD;
    begin(frames, wait);
    bool waits = look(&registers);
    struct ph_stack stack = {.low = registers.values[PH_REGISTER_SP], .is_live = true};
    stack.high = thread.recorded.stack.high;
    stack.hook_frame = with_hook ? __atomic_load_n(&hook_frame, __ATOMIC_ACQUIRE) : 0;
    size_t count = ph_unwinder_run(unwinder, &registers, &stack, found, PH_UNWIND_FRAMES_MAX, &end);
    finish();
    ph_unwinder_free(unwinder);
    assert_true(waits);
    assert_int_equal(end, PH_UNWIND_COMPLETE);
    assert_true(ends_alike(found, count));
}

static void (*const waits[])(void) = {wait_in_read,       wait_in_poll,   wait_in_epoll, wait_for_semaphore,
                                      wait_for_condition, wait_for_mutex, wait_asleep};

static void all(void (*frames)(void (*)(void)), bool with_hook)
{
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
        expect(frames, waits[i], with_hook);
}

static void threads_that_wait_are_unwound(void **state)
{
    (void)state;
    all(straight, false);
}

static void a_frame_pointer_that_is_not_known_is_found(void **state)
{
    (void)state;
    all(with_alloca, false);
    all(aligned, false);
}

static void a_hook_that_keeps_its_frame_pointer_gives_it_back(void **state)
{
    (void)state;
    all(hooked, true);
    all(below_hook, true);
    all(below_hook, false); /* there are others ways, too */
}

/* Remainders of calls before look like callers, too. */
static void a_frame_that_was_called_through_a_pointer_is_never_taken_for_another_ones(void **state)
{
    (void)state;
    struct ph_unwinder *unwinder = new_unwinder();
    size_t completed = 0;
    for (variable_bytes = 16; variable_bytes < 8000; variable_bytes += 400) {
        uint64_t found[PH_UNWIND_FRAMES_MAX];
        struct ph_registers registers;
        enum ph_unwind_end end = PH_UNWIND_BAD;
        begin(hooked, wait_in_read);
        bool waits_there = look(&registers);
        struct ph_stack stack = {.low = registers.values[PH_REGISTER_SP], .is_live = true};
        stack.high = thread.recorded.stack.high;
        size_t count = ph_unwinder_run(unwinder, &registers, &stack, found, PH_UNWIND_FRAMES_MAX, &end);
        finish();
        assert_true(waits_there);
        assert_true(end == PH_UNWIND_NO_POINTER || (end == PH_UNWIND_COMPLETE && ends_alike(found, count)));
        completed += end == PH_UNWIND_COMPLETE;
    }
    print_message("%zu of 20 found\n", completed);
    variable_bytes = 3000;
    ph_unwinder_free(unwinder);
}

static void a_frame_pointer_that_cannot_be_found_is_said_to_be_missing(void **state)
{
    (void)state;
    struct ph_unwinder *unwinder = new_unwinder();
    uint64_t found[PH_UNWIND_FRAMES_MAX];
    struct ph_registers registers;
    enum ph_unwind_end end = PH_UNWIND_BAD;
    begin(with_alloca, wait_in_read);
    bool waits_there = look(&registers);
    struct ph_stack stack = {.low = registers.values[PH_REGISTER_SP], .is_live = true};
    uint64_t before = thread.recorded.stack.high - stack.low;
    static uint8_t copy[65536];
    assert_true(before < sizeof(copy));
    memcpy(copy, (void *)(uintptr_t)stack.low, before);
    finish();
    /* The frames of libc; what alloca() gave; and zeros instead of what was above. */
    stack = (struct ph_stack){.low = stack.low, .bytes = copy, .size_bytes = before, .high = stack.low + before};
    memset(copy + 1024, 0, before - 1024);
    size_t count = ph_unwinder_run(unwinder, &registers, &stack, found, PH_UNWIND_FRAMES_MAX, &end);
    ph_unwinder_free(unwinder);
    assert_true(waits_there);
    assert_true(count > 1);
    assert_int_equal(end, PH_UNWIND_NO_POINTER);
}

/* Where remainders of calls before look like callers, the code tells how large the frame is. */
static void the_begin_of_a_function_tells_how_large_its_frame_is(void **state)
{
    (void)state;
#if defined(__x86_64__)
    static const struct {
        uint8_t code[PH_UNWIND_PROLOGUE_BYTES];
        uint32_t size_bytes;
    } cases[] = {
        {{0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x68}, 0x68},                        /* sub $0x68, %rsp */
        {{0x55, 0x48, 0x89, 0xe5, 0x41, 0x57, 0x48, 0x81, 0xec, 0x10, 0x20, 0}, 0x2010}, /* sub $0x2010, %rsp */
        {{0x55, 0x48, 0x89, 0xe5, 0x48, 0x29, 0xc4}, 0},                                 /* sub %rax, %rsp */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(ph_unwind_frame_bytes(cases[i].code), cases[i].size_bytes);
#endif
}

#if defined(__x86_64__)
/* A call that does not return may be the last instruction of its function: what it would return to is the next one, with rules of its
 * own. */
__asm__(".text\n"
        "calls_last: .cfi_startproc\n"
        "sub $24, %rsp; .cfi_adjust_cfa_offset 24; call abort@PLT; .cfi_endproc\n"
        "behind_calls_last: .cfi_startproc\n"
        "ret; .cfi_endproc\n");
extern const uint8_t behind_calls_last[];

static void a_caller_is_looked_up_where_it_called(void **state)
{
    (void)state;
    struct ph_unwinder *unwinder = new_unwinder();
    const uint64_t words[] = {0, 0, 0, (uintptr_t)straight + 1, 0, 0};
    struct ph_registers registers = {.is_of_caller = true};
    struct ph_stack stack = {.low = 0x10000, .bytes = (const uint8_t *)words, .size_bytes = sizeof(words)};
    uint64_t found[PH_UNWIND_FRAMES_MAX];
    enum ph_unwind_end end;
    registers.values[PH_REGISTER_SP] = stack.low;
    registers.values[PH_REGISTER_PC] = (uintptr_t)behind_calls_last;
    registers.known = UINT64_C(1) << PH_REGISTER_SP | UINT64_C(1) << PH_REGISTER_PC;
    size_t count = ph_unwinder_run(unwinder, &registers, &stack, found, PH_UNWIND_FRAMES_MAX, &end);
    ph_unwinder_free(unwinder);
    assert_true(count >= 2);
    assert_int_equal(found[0], (uintptr_t)behind_calls_last - 1);
    assert_int_equal(found[1], (uintptr_t)straight);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_that_wait_are_unwound),
        cmocka_unit_test(a_frame_pointer_that_is_not_known_is_found),
        cmocka_unit_test(a_hook_that_keeps_its_frame_pointer_gives_it_back),
        cmocka_unit_test(a_frame_that_was_called_through_a_pointer_is_never_taken_for_another_ones),
        cmocka_unit_test(a_frame_pointer_that_cannot_be_found_is_said_to_be_missing),
        cmocka_unit_test(the_begin_of_a_function_tells_how_large_its_frame_is),

#if defined(__x86_64__)
        cmocka_unit_test(a_caller_is_looked_up_where_it_called),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
