/* pprof_bytes.h - pprof's protobuf by hand (protobuf.dev, "Encoding"; google/pprof, proto/profile.proto): also what no
 * writer would write. */
#ifndef PH_TESTS_PPROF_BYTES_H
#define PH_TESTS_PPROF_BYTES_H

#include "base/buf.h"

#include <stdint.h>

/* A profile of one sample through one frame; tests change one number each. */
struct plan {
    uint64_t mapping_id, function_id, location_id;      /* as declared */
    uint64_t in_mapping, in_function, through_location; /* as used */
    uint64_t type_string, mapping_file, function_name, label_key, comment, default_type;
    unsigned value_count, mapping_count, location_count, type_count;
    const char *string_0;
};

/** What readers accept. Its ids are neither small nor in order. */
extern const struct plan plan_sound;

/** wire_of() - the plan as a Profile; put_sample() - its sample once more. */
struct ph_buf wire_of(const struct plan *plan);
void put_sample(struct ph_buf *out, const struct plan *plan);

/** put_number(), put_bytes() - one field. */
void put_number(struct ph_buf *out, unsigned field, uint64_t value);
void put_bytes(struct ph_buf *out, unsigned field, const char *bytes, size_t size_bytes);

#endif
