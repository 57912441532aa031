/*
 * operator_new.c - C++'s operator new and delete, on the allocator inside the probe.
 *
 * Issue: left to libstdc++, every C++ allocation has "operator new" as its leaf; left to a libtcmalloc or libjemalloc
 * that the host links, it is not seen at all, and memory of one heap may be freed into the other.
 * Solution: all forms are exported, by their Itanium ABI names. What has to be thrown or retried is left to the next
 * definition, so the probe needs no libstdc++.
 */
#include "probe/export.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

typedef const void *nothrow; /* const std::nothrow_t & */

/* Memory is out: the next definition calls the new-handler, tries again, and throws or returns NULL. Without one there
 * is no C++ runtime that could throw, and a throwing form must not return. */
#define NEXT(name, types, arguments, throws)                                                                       \
    do {                                                                                                           \
        void *(*next)types;                                                                                        \
        *(void **)&next = dlsym(RTLD_NEXT, #name);                                                                 \
        if (next)                                                                                                  \
            return next arguments;                                                                                 \
        if (throws)                                                                                                \
            abort();                                                                                               \
        return NULL;                                                                                               \
    } while (0)

#define NEW(name, allocate, parameters, types, arguments, throws)                                                  \
    PH_EXPORT void *name parameters;                                                                               \
    PH_EXPORT void *name parameters                                                                                \
    {                                                                                                              \
        void *memory = allocate;                                                                                   \
        if (__builtin_expect(memory != NULL, 1))                                                                   \
            return memory;                                                                                         \
        NEXT(name, types, arguments, throws);                                                                      \
    }

/* A size that cannot be rounded up becomes one that no allocator has, also not the next one. */
static size_t rounded(size_t size, size_t alignment)
{
    size_t up = (size + alignment - 1) & ~(alignment - 1);
    return up < size ? SIZE_MAX & ~(alignment - 1) : up;
}

#define PLAIN   malloc(size ? size : 1)
#define ALIGNED aligned_alloc(alignment, rounded(size, alignment))

NEW(_Znwm, PLAIN, (size_t size), (size_t), (size), 1)
NEW(_Znam, PLAIN, (size_t size), (size_t), (size), 1)
NEW(_ZnwmRKSt9nothrow_t, PLAIN, (size_t size, nothrow tag), (size_t, nothrow), (size, tag), 0)
NEW(_ZnamRKSt9nothrow_t, PLAIN, (size_t size, nothrow tag), (size_t, nothrow), (size, tag), 0)
NEW(_ZnwmSt11align_val_t, ALIGNED, (size_t size, size_t alignment), (size_t, size_t),
    (rounded(size, alignment), alignment), 1)
NEW(_ZnamSt11align_val_t, ALIGNED, (size_t size, size_t alignment), (size_t, size_t),
    (rounded(size, alignment), alignment), 1)
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, ALIGNED, (size_t size, size_t alignment, nothrow tag),
    (size_t, size_t, nothrow), (rounded(size, alignment), alignment, tag), 0)
NEW(_ZnamSt11align_val_tRKSt9nothrow_t, ALIGNED, (size_t size, size_t alignment, nothrow tag),
    (size_t, size_t, nothrow), (rounded(size, alignment), alignment, tag), 0)

#define DELETE(name, ...)                                                                                          \
    PH_EXPORT void name(void *memory, ##__VA_ARGS__);                                                              \
    PH_EXPORT void name(void *memory, ##__VA_ARGS__)                                                               \
    {                                                                                                              \
        free(memory);                                                                                              \
    }

DELETE(_ZdlPv)
DELETE(_ZdaPv)
DELETE(_ZdlPvm, size_t size)
DELETE(_ZdaPvm, size_t size)
DELETE(_ZdlPvRKSt9nothrow_t, nothrow tag)
DELETE(_ZdaPvRKSt9nothrow_t, nothrow tag)
DELETE(_ZdlPvSt11align_val_t, size_t alignment)
DELETE(_ZdaPvSt11align_val_t, size_t alignment)
DELETE(_ZdlPvmSt11align_val_t, size_t size, size_t alignment)
DELETE(_ZdaPvmSt11align_val_t, size_t size, size_t alignment)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, size_t alignment, nothrow tag)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, size_t alignment, nothrow tag)
