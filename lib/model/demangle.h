/* demangle.h - C++ and Rust symbol names as people write them. Profiles keep them mangled: pprof demangles. */
#ifndef PH_MODEL_DEMANGLE_H
#define PH_MODEL_DEMANGLE_H

#include "model/profile.h"

/** ph_demangle() - a new string, free() it: the demangled name, or a copy of @symbol if it is not mangled.
 * NULL if memory is out. Handles Itanium C++, Rust legacy and v0 (binutils' libiberty). Any thread. */
char *ph_demangle(const char *symbol);

/** ph_profile_demangle() - the name of every function: for outputs that nobody demangles. 0, or the profile's status. */
int ph_profile_demangle(struct ph_profile *profile);

#endif
