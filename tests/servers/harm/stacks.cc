/* stacks.cc - modes with stacks that are small, strange, or gone a moment later. */
#include "harm.h"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static const size_t PAGE_BYTES = 4096;

/* Memory that ends at its begin in a page that is not there: an overflow ends the program. */
static char *guarded(size_t bytes)
{
    size_t whole = (bytes + 2 * PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
    char *memory =
        static_cast<char *>(mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    expect(memory != MAP_FAILED && mprotect(memory, PAGE_BYTES, PROT_NONE) == 0, "mmap");
    return memory + PAGE_BYTES;
}

/* ---- tiny: alternate stacks on which hardly more than the host's own signal fits ---- */

static std::atomic<unsigned> worker_count;
static thread_local volatile sig_atomic_t handled;
static thread_local volatile unsigned long wasted;

/* Calls nothing: the loader would take more of the stack than there is. */
static void work_on_tiny(int, siginfo_t *, void *)
{
    for (int i = 0; i < 300000; i++)
        wasted = wasted + static_cast<unsigned long>(i);
    handled = handled + 1;
}

static size_t frame_bytes()
{
    unsigned long bytes = getauxval(AT_MINSIGSTKSZ);
    return bytes ? bytes : 2048;
}

static void tiny_stacks()
{
    /* For one signal; for hardly two; for two. */
    const size_t sizes[] = {frame_bytes() + 512, 2 * frame_bytes() - 512, 2 * frame_bytes() + 4096};
    stack_t stack = {}, now;
    stack.ss_size = sizes[worker_count++ % (sizeof(sizes) / sizeof(sizes[0]))];
    stack.ss_sp = guarded(stack.ss_size);
    while (!stop) {
        int before = handled;
        expect(sigaltstack(&stack, nullptr) == 0, "sigaltstack");
        for (int i = 0; i < 5; i++) {
            expect(pthread_kill(pthread_self(), SIGUSR2) == 0, "pthread_kill");
            burn(100000);
        }
        expect(handled == before + 5, "a handler on a tiny stack runs");
        expect(sigaltstack(nullptr, &now) == 0 && now.ss_sp == stack.ss_sp && now.ss_size == stack.ss_size,
               "the alternate stack stays");
        poll(nullptr, 0, 1);
        done();
    }
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, nullptr);
}

/* Between none and one, all the time. */
static void toggle_stack()
{
    stack_t stack = {}, none = {}, before;
    stack.ss_size = 16 * PAGE_BYTES;
    stack.ss_sp = guarded(stack.ss_size);
    none.ss_flags = SS_DISABLE;
    for (int i = 0; !stop; i++) {
        stack.ss_size = i % 2 ? frame_bytes() + 512 : 16 * PAGE_BYTES;
        expect(sigaltstack(&stack, nullptr) == 0, "sigaltstack");
        burn(2000);
        expect(sigaltstack(&none, &before) == 0 && before.ss_sp == stack.ss_sp && before.ss_size == stack.ss_size,
               "the alternate stack is the one that was set");
    }
}

/* ---- autodisarm: a stack that is none as long as a handler is on it ---- */

static thread_local char *disarmed_low, *disarmed_high;

static void work_on_disarmed(int, siginfo_t *, void *)
{
    int saved_errno = errno;
    char here;
    stack_t now;
    expect(&here >= disarmed_low && &here < disarmed_high, "the handler runs on its stack");
    expect(sigaltstack(nullptr, &now) == 0 && now.ss_flags & SS_DISABLE, "the stack is disarmed in its handler");
    burn(200000);
    expect(sigaltstack(nullptr, &now) == 0 && now.ss_flags & SS_DISABLE, "and stays so");
    handled = handled + 1;
    errno = saved_errno;
}

static void autodisarm()
{
    stack_t stack = {}, now;
    stack.ss_size = 16 * PAGE_BYTES;
    stack.ss_sp = guarded(stack.ss_size);
    stack.ss_flags = static_cast<int>(SS_AUTODISARM);
    disarmed_low = static_cast<char *>(stack.ss_sp);
    disarmed_high = disarmed_low + stack.ss_size;
    expect(sigaltstack(&stack, nullptr) == 0, "sigaltstack");
    while (!stop) {
        int before = handled;
        burn(200000);
        expect(pthread_kill(pthread_self(), SIGVTALRM) == 0 && handled == before + 1, "a handler runs");
        expect(sigaltstack(nullptr, &now) == 0 && now.ss_sp == stack.ss_sp && now.ss_size == stack.ss_size &&
                   static_cast<unsigned>(now.ss_flags) == SS_AUTODISARM,
               "the stack is armed again");
        done();
    }
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, nullptr);
}

static void prepare_tiny()
{
    prepare_witnesses();
    handle(SIGUSR2, work_on_tiny, SA_ONSTACK, false);
    handle(SIGVTALRM, work_on_disarmed, SA_ONSTACK, false);
}

/* ---- coroutines: their stacks come and go, and nothing else lies beside them ---- */

static thread_local ucontext_t outside, inside;
static thread_local volatile int turns;

/* Nothing that a coroutine keeps may be lost while others run. */
static void in_coroutine()
{
    for (int i = 0;; i++) {
        char kept[2048];
        memset(kept, i, sizeof(kept));
        errno = 77;
        __asm__ volatile("" : : "r"(kept) : "memory");
        burn(30000);
        __asm__ volatile("" : : "r"(kept) : "memory");
        expect(errno == 77, "errno is kept in a coroutine");
        for (char byte : kept)
            expect(byte == static_cast<char>(i), "the stack of a coroutine is kept");
        expect(poll(nullptr, 0, 1) == 0, "poll in a coroutine");
        turns = turns + 1;
        swapcontext(&inside, &outside);
    }
}

static void switch_stacks()
{
    const size_t bytes = 4 * PAGE_BYTES;
    while (!stop) {
        char *stack = guarded(bytes);
        turns = 0;
        getcontext(&inside);
        inside.uc_stack.ss_sp = stack;
        inside.uc_stack.ss_size = bytes;
        inside.uc_link = nullptr;
        makecontext(&inside, in_coroutine, 0);
        for (int i = 0; i < 20; i++)
            swapcontext(&outside, &inside);
        expect(turns == 20, "each turn of a coroutine");
        munmap(stack - PAGE_BYTES, bytes + PAGE_BYTES);
        done();
    }
}

/* As Go's: no signal fits on the stack it runs on, so each needs the alternate one. */
static const size_t NARROW_BYTES = 2048;

static void in_narrow_coroutine()
{
    for (;;) {
        burn(300000);
        turns = turns + 1;
        swapcontext(&inside, &outside);
    }
}

static void run_on_narrow_stacks()
{
    stack_t alternate = {};
    alternate.ss_size = 16 * PAGE_BYTES;
    alternate.ss_sp = guarded(alternate.ss_size);
    expect(sigaltstack(&alternate, nullptr) == 0, "sigaltstack");
    getcontext(&inside);
    inside.uc_stack.ss_sp = guarded(NARROW_BYTES);
    inside.uc_stack.ss_size = NARROW_BYTES;
    inside.uc_link = nullptr;
    makecontext(&inside, in_narrow_coroutine, 0);
    while (!stop) {
        int before = turns;
        swapcontext(&outside, &inside);
        expect(turns == before + 1, "each turn of a coroutine");
        done();
    }
    alternate.ss_flags = SS_DISABLE;
    sigaltstack(&alternate, nullptr);
}

std::vector<Mode> stack_modes()
{
    return {
        {"tiny", prepare_tiny,
         both(witnesses(), {{"tiny", tiny_stacks, 3}, {"toggle", toggle_stack, 1}, {"autodisarm", autodisarm, 1}})},
        {"coroutines", prepare_witnesses,
         both(witnesses(), {{"coroutine", switch_stacks, 3}, {"narrow", run_on_narrow_stacks, 1}})},
    };
}
