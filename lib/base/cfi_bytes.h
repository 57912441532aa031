/*
 * cfi_bytes.h - numbers as .eh_frame holds them. DWARF 5, 7.6 (LEB128); LSB 5.0, Core Generic, 10.5 (encoded
 * pointers).
 */
#ifndef PH_BASE_CFI_BYTES_H
#define PH_BASE_CFI_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PH_CFI_ENCODING_OMIT    0xff
#define PH_CFI_ENCODING_ALIGNED 0x50
#define PH_CFI_ENCODING_PCREL   0x10
#define PH_CFI_ENCODING_FORMAT  0x0f

static inline uint64_t ph_cfi_unsigned_of(const uint8_t *bytes, size_t size_bytes)
{
    uint64_t value = 0;
    memcpy(&value, bytes, size_bytes); /* little-endian */
    return value;
}

static inline int32_t ph_cfi_int_at(const uint8_t *bytes)
{
    return (int32_t)ph_cfi_unsigned_of(bytes, sizeof(int32_t));
}

static inline uint64_t ph_cfi_take_unsigned(const uint8_t **at, size_t size_bytes)
{
    uint64_t value = ph_cfi_unsigned_of(*at, size_bytes);
    *at += size_bytes;
    return value;
}

static inline uint64_t ph_cfi_take_uleb(const uint8_t **at)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = *(*at)++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
}

static inline int64_t ph_cfi_take_sleb(const uint8_t **at)
{
    uint64_t value = 0;
    for (unsigned shift = 0;;) {
        uint8_t byte = *(*at)++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if (!(byte & 0x80))
            return (int64_t)(shift < 64 && (byte & 0x40) ? value | -(UINT64_C(1) << shift) : value);
    }
}

/* Formats of pointers by the low four bits of their encoding (LSB 10.5): absolute, uleb, 2, 4, 8 bytes, and signed.
 * 0 for those whose size varies, which no compiler uses here. */
static inline size_t ph_cfi_encoded_size(uint8_t encoding)
{
    static const uint8_t sizes[16] = {8, 0, 2, 4, 8, 0, 0, 0, 0, 0, 2, 4, 8, 0, 0, 0};
    return encoding == PH_CFI_ENCODING_ALIGNED ? 0 : sizes[encoding & PH_CFI_ENCODING_FORMAT];
}

static inline uint64_t ph_cfi_take_encoded(const uint8_t **at, uint8_t encoding)
{
    const uint8_t *place = *at;
    size_t size_bytes = ph_cfi_encoded_size(encoding);
    uint64_t value = ph_cfi_take_unsigned(at, size_bytes);
    if ((encoding & 8) && size_bytes < 8 && value >> (size_bytes * 8 - 1))
        value |= UINT64_MAX << size_bytes * 8;
    return (encoding & PH_CFI_ENCODING_PCREL) ? value + (uintptr_t)place : value;
}

#endif
