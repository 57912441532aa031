#include "probe/unwind.h"

#include "base/cfi.h"

#include <dlfcn.h>

#define SETS 1024 /* of one place each side by side in memory: 64 KiB, of which unused pages cost nothing */
#define WAYS 2

/*
 * One rule, 32 bytes. Readers take no lock: what they copied counts if the version was even and stayed the same
 * (H.-J. Boehm, "Can seqlocks get along with programming language memory models?", 2012). Who finds it odd does
 * without.
 *
 * A module may go, and another one come to the same addresses: so the table of the module belongs to the key.
 * Another build of it may come, with its table at the same place: so rules that are older than the last dlclose()
 * are not used.
 */
struct entry {
    uint32_t version; /* atomic, as are the words below */
    uint32_t generation;
    uint64_t pc;
    uint64_t header;
    uint64_t rule;
};

static struct entry cache[SETS][WAYS] __attribute__((aligned(64)));

/*
 * In the low half, how many calls of dlclose() run; in the high half, the generation: how many have been. While one
 * runs, code goes and other code may come in its place: then libgcc does it all. If one never returns, or another
 * thread forks meanwhile, it stays so, and only time is lost.
 */
static uint64_t unloads; /* atomic */
#define UNLOAD_BEGINS UINT64_C(1)
#define UNLOAD_ENDS   ((UINT64_C(1) << 32) - UNLOAD_BEGINS)

void ph_unwind_unload_begin(void)
{
    __atomic_fetch_add(&unloads, UNLOAD_BEGINS, __ATOMIC_ACQ_REL);
}

void ph_unwind_unload_end(void)
{
    __atomic_fetch_add(&unloads, UNLOAD_ENDS, __ATOMIC_ACQ_REL);
}

struct walk {
    uint32_t generation;
    uintptr_t low, high; /* the module of the frame before: most often that of the next */
    const uint8_t *header;
};

static bool begin_walk(struct walk *ret_walk)
{
    uint64_t now = __atomic_load_n(&unloads, __ATOMIC_ACQUIRE);
    if ((uint32_t)now)
        return false;
    *ret_walk = (struct walk){.generation = (uint32_t)(now >> 32)};
    return true;
}

static const uint8_t *header_of(struct walk *walk, uintptr_t pc)
{
    struct dl_find_object object;
    if (pc >= walk->low && pc < walk->high)
        return walk->header;
    if (_dl_find_object((void *)pc, &object) != 0)
        return NULL;
    walk->low = (uintptr_t)object.dlfo_map_start;
    walk->high = (uintptr_t)object.dlfo_map_end;
    walk->header = object.dlfo_eh_frame;
    return walk->header;
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

static bool recall(const struct entry *entry, const struct walk *walk, uintptr_t pc, const uint8_t *header,
                   struct ph_cfi_rule *ret_rule)
{
    uint32_t version = __atomic_load_n(&entry->version, __ATOMIC_ACQUIRE);
    uint32_t generation = __atomic_load_n(&entry->generation, __ATOMIC_RELAXED);
    uint64_t entry_pc = __atomic_load_n(&entry->pc, __ATOMIC_RELAXED);
    uint64_t entry_header = __atomic_load_n(&entry->header, __ATOMIC_RELAXED);
    uint64_t rule = __atomic_load_n(&entry->rule, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (entry_pc != pc || entry_header != (uintptr_t)header || generation != walk->generation || (version & 1) ||
        __atomic_load_n(&entry->version, __ATOMIC_RELAXED) != version)
        return false;
    *ret_rule = unpack(rule);
    return true;
}

static void keep(struct entry *entry, const struct walk *walk, uintptr_t pc, const uint8_t *header,
                 struct ph_cfi_rule rule)
{
    uint32_t version = __atomic_load_n(&entry->version, __ATOMIC_RELAXED);
    if ((version & 1) || !__atomic_compare_exchange_n(&entry->version, &version, version + 1, false,
                                                      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return; /* somebody else writes it */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_store_n(&entry->generation, walk->generation, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->pc, pc, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->header, (uintptr_t)header, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->rule, pack(rule), __ATOMIC_RELAXED);
    __atomic_store_n(&entry->version, version + 2, __ATOMIC_RELEASE);
}

static struct ph_cfi_rule find_rule(struct walk *walk, uintptr_t pc)
{
    struct ph_cfi_rule rule;
    const uint8_t *header = header_of(walk, pc);
    uint64_t hash = (uint64_t)pc * UINT64_C(0x9e3779b97f4a7c15);
    struct entry *set = cache[hash >> 54]; /* the high bits: 1024 sets */
    for (size_t way = 0; way < WAYS; way++)
        if (recall(&set[way], walk, pc, header, &rule))
            return rule;
    rule = ph_cfi_find(header, pc);
    keep(&set[(hash >> 40) % WAYS], walk, pc, header, rule);
    return rule;
}

struct frame {
    uintptr_t pc, cfa, bp; /* cfa: the frame's end, where the caller's stack pointer was */
};

static uintptr_t add(uintptr_t base, int32_t offset)
{
    return base + (uintptr_t)(intptr_t)offset;
}

static uintptr_t word_at(uintptr_t address)
{
    return *(const uintptr_t *)address;
}

/*
 * From a frame to its caller. @frame->cfa is the stack pointer of the frame that @rule is of, so what it saved is
 * not below. false if it is, or the caller is: it has its stack elsewhere, or the rule is wrong, and libgcc reads
 * less memory.
 */
static bool ascend(struct frame *frame, struct ph_cfi_rule rule)
{
    bool is_behind = rule.kind == PH_CFI_BEHIND_BP;
    uintptr_t next = add(rule.kind == PH_CFI_FROM_SP ? frame->cfa : frame->bp, rule.cfa_offset);
    if (is_behind && (next < frame->cfa || next % sizeof(uintptr_t)))
        return false;
    if (is_behind)
        next = word_at(next);
    if (next <= frame->cfa || next % sizeof(uintptr_t))
        return false;
    if (is_behind || rule.bp_offset) {
        uintptr_t saved = add(is_behind ? frame->bp : next, rule.bp_offset);
        if (saved < frame->cfa)
            return false;
        frame->bp = word_at(saved);
    }
    frame->pc = word_at(next - sizeof(uintptr_t));
    frame->cfa = next;
    return true;
}

/* It needs a frame pointer of its own to start from: __builtin_frame_address() makes the compiler keep one. */
__attribute__((noinline)) bool ph_unwind(void **ret_frames, size_t capacity, uintptr_t low, uintptr_t high,
                                         size_t *ret_count)
{
    const uintptr_t *own = __builtin_frame_address(0);
    struct frame frame = {.bp = own[0], .pc = own[1], .cfa = (uintptr_t)(own + 2)};
    struct walk walk;
    size_t count = 0;
    if (!capacity || !begin_walk(&walk))
        return false;
    while (frame.pc) {
        if (frame.pc < low || frame.pc >= high)
            ret_frames[count++] = (void *)frame.pc;
        if (count == capacity)
            break;
        struct ph_cfi_rule rule = find_rule(&walk, frame.pc - 1);
        if (rule.kind == PH_CFI_END)
            break;
        if (rule.kind == PH_CFI_OTHER || !ascend(&frame, rule))
            return false;
    }
    *ret_count = count;
    return true;
}
