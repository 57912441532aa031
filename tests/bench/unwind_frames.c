/*
 * unwind_frames.c ROUNDS - CPU time of unwinding one stack, again and again: nanoseconds a frame, one line a round: ours with warm rules,
 * libunwind over the same copy through its accessors, libgcc where the stack is; and microseconds of our first stack, with all that has to be read for it.
 * Fails if the frames are not the same.
 */
#include "elf/unwind.h"

#include <alloca.h>
#include <dlfcn.h>
#include <libunwind.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unwind.h>

#define DEPTH      30
#define STACK_MAX  65536
#define TIMES      2000
#define FRAMES_MAX PH_UNWIND_FRAMES_MAX

static struct ph_registers registers;
static struct ph_stack stack;
static uint8_t bytes[STACK_MAX];
static long rounds;

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "unwind_frames: %s\n", what);
    exit(1);
}

/* ---- libunwind over the copy ---------------------------------------------------------------------------------- */

struct table {
    unw_word_t pc, header, bias;
    bool is_found;
};

static int find_table(struct dl_phdr_info *info, size_t size, void *argument)
{
    struct table *table = argument;
    bool holds = false;
    unw_word_t header = 0;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *program = &info->dlpi_phdr[i];
        holds |= program->p_type == PT_LOAD && table->pc - info->dlpi_addr - program->p_vaddr < program->p_memsz;
        if (program->p_type == PT_GNU_EH_FRAME)
            header = info->dlpi_addr + program->p_vaddr;
    }
    if (!holds || !header)
        return 0;
    table->header = header;
    table->is_found = true;
    return 1;
}

extern int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t, unw_word_t, unw_dyn_info_t *, unw_proc_info_t *,
                                              int, void *);

/* The table stays where it is: what perf does (tools/perf/util/unwind-libunwind-local.c). */
static int find_proc_info(unw_addr_space_t space, unw_word_t pc, unw_proc_info_t *info, int need, void *argument)
{
    static struct table last;
    static unw_word_t low, high;
    if (!last.is_found || pc < low || pc >= high) {
        last = (struct table){.pc = pc};
        dl_iterate_phdr(find_table, &last);
        low = pc & ~(unw_word_t)0xfff;
        high = low + 0x1000;
    }
    if (!last.is_found)
        return -UNW_ENOINFO;
    const uint8_t *header = (const uint8_t *)last.header;
    unw_dyn_info_t dynamic = {.format = UNW_INFO_FORMAT_REMOTE_TABLE, .end_ip = UINTPTR_MAX};
    dynamic.u.rti.segbase = last.header;
    dynamic.u.rti.table_data = last.header + 12;
    uint32_t count;
    memcpy(&count, header + 8, sizeof(count));
    dynamic.u.rti.table_len = count * 8 / sizeof(unw_word_t);
    return UNW_OBJ(dwarf_search_unwind_table)(space, pc, &dynamic, info, need, argument);
}

static int access_memory(unw_addr_space_t space, unw_word_t address, unw_word_t *value, int write, void *argument)
{
    (void)space, (void)argument;
    if (write)
        return -UNW_EINVAL;
    if (address - stack.low <= stack.size_bytes - sizeof(*value))
        memcpy(value, bytes + (address - stack.low), sizeof(*value));
    else
        memcpy(value, (const void *)address, sizeof(*value)); /* tables */
    return 0;
}

static int access_register(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value, int write,
                           void *argument)
{
    (void)space, (void)argument;
    if (write || number < 0 || number >= PH_REGISTERS)
        return -UNW_EINVAL;
    *value = registers.values[number];
    return 0;
}

static void put_proc_info(unw_addr_space_t space, unw_proc_info_t *info, void *argument)
{
    (void)space, (void)info, (void)argument;
}

static int no_list(unw_addr_space_t space, unw_word_t *address, void *argument)
{
    (void)space, (void)address, (void)argument;
    return -UNW_ENOINFO;
}

static int no_float(unw_addr_space_t space, unw_regnum_t number, unw_fpreg_t *value, int write, void *argument)
{
    (void)space, (void)number, (void)value, (void)write, (void)argument;
    return -UNW_EINVAL;
}

static size_t walk(unw_cursor_t *cursor, uint64_t *frames)
{
    size_t count = 0;
    do {
        unw_word_t pc = 0;
        unw_get_reg(cursor, UNW_REG_IP, &pc);
        if (!pc)
            break;
        frames[count] = pc - (count > 0);
        count++;
    } while (count < FRAMES_MAX && unw_step(cursor) > 0);
    return count;
}

static size_t by_accessors(uint64_t *frames)
{
    static unw_addr_space_t space;
    static unw_accessors_t accessors = {.find_proc_info = find_proc_info,
                                        .put_unwind_info = put_proc_info,
                                        .get_dyn_info_list_addr = no_list,
                                        .access_mem = access_memory,
                                        .access_reg = access_register,
                                        .access_fpreg = no_float};
    unw_cursor_t cursor;
    if (!space) {
        space = unw_create_addr_space(&accessors, 0);
        unw_set_caching_policy(space, UNW_CACHE_GLOBAL);
    }
    unw_init_remote(&cursor, space, NULL);
    return walk(&cursor, frames);
}

/* ---- where the stack is --------------------------------------------------------------------------------------- */

struct local {
    uint64_t *frames;
    size_t count;
};

/* By name, as libunwind exports functions of the same names: and in a program that is linked with it, those are found. */
static struct {
    _Unwind_Reason_Code (*backtrace)(_Unwind_Trace_Fn, void *);
    _Unwind_Ptr (*address)(struct _Unwind_Context *);
} libgcc;

static void find_libgcc(void)
{
    void *library = dlopen("libgcc_s.so.1", RTLD_NOW);
    if (!library)
        fail("no libgcc_s.so.1");
    *(void **)&libgcc.backtrace = dlsym(library, "_Unwind_Backtrace");
    *(void **)&libgcc.address = dlsym(library, "_Unwind_GetIP");
    if (!libgcc.backtrace || !libgcc.address)
        fail("no _Unwind_Backtrace()");
}

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *argument)
{
    struct local *local = argument;
    uint64_t pc = libgcc.address(context);
    if (!pc || local->count == FRAMES_MAX)
        return _URC_END_OF_STACK;
    local->frames[local->count++] = pc - 1;
    return _URC_NO_REASON;
}

static size_t by_libgcc(uint64_t *frames)
{
    struct local local = {frames, 0};
    libgcc.backtrace(note, &local);
    return local.count;
}

/* ---- rounds --------------------------------------------------------------------------------------------------- */

static struct ph_unwinder *unwinder;

static size_t by_us(uint64_t *frames)
{
    enum ph_unwind_end end;
    size_t count = ph_unwinder_run(unwinder, &registers, &stack, frames, FRAMES_MAX, &end);
    if (end != PH_UNWIND_COMPLETE)
        fail("our stack is not complete");
    return count;
}

static double frame_ns(size_t (*unwind)(uint64_t *))
{
    uint64_t frames[FRAMES_MAX];
    size_t count = unwind(frames);
    double begin = cpu_ns();
    for (int i = 0; i < TIMES; i++)
        unwind(frames);
    return (cpu_ns() - begin) / TIMES / (double)count;
}

static double first_us(void)
{
    struct ph_unwinder *warm = unwinder;
    struct ph_error error;
    uint64_t frames[FRAMES_MAX];
    double begin = cpu_ns();
    if (ph_unwinder_new(&unwinder, &error) < 0)
        fail(error.text);
    by_us(frames);
    double end = cpu_ns();
    ph_unwinder_free(unwinder);
    unwinder = warm;
    return (end - begin) / 1e3;
}

static void compare(const char *name, size_t (*unwind)(uint64_t *))
{
    uint64_t ours[FRAMES_MAX], theirs[FRAMES_MAX];
    size_t count = by_us(ours), their_count = unwind(theirs);
    if (their_count != count || memcmp(ours, theirs, count * sizeof(*ours)) != 0) {
        fprintf(stderr, "unwind_frames: %s: %zu frames, ours %zu\n", name, their_count, count);
        for (size_t i = 0; i < count && i < their_count; i++)
            if (ours[i] != theirs[i])
                fprintf(stderr, "  %zu: ours %#lx, theirs %#lx\n", i, ours[i], theirs[i]);
        exit(1);
    }
}

static void take_registers(void)
{
    static const int places[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
                                 REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    ucontext_t context;
    getcontext(&context);
    for (size_t i = 0; i < PH_REGISTERS; i++)
        registers.values[i] = (uint64_t)context.uc_mcontext.gregs[places[i]];
    registers.known = (UINT64_C(1) << PH_REGISTERS) - 1;
}

/* From here on nothing returns: what is copied stays as it is. */
__attribute__((noinline)) static void record_and_measure(void)
{
    pthread_attr_t attributes;
    void *low;
    size_t size_bytes;
    take_registers();
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &low, &size_bytes);
    stack.low = registers.values[PH_REGISTER_SP] - PH_RED_ZONE_BYTES;
    stack.high = (uintptr_t)low + size_bytes;
    stack.size_bytes = stack.high - stack.low < STACK_MAX ? stack.high - stack.low : STACK_MAX;
    stack.bytes = bytes;
    memcpy(bytes, (const void *)stack.low, stack.size_bytes);
    compare("libunwind", by_accessors);
    for (long round = 0; round < rounds; round++)
        printf("%.2f %.2f %.2f %.2f\n", frame_ns(by_us), frame_ns(by_accessors), frame_ns(by_libgcc), first_us());
    exit(0);
}

static int compare_numbers(const void *left, const void *right)
{
    record_and_measure();
    return *(const int *)left - *(const int *)right;
}

__attribute__((noinline)) static void descend(int depth)
{
    char *frame = alloca((size_t)(depth % 3) * 16 + 16);
    __asm__ volatile("" : : "r"(frame) : "memory");
    if (depth == 0) {
        int numbers[] = {2, 1, 3};
        qsort(numbers, 3, sizeof(numbers[0]), compare_numbers);
    } else {
        descend(depth - 1);
    }
    __asm__ volatile("" : : "r"(frame) : "memory");
}

int main(int argument_count, char **arguments)
{
    struct ph_error error;
    rounds = argument_count > 1 ? atol(arguments[1]) : 1;
    if (ph_unwinder_new(&unwinder, &error) < 0)
        fail(error.text);
    find_libgcc();
    descend(DEPTH);
    return 1;
}
