/* hook_thread.c - threads: recorded with the stack that made them. */
#include "probe/export.h"
#include "probe/guard.h"
#include "probe/let_in.h"
#include "probe/real.h"
#include "probe/thread.h"

PH_EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                             void *argument)
{
    struct ph_guard guard;
    ph_let_in_no_more();
    if (ph_on_own_thread())
        return ph_thread_create_own(thread, attributes, start, argument);
    if (!ph_guard_enter(&guard))
        return ph_real()->pthread_create(thread, attributes, start, argument);
    int result = ph_thread_create(&guard, thread, attributes, start, argument);
    ph_guard_leave(&guard);
    return result;
}

/* glibc makes these without pthread_create()'s name. */
PH_EXPORT int thrd_create(thrd_t *thread, thrd_start_t start, void *argument)
{
    struct ph_guard guard;
    ph_let_in_no_more();
    if (!ph_guard_enter(&guard))
        return ph_real()->thrd_create(thread, start, argument);
    int result = ph_thread_create_c11(&guard, thread, start, argument);
    ph_guard_leave(&guard);
    return result;
}
