/*
 * jeheap_read.h - jemalloc's own heap dump ("heap_v2/RATE", with "MAPPED_LIBRARIES:") into a profile.
 *
 * Grammar: jemalloc 5.3.0, src/prof_data.c. The dump is made of totals first ("t*: 3: 96 [5: 160]"), then one
 * block for each stack. Per-thread lines are skipped: the totals of a stack are their sum.
 * The profile gets the four sample types of Go's heap profile, unbiased per stack as jeprof does:
 * value * 1 / (1 - exp(-(bytes / objects) / rate)); addresses are return addresses - 1.
 */
#ifndef PH_MODEL_JEHEAP_READ_H
#define PH_MODEL_JEHEAP_READ_H

#include "base/error.h"
#include "base/scan.h"
#include "model/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the reader should do with the frames of one address. Asked once for each address. */
enum ph_frame_rule {
    PH_FRAME_KEEP,
    PH_FRAME_DROP, /* a frame of Porthole or of the allocator, wherever in the stack */
};

#define PH_JEHEAP_MARKS_MAX  4  /* of one stack; more are dropped */
#define PH_JEHEAP_LABELS_MAX 10 /* 8 of the program's, and two that say whose it is */

struct ph_jeheap_options {
    /* NULL: keep all. @address is already the return address - 1; @mapping as in the profile, 0 for none. */
    enum ph_frame_rule (*rule)(void *context, uint64_t address, uint32_t mapping);

    /* NULL: none. The labels of a stack, at most PH_JEHEAP_LABELS_MAX; returns how many. Asked for each stack, also for one
     * without marks. */
    uint32_t (*labels)(void *context, const uint64_t *marks, uint32_t mark_count, struct ph_label *ret_labels);
    void *context;
};

/** ph_jeheap_is() - does @text begin like such a dump? */
bool ph_jeheap_is(const char *text, size_t size_bytes);

/** ph_jeheap_maps() - what stands behind "MAPPED_LIBRARIES:"; empty if that is not there. */
struct ph_scan ph_jeheap_maps(const char *text, size_t size_bytes);

/**
 * ph_jeheap_read() - add a dump to @profile.
 * @profile: without samples. Mappings it holds already are used, and "MAPPED_LIBRARIES:" is then ignored; else
 *           they are made from there: executable segments only, the main binary first.
 * @options: may be NULL.
 *
 * Sets types, period (space/bytes = rate), default type inuse_space; not the time, which a dump does not hold.
 * Marks (base/mark.h) are no frames: they go to options->labels, else they are dropped.
 * Stacks that are equal once frames are dropped, and have equal labels, become one sample. Values that do not fit saturate.
 * Returns 0; -EINVAL with line, column and expectation in @error for text that is not such a dump (also one
 * that ends early); -ENOMEM.
 */
int ph_jeheap_read(struct ph_profile *profile, const char *text, size_t size_bytes,
                   const struct ph_jeheap_options *options, struct ph_error *error);

#endif
