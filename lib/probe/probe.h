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

#define PH_PROBE_ABI 6

#define PH_THREAD_FRAMES_MAX 32

/* One live thread of the process, as the probe saw it start. The name is in /proc/self/task/TID/comm. */
struct ph_thread {
    pid_t tid;
    uint32_t slot;                   /* where the probe keeps it, for thread(); 0: the main thread */
    bool own;                        /* a thread of Porthole: invisible to every profile */
    uint64_t started_ns;             /* CLOCK_MONOTONIC; 0 for the main thread */
    uintptr_t stack_low, stack_high; /* bounds, low to a page, high exclusive; 0 if unknown */
    uint32_t frame_count;            /* who created it: return addresses, leaf first */
    uintptr_t frames[PH_THREAD_FRAMES_MAX];
    /* What it waits in, by the hooks of calls that can wait. To be believed only while the thread is blocked. */
    uint64_t waits_since_ns; /* CLOCK_MONOTONIC, some ms coarse; 0: in no call that is hooked */
    uintptr_t
        wait_frame; /* frame address of the hook: the caller's RBP lies there, its return address behind it; 0: none */
    uint32_t label_set; /* what porthole_label_set() has set; 0: nothing */
};

/* ---- Captures: what a running thread was doing when our signal came; made by the handler, which copies and returns ---- */

#define PH_CAPTURE_REGISTERS   33 /* the most an architecture has: DWARF numbers, as in elf/unwind.h */
#define PH_CAPTURE_STACK_BYTES ((size_t)64 << 10)

struct ph_capture {
    pid_t tid;
    uint32_t count; /* expirations of the timer it stands for: 1 and those that found the signal pending still */
    uint32_t label_set; /* of the thread at that moment */
    bool stack_is_cut;  /* more of the stack was there than copied */
    uint64_t time_ns;   /* CLOCK_MONOTONIC */
    uint64_t registers[PH_CAPTURE_REGISTERS];
    uint64_t stack_low;  /* the stack pointer, or the red zone below it */
    uint64_t stack_high; /* exclusive end of the thread's stack; 0 if unknown */
    size_t stack_bytes;
    const uint8_t *stack; /* stack_bytes of it; valid until the capture is given back */
};

/* Why captures were not made, counted since sampling_begin(). */
struct ph_sampling_counts {
    uint64_t captured;     /* captures made */
    uint64_t dropped_full; /* the ring was full: the reader was late */
    uint64_t unarmed;      /* threads for which no timer could be made (a limit on pending signals) */
    uint64_t tiny_stacks; /* threads whose alternate signal stack is too small for a signal: not armed, not asked */
    uint64_t lost_signal; /* the host took our signal by a way that the hooks do not see: sampling ended early */
};

/* One set of labels; unchanging once it has a number. */
struct ph_label_set {
    uint32_t count;
    struct {
        const char *key, *value; /* NUL-terminated, valid for ever */
    } labels[8];
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
    uint64_t forks;                   /* fork() of the host while a window was open or opening */
    uint64_t forks_delayed;           /* of these: had to wait for something of ours */
    uint64_t fork_wait_ns;            /* how long, in sum */
    uint64_t labels_refused;          /* porthole_label_set() without room for another set, or too long */
    uint64_t wakes;                   /* forked children that woke, this process and those before it in its line */
};

/* What this process has to do without; bits, so that each can be said in a line of its own. */
enum ph_degraded {
    PH_DEGRADED_DESCRIPTORS = 1, /* our threads share the host's descriptor table: close_range() was denied */
    PH_DEGRADED_ROOT = 2,        /* our threads share the host's root: unshare() was denied */
    PH_DEGRADED_HEIR = 4,        /* nothing keeps the listening socket for forked children (handover.h) */
    PH_DEGRADED_SPARES = 8,      /* no threads in reserve */
    PH_DEGRADED_ALLOCS = 16,     /* what was freed is not counted any more: the host makes threads without end */
};

#define PH_ASKED_MAX 64

struct ph_probe {
    uint32_t abi; /* PH_PROBE_ABI */
    const char *version;
    const struct ph_options *options;
    const struct ph_probe_counters *counters;
    uintptr_t text_low, text_high; /* the probe's own code: its frames are not the host's */
    int64_t started_ns; /* CLOCK_REALTIME when the probe was loaded; of a forked child, when it was forked */
    unsigned degraded;  /* of enum ph_degraded; atomic */
    pid_t
        origin; /* the payload of PH_MARK_ORIGIN (base/mark.h) in samples this process takes; 0: they have no mark.
                   * Samples with another origin were taken by an ancestor before it forked. */

    enum ph_allocator allocator;
    const char *allocator_file; /* the object that holds malloc() */
    /* jemalloc's control interface of whoever serves malloc(); NULL for PH_ALLOCATOR_OTHER. */
    int (*mallctl)(const char *name, void *old, size_t *old_size, void *new_value, size_t new_size);
    void (*malloc_stats_print)(void (*write)(void *, const char *), void *context, const char *options);

    /** allocator_entry() - @address lies in the code of the probe: the function of its allocator (malloc, free, operator new, …) that was
     * called there, by its first instruction; 0: it is not the allocator's, or what that does of itself. Any thread of ours. */
    uintptr_t (*allocator_entry)(uintptr_t address);

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

    /** thread() - the record of one thread again, by @slot and @tid as threads() told them. False: it has ended. */
    bool (*thread)(uint32_t slot, pid_t tid, struct ph_thread *ret_thread);

    /**
     * bequeath() - give the @count sockets @fds to every child that is forked from now on, also by a child of a child,
     * whether it wakes or not: they stay open as long as one of them lives. Replaces what was bequeathed before.
     * inherit() - new descriptors, ours, of what this process or an ancestor has bequeathed; how many, at most @capacity.
     */
    int (*bequeath)(const int *fds, size_t count);
    size_t (*inherit)(int *ret_fds, size_t capacity);

    /**
     * hold_forks() - until release_forks() no fork() of the host begins; it waits, bounded. Around what a child must not find
     * half done: locks of the loader, of the allocator, of ours. Milliseconds at most, but for a heap dump. Not nested.
     */
    void (*hold_forks)(void);
    void (*release_forks)(void);

    /**
     * park(), unpark() - between them the calling thread, ours, does nothing but wait in a system call; a fork() of the host
     * under way makes unpark() wait. While all that live long are parked, a fork of a host with one thread need not
     * take the allocator's locks. From its first park() on the thread allocates without a cache of its own.
     */
    void (*park)(void);
    void (*unpark)(void);

    /**
     * sampling_begin() - from now on every thread of the host has a timer on its own CPU clock, @hz times a second of CPU time; those
     * that start later arm themselves, those that live are to be armed with sampling_arm(). @stack_bytes of each stack are copied, at
     * most PH_CAPTURE_STACK_BYTES. 0; -EBUSY: it runs already; -ENOSPC: no signal is free; -EPERM: the host filters system calls;
     * -ENOMEM.
     * sampling_arm() - 0, also for a thread that has its timer; -ESRCH; -EPERM: one that must not be signalled; -EAGAIN: a limit.
     * sampling_take() - the next capture of a timer; false if there is none now. sampling_give_back() - it was read: at once.
     * sampling_check() - false if the host has taken the signal away meanwhile: end it.
     * sampling_end() - no timer goes off any more when it returns. One caller at a time for all of these.
     */
    int (*sampling_begin)(unsigned hz, size_t stack_bytes);
    int (*sampling_arm)(pid_t tid);
    bool (*sampling_take)(struct ph_capture *ret_capture);
    void (*sampling_give_back)(const struct ph_capture *capture);
    bool (*sampling_check)(void);
    void (*sampling_end)(struct ph_sampling_counts *ret_counts);

    /**
     * ask() - interrupt the thread @tid once, that it copies its registers and stack. To be asked only while it runs: a thread that is
     * blocked would be woken. 0 with a ticket (>= 0); -ESRCH; -EPERM as above; -EAGAIN: not now: too many are asked (PH_ASKED_MAX), or it is just in a call that can wait.
     * asked() - 0: @ret_capture is there; -EAGAIN: not yet. unask() - give the ticket back, answered or not. Any thread of ours.
     */
    int (*ask)(pid_t tid);
    int (*asked)(int ticket, struct ph_capture *ret_capture);
    void (*unask)(int ticket);

    /** label_set() - what the number stands for; an empty set for 0 and numbers that were never given. Any thread. */
    const struct ph_label_set *(*label_set)(uint32_t number);

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

    /** forked() - in a forked child, on its one thread: what threads held that are not there is free again, and what was
     * open is not. The next start() joins the parent's family. No lock, no allocation. */
    void (*forked)(void);

    /** heap_write() - the heap profile, gzipped protobuf, to @fd. 0, or a negative errno. Any thread; blocks. */
    int (*heap_write)(int fd);
};

/** The one symbol of libporthole-agent.so. NULL if the probe's abi is not the agent's. */
const struct ph_agent *ph_agent_entry(const struct ph_probe *probe);
typedef const struct ph_agent *ph_agent_entry_fn(const struct ph_probe *probe);

#endif
