/*
 * allocator.h - the allocator inside the probe: jemalloc, with sampling on from the first allocation.
 *
 * The archive libjemalloc_pic.a brings the functions; here are its settings, its unwinder, and the question who
 * serves malloc() in this process after all.
 */
#ifndef PH_PROBE_ALLOCATOR_H
#define PH_PROBE_ALLOCATOR_H

#include "probe/probe.h"

#include <stdbool.h>
#include <stdint.h>

/** ph_allocator_init() - find the owner of malloc() and fill the allocator part of @probe; if it is ours, set its
 * unwinder. The sampling rate was set when jemalloc started. */
void ph_allocator_init(struct ph_probe *probe);

/** ph_allocator_enter_own() - the calling thread is ours from now on: no samples, an arena of its own, so that our
 * memory can be told from the host's. ph_allocator_leave_own(): return what the ended work held. */
void ph_allocator_enter_own(void);
void ph_allocator_leave_own(void);

/** ph_allocator_thread_ends() - a thread of the host does. */
void ph_allocator_thread_ends(void);

/** ph_allocator_uncache() - the calling thread, ours, will wait for long: it keeps no freed memory in reserve from now on, and
 * jemalloc no record of what it keeps. */
void ph_allocator_uncache(void);

/** ph_allocator_before_fork() - no other thread can be inside the allocator until the fork is over: so its locks need not be
 * taken. The truth for this fork; asked for before jemalloc's own handlers run. */
void ph_allocator_before_fork(bool nobody_else);

/** ph_allocator_forked() - in the child. */
void ph_allocator_forked(void);

/** ph_allocator_entry() - ph_probe.allocator_entry. */
uintptr_t ph_allocator_entry(uintptr_t address);

/** ph_allocator_sampling() - switch sampling of the calling thread; returns what it was. */
bool ph_allocator_sampling(bool on);

#endif
