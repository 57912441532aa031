/*
 * hook_frames.c - code that a host makes as it runs (LLVM's JIT) tells libgcc's unwinder how to unwind it.
 *
 * Issue: libgcc sorts what was registered at the next unwinding, under its lock, in memory it allocates there. If that
 * allocation is sampled, our own unwinding waits for that lock on the thread that holds it: for ever.
 * Cause: libgcc 12, unwind-dw2-fde.c: _Unwind_Find_FDE -> init_object -> malloc.
 * Solution: let it sort at once, by looking for an address that is nowhere; until it has, samples get no stack.
 * Drawback: with something registered, each frame that a sample unwinds takes that lock for a moment.
 */
#include "probe/backtrace.h"
#include "probe/export.h"
#include "probe/real.h"

#define NOWHERE ((void *)1)

struct dwarf_eh_bases {
    void *text, *data, *function;
};
extern const void *_Unwind_Find_FDE(void *pc, struct dwarf_eh_bases *ret_bases);

static void sorted(void)
{
    struct dwarf_eh_bases bases;
    _Unwind_Find_FDE(NOWHERE, &bases);
    ph_backtrace_resume();
}

/* No header declares them. */
#define REGISTER(name, parameters, arguments)                                                                      \
    PH_EXPORT void name parameters;                                                                                \
    PH_EXPORT void name parameters                                                                                 \
    {                                                                                                              \
        ph_backtrace_suspend();                                                                                    \
        ph_real()->name arguments;                                                                                 \
        sorted();                                                                                                  \
    }

REGISTER(__register_frame, (void *begin), (begin))
REGISTER(__register_frame_info, (const void *begin, void *object), (begin, object))
REGISTER(__register_frame_info_bases, (const void *begin, void *object, void *text, void *data),
         (begin, object, text, data))
REGISTER(__register_frame_table, (void *begin), (begin))
REGISTER(__register_frame_info_table, (void *begin, void *object), (begin, object))
REGISTER(__register_frame_info_table_bases, (void *begin, void *object, void *text, void *data),
         (begin, object, text, data))
