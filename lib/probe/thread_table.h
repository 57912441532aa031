/*
 * thread_table.h - the slots of the thread registry: claimed and released without locks.
 */
#ifndef PH_PROBE_THREAD_TABLE_H
#define PH_PROBE_THREAD_TABLE_H

#include "probe/probe.h"

#include <stdint.h>

struct ph_thread_slot {
    uint32_t number;          /* its own, from 1 */
    uint32_t next_free;       /* number; atomic */
    void *(*start)(void *);   /* what the host wanted to run … */
    int (*start_c11)(void *); /* … or this, from thrd_create() */
    void *argument;
    size_t stack_bytes;
    bool tiny_signal_stack;  /* atomic: its alternate stack is too small for a signal (hook_signal.c) */
    bool wait_holds;         /* atomic: in a call that holds our signal off, if it is to be (wait.h) */
    uint32_t asking_count;   /* atomic: a signal is just being sent to it (timers.h) */
    uint64_t timer_word;     /* of timers.c; atomic */
    bool apart;              /* inherited from the creator: its descriptor table is */
    struct ph_thread record; /* valid while record.tid (atomic) is not 0 */
};

/** ph_thread_slot_claim() - NULL if the table is full or memory is out. */
struct ph_thread_slot *ph_thread_slot_claim(void);

/** ph_thread_slot_release() - unpublish and give back. */
void ph_thread_slot_release(struct ph_thread_slot *slot);

/** ph_thread_slot_count() - slots that were ever claimed; numbers run from 1 to it. */
uint32_t ph_thread_slot_count(void);
struct ph_thread_slot *ph_thread_slot_at(uint32_t number);

/** ph_thread_table_reset() - in a forked child: release all but @kept (may be NULL). One thread. */
void ph_thread_table_reset(struct ph_thread_slot *kept);

#endif
