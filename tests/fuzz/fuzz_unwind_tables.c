/* fuzz_unwind_tables.c - any bytes as .eh_frame_hdr and .eh_frame, at any place of the code, and a step by what they say. */
#include "base/cfi.h"
#include "elf/unwind_expression.h"
#include "sound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

#define ADDRESS UINT64_C(0x560000000000)

static void evaluate(const struct ph_cfi_tables *tables, int32_t block)
{
    static const uint64_t words[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static struct ph_unwind_view view;
    struct ph_stack stack = {.low = 4096, .bytes = (const uint8_t *)words, .size_bytes = sizeof(words)};
    struct ph_registers registers = {.known = UINT64_MAX};
    struct ph_cfi_cursor at = {.at = tables->header + (uintptr_t)(intptr_t)block, .end = tables->high};
    uint64_t initial = 4096, result, size_bytes;
    for (size_t i = 0; i < PH_REGISTERS; i++)
        registers.values[i] = 4096 + i;
    require(at.at >= tables->low && at.at < tables->high, "tables", "a block outside of them");
    size_bytes = ph_cfi_take_uleb(&at);
    require(ph_cfi_has(&at, size_bytes), "tables", "a block that reaches out of them");
    at.end = at.at + size_bytes;
    ph_unwind_view_over(&view, &stack, NULL);
    ph_unwind_evaluate(at, &registers, &view, &initial, &result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct ph_cfi_frame frame;
    if (size_bytes < 16)
        return 0;
    uint8_t *bytes = malloc(size_bytes); /* its end is watched */
    memcpy(bytes, data, size_bytes);
    uintptr_t low = (uintptr_t)bytes;
    struct ph_cfi_tables tables = {low, low + size_bytes, low, ADDRESS - low};
    uint32_t distance;
    memcpy(&distance, bytes + size_bytes - sizeof(distance), sizeof(distance));
    if (ph_cfi_read(&tables, ADDRESS + (uint64_t)(int64_t)(int32_t)distance, &frame) == PH_CFI_FOUND) {
        struct ph_cfi_rule rule = ph_cfi_rule_of(&frame.state, tables.header);
        require(rule.kind <= PH_CFI_OTHER, "rule", "of no kind");
        if (frame.state.is_expression)
            evaluate(&tables, frame.state.cfa_block);
        for (size_t i = 0; i < PH_CFI_REGISTERS; i++)
            if (frame.state.how[i] == PH_CFI_SAVED_AT_RESULT || frame.state.how[i] == PH_CFI_SAVED_IS_RESULT)
                evaluate(&tables, frame.state.offset[i]);
    }
    free(bytes);
    return 0;
}
