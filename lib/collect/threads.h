/* threads.h - the threads of this process. Own threads of Porthole are never among them. */
#ifndef PH_COLLECT_THREADS_H
#define PH_COLLECT_THREADS_H

#include "base/error.h"
#include "elf/modules.h"
#include "model/profile.h"
#include "probe/probe.h"

/** ph_threadcreate_collect() - the live threads by the stack that created them, symbolised: one sample a stack, type
 * threadcreate/count, period 1. Threads made before the probe or by a raw clone() have no stack. 0, -ENOMEM, … */
int ph_threadcreate_collect(const struct ph_probe *probe, struct ph_profile **ret_profile, struct ph_error *error);

/** ph_threadcreate_collect_bare() - the same without names, as a part of the family's.
 * @ret_modules: what was mapped, to name it by. NULL if another process names it. */
int ph_threadcreate_collect_bare(const struct ph_probe *probe, struct ph_modules *ret_modules,
                                 struct ph_profile **ret_profile, struct ph_error *error);

/** ph_threads_count() - how many there are, Porthole's left out. 0 if memory is out. */
size_t ph_threads_count(const struct ph_probe *probe);

#endif
