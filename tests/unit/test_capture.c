/* What the signal handler copies, of threads that were asked or whose timer went off, on stacks of every kind. */
#include "captures_fixture.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

static void a_capture_holds_the_registers_and_the_stack(void **state)
{
    struct ph_capture capture;
    volatile uint64_t marks[16];
    (void)state;
    for (size_t i = 0; i < 16; i++)
        marks[i] = UINT64_C(0x1234567800000000) + i;
    sample_begin(1000);
    ph_sampling_arm(gettid());
    bool taken = false;
    for (int i = 0; i < 100 && !taken; i++) {
        burn_ms(20);
        taken = ph_sampling_take(&capture);
    }
    assert_true(taken);
    assert_int_equal(capture.tid, gettid());
    assert_int_equal(capture.registers[7] - capture.stack_low, 128); /* with the red zone */
    assert_true(capture.stack_low < (uintptr_t)marks);
    uintptr_t offset = (uintptr_t)marks - capture.stack_low;
    assert_true(offset + sizeof(marks) <= capture.stack_bytes);
    assert_memory_equal(capture.stack + offset, (const void *)marks, sizeof(marks));
    assert_true(capture.stack_is_cut || capture.stack_low + capture.stack_bytes == capture.stack_high);
    ph_sampling_give_back(&capture);
    sample_end();
}

/* ---- Asking ---- */

static int answer(int ticket, struct ph_capture *ret_capture)
{
    int result = -EAGAIN;
    for (int i = 0; i < 2000 && result == -EAGAIN; i++) {
        result = ph_asked(ticket, ret_capture);
        usleep(1000);
    }
    return result;
}

static void a_running_thread_that_is_asked_answers(void **state)
{
    (void)state;
    pthread_t thread;
    pid_t tid = 0;
    struct ph_capture capture;
    burn_start();
    pthread_create(&thread, NULL, burn_until_stopped, &tid);
    int ticket = ph_ask(wait_for_tid(&tid));
    assert_true(ticket >= 0);
    assert_int_equal(answer(ticket, &capture), 0);
    assert_int_equal(capture.tid, tid);
    assert_true(capture.stack_bytes > 0);
    ph_unask(ticket);
    burn_stop();
    pthread_join(thread, NULL);
}

static void one_that_blocks_signals_does_not_answer_and_its_late_answer_harms_nobody(void **state)
{
    (void)state;
    pthread_t thread;
    pid_t tid = 0;
    struct ph_capture capture;
    burn_start();
    pthread_create(&thread, NULL, block_all_and_burn, &tid);
    int ticket = ph_ask(wait_for_tid(&tid));
    assert_true(ticket >= 0);
    usleep(50000);
    assert_int_equal(ph_asked(ticket, &capture), -EAGAIN);
    ph_unask(ticket);
    burn_stop();
    pthread_join(thread, NULL);
}

static void more_than_there_are_tickets_are_refused(void **state)
{
    (void)state;
    pthread_t thread;
    pid_t tid = 0;
    int tickets[PH_ASKED_MAX];
    burn_start();
    pthread_create(&thread, NULL, burn_until_stopped, &tid);
    wait_for_tid(&tid);
    for (size_t i = 0; i < PH_ASKED_MAX; i++)
        assert_true((tickets[i] = ph_ask(tid)) >= 0);
    assert_int_equal(ph_ask(tid), -EAGAIN);
    for (size_t i = 0; i < PH_ASKED_MAX; i++)
        ph_unask(tickets[i]);
    int ticket = ph_ask(tid);
    assert_true(ticket >= 0);
    ph_unask(ticket);
    burn_stop();
    pthread_join(thread, NULL);
}

static void *wait_for_ever(void *tid)
{
    __atomic_store_n((pid_t *)tid, gettid(), __ATOMIC_RELEASE);
    poll(NULL, 0, -1);
    return NULL;
}

/* Who waits in a call may not be asked; one that was cancelled there has not told that it does not any more. */
static void a_thread_that_follows_one_that_was_cancelled_can_be_asked(void **state)
{
    (void)state;
    pid_t former = 0, tid = 0;
    pthread_t thread = thread_of_host(wait_for_ever, &former);
    wait_until_blocked(wait_for_tid(&former));
    const struct ph_thread_slot *slot = ph_timers_slot_of(former);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    burn_start();
    thread = thread_of_host(burn_until_stopped, &tid);
    assert_ptr_equal(ph_timers_slot_of(wait_for_tid(&tid)), slot);
    int ticket = ph_ask(tid);
    burn_stop();
    pthread_join(thread, NULL);
    assert_true(ticket >= 0);
    ph_unask(ticket);
}

/* ---- Coroutines ---- */

/* A stack that no registry knows, with nothing behind it. */
static void a_coroutines_stack_is_copied_to_its_end(void **state)
{
    (void)state;
    size_t bytes = 16 << 10;
    char *memory = mmap(NULL, bytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    assert_int_equal(mprotect(memory + bytes, 4096, PROT_NONE), 0);
    struct ph_capture capture;
    burn_start();
    pid_t made = clone_that_burns(memory + bytes);
    int ticket = ph_ask(made);
    assert_true(ticket >= 0);
    assert_int_equal(answer(ticket, &capture), 0);
    assert_int_equal(capture.stack_low + capture.stack_bytes, (uintptr_t)memory + bytes);
    ph_unask(ticket);
    burn_stop();
    wait_for_end(made);
}

#define COROUTINE_BYTES (32 << 10)

static ucontext_t outside, inside;

static void burn_in_coroutine(void)
{
    burn_ms(500);
}

static void run_coroutine(char *stack)
{
    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = COROUTINE_BYTES;
    inside.uc_link = &outside;
    makecontext(&inside, burn_in_coroutine, 0);
    swapcontext(&outside, &inside);
}

static bool is_over; /* atomic */

static void *come_and_go(void *place)
{
    while (!__atomic_load_n(&is_over, __ATOMIC_ACQUIRE)) {
        mmap(place, COROUTINE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE,
             -1, 0);
        for (volatile int i = 0; i < 10000; i++)
            ;
        mprotect(place, COROUTINE_BYTES, PROT_NONE);
    }
    return NULL;
}

/* What lies behind a coroutine's stack is another's, and may go while it is copied. */
static void a_stack_whose_neighbour_goes_is_copied_without_harm(void **state)
{
    (void)state;
    pthread_t thread;
    char *stack = mmap(NULL, 2 * COROUTINE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(stack, MAP_FAILED);
    is_over = false;
    assert_int_equal(ph_sampling_begin(1000, PH_CAPTURE_STACK_BYTES), 0);
    ph_sampling_arm(gettid());
    pthread_create(&thread, NULL, come_and_go, stack + COROUTINE_BYTES);
    uint64_t count = 0;
    for (int i = 0; i < 4; i++) {
        run_coroutine(stack);
        count += drain(gettid());
    }
    assert_true(count > 0);
    __atomic_store_n(&is_over, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    sample_end();
    munmap(stack, 2 * COROUTINE_BYTES);
}

static int forbid(int number)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(steps) / sizeof(steps[0]), steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -1 : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Timers go off still, and what their handler asks the kernel may be forbidden. */
static void a_filter_that_comes_while_timers_run_is_not_the_programs_end(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        char *stack = mmap(NULL, COROUTINE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (ph_sampling_begin(1000, STACK_BYTES) != 0 || ph_sampling_arm(gettid()) != 0 ||
            forbid(SYS_process_vm_readv) < 0)
            _exit(1);
        run_coroutine(stack);
        _exit(7);
    }
    assert_int_equal(status_of(child), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capture_holds_the_registers_and_the_stack),
        cmocka_unit_test(a_running_thread_that_is_asked_answers),
        cmocka_unit_test(one_that_blocks_signals_does_not_answer_and_its_late_answer_harms_nobody),
        cmocka_unit_test(more_than_there_are_tickets_are_refused),
        cmocka_unit_test(a_thread_that_follows_one_that_was_cancelled_can_be_asked),
        cmocka_unit_test(a_coroutines_stack_is_copied_to_its_end),
        cmocka_unit_test(a_stack_whose_neighbour_goes_is_copied_without_harm),
        cmocka_unit_test(a_filter_that_comes_while_timers_run_is_not_the_programs_end),
    };
    return cmocka_run_group_tests(tests, captures_setup, NULL);
}
