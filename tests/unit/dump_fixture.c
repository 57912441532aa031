#include "dump_fixture.h"

#include "base/clock.h"
#include "model/labels.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#define LABELS_MAX 16

struct thread {
    struct ph_profile *dump;
    struct ph_label labels[LABELS_MAX];
    uint32_t label_count;
    uint32_t frames[8];
    uint32_t frame_count;
};

static void text(struct thread *thread, const char *key, const char *value)
{
    thread->labels[thread->label_count++] = (struct ph_label){.key = ph_profile_string(thread->dump, key),
                                                              .text = ph_profile_string(thread->dump, value)};
}

static void number(struct thread *thread, const char *key, int64_t value)
{
    thread->labels[thread->label_count++] =
        (struct ph_label){.key = ph_profile_string(thread->dump, key), .number = value};
}

static void frame(struct thread *thread, uint32_t mapping, uint64_t address, const char *name)
{
    struct ph_function function = {.name = ph_profile_string(thread->dump, name ? name : "")};
    struct ph_line line = {.function = name ? ph_profile_add_function(thread->dump, &function) : 0};
    thread->frames[thread->frame_count++] =
        ph_profile_add_location(thread->dump, mapping, address, false, &line, name ? 1 : 0);
}

static struct thread begin(struct ph_profile *dump, const char *pid, int64_t tid, const char *name,
                           const char *state)
{
    struct thread thread = {.dump = dump};
    text(&thread, PH_LABEL_THREAD, name);
    number(&thread, PH_LABEL_TID, tid);
    text(&thread, PH_LABEL_STATE, state);
    if (pid)
        text(&thread, PH_LABEL_PID, pid);
    return thread;
}

static void end(const struct thread *thread)
{
    const int64_t one = 1;
    ph_profile_add_sample(thread->dump, thread->frames, thread->frame_count, thread->labels, thread->label_count,
                          &one);
}

static uint32_t add_mapping(struct ph_profile *dump, uint64_t start, const char *file)
{
    struct ph_mapping mapping = {.start = start, .limit = start + 0x10000, .offset = 0x1000};
    mapping.file = ph_profile_string(dump, file);
    return ph_profile_add_mapping(dump, &mapping);
}

static void add_waiting(struct ph_profile *dump, const char *pid, uint32_t program, uint32_t libc)
{
    struct thread thread = begin(dump, pid, 100, "main", "sleeping");
    number(&thread, PH_LABEL_CPU, 1500000000);
    text(&thread, PH_LABEL_CALL, "epoll_wait");
    number(&thread, PH_LABEL_FD, 7);
    text(&thread, PH_LABEL_SOCKET, "tcp 127.0.0.1:80");
    text(&thread, PH_LABEL_PEER, "127.0.0.1:4000");
    number(&thread, PH_LABEL_SINCE, 4200000000);
    frame(&thread, libc, 0x700020, "epoll_wait");
    frame(&thread, program, 0x40002f, "event_loop");
    frame(&thread, program, 0x40003f, "main");
    end(&thread);
}

static void add_locked(struct ph_profile *dump, const char *pid, int64_t tid, const char *name, const char *mutex,
                       int64_t owner, uint32_t program, uint32_t libc)
{
    struct thread thread = begin(dump, pid, tid, name, "sleeping");
    text(&thread, PH_LABEL_CALL, "futex");
    text(&thread, PH_LABEL_MUTEX, mutex);
    number(&thread, PH_LABEL_OWNER_TID, owner);
    number(&thread, PH_LABEL_SINCE, 125 * PH_NS_PER_S);
    frame(&thread, libc, 0x700100, "__lll_lock_wait");
    frame(&thread, program, 0x40010f, "_ZN4pool4takeEi");
    end(&thread);
}

static void add_running(struct ph_profile *dump, const char *pid)
{
    struct thread thread = begin(dump, pid, 103, "busy", "running");
    number(&thread, PH_LABEL_CPU, 0);
    number(&thread, PH_LABEL_INTERRUPTED, 1);
    text(&thread, PH_LABEL_TRUNCATED, "no rules for <jit>");
    text(&thread, "request", "/a\"b");
    text(&thread, "tenant", "acme");
    frame(&thread, 0, 0x900000, NULL);
    end(&thread);
}

struct ph_profile *threads_dump(const char *pid)
{
    struct ph_profile *dump = ph_profile_new();
    assert_non_null(dump);
    ph_profile_add_type(dump, "threads", "count");
    dump->period_type = dump->types[0];
    dump->period = 1;
    dump->time_ns = 1700000000 * PH_NS_PER_S + 12 * PH_NS_PER_MS;
    dump->duration_ns = 3400000;
    uint32_t program = add_mapping(dump, 0x400000, "/bin/server"),
             libc = add_mapping(dump, 0x700000, "/lib/libc.so.6");
    struct thread mute = begin(dump, pid, 104, "mute", "unanswered");
    end(&mute);
    add_waiting(dump, pid, program, libc);
    add_locked(dump, pid, 102, "w\033[31m", "0x7f18", 101, program, libc);
    add_locked(dump, pid, 101, "worker<1>", "0x7f10", 102, program, libc);
    add_running(dump, pid);
    assert_int_equal(ph_profile_status(dump), 0);
    return dump;
}
