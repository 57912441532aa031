#include "probe/real.h"

#include "probe/backtrace.h"

#include <dlfcn.h>
#include <errno.h>

struct ph_real ph_real_table;
bool ph_real_resolved;

/* Issue: where the probe comes after libc (a library of the host needs it, the host itself does not), nothing is next.
 * Solution: what everybody else calls is then the real one, unless that is the hook itself.
 * dlsym may allocate for its error text; that is our own allocator, which is never looked up this way. */
static void *behind(const char *name)
{
    uintptr_t low, high;
    void *next = dlsym(RTLD_NEXT, name);
    if (!next)
        next = dlsym(RTLD_DEFAULT, name);
    ph_text_range(&low, &high);
    return (uintptr_t)next >= low && (uintptr_t)next < high ? NULL : next;
}

void ph_real_resolve(void)
{
    int saved_errno = errno;
#define HOOK(family, type, name, parameters)                                                                       \
    __atomic_store_n((void **)&ph_real_table.name, behind(#name), __ATOMIC_RELAXED);
#include "probe/symbols.def"
#undef HOOK
    __atomic_store_n(&ph_real_resolved, true, __ATOMIC_RELEASE);
    errno = saved_errno;
}
