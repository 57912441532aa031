#include "model/demangle.h"

#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

char *ph_demangle(const char *symbol)
{
    char *readable = cplus_demangle(symbol, DMGL_AUTO | DMGL_PARAMS | DMGL_ANSI);
    return readable ? readable : strdup(symbol);
}
