#include "probe/calm.h"

#include "probe/guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGNAL_SETXID 33 /* glibc, sysdeps/unix/sysv/linux/internal-signals.h: __SIGRTMIN + 1 */

/* pthread_sigmask() would leave out the signal of cancellation, too. */
static void set_blocked(uint64_t blocked, uint64_t *ret_before)
{
    int saved_errno = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, ret_before, sizeof(blocked));
    errno = saved_errno;
}

struct ph_calm ph_calm_begin(void)
{
    struct ph_calm calm = {0, PTHREAD_CANCEL_ENABLE};
    set_blocked(~(UINT64_C(1) << (SIGNAL_SETXID - 1)), &calm.blocked);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &calm.cancel_state);
    return calm;
}

void ph_calm_end(const struct ph_calm *calm)
{
    bool was_inside = ph_tls.inside;
    ph_tls.inside = false;
    set_blocked(calm->blocked, NULL);
    pthread_setcancelstate(calm->cancel_state, NULL);
    ph_tls.inside = was_inside;
}
