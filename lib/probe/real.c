#include "probe/real.h"

#include <dlfcn.h>
#include <errno.h>

struct ph_real ph_real_table;
bool ph_real_resolved;

void ph_real_resolve(void)
{
    int saved_errno = errno;
    /* dlsym may allocate for its error text; that is our own allocator, which is never looked up this way. */
#define HOOK(family, type, name, parameters)                                                                       \
    __atomic_store_n((void **)&ph_real_table.name, dlsym(RTLD_NEXT, #name), __ATOMIC_RELAXED);
#include "probe/symbols.def"
#undef HOOK
    __atomic_store_n(&ph_real_resolved, true, __ATOMIC_RELEASE);
    errno = saved_errno;
}
