#include "model/demangle.h"

#include <errno.h>
#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

char *ph_demangle(const char *symbol)
{
    char *readable = cplus_demangle(symbol, DMGL_AUTO | DMGL_PARAMS | DMGL_ANSI);
    return readable ? readable : strdup(symbol);
}

int ph_profile_demangle(struct ph_profile *profile)
{
    for (uint32_t i = 0; i < profile->function_count; i++) {
        char *name = ph_demangle(ph_profile_text(profile, profile->functions[i].name));
        if (!name)
            return -ENOMEM;
        profile->functions[i].name = ph_profile_string(profile, name);
        free(name);
    }
    return ph_profile_status(profile);
}
