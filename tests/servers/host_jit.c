/*
 * host_jit.c - does what a JIT does: registers unwinding tables with libgcc while threads unwind and allocate.
 *
 *   host_jit ROUNDS     prints "ROUNDS rounds, found FOUND" and ends
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

#define FUNCTIONS      2000
#define FUNCTION_BYTES 16
#define THREADS        3

extern void __register_frame(void *begin);
extern void __deregister_frame(void *begin);
struct dwarf_eh_bases {
    void *text, *data, *function;
};
extern const void *_Unwind_Find_FDE(void *pc, struct dwarf_eh_bases *ret_bases);

static bool stopped; /* atomic */

/* .eh_frame as DWARF 5, section 6.4.1, and the LSB have it: a common entry, then one entry a function. */
struct common_entry {
    uint32_t size_bytes, id;
    uint8_t version, augmentation[1], code_factor, data_factor, return_register;
    uint8_t instructions[7]; /* CFA = rsp + 8, return address at CFA - 8 */
} __attribute__((packed));

struct function_entry {
    uint32_t size_bytes, distance;
    uint64_t start, length;
} __attribute__((packed));

struct tables {
    struct common_entry common;
    struct function_entry functions[FUNCTIONS];
    uint32_t end;
} __attribute__((packed));

static char code[FUNCTIONS * FUNCTION_BYTES]; /* never run */

static struct tables *make_tables(void)
{
    struct tables *tables = calloc(1, sizeof(*tables));
    tables->common =
        (struct common_entry){sizeof(struct common_entry) - 4, 0, 1, {0}, 1, 0x78, 16, {0x0c, 7, 8, 0x90, 1, 0, 0}};
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        struct function_entry *entry = &tables->functions[FUNCTIONS - 1 - i]; /* unsorted: there is work to do */
        entry->size_bytes = sizeof(*entry) - 4;
        entry->distance = (uint32_t)((char *)&entry->distance - (char *)&tables->common);
        entry->start = (uintptr_t)(code + i * FUNCTION_BYTES);
        entry->length = FUNCTION_BYTES;
    }
    return tables;
}

static _Unwind_Reason_Code count_frame(struct _Unwind_Context *context, void *argument)
{
    (void)context;
    ++*(int *)argument;
    return _URC_NO_REASON;
}

static void *unwind_and_allocate(void *argument)
{
    while (!__atomic_load_n(&stopped, __ATOMIC_ACQUIRE)) {
        int count = 0;
        _Unwind_Backtrace(count_frame, &count);
        free(calloc(1, 4096 + (size_t)count));
    }
    return argument;
}

/* Both by the function that finds and by the next unwinding of any thread. */
static bool round_works(void)
{
    struct dwarf_eh_bases bases;
    struct tables *tables = make_tables();
    __register_frame(tables);
    bool found = _Unwind_Find_FDE(code + sizeof(code) / 2, &bases) != NULL;
    __deregister_frame(tables);
    free(tables);
    return found;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1, found = 0;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, unwind_and_allocate, NULL);
    for (int i = 0; i < rounds; i++)
        found += round_works();
    __atomic_store_n(&stopped, true, __ATOMIC_RELEASE);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%d rounds, found %d\n", rounds, found);
    return 0;
}
