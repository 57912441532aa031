#include "probe/activate.h"

#include "base/clock.h"
#include "probe/allocator.h"
#include "probe/apart.h"
#include "probe/backtrace.h"
#include "probe/calm.h"
#include "probe/capture.h"
#include "probe/counters.h"
#include "probe/credentials.h"
#include "probe/fork.h"
#include "probe/handover.h"
#include "probe/heir.h"
#include "probe/labels.h"
#include "probe/load.h"
#include "probe/own_fd.h"
#include "probe/reexec.h"
#include "probe/say.h"
#include "probe/signal.h"
#include "probe/thread.h"
#include "probe/timers.h"

#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* chroot() and setuid() wait this long for a thread that is just being made: some 0.1 ms. */
#define APART_WAIT_NS PH_NS_PER_S

/* The agent gives requests under way one second. */
#define STOP_WAIT_NS (5 * PH_NS_PER_S)

/* From the closing of the window to the end of the last thread of ours. */
#define END_WAIT_NS     PH_NS_PER_S
#define OWN_THREADS_MAX 64

int ph_activation_state = PH_INERT;
struct ph_options ph_probe_options;
struct ph_probe_counters ph_counters;

struct ph_probe ph_probe = {
    .abi = PH_PROBE_ABI,
    .version = PACKAGE_VERSION,
    .options = &ph_probe_options,
    .counters = &ph_counters,
    .allocator_entry = ph_allocator_entry,
    .own_fd = ph_own_fd_take,
    .own_thread = ph_own_thread,
    .threads = ph_threads,
    .thread = ph_thread_again,
    .bequeath = ph_bequeath,
    .inherit = ph_inherit,
    .hold_forks = ph_forks_hold,
    .release_forks = ph_forks_release,
    .park = ph_park,
    .unpark = ph_unpark,
    .sampling_begin = ph_sampling_begin,
    .sampling_arm = ph_sampling_arm,
    .sampling_take = ph_sampling_take,
    .sampling_give_back = ph_sampling_give_back,
    .sampling_check = ph_sampling_check,
    .sampling_end = ph_sampling_end,
    .ask = ph_ask,
    .asked = ph_asked,
    .unask = ph_unask,
    .label_set = ph_label_set,
    .say = ph_say,
};

static struct ph_error option_error; /* said when the window opens, not by every helper that inherits it */
static int start_result;
static enum ph_activation claimed_from; /* of who is STARTING */
static struct ph_calm claimed_calm;     /* likewise */
static bool wants_spares;
static struct ph_interruption forked_in; /* of a forked child: what its parent was in */
static pid_t starter;                    /* atomic: whose state this is; 0 before the first start */
static pid_t control_tid;                /* valid while on_its_own */
static int
    on_its_own;  /* futex: 1 while the first thread of ours shares nothing with the host that it may take away */
static int bell; /* atomic; futex: how often the first thread of ours was told to look what there is to do */

static void wake_waiters(int *futex)
{
    syscall(SYS_futex, futex, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static void set_and_wake(int *futex, int value)
{
    __atomic_store_n(futex, value, __ATOMIC_RELEASE);
    wake_waiters(futex);
}

static void enter_state(enum ph_activation state)
{
    set_and_wake(&ph_activation_state, state);
}

/* Until @futex holds something else than @value, at most until @deadline (CLOCK_MONOTONIC; NULL: for ever). */
static void wait_while(int *futex, int value, const struct timespec *deadline)
{
    long result = 0;
    while (__atomic_load_n(futex, __ATOMIC_ACQUIRE) == value && !(result < 0 && errno == ETIMEDOUT))
        result =
            syscall(SYS_futex, futex, FUTEX_WAIT_BITSET_PRIVATE, value, deadline, NULL, FUTEX_BITSET_MATCH_ANY);
}

static struct timespec deadline_after(int64_t timeout_ns)
{
    int64_t end_ns = ph_clock_monotonic_ns() + timeout_ns;
    return (struct timespec){end_ns / PH_NS_PER_S, end_ns % PH_NS_PER_S};
}

/* fork() has its handlers; a child made by _Fork() or clone() has the parent's state and none of its threads. */
bool ph_activation_is_foreign(void)
{
    pid_t pid = __atomic_load_n(&starter, __ATOMIC_ACQUIRE);
    return pid && pid != getpid();
}

void ph_activation_wait_apart(const struct ph_guard *guard)
{
    struct timespec deadline = deadline_after(APART_WAIT_NS);
    (void)guard;
    if (__atomic_load_n(&ph_activation_state, __ATOMIC_ACQUIRE) == PH_STARTING && !ph_activation_is_foreign())
        wait_while(&on_its_own, 0, &deadline);
}

enum ph_activation ph_activation_settle(int64_t timeout_ns)
{
    struct timespec deadline = deadline_after(timeout_ns);
    if (ph_activation_is_foreign())
        return PH_SILENT;
    wait_while(&ph_activation_state, PH_STARTING, &deadline);
    wait_while(&ph_activation_state, PH_STOPPING, &deadline);
    return (enum ph_activation)__atomic_load_n(&ph_activation_state, __ATOMIC_ACQUIRE);
}

int ph_activation_result(void)
{
    return start_result;
}

static int start_agent(void)
{
    struct ph_error error = {0};
    const struct ph_agent *agent = ph_agent_load(&ph_probe, &error);
    if (option_error.code)
        ph_say(option_error.text);
    option_error.code = 0; /* once, also if the window is opened again */
    if (!agent)
        ph_say(error.text);
    return agent ? agent->start() : error.code;
}

static void ring(void)
{
    __atomic_fetch_add(&bell, 1, __ATOMIC_RELEASE);
    wake_waiters(&bell);
}

/* Parked, although it works: in system calls only. */
static void wait_for_orders(void)
{
    ph_park();
    for (;;) {
        int heard = __atomic_load_n(&bell, __ATOMIC_ACQUIRE);
        if (__atomic_load_n(&ph_activation_state, __ATOMIC_ACQUIRE) != PH_RUNNING)
            break;
        ph_handover_give();
        wait_while(&bell, heard, NULL);
    }
    ph_unpark();
}

static void prepare_heir(void)
{
    if (strcmp(ph_probe_options.listen, "off") != 0)
        ph_heir_keep();
    ph_handover_offer();
}

/* The first thread of ours. It opens the window and waits until it is to be closed, or a fork wants the heir: only a thread that
 * has our descriptor table can do either. */
static void *control(void *argument)
{
    ph_apart_leave(ph_heir_find());
    prepare_heir();
    if (wants_spares)
        ph_own_spares_make();
    control_tid = gettid();
    set_and_wake(&on_its_own, 1);
    start_result = start_agent();
    ph_apart_settle();
    if (start_result < 0) {
        PH_COUNT(activations_failed);
    } else {
        enter_state(PH_RUNNING);
        wait_for_orders();
        ph_agent_loaded()->stop();
    }
    ph_handover_end();
    ph_own_spares_release();
    __atomic_store_n(&on_its_own, 0, __ATOMIC_RELEASE);
    enter_state(start_result < 0 ? PH_FAILED : PH_IDLE);
    return argument;
}

static bool move(enum ph_activation from, enum ph_activation to)
{
    int expected = from;
    return __atomic_compare_exchange_n(&ph_activation_state, &expected, to, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED);
}

static bool is_filtered; /* atomic; inherited, as the filter is */

bool ph_activation_is_filtered(void)
{
    return __atomic_load_n(&is_filtered, __ATOMIC_RELAXED);
}

void ph_activation_filtered(void)
{
    __atomic_store_n(&is_filtered, true, __ATOMIC_RELAXED);
    if (!move(PH_DORMANT, PH_SILENT))
        move(PH_IDLE, PH_SILENT);
}

bool ph_activation_claim(void)
{
    struct ph_calm calm = ph_calm_begin();
    bool slept = move(PH_DORMANT, PH_STARTING);
    if (!slept && !move(PH_IDLE, PH_STARTING)) {
        ph_calm_end(&calm);
        return false;
    }
    claimed_calm = calm;
    claimed_from = slept ? PH_DORMANT : PH_IDLE;
    wants_spares = !slept; /* a child that waits has done what it does to itself; and there may be hundreds */
    __atomic_store_n(&starter, getpid(), __ATOMIC_RELEASE);
    return true;
}

void ph_activation_unclaim(void)
{
    struct ph_calm calm = claimed_calm; /* before another can have it */
    enter_state(claimed_from);
    ph_calm_end(&calm);
}

int ph_activation_begin(void)
{
    struct ph_calm calm = claimed_calm; /* as above */
    ph_reexec_remember();
    int result = ph_own_thread("porthole/ctl", control, NULL);
    if (result < 0) {
        start_result = result;
        PH_COUNT(activations_failed);
        enter_state(PH_FAILED);
        if (claimed_from == PH_IDLE) /* not once for each of a hundred workers */
            ph_say("no thread for the endpoint (a limit on processes or memory?): Porthole stays closed");
    }
    ph_calm_end(&calm);
    return result;
}

void ph_activate_listener(const struct ph_guard *guard, int fd)
{
    int type = 0;
    socklen_t size = sizeof(type);
    (void)guard;
    if (ph_probe_options.start == PH_START_SERVER && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
        type == SOCK_STREAM && ph_activation_claim())
        ph_activation_begin();
}

bool ph_deactivate(void)
{
    pid_t tids[OWN_THREADS_MAX];
    if (!ph_activation_is_foreign() && move(PH_DORMANT, PH_IDLE))
        ph_probe_options.start = PH_START_MANUAL; /* it had no window yet, and is to have none */
    if (ph_activation_settle(PH_START_WAIT_NS) != PH_RUNNING || !move(PH_RUNNING, PH_STOPPING))
        return false;
    ph_probe_options.start = PH_START_MANUAL; /* the host's next listen() must not open it again */
    size_t count = ph_own_tids(tids, OWN_THREADS_MAX);
    ring();
    ph_activation_settle(STOP_WAIT_NS);
    ph_threads_wait(tids, count, END_WAIT_NS);
    return true;
}

void ph_activation_before_change(const struct ph_guard *guard, unsigned capability)
{
    ph_activation_wait_apart(guard);
    if (ph_activation_is_foreign() || !__atomic_load_n(&on_its_own, __ATOMIC_ACQUIRE) ||
        !ph_capability_differs(control_tid, capability))
        return;
    if (ph_deactivate())
        ph_say("closed: the program changes its user or groups with other capabilities than it had when it began "
               "to listen");
}

bool ph_activation_provide_heir(void)
{
    if (!ph_handover_is_due() || __atomic_load_n(&ph_activation_state, __ATOMIC_ACQUIRE) != PH_RUNNING ||
        ph_activation_is_filtered() || ph_activation_is_foreign())
        return false;
    ph_handover_take(ring);
    return true;
}

/* The child has none of our threads. What is kept open for it lets it open a window of its own when it waits. */
void ph_activation_forked(bool perhaps_in_handler)
{
    enum ph_activation state = (enum ph_activation)ph_activation_state;
    if (state == PH_IDLE)
        return;
    if (is_filtered) {
        ph_activation_state = PH_SILENT;
        return;
    }
    ph_activation_state = state == PH_RUNNING || state == PH_DORMANT ? PH_DORMANT : PH_SILENT;
    on_its_own = 0;
    starter = getpid();
    forked_in = perhaps_in_handler ? ph_interruption_now() : (struct ph_interruption){0, 0};
}

/* A signal handler may have interrupted malloc(), or the making of a thread. Not so what was interrupted before the fork
 * (PostgreSQL forks in its handler of SIGCHLD): fork() has waited for such locks. */
static bool may_hold_locks(void)
{
    static const struct ph_interruption none = {0, 0};
    struct ph_interruption now = ph_interruption_now();
    bool is_old = now.address == forked_in.address && now.frame == forked_in.frame;
    return memcmp(&now, &none, sizeof(now)) != 0 && (!is_old || now.address == PH_INTERRUPTION_UNKNOWN.address);
}

static void wake(bool with_spares)
{
    if (ph_activation_is_foreign() || may_hold_locks() || !ph_activation_claim())
        return;
    wants_spares = with_spares;
    PH_COUNT(wakes);
    ph_activation_begin();
}

void ph_wake(void)
{
    struct ph_guard guard;
    struct ph_calm calm =
        ph_calm_begin(); /* a handler that leaves by siglongjmp() must not take the guard with it */
    if (ph_guard_enter(&guard)) {
        wake(false);
        ph_guard_leave(&guard);
    }
    ph_calm_end(&calm);
}

void ph_activation_before_jail(const struct ph_guard *guard)
{
    if (__atomic_load_n(&ph_activation_state, __ATOMIC_ACQUIRE) == PH_DORMANT)
        wake(true);
    ph_activation_wait_apart(guard);
}

void ph_activation_init(char *const *environment)
{
    ph_probe.started_ns = ph_clock_realtime_ns();
    ph_text_range(&ph_probe.text_low, &ph_probe.text_high);
    ph_options_read(&ph_probe_options, environment, &option_error);
    ph_allocator_init(&ph_probe);
    if (ph_probe_options.start == PH_START_OFF || getauxval(AT_SECURE))
        return;
    ph_signal_init(ph_probe_options.signal);
    ph_thread_init();
    ph_fork_init();
    ph_activation_state = PH_IDLE;
    if (ph_probe_options.start == PH_START_NOW && ph_activation_claim())
        ph_activation_begin();
}
