#include "model/pprof_wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool read_varint(struct ph_wire *wire, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && wire->next < wire->end; shift += 7) {
        uint8_t byte = *wire->next++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* How many bytes the value has; moves behind a length. UINT64_MAX if it cannot be told. */
static uint64_t value_size(struct ph_wire *wire, unsigned type)
{
    struct ph_wire ahead = *wire;
    uint64_t value;
    switch (type) {
    case PH_WIRE_VARINT:
        return read_varint(&ahead, &value) ? (uint64_t)(ahead.next - wire->next) : UINT64_MAX;
    case PH_WIRE_FIXED64:
        return 8;
    case PH_WIRE_FIXED32:
        return 4;
    case PH_WIRE_BYTES:
        return read_varint(wire, &value) ? value : UINT64_MAX;
    default:
        return UINT64_MAX; /* groups: never in pprof */
    }
}

int ph_wire_next(struct ph_wire *wire, struct ph_wire_field *ret_field, struct ph_error *error)
{
    struct ph_wire at = *wire;
    uint64_t tag;
    if (at.next == at.end)
        return 0;
    if (!read_varint(&at, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX)
        return ph_error_set(error, -EINVAL, "byte %zu: expected a protobuf field",
                            (size_t)(wire->next - wire->start));
    uint64_t value_bytes = value_size(&at, tag & 7);
    if (value_bytes > (uint64_t)(at.end - at.next))
        return ph_error_set(error, -EINVAL, "byte %zu: field %u does not fit into the %zu bytes that are left",
                            (size_t)(wire->next - wire->start), (unsigned)(tag >> 3), (size_t)(at.end - at.next));
    *ret_field = (struct ph_wire_field){
        .number = (uint32_t)(tag >> 3),
        .type = (enum ph_wire_type)(tag & 7),
        .value = at.next,
        .value_bytes = value_bytes,
        .whole = wire->next,
        .whole_bytes = (size_t)(at.next - wire->next) + value_bytes,
    };
    wire->next = at.next + value_bytes;
    return 1;
}

int ph_wire_blame(const struct ph_wire *wire, const uint8_t *at, struct ph_error *error, int code)
{
    if (!error || code != -EINVAL || strncmp(error->text, "byte ", 5) == 0)
        return code;
    struct ph_error cause = *error;
    return ph_error_set(error, code, "byte %zu: %.220s", (size_t)(at - wire->start), cause.text);
}
