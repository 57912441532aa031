#include "probe/thread_table.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK_SLOTS 64
#define CHUNKS_MAX  1024 /* 65,536 threads at a time; more go unrecorded and are counted */

static struct ph_thread_slot
    first_chunk[CHUNK_SLOTS]; /* untouched pages cost nothing in a process without threads */
static struct ph_thread_slot *chunks[CHUNKS_MAX] = {first_chunk}; /* atomic pointers; never unmapped */
static uint32_t used_count;                                       /* atomic */

/* Free slots as a stack (R. K. Treiber, 1986): number in the low half, in the high half a count of changes, so that a
 * slot that was popped and pushed back meanwhile is noticed. */
static uint64_t free_head; /* atomic */

static uint64_t head_after(uint64_t head, uint32_t number)
{
    return ((head >> 32) + 1) << 32 | number;
}

struct ph_thread_slot *ph_thread_slot_at(uint32_t number)
{
    uint32_t place = number - 1;
    struct ph_thread_slot *chunk = __atomic_load_n(&chunks[place / CHUNK_SLOTS], __ATOMIC_ACQUIRE);
    return chunk ? &chunk[place % CHUNK_SLOTS] : NULL;
}

uint32_t ph_thread_slot_count(void)
{
    return __atomic_load_n(&used_count, __ATOMIC_ACQUIRE);
}

static struct ph_thread_slot *pop_free(void)
{
    uint64_t head = __atomic_load_n(&free_head, __ATOMIC_ACQUIRE);
    for (;;) {
        struct ph_thread_slot *slot = (uint32_t)head ? ph_thread_slot_at((uint32_t)head) : NULL;
        if (!slot)
            return NULL;
        uint32_t next = __atomic_load_n(&slot->next_free, __ATOMIC_RELAXED);
        if (__atomic_compare_exchange_n(&free_head, &head, head_after(head, next), true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return slot;
    }
}

static struct ph_thread_slot *map_chunk(uint32_t chunk_number)
{
    struct ph_thread_slot *chunk =
        mmap(NULL, sizeof(first_chunk), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk == MAP_FAILED)
        return NULL;
    struct ph_thread_slot *none = NULL;
    if (__atomic_compare_exchange_n(&chunks[chunk_number], &none, chunk, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return chunk;
    munmap(chunk, sizeof(first_chunk)); /* another thread was faster */
    return none;
}

static struct ph_thread_slot *take_unused(void)
{
    uint32_t place = __atomic_load_n(&used_count, __ATOMIC_ACQUIRE);
    do {
        /* The chunk first: a number that is counted has its place. */
        if (place >= CHUNK_SLOTS * CHUNKS_MAX || (!ph_thread_slot_at(place + 1) && !map_chunk(place / CHUNK_SLOTS)))
            return NULL;
    } while (
        !__atomic_compare_exchange_n(&used_count, &place, place + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    struct ph_thread_slot *slot = ph_thread_slot_at(place + 1);
    slot->number = place + 1;
    return slot;
}

struct ph_thread_slot *ph_thread_slot_claim(void)
{
    struct ph_thread_slot *slot = pop_free();
    return slot ? slot : take_unused();
}

void ph_thread_slot_release(struct ph_thread_slot *slot)
{
    __atomic_store_n(&slot->record.tid, 0, __ATOMIC_RELEASE);
    uint64_t head = __atomic_load_n(&free_head, __ATOMIC_ACQUIRE);
    do {
        __atomic_store_n(&slot->next_free, (uint32_t)head, __ATOMIC_RELAXED);
    } while (!__atomic_compare_exchange_n(&free_head, &head, head_after(head, slot->number), true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
}

void ph_thread_table_reset(struct ph_thread_slot *kept)
{
    uint32_t count = ph_thread_slot_count();
    free_head = 0;
    for (uint32_t number = 1; number <= count; number++) {
        struct ph_thread_slot *slot = ph_thread_slot_at(number);
        if (!slot || slot == kept)
            continue;
        slot->number = number; /* it may have been taken, not yet filled, when the parent forked */
        ph_thread_slot_release(slot);
    }
}
