/*
 * labels.h - sets of labels, each kept once and known by a number: what the program's threads say they work on.
 *
 * A set never changes and never goes, so a number is all that a thread, a signal handler or a heap sample has to carry. Hence
 * their number is bounded: labels name kinds of work, not single pieces of it.
 *
 * Any thread, lock-free, no malloc: memory is mapped once, on first use, and of it only what is touched costs anything. A thread
 * may end, and the process fork, at any instruction: at most the room of one set is lost. Of a forked child, the numbers that
 * its parent gave stand for the same.
 */
#ifndef PH_PROBE_LABELS_H
#define PH_PROBE_LABELS_H

#include "probe/probe.h"

#include <stdint.h>

#define PH_LABELS_MAX            8 /* of one set: struct ph_label_set */
#define PH_LABEL_KEY_BYTES_MAX   63
#define PH_LABEL_VALUE_BYTES_MAX 127
#define PH_LABEL_SETS_MAX        4096

/**
 * ph_labels_with() - the number of @set with one label more, or another value of it.
 * @set: 0 for the empty set, or a number that was given.
 *
 * 0. -EINVAL: key or value is NULL, empty, too long or no UTF-8, or the key is one of model/labels.h; -ENOSPC: it would be the ninth
 * label, or there are PH_LABEL_SETS_MAX sets, or no memory.
 */
int ph_labels_with(uint32_t set, const char *key, const char *value, uint32_t *ret_set);

/** ph_labels_without() - the number of @set without @key; @set itself if it has none. 0; -ENOSPC, as above. */
int ph_labels_without(uint32_t set, const char *key, uint32_t *ret_set);

/** ph_label_set() - what the number stands for; an empty set for 0 and numbers that were never given. From thread to thread a number
 * goes by release and acquire, as a pointer does. */
const struct ph_label_set *ph_label_set(uint32_t number);

/** ph_label_place() - where in @set the label @key is; set->count if it is not there. */
uint32_t ph_label_place(const struct ph_label_set *set, const char *key);

#endif
