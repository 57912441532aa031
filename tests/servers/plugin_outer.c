/* plugin_outer.c - a library whose RUNPATH is $ORIGIN/inner. */
#include <dlfcn.h>

const char *open_inner(void)
{
    void *inner = dlopen("libinner.so", RTLD_NOW);
    const char *(*name)(void) = inner ? (const char *(*)(void))dlsym(inner, "inner_name") : 0;
    return name ? name() : dlerror();
}
