/*
 * unwind_rules.h - which rule holds where: the modules of this process, copies of their tables, and a cache. One thread at a time.
 */
#ifndef PH_ELF_UNWIND_RULES_H
#define PH_ELF_UNWIND_RULES_H

#include "elf/memory.h"
#include "elf/modules.h"
#include "elf/unwind_machine.h"
#include "elf/unwind_tables.h"

#define PH_UNWIND_CACHE_BITS 13
#define PH_UNWIND_CACHE_SETS ((size_t)1 << PH_UNWIND_CACHE_BITS)
#define PH_UNWIND_CACHE_WAYS 2

struct ph_unwind_cached {
    uint64_t pc;
    struct ph_unwind_rule rule;
};

/* The tables of one image (several executable mappings may share them), and what tells it from another at the same place. */
struct ph_unwind_image {
    uint64_t head, head_hash; /* of what is mapped there */
    uint64_t unwind_header;
    struct ph_cfi_tables tables; /* {0}: it has none that can be read */
};

struct ph_unwind_rules {
    struct ph_memory memory;
    struct ph_modules modules;
    uint32_t *image_of; /* of each module: its number in @images plus one; 0: not looked for yet */
    struct ph_unwind_image *images;
    uint32_t image_count, image_capacity;
    bool has_ruleless; /* some code had no tables: another module may be there than the maps said */
    int64_t next_checking_ns;
    int64_t next_reading_ns; /* the maps are not read again before: nothing was there */
    struct ph_unwind_cached (*cache)[PH_UNWIND_CACHE_WAYS];
};

int ph_unwind_rules_init(struct ph_unwind_rules *rules, struct ph_error *error);
void ph_unwind_rules_fini(struct ph_unwind_rules *rules);

/** ph_unwind_rules_refresh() - forget modules that went, or were replaced. Some µs for each that stacks went through. */
bool ph_unwind_rules_refresh(struct ph_unwind_rules *rules);

/** ph_unwind_rules_find() - at @pc, an address inside the instruction that is being executed or called from. */
struct ph_unwind_rule ph_unwind_rules_find(struct ph_unwind_rules *rules, uint64_t pc);

/** ph_unwind_rules_read() - the whole of what tables say. @ret_base: of blocks, with the end of their copy. */
bool ph_unwind_rules_read(struct ph_unwind_rules *rules, uint64_t pc, struct ph_cfi_frame *ret_frame,
                          const struct ph_cfi_tables **ret_tables);

/** ph_unwind_rules_call() - the call before @return_address. @ret_target: of a direct call. */
enum ph_unwind_call ph_unwind_rules_call(struct ph_unwind_rules *rules, uint64_t return_address,
                                         uint64_t *ret_target);

/** ph_unwind_rules_follows_call() - is there one? Kept in the cache. */
bool ph_unwind_rules_follows_call(struct ph_unwind_rules *rules, uint64_t return_address);

/** ph_unwind_rules_is_code() - may @address be executed, as far as the maps told when they were read? */
bool ph_unwind_rules_is_code(const struct ph_unwind_rules *rules, uint64_t address);

#endif
