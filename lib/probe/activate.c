#include "probe/activate.h"

#include "base/clock.h"
#include "base/scan.h"
#include "probe/allocator.h"
#include "probe/backtrace.h"
#include "probe/counters.h"
#include "probe/load.h"
#include "probe/own_fd.h"
#include "probe/say.h"
#include "probe/thread.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A fork waits this long for a start under way: the child would inherit the loader's locks as they are. Opening the
 * agent takes some 20 ms. */
#define FORK_WAIT_NS (2 * PH_NS_PER_S)

/* The agent with its libraries maps 30 MiB, a heap request some more. */
#define ROOM_BYTES (UINT64_C(64) << 20)

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

enum ph_activation ph_activation_settle(int64_t timeout_ns)
{
    int64_t deadline_ns = ph_clock_monotonic_ns() + timeout_ns;
    int state;
    while ((state = __atomic_load_n(&ph_activation_state, __ATOMIC_ACQUIRE)) == PH_STARTING) {
        int64_t left_ns = deadline_ns - ph_clock_monotonic_ns();
        if (left_ns <= 0)
            break;
        struct timespec left = {left_ns / PH_NS_PER_S, left_ns % PH_NS_PER_S};
        syscall(SYS_futex, &ph_activation_state, FUTEX_WAIT_PRIVATE, PH_STARTING, &left, NULL, 0);
    }
    return (enum ph_activation)state;
}

int ph_activation_result(void)
{
    return start_result;
}

/* Under RLIMIT_AS what the agent maps is taken from the host. */
static bool has_room(struct ph_error *error)
{
    char text[32] = "";
    struct rlimit limit;
    uint64_t pages = 0;
    if (getrlimit(RLIMIT_AS, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return true;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text));
    if (fd >= 0)
        close(fd);
    struct ph_scan scan = ph_scan_over(text, size > 0 ? (size_t)size : 0);
    if (!ph_scan_decimal(&scan, &pages) || pages * (uint64_t)sysconf(_SC_PAGESIZE) + ROOM_BYTES <= limit.rlim_cur)
        return true;
    ph_error_set(error, -ENOMEM, "the limit on address space (ulimit -v) leaves less than %d MiB: stays closed",
                 (int)(ROOM_BYTES >> 20));
    return false;
}

static void *start_agent(void *argument)
{
    struct ph_error error = {0};
    const struct ph_agent *agent = has_room(&error) ? ph_agent_load(&ph_probe, &error) : NULL;
    if (option_error.code)
        ph_say(option_error.text);
    if (!agent)
        ph_say(error.text);
    start_result = agent ? agent->start() : error.code;
    if (start_result < 0)
        PH_COUNT(activations_failed);
    enter_state(start_result < 0 ? PH_FAILED : PH_RUNNING);
    return argument;
}

int ph_activate(void)
{
    int idle = PH_IDLE;
    if (!__atomic_compare_exchange_n(&ph_activation_state, &idle, PH_STARTING, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return 0;
    int result = ph_own_thread("porthole/start", start_agent, NULL);
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
    if (!__atomic_compare_exchange_n(&ph_activation_state, &running, PH_STARTING, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return;
    ph_agent_loaded()->stop();
    ph_probe_options.start = PH_START_MANUAL; /* the host's next listen() must not open it again */
    enter_state(PH_IDLE);
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
