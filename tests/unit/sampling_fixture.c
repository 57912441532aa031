#include "sampling_fixture.h"

#include "base/clock.h"
#include "elf/unwind.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#define COPY_BYTES 65536

struct sampling sampling;

/* ---- A stack that is known ---- */

static struct ph_capture known;
static uint8_t known_stack[COPY_BYTES];

#if defined(__x86_64__)
static const int by_dwarf_number[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                      REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                      REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};

static void take_registers(const ucontext_t *context)
{
    for (size_t i = 0; i < PH_REGISTERS; i++)
        known.registers[i] = (uint64_t)context->uc_mcontext.gregs[by_dwarf_number[i]];
}
#elif defined(__aarch64__)
static void take_registers(const ucontext_t *context)
{
    memcpy(known.registers, context->uc_mcontext.regs, 31 * sizeof(uint64_t));
    known.registers[PH_REGISTER_SP] = context->uc_mcontext.sp;
    known.registers[PH_REGISTER_PC] = context->uc_mcontext.pc;
}
#endif

static uintptr_t stack_high(void)
{
    pthread_attr_t attributes;
    void *low;
    size_t size_bytes;
    assert_int_equal(pthread_getattr_np(pthread_self(), &attributes), 0);
    pthread_attr_getstack(&attributes, &low, &size_bytes);
    pthread_attr_destroy(&attributes);
    return (uintptr_t)low + size_bytes;
}

/* The address sanitizer would not have memcpy() go from one frame to the next. */
static void copy(void *to, const void *from, size_t size_bytes)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size_bytes) : : "memory");
}

/* Not static, and with something behind each call: neither renamed nor left before its callee. */
__attribute__((noinline)) void sampling_leaf(void)
{
    ucontext_t context;
    getcontext(&context);
    take_registers(&context);
    known.stack_low = known.registers[PH_REGISTER_SP];
    known.stack = known_stack;
    known.stack_bytes = stack_high() - known.stack_low;
    if (known.stack_bytes > COPY_BYTES)
        known.stack_bytes = COPY_BYTES;
    copy(known_stack, (const void *)(uintptr_t)known.stack_low, known.stack_bytes);
}

__attribute__((noinline)) void sampling_middle(void)
{
    sampling_leaf();
    __asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) void sampling_root(void)
{
    sampling_middle();
    __asm__ volatile("" : : : "memory");
}

/* ---- The probe ---- */

static size_t fake_threads(struct ph_thread *ret_threads, size_t capacity)
{
    if (capacity)
        ret_threads[0] = (struct ph_thread){.tid = gettid(), .own = true};
    return 1;
}

static int fake_begin(unsigned hz, size_t stack_bytes)
{
    assert_true(stack_bytes >= 8192 && stack_bytes <= PH_CAPTURE_STACK_BYTES);
    if (sampling.begin_result == 0) {
        sampling.begins++;
        sampling.hz = hz;
    }
    return sampling.begin_result;
}

static int fake_arm(pid_t tid)
{
    if (sampling.armed_count < SAMPLING_LOG_MAX)
        sampling.armed[sampling.armed_count++] = tid;
    return sampling.arm_result;
}

static struct ph_capture make_capture(pid_t tid)
{
    struct ph_capture capture = known;
    capture.tid = tid;
    capture.count = sampling.capture_count;
    capture.label_set = sampling.capture_label_set;
    capture.time_ns = (uint64_t)(ph_clock_monotonic_ns() + sampling.capture_later_ns);
    if (sampling.is_cut)
        capture.stack_bytes = 16;
    return capture;
}

static bool fake_take(struct ph_capture *ret_capture)
{
    if (sampling.captures_left == 0)
        return false;
    assert_int_equal(sampling.taken, sampling.given_back);
    sampling.captures_left--;
    sampling.taken++;
    *ret_capture = make_capture(sampling.capture_tid);
    return true;
}

static void fake_give_back(const struct ph_capture *capture)
{
    assert_ptr_equal(capture->stack, known_stack);
    sampling.given_back++;
}

static bool fake_check(void)
{
    if (sampling.checks_left == UINT32_MAX)
        return true;
    return sampling.checks_left && sampling.checks_left--;
}

static void fake_end(struct ph_sampling_counts *ret_counts)
{
    sampling.ends++;
    *ret_counts = sampling.counts;
}

static int fake_ask(pid_t tid)
{
    if (sampling.ask_result < 0)
        return sampling.ask_result;
    sampling.asked_tids[sampling.asked % SAMPLING_LOG_MAX] = tid;
    return (int)(sampling.asked++ % SAMPLING_LOG_MAX);
}

static int fake_asked(int ticket, struct ph_capture *ret_capture)
{
    if (!sampling.answers)
        return -EAGAIN;
    *ret_capture = make_capture(sampling.asked_tids[ticket]);
    return 0;
}

static void fake_unask(int ticket)
{
    assert_true(ticket >= 0 && ticket < SAMPLING_LOG_MAX);
    sampling.unasked++;
}

/* In its first half the allocator, of which each 256 bytes are what the host calls. */
static uintptr_t fake_allocator_entry(uintptr_t address)
{
    uintptr_t middle = sampling.probe.text_low + (sampling.probe.text_high - sampling.probe.text_low) / 2;
    return address < middle ? address & ~(uintptr_t)255 : 0;
}

static const struct ph_label_set *fake_label_set(uint32_t number)
{
    static const struct ph_label_set none = {0};
    static const struct ph_label_set one = {.count = 2, .labels = {{"route", "/search"}, {"tenant", "acme"}}};
    return number == 1 ? &one : &none;
}

int sampling_setup(void **state)
{
    sampling_root();
    sampling = (struct sampling){
        .probe = {.abi = PH_PROBE_ABI,
                  .version = "0.0",
                  .allocator_entry = fake_allocator_entry,
                  .threads = fake_threads,
                  .sampling_begin = fake_begin,
                  .sampling_arm = fake_arm,
                  .sampling_take = fake_take,
                  .sampling_give_back = fake_give_back,
                  .sampling_check = fake_check,
                  .sampling_end = fake_end,
                  .ask = fake_ask,
                  .asked = fake_asked,
                  .unask = fake_unask,
                  .label_set = fake_label_set},
        .capture_tid = 1234567,
        .capture_count = 1,
        .checks_left = UINT32_MAX,
        .answers = true,
    };
    return 0;
}

/* ---- What a profile says ---- */

static bool has_function(const struct ph_profile *profile, const struct ph_sample *sample, const char *function)
{
    for (uint32_t i = 0; i < sample->frame_count; i++) {
        const struct ph_location *location = ph_profile_location(profile, profile->frames[sample->first_frame + i]);
        for (uint32_t line = 0; line < location->line_count; line++) {
            uint32_t number = profile->lines[location->first_line + line].function;
            if (strcmp(ph_profile_text(profile, profile->functions[number - 1].name), function) == 0)
                return true;
        }
    }
    return false;
}

static bool has_tid(const struct ph_profile *profile, const struct ph_sample *sample, pid_t tid)
{
    for (uint32_t i = 0; i < sample->label_count; i++) {
        const struct ph_label *label = &profile->labels[sample->first_label + i];
        if (strcmp(ph_profile_text(profile, label->key), "tid") == 0)
            return label->text == 0 && label->number == tid;
    }
    return false;
}

int64_t sampling_total(const struct ph_profile *profile, int value, pid_t tid, const char *key, const char *text,
                       const char *function)
{
    int64_t total = 0;
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        const struct ph_sample *sample = &profile->samples[i];
        if ((!function || has_function(profile, sample, function)) && (!tid || has_tid(profile, sample, tid)) &&
            (!key || strcmp(ph_profile_label_text(profile, sample, key), text) == 0))
            total += ph_profile_values(profile, i)[value];
    }
    return total;
}

bool sampling_has_comment(const struct ph_profile *profile, const char *part)
{
    for (uint32_t i = 0; i < profile->comment_count; i++)
        if (strstr(ph_profile_text(profile, profile->comments[i]), part))
            return true;
    return false;
}

/* ---- Threads ---- */

__attribute__((noinline)) ssize_t sampling_waits(struct sampling_thread *thread)
{
    char byte;
    ssize_t result = syscall(SYS_read, thread->fds[0], &byte, 1); /* a sanitizer has a read() of its own */
    __asm__ volatile("" : : : "memory");                          /* no tail call */
    return result;
}

__attribute__((noinline)) void sampling_burns(struct sampling_thread *thread)
{
    while (!__atomic_load_n(&thread->is_to_end, __ATOMIC_RELAXED))
        __asm__ volatile("" : : : "memory");
}

static void *run_waiting(void *argument)
{
    struct sampling_thread *thread = argument;
    pthread_setname_np(pthread_self(), "waiting");
    __atomic_store_n(&thread->tid, gettid(), __ATOMIC_RELEASE);
    sampling_waits(thread);
    return NULL;
}

static void *run_burning(void *argument)
{
    struct sampling_thread *thread = argument;
    pthread_setname_np(pthread_self(), "burning");
    __atomic_store_n(&thread->tid, gettid(), __ATOMIC_RELEASE);
    sampling_burns(thread);
    return NULL;
}

static void begin(struct sampling_thread *thread, void *(*run)(void *))
{
    *thread = (struct sampling_thread){.tid = 0};
    assert_int_equal(pipe(thread->fds), 0);
    assert_int_equal(pthread_create(&thread->thread, NULL, run, thread), 0);
    while (!__atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE))
        sched_yield();
}

void sampling_thread_wait(struct sampling_thread *thread)
{
    begin(thread, run_waiting);
}

void sampling_thread_burn(struct sampling_thread *thread)
{
    begin(thread, run_burning);
}

void sampling_thread_end(struct sampling_thread *thread)
{
    __atomic_store_n(&thread->is_to_end, true, __ATOMIC_RELAXED);
    close(thread->fds[1]);
    pthread_join(thread->thread, NULL);
    close(thread->fds[0]);
}
