#include "probe/calm.h"

#include "probe/guard.h"
#include "probe/real.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGNAL_SETXID 33 /* glibc, sysdeps/unix/sysv/linux/internal-signals.h: __SIGRTMIN + 1 */

/* pthread_sigmask() would leave out the signal of cancellation, too. */
static void set_blocked(int how, uint64_t blocked, uint64_t *ret_before)
{
    int saved_errno = errno;
    syscall(SYS_rt_sigprocmask, how, &blocked, ret_before, sizeof(blocked));
    errno = saved_errno;
}

static uint64_t bit(int number)
{
    return UINT64_C(1) << (number - 1);
}

/* Of a child that ends at once. The kernel drops it if there is no handler, but keeps it if it is blocked, and has another thread's call
 * fail with EINTR for it. */
static uint64_t dropped(void)
{
    struct sigaction now;
    int saved_errno = errno;
    bool has_handler =
        ph_real()->sigaction(SIGCHLD, NULL, &now) < 0 || (now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN);
    errno = saved_errno;
    return has_handler ? 0 : bit(SIGCHLD);
}

struct ph_calm ph_calm_begin(void)
{
    struct ph_calm calm = {0, PTHREAD_CANCEL_ENABLE};
    set_blocked(SIG_BLOCK, ~(bit(SIGNAL_SETXID) | dropped()), &calm.blocked);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &calm.cancel_state);
    return calm;
}

void ph_calm_end(const struct ph_calm *calm)
{
    bool was_inside = ph_tls.inside;
    ph_tls.inside = false;
    set_blocked(SIG_SETMASK, calm->blocked, NULL);
    pthread_setcancelstate(calm->cancel_state, NULL);
    ph_tls.inside = was_inside;
}
