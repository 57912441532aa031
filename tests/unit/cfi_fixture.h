/*
 * cfi_fixture.h - unwinding tables made by hand: .eh_frame_hdr, one common entry, one entry for each function.
 * LSB 5.0, Core Generic, 10.6.
 */
#ifndef PH_CFI_FIXTURE_H
#define PH_CFI_FIXTURE_H

#include "base/cfi.h"

#include <stdbool.h>
#include <stddef.h>

struct cfi_code {
    const char *bytes;
    size_t size_bytes;
};

/* Of a string literal. */
#define CFI_CODE(text)                                                                                             \
    {                                                                                                              \
        text, sizeof(text) - 1                                                                                     \
    }

struct cfi_function {
    uint32_t start, length; /* from the first place of code */
    struct cfi_code code;
};

/* What the tables are made of; cfi_plan() gives what gcc writes. */
struct cfi_plan {
    uint8_t header_version, header_encoding, count_encoding, table_encoding;
    uint8_t common_version;
    const char *augmentation;
    struct cfi_code augmentation_data; /* without its length */
    uint8_t encoding;                  /* of the functions' addresses */
    uint8_t code_factor, return_register;
    bool has_long_common, has_long_functions; /* lengths of 64 bits */
    struct cfi_code common_code;
    const struct cfi_function *functions;
    size_t function_count;
};

struct cfi_plan cfi_plan(const struct cfi_function *functions, size_t function_count);

/** cfi_find() - builds the tables and asks ph_cfi_find() for what is @offset bytes behind the first code. */
struct ph_cfi_rule cfi_find(const struct cfi_plan *plan, int64_t offset);

/** cfi_expect() - the same, and the answer must be this. */
void cfi_expect(const struct cfi_plan *plan, int64_t offset, struct ph_cfi_rule expected);

#endif
