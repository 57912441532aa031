/* demangle.h - C++ and Rust symbol names as people write them. Profiles keep them mangled: pprof demangles. */
#ifndef PH_MODEL_DEMANGLE_H
#define PH_MODEL_DEMANGLE_H

/** ph_demangle() - a new string, free() it: the demangled name, or a copy of @symbol if it is not mangled.
 * NULL if memory is out. Handles Itanium C++, Rust legacy and v0 (binutils' libiberty). Any thread. */
char *ph_demangle(const char *symbol);

#endif
