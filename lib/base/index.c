#include "base/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64

uint64_t ph_hash_u64(uint64_t value)
{
    value ^= value >> 33;
    value *= 0xff51afd7ed558ccdULL;
    value ^= value >> 33;
    value *= 0xc4ceb9fe1a85ec53ULL;
    return value ^ (value >> 33);
}

uint64_t ph_hash_bytes(const void *bytes, size_t size_bytes)
{
    const char *next = bytes;
    uint64_t hash = size_bytes * 0x9e3779b97f4a7c15ULL;
    for (; size_bytes >= 8; next += 8, size_bytes -= 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        hash = (hash ^ word) * 0x9fb21c651e98df25ULL;
        hash ^= hash >> 32;
    }
    uint64_t tail = 0;
    if (size_bytes)
        memcpy(&tail, next, size_bytes);
    return ph_hash_u64(hash ^ tail);
}

uint32_t ph_index_find(const struct ph_index *index, uint64_t hash, ph_index_equal *equal, const void *owner,
                       const void *key)
{
    if (!index->slots)
        return PH_INDEX_NONE;
    size_t mask = index->slot_count - 1;
    for (size_t i = hash & mask; index->slots[i].number; i = (i + 1) & mask) {
        const struct ph_index_slot *slot = &index->slots[i];
        if (slot->hash == (uint32_t)hash && equal(owner, slot->number - 1, key))
            return slot->number - 1;
    }
    return PH_INDEX_NONE;
}

static void place(struct ph_index_slot *slots, size_t slot_count, struct ph_index_slot slot)
{
    size_t mask = slot_count - 1;
    size_t i = slot.hash & mask;
    while (slots[i].number)
        i = (i + 1) & mask;
    slots[i] = slot;
}

static int grow(struct ph_index *index)
{
    size_t slot_count = index->slot_count ? index->slot_count * 2 : FIRST_SLOTS;
    struct ph_index_slot *slots = calloc(slot_count, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < index->slot_count; i++)
        if (index->slots[i].number)
            place(slots, slot_count, index->slots[i]);
    free(index->slots);
    index->slots = slots;
    index->slot_count = slot_count;
    return 0;
}

int ph_index_add(struct ph_index *index, uint64_t hash, uint32_t number)
{
    if ((index->entry_count + 1) * 2 > index->slot_count && grow(index) < 0)
        return -ENOMEM;
    place(index->slots, index->slot_count, (struct ph_index_slot){(uint32_t)hash, number + 1});
    index->entry_count++;
    return 0;
}

void ph_index_fini(struct ph_index *index)
{
    free(index->slots);
    *index = (struct ph_index)PH_INDEX_INIT;
}
