/*
 * porthole.h - a window into this process: profiles over HTTP. Link with -lporthole, or preload the library
 * and include nothing.
 *
 * All functions may be called from any thread, before or after fork(); none may be called from a signal handler. Strings
 * are copied.
 */
#ifndef PORTHOLE_PORTHOLE_H
#define PORTHOLE_PORTHOLE_H

#ifdef __cplusplus
extern "C" {
#endif

/** What a program may set; what it leaves NULL comes from the environment, else from porthole-env(7). */
struct porthole_options {
    const char *listen;     /* "127.0.0.1:6060", "[::1]:6060", "unix:/path" or "off" */
    const char *token_file; /* absolute path; needed for any address that is not loopback */
    const char *log;        /* "start" or "quiet" */
};

/**
 * porthole_init() - open the window now.
 * @options: may be NULL: everything from the environment.
 *
 * Returns 0 once the endpoint listens; 0 too if it did already. -EINVAL for a value that is not allowed, which is
 * also said on stderr; -ECANCELED if PORTHOLE_START=off, if the process runs with raised privileges (AT_SECURE), or if
 * porthole_shutdown() was called meanwhile;
 * -ENOENT if libporthole-agent.so was not found; -EAGAIN in a forked child of a process whose window could not open or was
 * just closing; else the errno of opening the endpoint (-EADDRINUSE, -EACCES, …).
 *
 * A forked child of a process with a window joins its family by itself when it first waits; this makes it do so now. Where
 * the family listens was settled by the first process: @options are for that one.
 */
int porthole_init(const struct porthole_options *options);

/** porthole_shutdown() - close the window; requests under way get at most one second. Nothing happens if it is not
 * open. porthole_init() may open it again. */
void porthole_shutdown(void);

/** porthole_version() - "MAJOR.MINOR.PATCH", static. */
const char *porthole_version(void);

/**
 * porthole_heap_profile_write() - the live heap, as sampled, in pprof's form (gzipped protobuf).
 * @fd: open for writing; not closed.
 *
 * Needs no endpoint. Returns 0; -ENOTSUP if the allocator of this process cannot be sampled; -ENOENT if
 * libporthole-agent.so was not found; -ENOMEM; the errno of write(). Blocks for the dump (35 ms for 10,000 stacks).
 * One sample a stack, leaf first; values {alloc_objects, alloc_space, inuse_objects, inuse_space}, unbiased.
 */
int porthole_heap_profile_write(int fd);

#ifdef __cplusplus
}
#endif

#endif
