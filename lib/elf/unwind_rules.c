#include "elf/unwind_rules.h"

#include "base/clock.h"
#include "base/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES        1024 /* ELF header, program headers and, as linkers place it, the build id */
#define READING_SHARE     20   /* at most a twentieth of the time goes into reading the maps in vain */
#define READING_PAUSE_NS  (10 * PH_NS_PER_MS)
#define CHECKING_PAUSE_NS (100 * PH_NS_PER_MS)

/* No code is at the last byte. */
static const struct ph_unwind_cached no_entry = {.pc = UINT64_MAX, .rule = {.kind = PH_UNWIND_NO_CODE}};

static void empty_cache(struct ph_unwind_rules *rules)
{
    for (size_t i = 0; i < PH_UNWIND_CACHE_SETS; i++)
        for (size_t way = 0; way < PH_UNWIND_CACHE_WAYS; way++)
            rules->cache[i][way] = no_entry;
}

static uint64_t hash_head(const struct ph_unwind_rules *rules, uint64_t head)
{
    uint8_t bytes[HEAD_BYTES];
    return ph_memory_read(&rules->memory, head, bytes, sizeof(bytes)) ? ph_hash_bytes(bytes, sizeof(bytes)) : 0;
}

/* Takes the modules; forgets which images they are of. */
static int take_modules(struct ph_unwind_rules *rules, struct ph_modules *take_modules)
{
    uint32_t *image_of = calloc(take_modules->count + 1, sizeof(*image_of));
    if (!image_of) {
        ph_modules_fini(take_modules);
        return -ENOMEM;
    }
    free(rules->image_of);
    ph_modules_fini(&rules->modules);
    rules->image_of = image_of;
    rules->modules = *take_modules;
    empty_cache(rules);
    return 0;
}

static int read_modules(struct ph_unwind_rules *rules, struct ph_error *error)
{
    struct ph_modules modules;
    int status = ph_modules_self(&modules, error);
    return status < 0 ? status : take_modules(rules, &modules);
}

int ph_unwind_rules_init(struct ph_unwind_rules *rules, struct ph_error *error)
{
    *rules = (struct ph_unwind_rules){.modules = PH_MODULES_INIT};
    ph_memory_open(&rules->memory);
    rules->cache = malloc(PH_UNWIND_CACHE_SETS * sizeof(*rules->cache));
    int status = rules->cache ? read_modules(rules, error) : ph_error_set(error, -ENOMEM, "out of memory");
    if (status < 0)
        ph_unwind_rules_fini(rules);
    return status;
}

void ph_unwind_rules_fini(struct ph_unwind_rules *rules)
{
    for (uint32_t i = 0; i < rules->image_count; i++)
        ph_unwind_tables_free(&rules->images[i].tables);
    free(rules->images);
    free(rules->image_of);
    free(rules->cache);
    ph_modules_fini(&rules->modules);
    ph_memory_close(&rules->memory);
}

/* Images stay as long as what they were read from is there. */
static void drop_images(struct ph_unwind_rules *rules)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rules->image_count; i++) {
        struct ph_unwind_image *image = &rules->images[i];
        if (image->head_hash && hash_head(rules, image->head) == image->head_hash)
            rules->images[kept++] = *image;
        else
            ph_unwind_tables_free(&image->tables);
    }
    rules->image_count = kept;
}

/* What is mapped without tables, by a JIT compiler, may be replaced by a module. */
static bool is_to_be_checked(struct ph_unwind_rules *rules)
{
    return rules->has_ruleless && ph_clock_monotonic_ns() >= rules->next_checking_ns;
}

bool ph_unwind_rules_refresh(struct ph_unwind_rules *rules)
{
    bool changed = is_to_be_checked(rules);
    for (uint32_t i = 0; i < rules->image_count && !changed; i++)
        changed = hash_head(rules, rules->images[i].head) != rules->images[i].head_hash;
    if (!changed)
        return false;
    struct ph_error error;
    int64_t begin_ns = ph_clock_monotonic_ns();
    drop_images(rules);
    empty_cache(rules);
    memset(rules->image_of, 0, (rules->modules.count + 1) * sizeof(*rules->image_of));
    read_modules(rules, &error); /* if not: the modules that are known stay, and their images are found again */
    int64_t end_ns = ph_clock_monotonic_ns();
    rules->has_ruleless = false;
    rules->next_checking_ns = end_ns + CHECKING_PAUSE_NS + (end_ns - begin_ns) * READING_SHARE;
    return true;
}

static uint32_t add_image(struct ph_unwind_rules *rules, const struct ph_module *module)
{
    if (rules->image_count == rules->image_capacity) {
        uint32_t capacity = rules->image_capacity ? 2 * rules->image_capacity : 16;
        void *images = realloc(rules->images, capacity * sizeof(*rules->images));
        if (!images)
            return 0;
        rules->images = images;
        rules->image_capacity = capacity;
    }
    struct ph_unwind_image *image = &rules->images[rules->image_count];
    *image = (struct ph_unwind_image){.head = module->head, .unwind_header = module->unwind_header};
    image->head_hash = hash_head(rules, module->head);
    if (module->unwind_header)
        ph_unwind_tables_copy(&rules->memory, module->unwind_header, &image->tables);
    return ++rules->image_count;
}

static uint32_t find_image(struct ph_unwind_rules *rules, const struct ph_module *module)
{
    for (uint32_t i = 0; i < rules->image_count; i++)
        if (rules->images[i].head == module->head && rules->images[i].unwind_header == module->unwind_header)
            return i + 1;
    return add_image(rules, module);
}

/* NULL: no tables. */
static const struct ph_cfi_tables *tables_of(struct ph_unwind_rules *rules, const struct ph_module *module)
{
    uint32_t *number = &rules->image_of[module - rules->modules.modules];
    if (!module->head)
        return NULL;
    if (!*number)
        *number = find_image(rules, module);
    const struct ph_cfi_tables *tables = *number ? &rules->images[*number - 1].tables : NULL;
    return tables && tables->low ? tables : NULL;
}

/* Of a mapping that was made since the maps were read. A pause follows if there is none. */
static const struct ph_module *find_new_module(struct ph_unwind_rules *rules, uint64_t pc)
{
    struct ph_error error;
    int64_t begin_ns = ph_clock_monotonic_ns();
    if (begin_ns < rules->next_reading_ns)
        return NULL;
    const struct ph_module *module = read_modules(rules, &error) == 0 ? ph_modules_find(&rules->modules, pc) : NULL;
    int64_t end_ns = ph_clock_monotonic_ns();
    if (!module)
        rules->next_reading_ns = end_ns + READING_PAUSE_NS + (end_ns - begin_ns) * READING_SHARE;
    return module;
}

static const struct ph_module *find_module(struct ph_unwind_rules *rules, uint64_t pc)
{
    const struct ph_module *module = ph_modules_find(&rules->modules, pc);
    return module ? module : find_new_module(rules, pc);
}

bool ph_unwind_rules_is_code(const struct ph_unwind_rules *rules, uint64_t address)
{
    return ph_modules_find(&rules->modules, address) != NULL;
}

bool ph_unwind_rules_read(struct ph_unwind_rules *rules, uint64_t pc, struct ph_cfi_frame *ret_frame,
                          const struct ph_cfi_tables **ret_tables)
{
    const struct ph_module *module = find_module(rules, pc);
    const struct ph_cfi_tables *tables = module ? tables_of(rules, module) : NULL;
    if (!tables || ph_cfi_read(tables, pc, ret_frame) != PH_CFI_FOUND)
        return false;
    *ret_tables = tables;
    return true;
}

static struct ph_unwind_rule read_rule(struct ph_unwind_rules *rules, uint64_t pc)
{
    struct ph_cfi_frame frame;
    const struct ph_cfi_tables *tables;
    uint8_t code[1 + PH_UNWIND_SIGRETURN_BYTES];
    if (!find_module(rules, pc))
        return (struct ph_unwind_rule){.kind = PH_UNWIND_NO_CODE};
    if (ph_unwind_rules_read(rules, pc, &frame, &tables))
        return ph_unwind_rule_of(&frame, tables->header);
    /* Handlers return to this code, and @pc may be one less. */
    if (ph_memory_read(&rules->memory, pc, code, sizeof(code)) &&
        (ph_unwind_is_sigreturn(code) || ph_unwind_is_sigreturn(code + 1)))
        return (struct ph_unwind_rule){.kind = PH_UNWIND_SIGRETURN};
    rules->has_ruleless = true;
    return (struct ph_unwind_rule){.kind = PH_UNWIND_RULELESS};
}

static struct ph_unwind_cached *find_cached(struct ph_unwind_rules *rules, uint64_t pc)
{
    uint64_t hash = pc * UINT64_C(0x9e3779b97f4a7c15);
    struct ph_unwind_cached *set = rules->cache[hash >> (64 - PH_UNWIND_CACHE_BITS)];
    for (size_t way = 0; way < PH_UNWIND_CACHE_WAYS; way++)
        if (__builtin_expect(set[way].pc == pc, 1))
            return &set[way];
    struct ph_unwind_cached *entry = &set[(hash >> 32) % PH_UNWIND_CACHE_WAYS];
    struct ph_unwind_rule rule = read_rule(rules, pc); /* it may empty the cache */
    *entry = (struct ph_unwind_cached){pc, rule};
    return entry;
}

struct ph_unwind_rule ph_unwind_rules_find(struct ph_unwind_rules *rules, uint64_t pc)
{
    struct ph_unwind_cached *cached = find_cached(rules, pc);
    struct ph_unwind_rule rule = cached->rule;
    if (__builtin_expect(rule.kind == PH_UNWIND_NO_CODE, 0))
        *cached = no_entry; /* there may be some soon */
    return rule;
}

enum ph_unwind_call ph_unwind_rules_call(struct ph_unwind_rules *rules, uint64_t return_address,
                                         uint64_t *ret_target)
{
    uint8_t code[PH_UNWIND_CALL_BYTES];
    if (!ph_unwind_rules_is_code(rules, return_address - 1) ||
        !ph_memory_read(&rules->memory, return_address - sizeof(code), code, sizeof(code)))
        return PH_UNWIND_NO_CALL;
    return ph_unwind_call_before(code, return_address, ret_target);
}

bool ph_unwind_rules_follows_call(struct ph_unwind_rules *rules, uint64_t return_address)
{
    uint64_t target;
    struct ph_unwind_cached *cached = find_cached(rules, return_address - 1);
    if (cached->rule.kind == PH_UNWIND_NO_CODE) {
        *cached = no_entry;
        return false;
    }
    if (cached->rule.call == PH_UNWIND_CALL_UNREAD)
        cached->rule.call = (uint8_t)ph_unwind_rules_call(rules, return_address, &target);
    return cached->rule.call != PH_UNWIND_NO_CALL;
}
