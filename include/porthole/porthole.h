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

/*
 * Labels: what a thread works on. Samples of the heap, of CPU and wall time and thread dumps carry those that their thread had at
 * that moment (`go tool pprof -tags`, `-tagfocus handler=/thumbnail`). They belong to the calling thread alone: a new thread begins
 * without, the thread of a forked child keeps those of the thread that forked. They may be set before a window is open, and without
 * one. Not from signal handlers. Less than 0.1 µs.
 *
 * A set of labels has at most 8, and a process at most 4,096 different sets, ever: so label kinds of work (the handler, the tenant,
 * the stage), never single requests.
 *
 * With PORTHOLE_WEAK defined before this file is included, a program that is not linked with the library uses labels where it
 * is preloaded (porthole run) and elsewhere does nothing: 0. Other functions still need -lporthole.
 */

/** What porthole_label_begin() found; private. */
struct porthole_label_scope {
    const char *key;
    unsigned before, after;
};

#ifndef PORTHOLE_WEAK
#define PORTHOLE_OPTIONAL
#elif defined(__PIC__)
#define PORTHOLE_OPTIONAL __attribute__((weak, visibility("default")))
#else
#error "PORTHOLE_WEAK needs -fPIE or -fPIC: else the linker takes what it does not know for absent"
#endif

/**
 * porthole_label_set() - from now on the calling thread has this label, in place of the one with the same key.
 * @key: 1 to 63 bytes of UTF-8; not what Porthole itself says of samples: pid, tid, thread, state, origin, … (libporthole(3)).
 * @value: 1 to 127 bytes of UTF-8.
 *
 * 0. -EINVAL: not such a key or value; -ENOSPC: no room for a ninth label or one more set. Then the labels stay as they were, and
 * what was too long or had no room is counted: porthole_labels_refused_total in /metrics.
 */
int porthole_label_set(const char *key, const char *value) PORTHOLE_OPTIONAL;

/** porthole_label_clear() - the calling thread has no label @key any more; NULL: it has none at all. */
void porthole_label_clear(const char *key) PORTHOLE_OPTIONAL;

/**
 * porthole_label_begin() - porthole_label_set() until porthole_label_end(), on the same thread: then the label has the value again that it
 * had before, or is gone; other labels are not touched. What PORTHOLE_LABEL() uses. A label that is refused changes nothing.
 */
struct porthole_label_scope porthole_label_begin(const char *key, const char *value) PORTHOLE_OPTIONAL;
void porthole_label_end(const struct porthole_label_scope *scope) PORTHOLE_OPTIONAL;

#ifdef PORTHOLE_WEAK
static inline int porthole_optional_set(const char *key, const char *value)
{
    return porthole_label_set ? porthole_label_set(key, value) : 0;
}

static inline void porthole_optional_clear(const char *key)
{
    if (porthole_label_clear)
        porthole_label_clear(key);
}

static inline struct porthole_label_scope porthole_optional_begin(const char *key, const char *value)
{
    struct porthole_label_scope none = {0, 0, 0};
    return porthole_label_begin ? porthole_label_begin(key, value) : none;
}

static inline void porthole_optional_end(const struct porthole_label_scope *scope)
{
    if (porthole_label_end)
        porthole_label_end(scope);
}

#define porthole_label_set   porthole_optional_set
#define porthole_label_clear porthole_optional_clear
#define porthole_label_begin porthole_optional_begin
#define porthole_label_end   porthole_optional_end
#endif

#ifdef __cplusplus
}

namespace porthole
{
/** A label until the end of the scope, also when that is left by return or an exception. */
class label
{
  public:
    label(const char *key, const char *value) : scope_(porthole_label_begin(key, value))
    {
    }
    ~label()
    {
        porthole_label_end(&scope_);
    }

  private:
    label(const label &);
    label &operator=(const label &);
    struct porthole_label_scope scope_;
};
} // namespace porthole
#endif

/**
 * PORTHOLE_LABEL() - a declaration: the calling thread has this label until the end of the enclosing block, also when that is left by
 * return, break or goto; not by longjmp(), and by pthread_exit() only in C++ or with -fexceptions.
 *
 *     PORTHOLE_LABEL("handler", "/thumbnail");
 */
#define PORTHOLE_LABEL(key, value)     PORTHOLE_LABEL_NAMED(key, value, PORTHOLE_LABEL_NAME(__COUNTER__))
#define PORTHOLE_LABEL_NAME(number)    PORTHOLE_LABEL_NAME_AT(number)
#define PORTHOLE_LABEL_NAME_AT(number) porthole_label_##number
#ifdef __cplusplus
#define PORTHOLE_LABEL_NAMED(key, value, name) const ::porthole::label name((key), (value))
#else
#define PORTHOLE_LABEL_NAMED(key, value, name)                                                                     \
    const struct porthole_label_scope name __attribute__((cleanup(porthole_label_end), unused)) =                  \
        porthole_label_begin((key), (value))
#endif

#endif
