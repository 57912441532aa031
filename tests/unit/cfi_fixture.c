#include "cfi_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define IMAGE_BYTES 65536
#define CODE_AT     16384 /* nothing is there: tables speak of code, nobody reads it */

struct image {
    uint8_t *start, *at; /* start: .eh_frame_hdr */
};

struct cfi_plan cfi_plan(const struct cfi_function *functions, size_t function_count)
{
    return (struct cfi_plan){
        .header_version = 1,
        .header_encoding = 0x1b,
        .count_encoding = 0x03,
        .table_encoding = 0x3b,
        .common_version = 1,
        .augmentation = "zR",
        .augmentation_data = CFI_CODE("\x1b"),
        .encoding = 0x1b, /* relative to its place, four bytes, signed */
        .code_factor = 1,
        .return_register = 16,
        .common_code =
            CFI_CODE("\x0c\x07\x08\x90\x01"), /* the frame's end is RSP + 8, the return address below it */
        .functions = functions,
        .function_count = function_count,
    };
}

static void put(struct image *image, uint64_t value, size_t size_bytes)
{
    memcpy(image->at, &value, size_bytes); /* little-endian */
    image->at += size_bytes;
    assert_true(image->at < image->start + CODE_AT);
}

static void put_code(struct image *image, struct cfi_code code)
{
    for (size_t i = 0; i < code.size_bytes; i++)
        put(image, (uint8_t)code.bytes[i], 1);
}

/* The length is not known yet; returns where the entry's content starts. */
static uint8_t *open_entry(struct image *image, bool is_long)
{
    put(image, is_long ? UINT32_MAX : 0, 4);
    if (is_long)
        put(image, 0, 8);
    return image->at;
}

static void close_entry(struct image *image, uint8_t *content, bool is_long)
{
    uint64_t size_bytes;
    while ((image->at - image->start) % 8)
        put(image, 0, 1); /* nop */
    size_bytes = (uint64_t)(image->at - content);
    memcpy(content - (is_long ? 8 : 4), &size_bytes, is_long ? 8 : 4);
}

static uint8_t *put_common(struct image *image, const struct cfi_plan *plan)
{
    uint8_t *entry = image->at, *content = open_entry(image, plan->has_long_common);
    put(image, 0, plan->has_long_common ? 8 : 4);
    put(image, plan->common_version, 1);
    for (size_t i = 0; i <= strlen(plan->augmentation); i++)
        put(image, (uint8_t)plan->augmentation[i], 1);
    put(image, plan->code_factor, 1);
    put(image, 0x78, 1); /* -8 */
    put(image, plan->return_register, 1);
    if (plan->augmentation[0] == 'z')
        put(image, plan->augmentation_data.size_bytes, 1);
    put_code(image, plan->augmentation_data);
    put_code(image, plan->common_code);
    close_entry(image, content, plan->has_long_common);
    return entry;
}

static size_t encoded_bytes(uint8_t encoding)
{
    switch (encoding & 7) {
    case 2:
        return 2;
    case 3:
        return 4;
    default:
        return 8;
    }
}

static uint8_t *put_function(struct image *image, const struct cfi_plan *plan, const struct cfi_function *function,
                             const uint8_t *common)
{
    size_t size_bytes = encoded_bytes(plan->encoding);
    uint8_t *entry = image->at, *content = open_entry(image, plan->has_long_functions);
    put(image, (uint64_t)(image->at - common), plan->has_long_functions ? 8 : 4);
    uint64_t start = (uintptr_t)image->start + CODE_AT + function->start;
    put(image, plan->encoding & 0x10 ? start - (uintptr_t)image->at : start, size_bytes);
    put(image, function->length, size_bytes);
    if (plan->augmentation[0] == 'z')
        put_code(image,
                 (struct cfi_code)CFI_CODE("\x02\x0a\x0a")); /* to be skipped: as code, it would be refused */
    put_code(image, function->code);
    close_entry(image, content, plan->has_long_functions);
    return entry;
}

static void build(struct image *image, const struct cfi_plan *plan)
{
    put(image, plan->header_version, 1);
    put(image, plan->header_encoding, 1);
    put(image, plan->count_encoding, 1);
    put(image, plan->table_encoding, 1);
    put(image, 0, encoded_bytes(plan->header_encoding)); /* where .eh_frame is: nobody wants to know */
    put(image, plan->function_count, 4);
    uint8_t *row = image->at;
    image->at += plan->function_count * 8 + 4;
    const uint8_t *common = put_common(image, plan);
    for (size_t i = 0; i < plan->function_count; i++) {
        uint64_t start = CODE_AT + plan->functions[i].start;
        uint64_t entry = (uint64_t)(put_function(image, plan, &plan->functions[i], common) - image->start);
        memcpy(row + i * 8, &start, 4);
        memcpy(row + i * 8 + 4, &entry, 4);
    }
}

struct ph_cfi_rule cfi_find(const struct cfi_plan *plan, int64_t offset)
{
    struct ph_cfi_rule rule;
    /* Low, so that addresses of four bytes reach it. */
    uint8_t *start =
        mmap(NULL, IMAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    assert_ptr_not_equal(start, MAP_FAILED);
    build(&(struct image){start, start}, plan);
    rule = ph_cfi_find(start, (uintptr_t)start + CODE_AT + (uintptr_t)offset);
    munmap(start, IMAGE_BYTES);
    return rule;
}

void cfi_expect(const struct cfi_plan *plan, int64_t offset, struct ph_cfi_rule expected)
{
    struct ph_cfi_rule rule = cfi_find(plan, offset);
    assert_int_equal(rule.kind, expected.kind);
    if (rule.kind == PH_CFI_END || rule.kind == PH_CFI_OTHER)
        return;
    assert_int_equal(rule.cfa_offset, expected.cfa_offset);
    assert_int_equal(rule.bp_offset, expected.bp_offset);
}
