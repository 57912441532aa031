#include "grown.h"

#include "model/heap_types.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct ph_profile *grown_heap(double seconds)
{
    struct ph_profile *profile = rich_heap(GROWN_RATE_BYTES);
    profile->time_ns = seconds < 0 ? 0 : GROWN_START_NS + (int64_t)(seconds * 1e9);
    return profile;
}

uint32_t grown_mapping(struct ph_profile *profile, uint64_t start, const char *file, const char *build_id)
{
    struct ph_mapping mapping = {
        .start = start,
        .limit = start + 0x100000,
        .offset = 0x1000,
        .file = ph_profile_string(profile, file),
        .build_id = ph_profile_string(profile, build_id),
    };
    return ph_profile_add_mapping(profile, &mapping);
}

uint32_t grown_location(struct ph_profile *profile, uint32_t mapping, uint64_t address, const char *name,
                        int64_t line)
{
    struct ph_line named = {.line = line};
    if (name)
        named.function = rich_function(profile, name, "server.c");
    return ph_profile_add_location(profile, mapping, address, false, &named, name ? 1 : 0);
}

static uint32_t named_location(struct ph_profile *profile, char *name)
{
    char *colon = strchr(name, ':');
    int64_t line = colon ? atoll(colon + 1) : 0;
    if (colon)
        *colon = '\0';
    return grown_location(profile, profile->mapping_count ? 1 : 0, 0, name, line);
}

void grown_add(struct ph_profile *profile, const char *stack, int64_t count, int64_t size_bytes)
{
    uint32_t frames[64], depth = 0, reversed[64];
    char *copy = strdup(stack), *rest = copy;
    for (char *name; depth < 64 && (name = strsep(&rest, ";")) && *name;)
        frames[depth++] = named_location(profile, name);
    for (uint32_t i = 0; i < depth; i++)
        reversed[i] = frames[depth - 1 - i];
    const int64_t values[] = {2 * count, 2 * count * size_bytes, count, count * size_bytes};
    assert_int_not_equal(ph_profile_add_sample(profile, reversed, depth, NULL, 0, values), PH_INDEX_NONE);
    free(copy);
}

void grown_sampled(struct ph_profile *profile, const char *stack, int sampled)
{
    grown_add(profile, stack, llround(sampled / -expm1(-1024.0 / GROWN_RATE_BYTES)), 1024);
}

/* ---- stacks of letters ---- */

static uint32_t *kept[256];
static size_t kept_count;

struct ph_trie_stack grown_stack(const char *letters, double base, double change)
{
    size_t count = strlen(letters);
    uint32_t *frames = calloc(count + 1, sizeof(*frames));
    assert_true(kept_count < sizeof(kept) / sizeof(kept[0]));
    kept[kept_count++] = frames;
    for (size_t i = 0; i < count; i++)
        frames[i] = (uint32_t)(letters[count - 1 - i] - 'a');
    return (struct ph_trie_stack){frames, (uint32_t)count, change, fmax(0, change), 1, base + change};
}

void grown_stacks_free(void)
{
    while (kept_count)
        free(kept[--kept_count]);
}

const char *grown_path(const uint32_t *frames, uint32_t count)
{
    static char path[64];
    assert_true(count < sizeof(path));
    for (uint32_t i = 0; i < count; i++)
        path[i] = (char)('a' + frames[i]);
    path[count] = '\0';
    return path;
}
