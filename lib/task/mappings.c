#include "task/mappings.h"

#include "base/clock.h"
#include "elf/map_line.h"
#include "elf/symbolize.h"
#include "model/grow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MAX       20000 /* a JIT makes mappings without end */
#define GONE_SEARCHED  256   /* of those that went, the newest */
#define LAYERS_MAX     16    /* modules that lay in the same place one after the other, and still get names */
#define INTERVAL_NS    (100 * PH_NS_PER_MS)
#define INTERVAL_MISS  (20 * PH_NS_PER_MS) /* if an address was in no mapping */
#define INTERVAL_COSTS 50                  /* reading the maps takes 2 % of a processor at most */
#define SELDOM_COSTS   2000                /* 0.05 %, if nothing hints at a change */

/* What tells mappings apart. The limit does not: a JIT's grows. */
struct key {
    uint64_t start, offset, device, inode;
};

static bool seen_equal(const void *owner, uint32_t number, const void *key)
{
    const struct ph_module *module = &((const struct ph_mappings *)owner)->seen[number];
    const struct key *wanted = key;
    return module->start == wanted->start && module->offset == wanted->offset && module->device == wanted->device &&
           module->inode == wanted->inode;
}

static uint64_t key_hash(const struct key *key)
{
    return ph_hash_bytes(key, sizeof(*key));
}

static uint32_t find_seen(const struct ph_mappings *mappings, const struct ph_map_line *line)
{
    struct key key = {line->start, line->offset, line->device, line->inode};
    return ph_index_find(&mappings->seen_index, key_hash(&key), seen_equal, mappings, &key);
}

/* The next line that maps code. */
static bool next_code(struct ph_scan *scan, struct ph_map_line *ret_line)
{
    while (!ph_scan_done(scan))
        if (ph_map_line_read(scan, ret_line) && ret_line->executable)
            return true;
    return false;
}

static int add_seen(struct ph_mappings *mappings, const struct ph_module *from)
{
    struct ph_module module = *from;
    module.path = ph_arena_copy(&mappings->text, from->path, strlen(from->path));
    module.build_id = ph_arena_copy(&mappings->text, from->build_id, strlen(from->build_id));
    if (!module.path || !module.build_id ||
        ph_grow(&mappings->seen, sizeof(*mappings->seen), mappings->seen_count, 1) < 0)
        return -ENOMEM;
    struct key key = {module.start, module.offset, module.device, module.inode};
    if (ph_index_find(&mappings->seen_index, key_hash(&key), seen_equal, mappings, &key) != PH_INDEX_NONE)
        return 0;
    if (ph_index_add(&mappings->seen_index, key_hash(&key), mappings->seen_count) < 0)
        return -ENOMEM;
    mappings->seen[mappings->seen_count++] = module;
    return ph_module_into_profile(&module, mappings->profile) ? 0 : -ENOMEM;
}

static int add_modules(struct ph_mappings *mappings, const struct ph_modules *modules)
{
    int status = 0;
    for (int is_main = 1; is_main >= 0; is_main--)
        for (size_t i = 0; i < modules->count && status == 0; i++)
            if (modules->modules[i].is_main == is_main && mappings->seen_count < SEEN_MAX)
                status = add_seen(mappings, &modules->modules[i]);
    return status;
}

/* What a module is costs some system calls: only those that are new are asked. */
static int meet_new(struct ph_mappings *mappings, const struct ph_buf *text, struct ph_error *error)
{
    struct ph_scan scan = ph_scan_over(text->data, text->size_bytes);
    struct ph_map_line line;
    uint64_t *starts = NULL;
    size_t count = 0;
    int status = 0;
    while (status == 0 && next_code(&scan, &line)) {
        if (find_seen(mappings, &line) != PH_INDEX_NONE || mappings->seen_count + count >= SEEN_MAX)
            continue;
        status = ph_grow(&starts, sizeof(*starts), (uint32_t)count, 1);
        if (status == 0)
            starts[count++] = line.start;
    }
    struct ph_modules modules = PH_MODULES_INIT;
    if (status == 0 && count) {
        status = ph_modules_self_used(text->data, text->size_bytes, starts, count, &modules, error);
        if (status == 0)
            status = add_modules(mappings, &modules);
        ph_modules_fini(&modules);
    }
    free(starts);
    return status;
}

static int list_now(struct ph_mappings *mappings, const struct ph_buf *text)
{
    struct ph_scan scan = ph_scan_over(text->data, text->size_bytes);
    struct ph_map_line line;
    int status = 0;
    mappings->now_count = 0;
    while (status == 0 && next_code(&scan, &line)) {
        uint32_t number = find_seen(mappings, &line);
        if (number == PH_INDEX_NONE)
            continue;
        struct ph_module *module = &mappings->seen[number];
        if (module->limit < line.limit)
            module->limit = mappings->profile->mappings[number].limit = line.limit;
        status = ph_grow(&mappings->now, sizeof(*mappings->now), (uint32_t)mappings->now_count, 1);
        if (status == 0)
            mappings->now[mappings->now_count++] = (struct ph_mapped_range){line.start, line.limit, number + 1};
    }
    return status;
}

static int read_now(struct ph_mappings *mappings, struct ph_error *error)
{
    struct ph_buf text = PH_BUF_INIT;
    mappings->read_at_ns = ph_clock_monotonic_ns();
    int status = ph_modules_text(&text);
    if (status < 0)
        ph_error_set(error, status, "cannot read /proc/self/maps: %s", strerrordesc_np(-status));
    if (status == 0)
        status = meet_new(mappings, &text, error);
    if (status == 0)
        status = list_now(mappings, &text);
    ph_buf_fini(&text);
    mappings->read_cost_ns = ph_clock_monotonic_ns() - mappings->read_at_ns;
    return status;
}

int ph_mappings_init(struct ph_mappings *mappings, struct ph_profile *profile, struct ph_error *error)
{
    *mappings = (struct ph_mappings){.profile = profile};
    return read_now(mappings, error);
}

void ph_mappings_fini(struct ph_mappings *mappings)
{
    free(mappings->seen);
    free(mappings->now);
    ph_index_fini(&mappings->seen_index);
    ph_arena_fini(&mappings->text);
    *mappings = (struct ph_mappings){0};
}

/* Memory that is short shows in the profile's own status; what was known before stays. */
static bool refresh_after(struct ph_mappings *mappings, int64_t interval_ns, int64_t costs)
{
    int64_t costs_ns = mappings->read_cost_ns * costs;
    if (ph_clock_monotonic_ns() - mappings->read_at_ns < (costs_ns > interval_ns ? costs_ns : interval_ns))
        return false;
    return read_now(mappings, NULL) == 0;
}

void ph_mappings_refresh(struct ph_mappings *mappings, bool has_changed)
{
    refresh_after(mappings, INTERVAL_NS, has_changed ? INTERVAL_COSTS : SELDOM_COSTS);
}

static uint32_t find_now(const struct ph_mappings *mappings, uint64_t address)
{
    size_t low = 0, high = mappings->now_count; /* the first that starts behind @address is in [low, high] */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mappings->now[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    const struct ph_mapped_range *range = low > 0 ? &mappings->now[low - 1] : NULL;
    return range && address < range->limit ? range->mapping : 0;
}

static uint32_t find_gone(const struct ph_mappings *mappings, uint64_t address)
{
    uint32_t last = mappings->seen_count > GONE_SEARCHED ? mappings->seen_count - GONE_SEARCHED : 0;
    for (uint32_t number = mappings->seen_count; number > last; number--)
        if (mappings->seen[number - 1].start <= address && address < mappings->seen[number - 1].limit)
            return number;
    return 0;
}

uint32_t ph_mappings_find(struct ph_mappings *mappings, uint64_t address)
{
    uint32_t found = find_now(mappings, address);
    if (!found && refresh_after(mappings, INTERVAL_MISS, INTERVAL_COSTS))
        found = find_now(mappings, address);
    return found ? found : find_gone(mappings, address);
}

/* ---- Names ---- */

static int by_start(const void *a, const void *b)
{
    const struct ph_module *left = a, *right = b;
    return (left->start > right->start) - (left->start < right->start);
}

/* Modules that never overlap, out of @left, sorted; each is told by its number in .file. What overlaps stays, for the next layer. */
static size_t take_layer(struct ph_module *left, size_t *left_count, struct ph_module *ret_layer)
{
    size_t taken = 0, kept = 0;
    uint64_t limit = 0;
    for (size_t i = 0; i < *left_count; i++) {
        if (left[i].start >= limit) {
            limit = left[i].limit;
            ret_layer[taken++] = left[i];
        } else {
            left[kept++] = left[i];
        }
    }
    *left_count = kept;
    return taken;
}

static int name_layer(const struct ph_mappings *mappings, struct ph_module *layer, size_t count, bool *is_wanted)
{
    memset(is_wanted, 0, mappings->seen_count + 1);
    for (size_t i = 0; i < count; i++)
        is_wanted[layer[i].file + 1] = true;
    struct ph_modules modules = {.modules = layer, .count = count, .file_count = mappings->seen_count};
    return ph_symbolize_wanted(mappings->profile, &modules, is_wanted);
}

static int name_layers(const struct ph_mappings *mappings, struct ph_module *left, struct ph_module *layer,
                       bool *is_wanted)
{
    size_t left_count = mappings->seen_count;
    int status = 0;
    for (size_t i = 0; i < left_count; i++) {
        left[i] = mappings->seen[i];
        left[i].file =
            (uint32_t)i; /* each is a file of its own: those of several snapshots have no numbers in common */
    }
    qsort(left, left_count, sizeof(*left), by_start);
    for (int i = 0; i < LAYERS_MAX && left_count && status == 0; i++) {
        size_t count = take_layer(left, &left_count, layer);
        status = name_layer(mappings, layer, count, is_wanted);
    }
    return status;
}

int ph_mappings_name(const struct ph_mappings *mappings)
{
    size_t room = (size_t)mappings->seen_count + 1;
    struct ph_module *left = calloc(room, sizeof(*left)), *layer = calloc(room, sizeof(*layer));
    bool *is_wanted = calloc(room, sizeof(*is_wanted));
    int status = left && layer && is_wanted ? name_layers(mappings, left, layer, is_wanted) : -ENOMEM;
    free(left);
    free(layer);
    free(is_wanted);
    return status;
}
