/*
 * index.h - a hash index: finds the number of an entry that its owner keeps in an array of its own.
 *
 * The index holds numbers and hashes only; the owner compares. So one index serves strings, stacks,
 * addresses and functions alike. Open addressing, linear probing, at most half full; entries are never
 * removed. One thread at a time.
 */
#ifndef PH_BASE_INDEX_H
#define PH_BASE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_index_slot {
    uint32_t hash;
    uint32_t number; /* entry number + 1; 0 marks a free slot */
};

struct ph_index {
    struct ph_index_slot *slots; /* slot_count of them, a power of two; NULL while empty */
    size_t slot_count;
    size_t entry_count;
};

#define PH_INDEX_INIT                                                                                              \
    {                                                                                                              \
        NULL, 0, 0                                                                                                 \
    }
#define PH_INDEX_NONE UINT32_MAX

/** Does entry @number equal @key? @owner is the pointer given to ph_index_find(). */
typedef bool ph_index_equal(const void *owner, uint32_t number, const void *key);

/** ph_index_find() - the number of the entry that equals @key, or PH_INDEX_NONE. */
uint32_t ph_index_find(const struct ph_index *index, uint64_t hash, ph_index_equal *equal, const void *owner,
                       const void *key);

/** ph_index_add() - add entry @number, which must not be there yet. 0, or -ENOMEM with the index unchanged. */
int ph_index_add(struct ph_index *index, uint64_t hash, uint32_t number);

void ph_index_fini(struct ph_index *index);

/** Hashes for keys made of bytes and of one integer (the finaliser of MurmurHash3, public domain). */
uint64_t ph_hash_bytes(const void *bytes, size_t size_bytes);
uint64_t ph_hash_u64(uint64_t value);

#endif
