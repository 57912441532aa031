#include "conformance.h"

#include <dlfcn.h>
#include <stddef.h>

CALL(dlopen)
{
    void *handle = f(way == GOOD ? "libm.so.6" : "/none.so", RTLD_NOW);
    struct outcome seen = {handle != NULL, 0};
    if (handle)
        dlclose(handle);
    return seen;
}

CALL(dlclose)
{
    void *handle = dlopen(way == GOOD ? "libm.so.6" : "libcmocka.so.0", RTLD_NOW);
    int result = f(handle);
    for (int i = 0; way != GOOD && result == 0 && i < 9; i++)
        result = f(handle); /* the program needs it, so it stays; but it is open no more */
    return (struct outcome){result, 0};
}
