/*
 * thread_dump.h - what every thread of this process does now, and what it waits for, without interrupting one that is blocked.
 */
#ifndef PH_COLLECT_THREAD_DUMP_H
#define PH_COLLECT_THREAD_DUMP_H

#include "base/error.h"
#include "model/profile.h"
#include "probe/probe.h"

/**
 * ph_thread_dump_collect() - one sample a thread, type threads/count, with the labels of model/labels.h that apply.
 *
 * time_ns is when it began, duration_ns how long it took. Threads that run are asked by one signal; one that does not answer within
 * 2 s is there with state "unanswered" and no stack. 0; -ENOMEM; the errno of reading /proc.
 */
int ph_thread_dump_collect(const struct ph_probe *probe, struct ph_profile **ret_profile, struct ph_error *error);

/** ph_thread_dump_collect_bare() - the same without names, for another process of the family. */
int ph_thread_dump_collect_bare(const struct ph_probe *probe, struct ph_profile **ret_profile,
                                struct ph_error *error);

#endif
