/*
 * hook_dl.c - the loader: RTLD_DEEPBIND would bind a module to glibc's malloc while its host frees with ours; and
 * rules for walking a stack must not outlive their module.
 */
#include "probe/export.h"
#include "probe/real.h"
#include "probe/unwind.h"

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

/* libc's own calls, for the modules of iconv() and of NSS, do not come this way. */
PH_EXPORT int dlclose(void *handle)
{
    ph_unwind_unload_begin();
    int result = ph_real()->dlclose(handle);
    ph_unwind_unload_end();
    return result;
}
