/*
 * probe.h - what the agent sees of the probe: one table of functions and facts, and the agent's own table in return.
 *
 * The two objects meet here and nowhere else: the probe opens the agent with RTLD_LOCAL, looks up
 * ph_agent_entry() and hands it a struct ph_probe. Both tables begin with PH_PROBE_ABI, so objects of different
 * builds refuse each other instead of crashing the host.
 */
#ifndef PH_PROBE_PROBE_H
#define PH_PROBE_PROBE_H

#include "base/error.h"
#include "base/options.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PH_PROBE_ABI 2

#define PH_THREAD_FRAMES_MAX 32

/* One live thread of the process, as the probe saw it start. The name is in /proc/self/task/TID/comm. */
struct ph_thread {
    pid_t tid;
    bool own;                        /* a thread of Porthole: invisible to every profile */
    uint64_t started_ns;             /* CLOCK_MONOTONIC; 0 for the main thread */
    uintptr_t stack_low, stack_high; /* bounds, low to a page, high exclusive; 0 if unknown */
    uint32_t frame_count;            /* who created it: return addresses, leaf first */
    uintptr_t frames[PH_THREAD_FRAMES_MAX];
};

/* Who serves malloc() in this process. */
enum ph_allocator {
    PH_ALLOCATOR_OWN,      /* the jemalloc inside the probe */
    PH_ALLOCATOR_JEMALLOC, /* the host's jemalloc, with mallctl() and profiling on */
    PH_ALLOCATOR_OTHER,    /* not ours and not to be profiled */
};

/* What the probe could not do, counted since the start. Each is written with relaxed atomics. */
struct ph_probe_counters {
    uint64_t activations_failed;      /* the agent could not be started: thread, dlopen or ABI */
    uint64_t threads_unrecorded;      /* no room in the thread registry */
    uint64_t descriptors_unprotected; /* too high for the table of own descriptors */
    uint64_t descriptors_defended;    /* host calls that would have closed or replaced one of ours */
};

struct ph_probe {
    uint32_t abi; /* PH_PROBE_ABI */
    const char *version;
    const struct ph_options *options;
    const struct ph_probe_counters *counters;
    uintptr_t text_low, text_high; /* the probe's own code: its frames are not the host's */
    int64_t started_ns;            /* CLOCK_REALTIME when the probe was loaded */

    enum ph_allocator allocator;
    const char *allocator_file; /* the object that holds malloc() */
    /* jemalloc's control interface of whoever serves malloc(); NULL for PH_ALLOCATOR_OTHER. */
    int (*mallctl)(const char *name, void *old, size_t *old_size, void *new_value, size_t new_size);
    void (*malloc_stats_print)(void (*write)(void *, const char *), void *context, const char *options);

    /**
     * own_fd() - make @fd ours. On our threads that is nothing, as they have a descriptor table of their own; elsewhere, or
     * where the kernel denies one, it is moved to 512 or above, CLOEXEC, and protected from the host's close(),
     * dup2() and their kin. Returns the number from now on. Close it with close() on one of our threads.
     */
    int (*own_fd)(int fd);

    /** own_thread() - create a detached thread of ours: signals blocked, no heap samples, @name (15 bytes).
     * 0, or a negative errno. */
    int (*own_thread)(const char *name, void *(*body)(void *), void *argument);

    /** threads() - copy at most @capacity records of live threads; returns how many there are. */
    size_t (*threads)(struct ph_thread *ret_threads, size_t capacity);

    /** say() - one line on the host's stderr, "porthole: " before it, if stderr is still what it was at start. */
    void (*say)(const char *text);
};

/* What the agent offers the probe. start() and stop() are called on one thread of ours, which has the descriptor table in
 * which the endpoint's descriptors are. */
struct ph_agent {
    uint32_t abi; /* PH_PROBE_ABI */

    /** start() - open the endpoint and return; the work goes on on own threads. 0, or a negative errno after
     * saying why. */
    int (*start)(void);

    /** stop() - close the endpoint, wait at most one second for requests under way. */
    void (*stop)(void);

    /** forked() - in a forked child, on its one thread: what threads held that are not there is free again. */
    void (*forked)(void);

    /** heap_write() - the heap profile, gzipped protobuf, to @fd. 0, or a negative errno. Any thread; blocks. */
    int (*heap_write)(int fd);
};

/** The one symbol of libporthole-agent.so. NULL if the probe's abi is not the agent's. */
const struct ph_agent *ph_agent_entry(const struct ph_probe *probe);
typedef const struct ph_agent *ph_agent_entry_fn(const struct ph_probe *probe);

#endif
