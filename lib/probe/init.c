/* init.c - what happens before the host's main(): little, as every shell and helper pays for it. */
#include "probe/activate.h"
#include "probe/real.h"
#include "probe/say.h"

/* The environment comes from the kernel's arguments: bash brings a getenv() of its own. */
__attribute__((constructor)) static void load(int argc, char **argv, char **environment)
{
    int saved_errno = errno;
    ph_real_resolve();
    ph_say_init();
    ph_activation_init(environment);
    errno = saved_errno;
}
