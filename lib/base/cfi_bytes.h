/*
 * cfi_bytes.h - numbers as .eh_frame holds them. DWARF 5, 7.6 (LEB128); LSB 5.0, Core Generic, 10.5 (encoded
 * pointers). Nothing is read at or behind a cursor's end: then numbers are 0, and the cursor says so.
 */
#ifndef PH_BASE_CFI_BYTES_H
#define PH_BASE_CFI_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PH_CFI_ENCODING_OMIT    0xff
#define PH_CFI_ENCODING_ALIGNED 0x50
#define PH_CFI_ENCODING_PCREL   0x10
#define PH_CFI_ENCODING_FORMAT  0x0f

/* Places are integers: tables may be read where they are, or a copy of them, as far as it goes. */
struct ph_cfi_cursor {
    uintptr_t at, end;
    uint64_t delta; /* where a byte is for the module, less where it is read */
    bool is_cut;    /* the end came too early */
};

static inline uint64_t ph_cfi_unsigned_of(uintptr_t place, size_t size_bytes)
{
    uint64_t value = 0;
    memcpy(&value, (const void *)place, size_bytes); /* little-endian */
    return value;
}

static inline int32_t ph_cfi_int_at(uintptr_t place)
{
    return (int32_t)ph_cfi_unsigned_of(place, sizeof(int32_t));
}

/* False, and nothing is left, if there are fewer than @size_bytes. */
static inline bool ph_cfi_has(struct ph_cfi_cursor *cursor, uint64_t size_bytes)
{
    if (__builtin_expect(size_bytes <= cursor->end - cursor->at, 1))
        return true;
    cursor->at = cursor->end;
    cursor->is_cut = true;
    return false;
}

static inline uint64_t ph_cfi_take_unsigned(struct ph_cfi_cursor *cursor, size_t size_bytes)
{
    if (!ph_cfi_has(cursor, size_bytes))
        return 0;
    uint64_t value = ph_cfi_unsigned_of(cursor->at, size_bytes);
    cursor->at += size_bytes;
    return value;
}

static inline uint8_t ph_cfi_take_byte(struct ph_cfi_cursor *cursor)
{
    return (uint8_t)ph_cfi_take_unsigned(cursor, 1);
}

static inline void ph_cfi_skip(struct ph_cfi_cursor *cursor, uint64_t size_bytes)
{
    if (ph_cfi_has(cursor, size_bytes))
        cursor->at += (uintptr_t)size_bytes;
}

static inline uint64_t ph_cfi_take_uleb(struct ph_cfi_cursor *cursor)
{
    uint8_t byte = ph_cfi_take_byte(cursor);
    uint64_t value = byte & 0x7f; /* most have one byte */
    for (unsigned shift = 7; byte & 0x80; shift += 7) {
        byte = ph_cfi_take_byte(cursor);
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
    }
    return value;
}

static inline int64_t ph_cfi_take_sleb(struct ph_cfi_cursor *cursor)
{
    uint64_t value = 0;
    for (unsigned shift = 0;;) {
        uint8_t byte = ph_cfi_take_byte(cursor);
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

static inline uint64_t ph_cfi_take_encoded(struct ph_cfi_cursor *cursor, uint8_t encoding)
{
    uint64_t place = cursor->at + cursor->delta;
    size_t size_bytes = ph_cfi_encoded_size(encoding);
    uint64_t value = ph_cfi_take_unsigned(cursor, size_bytes);
    if ((encoding & 8) && size_bytes < 8 && value >> (size_bytes * 8 - 1))
        value |= UINT64_MAX << size_bytes * 8;
    return (encoding & PH_CFI_ENCODING_PCREL) ? value + place : value;
}

#endif
