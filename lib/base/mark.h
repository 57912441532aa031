/*
 * mark.h - frames that are no code: what the probe adds to the stack of a heap sample, and the agent reads from it.
 *
 * jemalloc takes a stack for opaque words, so facts about a sample can travel in it. A mark lies where no program can
 * have code (a non-canonical address on x86-64 and aarch64): kind in the upper 16 bits, payload in the lower 48.
 */
#ifndef PH_BASE_MARK_H
#define PH_BASE_MARK_H

#include <stdbool.h>
#include <stdint.h>

enum ph_mark_kind {
    PH_MARK_ORIGIN = 0xfe01, /* payload: the pid of the forked process that took the sample */
    PH_MARK_LABELS =
        0xfe02, /* payload: the number of the label set of the thread at that moment; before the origin */
};

#define PH_MARK_PAYLOAD_BITS 48

static inline uint64_t ph_mark(enum ph_mark_kind kind, uint64_t payload)
{
    return (uint64_t)kind << PH_MARK_PAYLOAD_BITS | (payload & ((UINT64_C(1) << PH_MARK_PAYLOAD_BITS) - 1));
}

static inline bool ph_mark_is(uint64_t frame, enum ph_mark_kind kind)
{
    return frame >> PH_MARK_PAYLOAD_BITS == (uint64_t)kind;
}

/* Of any kind, also one that only a later version knows. */
static inline bool ph_mark_is_any(uint64_t frame)
{
    return frame >> 56 == 0xfe;
}

static inline uint64_t ph_mark_payload(uint64_t frame)
{
    return frame & ((UINT64_C(1) << PH_MARK_PAYLOAD_BITS) - 1);
}

#endif
