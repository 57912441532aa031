/* dump.h - jemalloc's heap dump, in memory. */
#ifndef PH_COLLECT_DUMP_H
#define PH_COLLECT_DUMP_H

#include "base/error.h"
#include "probe/probe.h"

#include <stddef.h>

struct ph_dump {
    const char *text; /* mapped, read-only */
    size_t size_bytes;
};

/**
 * ph_dump_take() - let jemalloc dump, and map what it wrote.
 *
 * Into a memfd, or an unnamed file in /dev/shm or /tmp where memfd_create() is forbidden. One at a time: a second caller
 * waits. 0; -EMFILE, -ENOSPC, … if there was nowhere to dump to; -EIO if jemalloc could not finish; -ENOMEM.
 */
int ph_dump_take(const struct ph_probe *probe, struct ph_dump *ret_dump, struct ph_error *error);
void ph_dump_release(struct ph_dump *dump);

/** ph_dump_forked() - in a forked child: a dump that another thread was making is no longer made. */
void ph_dump_forked(void);

#endif
