#include "probe/unwind.h"

#include "probe/cfi.h"

#include <dlfcn.h>

#define SETS 1024 /* of one place each side by side in memory: 64 KiB, of which unused pages cost nothing */
#define WAYS 2

/*
 * One rule, 32 bytes. Readers take no lock: what they copied counts if the version was even and stayed the same (H.-J. Boehm,
 * "Can seqlocks get along with programming language memory models?", 2012). Who finds it odd does without.
 *
 * A module may go, and another one come to the same addresses: so the table of the module belongs to the key.
 */
struct entry {
    uint32_t version; /* atomic, as are the words below */
    uint32_t unused;
    uint64_t pc;
    uint64_t header;
    uint64_t rule;
};

static struct entry cache[SETS][WAYS] __attribute__((aligned(64)));

/* The module of the frame before is most often that of the next. */
struct module {
    uintptr_t low, high;
    const uint8_t *header;
};

static const uint8_t *header_of(struct module *module, uintptr_t pc)
{
    struct dl_find_object object;
    if (pc >= module->low && pc < module->high)
        return module->header;
    if (_dl_find_object((void *)pc, &object) != 0)
        return NULL;
    *module =
        (struct module){(uintptr_t)object.dlfo_map_start, (uintptr_t)object.dlfo_map_end, object.dlfo_eh_frame};
    return module->header;
}

static uint64_t pack(struct ph_cfi_rule rule)
{
    return (uint64_t)(uint32_t)rule.cfa_offset << 32 | (uint64_t)(uint16_t)rule.bp_offset << 16 | rule.kind;
}

static struct ph_cfi_rule unpack(uint64_t word)
{
    return (struct ph_cfi_rule){
        .cfa_offset = (int32_t)(word >> 32), .bp_offset = (int16_t)(word >> 16), .kind = (uint8_t)word};
}

static bool recall(const struct entry *entry, uintptr_t pc, const uint8_t *header, struct ph_cfi_rule *ret_rule)
{
    uint32_t version = __atomic_load_n(&entry->version, __ATOMIC_ACQUIRE);
    uint64_t entry_pc = __atomic_load_n(&entry->pc, __ATOMIC_RELAXED);
    uint64_t entry_header = __atomic_load_n(&entry->header, __ATOMIC_RELAXED);
    uint64_t rule = __atomic_load_n(&entry->rule, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (entry_pc != pc || entry_header != (uintptr_t)header || (version & 1) ||
        __atomic_load_n(&entry->version, __ATOMIC_RELAXED) != version)
        return false;
    *ret_rule = unpack(rule);
    return true;
}

static void keep(struct entry *entry, uintptr_t pc, const uint8_t *header, struct ph_cfi_rule rule)
{
    uint32_t version = __atomic_load_n(&entry->version, __ATOMIC_RELAXED);
    if ((version & 1) || !__atomic_compare_exchange_n(&entry->version, &version, version + 1, false,
                                                      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return; /* somebody else writes it */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_store_n(&entry->pc, pc, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->header, (uintptr_t)header, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->rule, pack(rule), __ATOMIC_RELAXED);
    __atomic_store_n(&entry->version, version + 2, __ATOMIC_RELEASE);
}

static struct ph_cfi_rule find_rule(struct module *module, uintptr_t pc)
{
    struct ph_cfi_rule rule;
    const uint8_t *header = header_of(module, pc);
    uint64_t hash = (uint64_t)pc * UINT64_C(0x9e3779b97f4a7c15);
    struct entry *set = cache[hash >> 54]; /* the high bits: 1024 sets */
    for (size_t way = 0; way < WAYS; way++)
        if (recall(&set[way], pc, header, &rule))
            return rule;
    rule = ph_cfi_find(header, pc);
    keep(&set[(hash >> 40) % WAYS], pc, header, rule);
    return rule;
}

struct frame {
    uintptr_t pc, cfa, bp; /* cfa: the frame's end, where the caller's stack pointer was */
};

static uintptr_t word_at(uintptr_t base, int32_t offset)
{
    return *(const uintptr_t *)(base + (uintptr_t)(intptr_t)offset);
}

/* From a frame to its caller; false at the end. @frame->cfa is the stack pointer of the frame that @rule is of. */
static bool ascend(struct frame *frame, struct ph_cfi_rule rule)
{
    uintptr_t base = rule.kind == PH_CFI_FROM_SP ? frame->cfa : frame->bp;
    uintptr_t next = rule.kind == PH_CFI_BEHIND_BP ? word_at(base, rule.cfa_offset)
                                                   : base + (uintptr_t)(intptr_t)rule.cfa_offset;
    if (next <= frame->cfa || next % sizeof(uintptr_t))
        return false;
    if (rule.bp_offset || rule.kind == PH_CFI_BEHIND_BP)
        frame->bp = word_at(rule.kind == PH_CFI_BEHIND_BP ? frame->bp : next, rule.bp_offset);
    frame->pc = word_at(next, -(int32_t)sizeof(uintptr_t));
    frame->cfa = next;
    return true;
}

/* It needs a frame pointer of its own to start from: __builtin_frame_address() makes the compiler keep one. */
__attribute__((noinline)) bool ph_unwind(void **ret_frames, size_t capacity, uintptr_t low, uintptr_t high,
                                         size_t *ret_count)
{
    const uintptr_t *own = __builtin_frame_address(0);
    struct frame frame = {.bp = own[0], .pc = own[1], .cfa = (uintptr_t)(own + 2)};
    struct module module = {0, 0, NULL};
    struct ph_cfi_rule rule = {0};
    size_t count = 0;
    if (!capacity)
        return false;
    do {
        if (frame.pc && (frame.pc < low || frame.pc >= high))
            ret_frames[count++] = (void *)frame.pc;
        if (frame.pc)
            rule = find_rule(&module, frame.pc - 1);
        if (rule.kind == PH_CFI_OTHER)
            return false;
    } while (frame.pc && count < capacity && rule.kind != PH_CFI_END && ascend(&frame, rule));
    *ret_count = count;
    return true;
}
