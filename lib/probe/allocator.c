#include "probe/allocator.h"

#include "base/mark.h"
#include "base/options.h"
#include "probe/activate.h"
#include "probe/backtrace.h"
#include "probe/counters.h"
#include "probe/export.h"
#include "probe/guard.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* jemalloc 5.3.0's public names that no header of libc has. */
int mallctl(const char *name, void *old, size_t *old_size, void *new_value, size_t new_size);
void malloc_stats_print(void (*write)(void *, const char *), void *context, const char *options);
void *valloc(size_t size_bytes);
void *pvalloc(size_t size_bytes);

/* Each has left some 2.5 KB behind by then. */
#define SAMPLED_ENDS_MAX 2048

extern bool je_opt_prof_accum;   /* jemalloc's own: keep the sums of what was freed */
extern unsigned je_narenas_auto; /* jemalloc's own: how many arenas it makes by itself */

/* Read by jemalloc when it starts, which may be before our constructor. Hidden: a malloc_conf in the host's
 * executable must not switch sampling off; its MALLOC_CONF may. */
extern const char *malloc_conf __attribute__((visibility("hidden")));
const char *malloc_conf = "prof:true,prof_active:true,lg_prof_sample:19,prof_accum:true";

#define SETTINGS_MAX 16384 /* pages of it that no text reaches cost nothing */
#define ARENA_NONE   UINT32_MAX

static unsigned own_arena = ARENA_NONE; /* written once, by the first thread of ours */
static bool serves;                     /* malloc() is ours; written by the constructor only */

/* jemalloc has no pvalloc; without one, glibc's chunk would meet our free(). */
PH_EXPORT void *pvalloc(size_t size_bytes)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t rounded_bytes = (size_bytes + page_bytes - 1) & ~(page_bytes - 1);
    if (rounded_bytes < size_bytes) {
        errno = ENOMEM;
        return NULL;
    }
    return valloc(rounded_bytes);
}

static size_t add_mark(void **frames, size_t count, enum ph_mark_kind kind, uint64_t payload)
{
    if (payload)
        frames[count++] = (void *)(uintptr_t)ph_mark(kind, payload);
    return count;
}

/* jemalloc's experimental.hooks.prof_backtrace. The stack is a bucket's identity, so our own frames must go here: later they would keep
 * apart what is equal. The marks belong to the identity, too: what a child samples is not what it inherited. */
static void sample_backtrace(void **frames, unsigned *count, unsigned capacity)
{
    uint64_t labels = ph_tls.label_set, origin = (uint64_t)ph_probe.origin;
    size_t taken = ph_backtrace(frames, capacity - (labels != 0) - (origin != 0));
    ph_tls.sampled = true;
    taken = add_mark(frames, taken, PH_MARK_LABELS, labels);
    *count = (unsigned)add_mark(frames, taken, PH_MARK_ORIGIN, origin);
}

/*
 * Issue: jemalloc reads its settings at the first allocation, which may be before our constructor; a rate that is set
 * later (prof.reset) forgets what was sampled, and every thread still waits for its next sample at the old rate.
 * Solution: jemalloc asks the environment for MALLOC_CONF by secure_getenv(), which the linker sends here (--wrap):
 * PORTHOLE_HEAP_SAMPLE goes before what the host wrote, so the host still wins.
 */
char *__wrap_secure_getenv(const char *name);

char *__wrap_secure_getenv(const char *name)
{
    static char settings[SETTINGS_MAX];
    struct ph_options options;
    if (getauxval(AT_SECURE))
        return NULL;
    const char *host = ph_environment_find(environ, name);
    if (strcmp(name, "MALLOC_CONF") != 0 || ph_options_read(&options, environ, NULL) < 0)
        return (char *)host;
    const char *comma = host && host[0] ? "," : "";
    bool samples = options.heap_sample_bytes && options.start != PH_START_OFF;
    int length = samples ? snprintf(settings, sizeof(settings), "lg_prof_sample:%d%s%s",
                                    __builtin_ctzll(options.heap_sample_bytes), comma, host ? host : "")
                         : snprintf(settings, sizeof(settings), "prof_active:false%s%s", comma, host ? host : "");
    return length < SETTINGS_MAX ? settings : (char *)host;
}

static struct link_map *map_of(void *address)
{
    Dl_info info;
    struct link_map *map = NULL;
    return address && dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) ? map : NULL;
}

/* An executable that is not position-independent and takes the address of malloc has a PLT entry that passes for it:
 * the symbol is there, but undefined. */
static bool is_definition(void *address)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    return address && dladdr1(address, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol &&
           symbol->st_shndx != SHN_UNDEF;
}

/* Does what malloc() hands out show in the counter of the jemalloc that answers to mallctl()? */
static bool jemalloc_serves(void)
{
    const uint64_t *allocated = NULL;
    size_t size = sizeof(allocated);
    if (mallctl("thread.allocatedp", (void *)&allocated, &size, NULL, 0) != 0)
        return false;
    uint64_t before = *allocated;
    void *volatile probe_piece = malloc(64);
    uint64_t after = *(const volatile uint64_t *)allocated;
    free(probe_piece);
    return after != before;
}

/* The object whose malloc() this process calls; NULL if it hides. */
static struct link_map *malloc_owner(void)
{
    void *address = dlsym(RTLD_DEFAULT, "malloc");
    if (is_definition(address))
        return map_of(address);
    return jemalloc_serves() ? map_of(dlsym(RTLD_DEFAULT, "mallctl")) : NULL;
}

/* The host's own jemalloc is used if it samples. Both functions must come from one object: the probe has them too. */
static enum ph_allocator use_host_jemalloc(struct ph_probe *probe, const struct link_map *owner)
{
    int (*control)(const char *, void *, size_t *, void *, size_t);
    bool profiles = false;
    size_t size = sizeof(profiles);
    *(void **)&control = dlsym(RTLD_DEFAULT, "mallctl");
    if (map_of((void *)control) != owner || control("opt.prof", &profiles, &size, NULL, 0) != 0 || !profiles)
        return PH_ALLOCATOR_OTHER;
    probe->mallctl = control;
    *(void **)&probe->malloc_stats_print = dlsym(RTLD_DEFAULT, "malloc_stats_print");
    return PH_ALLOCATOR_JEMALLOC;
}

static enum ph_allocator find_owner(struct ph_probe *probe)
{
    const struct link_map *owner = malloc_owner();
    if (owner && owner == map_of((void *)ph_allocator_init))
        return PH_ALLOCATOR_OWN;
    probe->allocator_file = owner && owner->l_name[0] ? owner->l_name : "the executable";
    return owner ? use_host_jemalloc(probe, owner) : PH_ALLOCATOR_OTHER;
}

void ph_allocator_init(struct ph_probe *probe)
{
    probe->allocator_file = "";
    probe->allocator = find_owner(probe);
    serves = probe->allocator == PH_ALLOCATOR_OWN;
    if (!serves)
        return;
    probe->mallctl = mallctl;
    probe->malloc_stats_print = malloc_stats_print;
    void (*hook)(void **, unsigned *, unsigned) = sample_backtrace;
    ph_backtrace_warm();
    mallctl("experimental.hooks.prof_backtrace", NULL, NULL, &hook, sizeof(hook));
}

bool ph_allocator_sampling(bool on)
{
    bool was = false;
    size_t size = sizeof(was);
    if (serves)
        mallctl("thread.prof.active", &was, &size, &on, sizeof(on));
    return was;
}

/*
 * Issue: the first thing jemalloc does for a new thread is to make it an arena, 200 KiB in each process of a family and some
 * locks more for each fork; ours leave it for their own at once.
 * Solution: for the moment of that choice there is one arena to choose from. A thread of the host that makes its first
 * choice in the same microsecond shares the first arena. A child that is forked in that moment gets the number back.
 */
static unsigned arenas_auto; /* atomic; what je_narenas_auto is otherwise; 0 before the first moment */

static void meet_allocator(void)
{
    unsigned count = __atomic_load_n(&je_narenas_auto, __ATOMIC_RELAXED);
    if (count > 1)
        __atomic_store_n(&arenas_auto, count, __ATOMIC_RELEASE);
    count = __atomic_exchange_n(&je_narenas_auto, 1, __ATOMIC_ACQ_REL);
    ph_allocator_sampling(false);
    if (count > 1) /* else another thread of ours is just here, and puts it back */
        __atomic_store_n(&je_narenas_auto, count, __ATOMIC_RELAXED);
}

void ph_allocator_forked(void)
{
    if (arenas_auto)
        je_narenas_auto = arenas_auto;
}

void ph_allocator_enter_own(void)
{
    if (!serves)
        return;
    meet_allocator();
    unsigned arena = __atomic_load_n(&own_arena, __ATOMIC_ACQUIRE);
    if (arena == ARENA_NONE) {
        size_t size = sizeof(arena);
        if (mallctl("arenas.create", &arena, &size, NULL, 0) != 0)
            return;
        __atomic_store_n(&own_arena, arena, __ATOMIC_RELEASE);
    }
    mallctl("thread.arena", NULL, NULL, &arena, sizeof(arena));
}

/*
 * Issue: jemalloc keeps its sums for each stack and thread, and so, for ever, for each thread that took a sample: a server that
 * makes a thread for each connection would grow without end.
 * Solution: after some thousand of them it stops summing up what was freed (alloc_objects, alloc_space); it then forgets
 * threads as it does with prof_accum:false. What is in use is not concerned.
 */
void ph_allocator_thread_ends(void)
{
    static unsigned ended_count; /* atomic */
    if (!serves || !ph_tls.sampled || __atomic_add_fetch(&ended_count, 1, __ATOMIC_RELAXED) != SAMPLED_ENDS_MAX)
        return;
    if (je_opt_prof_accum)
        ph_degrade(PH_DEGRADED_ALLOCS);
    je_opt_prof_accum = false;
}

void ph_allocator_uncache(void)
{
    bool off = false;
    if (serves)
        mallctl("thread.tcache.enabled", NULL, NULL, &off, sizeof(off));
}

void ph_allocator_leave_own(void)
{
    unsigned arena = __atomic_load_n(&own_arena, __ATOMIC_ACQUIRE);
    if (!serves || arena == ARENA_NONE)
        return;
    char name[32];
    snprintf(name, sizeof(name), "arena.%u.purge", arena);
    mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
    mallctl(name, NULL, NULL, NULL, 0);
}
