#include "probe/activate.h"

#include "base/clock.h"
#include "probe/allocator.h"
#include "probe/backtrace.h"
#include "probe/counters.h"
#include "probe/fd_table.h"
#include "probe/load.h"
#include "probe/own_fd.h"
#include "probe/say.h"
#include "probe/thread.h"

#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A fork waits this long for a start under way: the child would inherit the loader's locks as they are. Opening the
 * agent takes some 20 ms. */
#define FORK_WAIT_NS (2 * PH_NS_PER_S)

/* The agent gives requests under way one second. */
#define STOP_WAIT_NS (5 * PH_NS_PER_S)

int ph_activation_state = PH_INERT;
struct ph_options ph_probe_options;
struct ph_probe_counters ph_counters;

struct ph_probe ph_probe = {
    .abi = PH_PROBE_ABI,
    .version = PACKAGE_VERSION,
    .options = &ph_probe_options,
    .counters = &ph_counters,
    .own_fd = ph_own_fd_take,
    .own_thread = ph_own_thread,
    .threads = ph_threads,
    .say = ph_say,
};

static struct ph_error option_error; /* said when the window opens, not by every helper that inherits it */
static int start_result;

static void enter_state(enum ph_activation state)
{
    __atomic_store_n(&ph_activation_state, state, __ATOMIC_RELEASE);
    syscall(SYS_futex, &ph_activation_state, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/* Until the state is another one, at most until @deadline (CLOCK_MONOTONIC; NULL: for ever). */
static void wait_while(enum ph_activation state, const struct timespec *deadline)
{
    long result = 0;
    while (__atomic_load_n(&ph_activation_state, __ATOMIC_ACQUIRE) == (int)state &&
           !(result < 0 && errno == ETIMEDOUT))
        result = syscall(SYS_futex, &ph_activation_state, FUTEX_WAIT_BITSET_PRIVATE, state, deadline, NULL,
                         FUTEX_BITSET_MATCH_ANY);
}

enum ph_activation ph_activation_settle(int64_t timeout_ns)
{
    int64_t end_ns = ph_clock_monotonic_ns() + timeout_ns;
    struct timespec deadline = {end_ns / PH_NS_PER_S, end_ns % PH_NS_PER_S};
    wait_while(PH_STARTING, &deadline);
    wait_while(PH_STOPPING, &deadline);
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
    if (!agent)
        ph_say(error.text);
    return agent ? agent->start() : error.code;
}

/* The first thread of ours. It opens the window and waits until it is to be closed: only a thread that has our
 * descriptor table can do that. */
static void *control(void *argument)
{
    ph_fd_table_leave();
    start_result = start_agent();
    ph_fd_table_settle();
    if (start_result < 0) {
        PH_COUNT(activations_failed);
        enter_state(PH_FAILED);
        return argument;
    }
    enter_state(PH_RUNNING);
    wait_while(PH_RUNNING, NULL);
    ph_agent_loaded()->stop();
    enter_state(PH_IDLE);
    return argument;
}

int ph_activate(void)
{
    int idle = PH_IDLE;
    if (!__atomic_compare_exchange_n(&ph_activation_state, &idle, PH_STARTING, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return 0;
    int result = ph_own_thread("porthole/ctl", control, NULL);
    if (result < 0) {
        start_result = result;
        PH_COUNT(activations_failed);
        ph_say("no thread for the endpoint (a limit on processes or memory?): Porthole stays closed");
        enter_state(PH_FAILED);
    }
    return result;
}

void ph_activate_listener(const struct ph_guard *guard, int fd)
{
    int type = 0;
    socklen_t size = sizeof(type);
    (void)guard;
    if (ph_probe_options.start == PH_START_SERVER && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
        type == SOCK_STREAM)
        ph_activate();
}

void ph_deactivate(void)
{
    int running = PH_RUNNING;
    if (!__atomic_compare_exchange_n(&ph_activation_state, &running, PH_STOPPING, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return;
    ph_probe_options.start = PH_START_MANUAL; /* the host's next listen() must not open it again */
    syscall(SYS_futex, &ph_activation_state, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
    ph_activation_settle(STOP_WAIT_NS);
}

static void before_fork(void)
{
    if (!ph_on_own_thread())
        ph_activation_settle(FORK_WAIT_NS);
}

/* The child has none of our threads, so nothing may promise an endpoint here. */
static void in_forked_child(void)
{
    ph_own_fd_close_all();
    ph_threads_after_fork();
    if (ph_activation_state > PH_IDLE)
        ph_activation_state = PH_SILENT;
}

void ph_activation_init(char *const *environment)
{
    ph_probe.started_ns = ph_clock_realtime_ns();
    ph_text_range(&ph_probe.text_low, &ph_probe.text_high);
    ph_options_read(&ph_probe_options, environment, &option_error);
    ph_allocator_init(&ph_probe);
    if (ph_probe_options.start == PH_START_OFF || getauxval(AT_SECURE))
        return;
    pthread_atfork(before_fork, NULL, in_forked_child);
    ph_activation_state = PH_IDLE;
    if (ph_probe_options.start == PH_START_NOW)
        ph_activate();
}
