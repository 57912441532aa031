/*
 * hook_filter.c - a process that forbids itself system calls (seccomp): from then on ours must not be its end.
 *
 * Issue: a forked child that puts itself into a sandbox and then waits would wake, and be killed for the thread it makes.
 * Solution: where a filter that kills is installed and no window is open or opening, none will open, nor in what is forked
 * afterwards. Filters that answer with an error are lived with. What is there before the program starts (systemd's) is not seen.
 * The real function goes first: the kernel has then read, and accepted, what is read here.
 */
#include "probe/activate.h"
#include "probe/export.h"
#include "probe/real.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static bool is_harsh(const struct sock_filter *step)
{
    if (BPF_CLASS(step->code) != BPF_RET)
        return false;
    if (BPF_RVAL(step->code) != BPF_K)
        return true; /* whatever has been computed */
    switch (step->k & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_ERRNO:
        return false;
    default:
        return true;
    }
}

static bool kills(const struct sock_fprog *program)
{
    for (unsigned i = 0; i < program->len; i++)
        if (is_harsh(&program->filter[i]))
            return true;
    return false;
}

/* Its arguments are what the kernel's call takes, four words at most, as in glibc. */
PH_EXPORT int prctl(int option, ...)
{
    unsigned long words[4];
    va_list arguments;
    va_start(arguments, option);
    for (size_t i = 0; i < 4; i++)
        words[i] = va_arg(arguments, unsigned long);
    va_end(arguments);
    /* Asked now: afterwards even that may be forbidden. */
    bool binds = option == PR_SET_SECCOMP && !ph_activation_is_foreign();
    int result = ph_real()->prctl(option, words[0], words[1], words[2], words[3]);
    if (binds && result == 0 && (words[0] != SECCOMP_MODE_FILTER || kills((const struct sock_fprog *)words[1])))
        ph_activation_filtered();
    return result;
}

/* jemalloc asks its first questions this way, when nothing can be looked up yet: that would allocate. */
static long call_kernel(long number, const long words[6])
{
    long result;
    register long fourth __asm__("r10") = words[3];
    register long fifth __asm__("r8") = words[4];
    register long sixth __asm__("r9") = words[5];
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(words[0]), "S"(words[1]), "d"(words[2]), "r"(fourth), "r"(fifth), "r"(sixth)
                     : "rcx", "r11", "memory");
    if (result >= 0 || result < -4095)
        return result;
    errno = (int)-result;
    return -1;
}

PH_EXPORT long syscall(long number, ...)
{
    long words[6];
    va_list arguments;
    va_start(arguments, number);
    for (size_t i = 0; i < 6; i++)
        words[i] = va_arg(arguments, long);
    va_end(arguments);
    if (!__atomic_load_n(&ph_real_resolved, __ATOMIC_ACQUIRE))
        return call_kernel(number, words);
    bool binds = number == SYS_seccomp && !ph_activation_is_foreign();
    long result = ph_real()->syscall(number, words[0], words[1], words[2], words[3], words[4], words[5]);
    if (binds && result >= 0 &&
        (words[0] == SECCOMP_SET_MODE_STRICT ||
         (words[0] == SECCOMP_SET_MODE_FILTER && kills((const struct sock_fprog *)words[2]))))
        ph_activation_filtered();
    return result;
}
