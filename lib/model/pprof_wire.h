/*
 * pprof_wire.h - the outermost layer of a protobuf message: its fields, one after the other, without unpacking them.
 *
 * protobuf-c unpacks a whole message at once, with a heap block for each part; a profile of 100,000 samples would
 * need many times its size. So pprof_read walks the Profile by this and lets protobuf-c unpack one Sample, Location,
 * … at a time. Source: protobuf.dev, "Encoding".
 */
#ifndef PH_MODEL_PPROF_WIRE_H
#define PH_MODEL_PPROF_WIRE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum ph_wire_type {
    PH_WIRE_VARINT = 0,
    PH_WIRE_FIXED64 = 1,
    PH_WIRE_BYTES = 2, /* length-delimited */
    PH_WIRE_FIXED32 = 5,
};

struct ph_wire_field {
    uint32_t number;
    enum ph_wire_type type;
    const uint8_t *value; /* without tag and length */
    size_t value_bytes;
    const uint8_t *whole; /* with them */
    size_t whole_bytes;
};

struct ph_wire {
    const uint8_t *start, *next, *end;
};

/** ph_wire_next() - the field at the cursor. 1; 0 at the end; -EINVAL with the byte position in @error. */
int ph_wire_next(struct ph_wire *wire, struct ph_wire_field *ret_field, struct ph_error *error);

/** ph_wire_blame() - put "byte N: " before the text of @error, of the field at @at, unless it begins so. Returns its code. */
int ph_wire_blame(const struct ph_wire *wire, const uint8_t *at, struct ph_error *error, int code);

#endif
