/* hook_dl.c - the loader: RTLD_DEEPBIND would bind a module to glibc's malloc while its host frees with ours. */
#include "probe/export.h"
#include "probe/real.h"

#include <dlfcn.h>

/*
 * Issue: dlopen() takes RUNPATH, $ORIGIN and the namespace from its caller, found by the return address.
 * Cause: called from here, the caller would be Porthole.
 * Solution: a tail call, so that the return address stays the host's; so nothing can be done afterwards. New modules
 * are noticed by dlpi_adds instead.
 */
#if defined(__has_attribute) && __has_attribute(musttail)
#define TAIL_CALL __attribute__((musttail))
#define TAIL_CALLING
#else
#define TAIL_CALL
#define TAIL_CALLING __attribute__((optimize("O2,optimize-sibling-calls")))
#endif

PH_EXPORT TAIL_CALLING void *dlopen(const char *file, int flags)
{
    TAIL_CALL return ph_real()->dlopen(file, flags & ~RTLD_DEEPBIND);
}
