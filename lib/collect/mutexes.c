#include "collect/mutexes.h"

#include "elf/symbols.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES 4 /* the call itself, glibc's inner functions, the public one */

/* glibc's own names of them begin with underscores, which are left out here. */
static const char *const mutex_names[] = {"pthread_mutex_lock", "pthread_mutex_timedlock",
                                          "pthread_mutex_clocklock", "pthread_mutex_lock_full",
                                          "pthread_mutex_cond_lock"};
static const char *const condition_names[] = {"pthread_cond_wait", "pthread_cond_timedwait",
                                              "pthread_cond_clockwait"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_among(const char *name, const char *const *names, size_t count)
{
    name += strspn(name, "_");
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* ---- The names of the innermost frames ---- */

struct symbols {
    struct ph_symbol *symbols; /* sorted by address, each once */
    size_t count;
};

static int compare_symbols(const void *left, const void *right)
{
    const struct ph_symbol *a = left, *b = right;
    return a->address < b->address ? -1 : a->address > b->address;
}

static size_t inner_count(const struct ph_mutex_wait *wait)
{
    size_t count = wait->frame_count < FRAMES ? wait->frame_count : FRAMES;
    return wait->is_mutex_at_all ? count : 0;
}

static int collect_symbols(const struct ph_mutex_wait *waits, size_t count, struct symbols *ret_symbols)
{
    struct symbols symbols = {calloc(count * FRAMES + 1, sizeof(*symbols.symbols)), 0};
    if (!symbols.symbols)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < inner_count(&waits[i]); j++)
            symbols.symbols[symbols.count++].address = waits[i].frames[j];
    qsort(symbols.symbols, symbols.count, sizeof(*symbols.symbols), compare_symbols);
    size_t kept = 0;
    for (size_t i = 0; i < symbols.count; i++)
        if (kept == 0 || symbols.symbols[i].address != symbols.symbols[kept - 1].address)
            symbols.symbols[kept++] = symbols.symbols[i];
    symbols.count = kept;
    *ret_symbols = symbols;
    return 0;
}

/* pthread_cond_wait() waits for its condition, too, but otherwise than for the mutex that it takes again at its end. */
static bool is_mutex(const struct ph_mutex_wait *wait, const struct symbols *symbols)
{
    for (size_t i = 0; i < inner_count(wait); i++) {
        struct ph_symbol key = {.address = wait->frames[i]};
        const struct ph_symbol *symbol =
            bsearch(&key, symbols->symbols, symbols->count, sizeof(key), compare_symbols);
        if (!symbol || !symbol->name)
            continue;
        if (is_among(symbol->name, mutex_names, COUNT(mutex_names)))
            return true;
        if (is_among(symbol->name, condition_names, COUNT(condition_names)))
            return wait->is_lock;
    }
    return false;
}

/* ---- The mutex ---- */

/* Types are 0 to 3; above are bits for robust, inheriting, protecting, shared and elided ones (glibc, "pthreadP.h"). */
#define KIND_TYPE_BITS 0x0f
#define KIND_TYPE_MAX  3
#define KIND_MAX       0x3ff

pid_t ph_mutex_owner(const struct ph_memory *memory, uint64_t mutex)
{
    pthread_mutex_t copy;
    if (!ph_memory_read(memory, mutex, &copy, sizeof(copy)))
        return 0;
    bool is_sane = copy.__data.__kind >= 0 && copy.__data.__kind <= KIND_MAX &&
                   (copy.__data.__kind & KIND_TYPE_BITS) <= KIND_TYPE_MAX && copy.__data.__lock != 0;
    return is_sane && copy.__data.__owner > 0 ? copy.__data.__owner : 0;
}

int ph_mutexes_find(const struct ph_modules *modules, const struct ph_memory *memory, struct ph_mutex_wait *waits,
                    size_t count)
{
    struct ph_arena text = PH_ARENA_INIT;
    struct symbols symbols;
    if (collect_symbols(waits, count, &symbols) < 0)
        return -ENOMEM;
    int result = symbols.count ? ph_symbols_find(modules, symbols.symbols, symbols.count, &text) : 0;
    for (size_t i = 0; result == 0 && i < count; i++) {
        waits[i].mutex = is_mutex(&waits[i], &symbols) ? waits[i].futex : 0; /* the lock is a mutex's first word */
        waits[i].owner = waits[i].mutex ? ph_mutex_owner(memory, waits[i].mutex) : 0;
    }
    ph_arena_fini(&text);
    free(symbols.symbols);
    return result;
}
