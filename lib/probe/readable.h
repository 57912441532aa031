/*
 * readable.h - may memory that the host names be read? A bad pointer is to be refused by the kernel, as without us: where a hook looks at
 * what is there before the kernel does, it asks first.
 */
#ifndef PH_PROBE_READABLE_H
#define PH_PROBE_READABLE_H

#include <stdbool.h>

/** ph_is_readable_sig() - the 8 bytes at @address. Keeps errno. Any thread. */
bool ph_is_readable_sig(const void *address);

#endif
