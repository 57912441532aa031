#include "base/cfi.h"

#include "base/cfi_bytes.h"
#include "base/cfi_machine.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define RA_FROM_CFA (-8)

struct common {
    const uint8_t *instructions, *end;
    uint64_t code_factor;
    int64_t data_factor;
    uint8_t encoding; /* of addresses */
    bool has_augmentation;
};

static bool read_augmentation(const uint8_t **at, const char *letters, struct common *common)
{
    common->has_augmentation = *letters == 'z';
    if (!common->has_augmentation)
        return *letters == '\0';
    uint64_t size_bytes = ph_cfi_take_uleb(at);
    const uint8_t *next = *at, *end = *at + size_bytes;
    for (letters++; *letters; letters++) {
        uint8_t encoding = *letters == 'S' || *letters == 'B' ? 0 : *next++;
        if (*letters == 'R')
            common->encoding = encoding;
        else if (*letters == 'P' && encoding != PH_CFI_ENCODING_OMIT && ph_cfi_encoded_size(encoding))
            next += ph_cfi_encoded_size(encoding);
        else if (*letters != 'L')
            return false; /* S: a signal frame; or unknown */
    }
    *at = end;
    return true;
}

static bool read_common(const uint8_t *entry, struct common *ret_common)
{
    const uint8_t *at = entry;
    uint64_t size_bytes = ph_cfi_take_unsigned(&at, 4);
    ret_common->end = at + size_bytes;
    if (size_bytes == UINT32_MAX || ph_cfi_take_unsigned(&at, 4) != 0)
        return false;
    uint8_t version = *at++;
    const char *letters = (const char *)at;
    if ((version != 1 && version != 3) || strcmp(letters, "eh") == 0)
        return false;
    at += strlen(letters) + 1;
    ret_common->code_factor = ph_cfi_take_uleb(&at);
    ret_common->data_factor = ph_cfi_take_sleb(&at);
    ret_common->encoding = 0;
    if ((version == 1 ? *at++ : ph_cfi_take_uleb(&at)) != PH_CFI_REGISTER_RA ||
        !read_augmentation(&at, letters, ret_common))
        return false;
    ret_common->instructions = at;
    return ph_cfi_encoded_size(ret_common->encoding) &&
           (ret_common->encoding & ~(PH_CFI_ENCODING_PCREL | PH_CFI_ENCODING_FORMAT)) == 0;
}

static const struct ph_cfi_rule end_of_stack = {.kind = PH_CFI_END}, for_libgcc = {.kind = PH_CFI_OTHER};

/* RBP, if the rule is one of those that cfi.h tells of: 0 for "in the register". */
static bool bp_offset_of(const struct ph_cfi_state *state, int16_t *ret_offset)
{
    bool saved = state->bp.how == PH_CFI_SAVED_AT || state->bp.how == PH_CFI_SAVED_AT_BP;
    *ret_offset = (int16_t)(saved ? state->bp.offset : 0);
    if (state->is_indirect)
        return state->bp.how == PH_CFI_SAVED_AT_BP && *ret_offset == state->bp.offset;
    if (state->bp.how == PH_CFI_SAVED_AT)
        return state->bp.offset < 0 && *ret_offset == state->bp.offset;
    return !saved && state->bp.how != PH_CFI_SAVED_OTHER;
}

static struct ph_cfi_rule rule_of(const struct ph_cfi_machine *machine)
{
    const struct ph_cfi_state *state = &machine->now;
    struct ph_cfi_rule rule = {.cfa_offset = (int32_t)state->cfa_offset};
    if (machine->failed)
        return for_libgcc;
    if (state->ra.how == PH_CFI_SAVED_UNDEFINED)
        return end_of_stack;
    if (state->is_expression || !bp_offset_of(state, &rule.bp_offset) || rule.cfa_offset != state->cfa_offset ||
        state->ra.how != PH_CFI_SAVED_AT || state->ra.offset != RA_FROM_CFA || state->sp.how != PH_CFI_SAVED_SAME)
        return for_libgcc;
    if (state->cfa_register != PH_CFI_REGISTER_SP && state->cfa_register != PH_CFI_REGISTER_BP)
        return for_libgcc;
    rule.kind = state->is_indirect                          ? PH_CFI_BEHIND_BP
                : state->cfa_register == PH_CFI_REGISTER_SP ? PH_CFI_FROM_SP
                                                            : PH_CFI_FROM_BP;
    return rule;
}

static struct ph_cfi_rule read_entry(const uint8_t *entry, uintptr_t pc)
{
    struct common common;
    const uint8_t *at = entry;
    uint64_t size_bytes = ph_cfi_take_unsigned(&at, 4);
    const uint8_t *end = at + size_bytes, *back = at;
    if (size_bytes == 0 || size_bytes == UINT32_MAX || !read_common(back - ph_cfi_take_unsigned(&at, 4), &common))
        return for_libgcc;
    struct ph_cfi_machine machine = {
        .code_factor = common.code_factor, .data_factor = common.data_factor, .pc = pc};
    uint64_t start = ph_cfi_take_encoded(&at, common.encoding);
    uint64_t length = ph_cfi_take_encoded(&at, common.encoding & PH_CFI_ENCODING_FORMAT);
    if (pc - start >= length)
        return end_of_stack; /* between two functions */
    ph_cfi_run(&machine, common.instructions, common.end);
    machine.initial = machine.now;
    machine.location = start;
    uint64_t augmentation_bytes = common.has_augmentation ? ph_cfi_take_uleb(&at) : 0;
    ph_cfi_run(&machine, at + augmentation_bytes, end);
    return rule_of(&machine);
}

#define HEADER_VERSION 1
#define TABLE_ENCODING 0x3b /* relative to the header, four bytes, signed: what every linker writes */
#define COUNT_ENCODING 0x03

struct row {
    int32_t start, entry; /* from the header */
};

static const uint8_t *find_entry(const uint8_t *header, uintptr_t pc)
{
    const uint8_t *at = header + 4;
    ph_cfi_take_encoded(&at, header[1]);
    size_t low = 0, high = ph_cfi_take_unsigned(&at, 4);
    int64_t wanted = (int64_t)(pc - (uintptr_t)header);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ph_cfi_int_at(at + middle * sizeof(struct row)) <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? header + ph_cfi_int_at(at + (low - 1) * sizeof(struct row) + offsetof(struct row, entry)) : NULL;
}

struct ph_cfi_rule ph_cfi_find(const uint8_t *header, uintptr_t pc)
{
    if (!header)
        return end_of_stack;
    if (header[0] != HEADER_VERSION || !ph_cfi_encoded_size(header[1]) || header[2] != COUNT_ENCODING ||
        header[3] != TABLE_ENCODING)
        return for_libgcc;
    const uint8_t *entry = find_entry(header, pc);
    return entry ? read_entry(entry, pc) : end_of_stack;
}
