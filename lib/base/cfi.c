#include "base/cfi.h"

#include <stddef.h>
#include <string.h>

#define RA_FROM_CFA (-8)

struct common {
    struct ph_cfi_cursor instructions;
    uint64_t code_factor;
    int64_t data_factor;
    uint8_t encoding; /* of addresses */
    bool has_augmentation, is_signal;
};

static bool read_augmentation(struct ph_cfi_cursor *at, const char *letters, struct common *common)
{
    common->has_augmentation = *letters == 'z';
    if (!common->has_augmentation)
        return *letters == '\0';
    uint64_t size_bytes = ph_cfi_take_uleb(at);
    struct ph_cfi_cursor next = *at;
    ph_cfi_skip(at, size_bytes);
    for (letters++; *letters; letters++) {
        bool has_none = *letters == 'S' || *letters == 'B';
        uint8_t encoding = has_none ? 0 : ph_cfi_take_byte(&next);
        if (*letters == 'R')
            common->encoding = encoding;
        else if (*letters == 'S')
            common->is_signal = true;
        else if (*letters == 'P' && encoding != PH_CFI_ENCODING_OMIT && ph_cfi_encoded_size(encoding))
            ph_cfi_skip(&next, ph_cfi_encoded_size(encoding));
#if defined(__aarch64__)
        else if (*letters == 'B') /* signed with key B: signatures are stripped anyway */
            continue;
#endif
        else if (*letters != 'L')
            return false;
    }
    return true;
}

/* A string, with its end inside; NULL if there is none. */
static const char *take_text(struct ph_cfi_cursor *at)
{
    const char *text = (const char *)at->at;
    while (!at->is_cut && ph_cfi_take_byte(at))
        ;
    return at->is_cut ? NULL : text;
}

/* The content of an entry: false for its end mark and for lengths of 64 bits. */
static bool open_entry(const struct ph_cfi_tables *tables, uint64_t place, struct ph_cfi_cursor *ret_content)
{
    struct ph_cfi_cursor at = {.end = tables->high, .delta = tables->delta};
    at.at = (uintptr_t)place;
    if (at.at < tables->low || at.at >= tables->high)
        return false;
    uint64_t size_bytes = ph_cfi_take_unsigned(&at, 4);
    if (size_bytes == 0 || size_bytes == UINT32_MAX || !ph_cfi_has(&at, size_bytes))
        return false;
    at.end = at.at + (uintptr_t)size_bytes;
    *ret_content = at;
    return true;
}

static bool read_common(const struct ph_cfi_tables *tables, uint64_t place, struct common *ret_common)
{
    struct ph_cfi_cursor at;
    if (!open_entry(tables, place, &at) || ph_cfi_take_unsigned(&at, 4) != 0)
        return false;
    uint8_t version = ph_cfi_take_byte(&at);
    const char *letters = take_text(&at);
    if ((version != 1 && version != 3) || !letters || strcmp(letters, "eh") == 0)
        return false;
    ret_common->code_factor = ph_cfi_take_uleb(&at);
    ret_common->data_factor = ph_cfi_take_sleb(&at);
    ret_common->encoding = 0;
    ret_common->is_signal = false;
    uint64_t return_register = version == 1 ? ph_cfi_take_byte(&at) : ph_cfi_take_uleb(&at);
    if (return_register != PH_CFI_REGISTER_RA || !read_augmentation(&at, letters, ret_common))
        return false;
    ret_common->instructions = at;
    return !at.is_cut && ph_cfi_encoded_size(ret_common->encoding) &&
           (ret_common->encoding & ~(PH_CFI_ENCODING_PCREL | PH_CFI_ENCODING_FORMAT)) == 0;
}

/* ---- the short form ------------------------------------------------------------------------------------------ */

static const struct ph_cfi_rule end_of_stack = {.kind = PH_CFI_END}, for_libgcc = {.kind = PH_CFI_OTHER};

/* The two expressions that gcc writes for a function that aligns its stack: what lies at an offset from RBP, and
 * what is stored there. DWARF 5, 2.5. */
#define OP_BREG_BP (0x70 + PH_CFI_REGISTER_BP)
#define OP_DEREF   0x06

/* @operation: the one behind the offset; 0 for none. The machine has read the block before: it is whole. */
static bool is_bp_offset(uintptr_t block, uint8_t operation, int64_t *ret_offset)
{
    struct ph_cfi_cursor at = {.at = block, .end = UINTPTR_MAX};
    uint64_t size_bytes = ph_cfi_take_uleb(&at);
    at.end = at.at + (uintptr_t)size_bytes;
    if (size_bytes < 2 || ph_cfi_take_byte(&at) != OP_BREG_BP)
        return false;
    *ret_offset = ph_cfi_take_sleb(&at);
    if (operation && ph_cfi_take_byte(&at) != operation)
        return false;
    return !at.is_cut && at.at == at.end;
}

static uintptr_t block_at(uintptr_t base, int32_t distance)
{
    return base + (uintptr_t)(intptr_t)distance;
}

/* The frame's end, as far as a short rule can tell it. */
static bool cfa_of(const struct ph_cfi_state *state, uintptr_t base, struct ph_cfi_rule *rule)
{
    int64_t offset = state->cfa_offset;
    if (state->is_mixed)
        return false;
    if (state->is_expression) {
        if (!is_bp_offset(block_at(base, state->cfa_block), OP_DEREF, &offset))
            return false;
        rule->kind = PH_CFI_BEHIND_BP;
    } else if (state->cfa_register == PH_CFI_REGISTER_SP)
        rule->kind = PH_CFI_FROM_SP;
    else if (state->cfa_register == PH_CFI_REGISTER_BP)
        rule->kind = PH_CFI_FROM_BP;
    else
        return false;
    rule->cfa_offset = (int32_t)offset;
    return rule->cfa_offset == offset;
}

/* RBP, if the rule is one of those that cfi.h tells of: 0 for "in the register". */
static bool bp_of(const struct ph_cfi_state *state, uintptr_t base, struct ph_cfi_rule *rule)
{
    uint8_t how = state->how[PH_CFI_REGISTER_BP];
    int64_t offset = 0;
    if (how == PH_CFI_SAVED_AT)
        offset = state->offset[PH_CFI_REGISTER_BP];
    else if (how == PH_CFI_SAVED_AT_RESULT &&
             !is_bp_offset(block_at(base, state->offset[PH_CFI_REGISTER_BP]), 0, &offset))
        return false;
    rule->bp_offset = (int16_t)offset;
    if (rule->bp_offset != offset)
        return false;
    if (rule->kind == PH_CFI_BEHIND_BP)
        return how == PH_CFI_SAVED_AT_RESULT;
    if (how == PH_CFI_SAVED_AT)
        return offset < 0;
    return how == PH_CFI_SAVED_SAME || how == PH_CFI_SAVED_UNDEFINED;
}

struct ph_cfi_rule ph_cfi_rule_of(const struct ph_cfi_state *state, uintptr_t base)
{
    struct ph_cfi_rule rule = {.kind = PH_CFI_OTHER};
    if (state->how[PH_CFI_REGISTER_RA] == PH_CFI_SAVED_UNDEFINED)
        return end_of_stack;
    if (state->how[PH_CFI_REGISTER_RA] != PH_CFI_SAVED_AT || state->offset[PH_CFI_REGISTER_RA] != RA_FROM_CFA ||
        state->how[PH_CFI_REGISTER_SP] != PH_CFI_SAVED_SAME || !cfa_of(state, base, &rule) ||
        !bp_of(state, base, &rule))
        return for_libgcc;
    return rule;
}

/* ---- one entry ----------------------------------------------------------------------------------------------- */

struct reading {
    struct ph_cfi_machine machine;
    uint64_t start, length;
    bool is_signal;
};

/* Of the two cursors of an entry, the one of the function. */
static enum ph_cfi_found read_entry(const struct ph_cfi_tables *tables, uint64_t place, uint64_t pc,
                                    struct reading *reading)
{
    struct common common;
    struct ph_cfi_cursor at;
    struct ph_cfi_machine *machine = &reading->machine;
    if (!open_entry(tables, place, &at))
        return PH_CFI_UNKNOWN;
    uint64_t back = at.at;
    if (!read_common(tables, back - ph_cfi_take_unsigned(&at, 4), &common))
        return PH_CFI_UNKNOWN;
    ph_cfi_begin(machine, pc);
    machine->code_factor = common.code_factor;
    machine->data_factor = common.data_factor;
    machine->base = tables->header;
    reading->is_signal = common.is_signal;
    reading->start = ph_cfi_take_encoded(&at, common.encoding);
    reading->length = ph_cfi_take_encoded(&at, common.encoding & PH_CFI_ENCODING_FORMAT);
    if (pc - reading->start >= reading->length)
        return PH_CFI_NOTHING; /* between two functions */
    ph_cfi_run(machine, common.instructions);
    machine->initial = machine->now;
    machine->location = reading->start;
    if (common.has_augmentation)
        ph_cfi_skip(&at, ph_cfi_take_uleb(&at));
    ph_cfi_run(machine, at);
    return at.is_cut || machine->failed ? PH_CFI_UNKNOWN : PH_CFI_FOUND;
}

#define HEADER_VERSION 1
#define TABLE_ENCODING 0x3b /* relative to the header, four bytes, signed: what every linker writes */
#define COUNT_ENCODING 0x03

bool ph_cfi_header(struct ph_cfi_cursor *cursor, uint64_t *ret_frames, uint64_t *ret_count)
{
    uint32_t form = (uint32_t)ph_cfi_take_unsigned(cursor, 4);
    uint8_t encoding = (uint8_t)(form >> 8);
    if ((uint8_t)form != HEADER_VERSION || !ph_cfi_encoded_size(encoding) ||
        form >> 16 != (TABLE_ENCODING << 8 | COUNT_ENCODING))
        return false;
    *ret_frames = ph_cfi_take_encoded(cursor, encoding);
    *ret_count = ph_cfi_take_unsigned(cursor, 4);
    return !cursor->is_cut;
}

static enum ph_cfi_found read_tables(const struct ph_cfi_tables *tables, uint64_t pc, struct reading *reading)
{
    struct ph_cfi_cursor at = {tables->header, tables->high, tables->delta, false};
    uint64_t frames, count;
    if (!ph_cfi_header(&at, &frames, &count) || !ph_cfi_has(&at, count * sizeof(struct ph_cfi_row)))
        return PH_CFI_UNKNOWN;
    size_t low = 0, high = (size_t)count;
    int64_t wanted = (int64_t)(pc - (tables->header + tables->delta));
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ph_cfi_int_at(at.at + middle * sizeof(struct ph_cfi_row)) <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return PH_CFI_NOTHING;
    uintptr_t row = at.at + (low - 1) * sizeof(struct ph_cfi_row);
    int64_t distance = ph_cfi_int_at(row + offsetof(struct ph_cfi_row, entry));
    return read_entry(tables, tables->header + (uint64_t)distance, pc, reading);
}

struct ph_cfi_rule ph_cfi_find(const uint8_t *header, uintptr_t pc)
{
    struct ph_cfi_tables tables = {.low = 0, .high = UINTPTR_MAX, .header = (uintptr_t)header};
    struct reading reading;
    if (!header)
        return end_of_stack;
    enum ph_cfi_found found = read_tables(&tables, pc, &reading);
    if (found == PH_CFI_NOTHING)
        return end_of_stack;
    if (found == PH_CFI_UNKNOWN || reading.is_signal)
        return for_libgcc;
    return ph_cfi_rule_of(&reading.machine.now, tables.header);
}

enum ph_cfi_found ph_cfi_read(const struct ph_cfi_tables *tables, uint64_t pc, struct ph_cfi_frame *ret_frame)
{
    struct reading reading;
    enum ph_cfi_found found = read_tables(tables, pc, &reading);
    if (found == PH_CFI_FOUND)
        *ret_frame = (struct ph_cfi_frame){reading.machine.now, reading.start, reading.length, reading.is_signal};
    return found;
}
