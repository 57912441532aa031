#include "model/pprof_read.h"

#include "model/check.h"
#include "model/grow.h"
#include "model/gzip.h"
#include "model/id_map.h"
#include "model/pprof_wire.h"
#include "model/profile.pb-c.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A stack, a location, or all the small fields together. protobuf-c may need twenty times as much to unpack it. */
#define MESSAGE_MAX_BYTES ((size_t)16 << 20)

#define FIELD_MAX       16 /* above all fields of Profile */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct reader {
    struct ph_wire wire;
    struct ph_profile *profile;
    struct ph_error *error;
    uint32_t *strings, string_count; /* place in the file's table to our number */
    struct ph_buf small;     /* the fields that are neither strings nor tables: a Profile message of its own */
    const uint8_t *small_at; /* the first of them; the end if there are none */
    struct ph_id_map mappings, functions, locations;
    uint32_t *frames; /* of the sample being read */
    struct ph_label *labels;
    struct ph_line *lines;
    size_t sample_number;
};

typedef int field_reader(struct reader *reader, const struct ph_wire_field *field);

static int out_of_memory(const struct reader *reader)
{
    int status = ph_profile_status(reader->profile);
    return ph_error_set(reader->error, status ? status : -ENOMEM, "no memory for the profile");
}

static int unsound(const struct reader *reader, const struct ph_wire_field *field, const char *message)
{
    return ph_error_set(reader->error, -EINVAL, "byte %zu: expected a sound %s message",
                        (size_t)(field->whole - reader->wire.start), message);
}

static int too_long(const struct reader *reader, const char *message)
{
    return ph_error_set(reader->error, -EFBIG, "a %s message of more than %zu bytes", message, MESSAGE_MAX_BYTES);
}

/* ---- references ---- */

static int find_string(const struct reader *reader, int64_t place, const char *owner, uint64_t id,
                       uint32_t *ret_string)
{
    if (place == 0)
        *ret_string = 0;
    else if (place > 0 && place < reader->string_count)
        *ret_string = reader->strings[place];
    else
        return ph_error_set(reader->error, -EINVAL, "%s %llu: string %lld is not in the table of %u", owner,
                            (unsigned long long)id, (long long)place, reader->string_count);
    return 0;
}

struct string_field {
    int64_t place;
    uint32_t *ret_string;
};

static int find_strings(const struct reader *reader, const struct string_field *fields, size_t count,
                        const char *owner, uint64_t id)
{
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = find_string(reader, fields[i].place, owner, id, fields[i].ret_string);
    return status;
}

static int add_id(const struct reader *reader, struct ph_id_map *map, const char *kind, uint64_t id,
                  uint32_t number)
{
    if (number == 0)
        return out_of_memory(reader);
    if (id == 0)
        return ph_error_set(reader->error, -EINVAL, "%s number %u has the id 0", kind, map->count + 1);
    int status = ph_id_map_add(map, id, number);
    if (status == -EEXIST)
        return ph_error_set(reader->error, -EINVAL, "%s %llu is there twice", kind, (unsigned long long)id);
    return status < 0 ? out_of_memory(reader) : 0;
}

static int find_id(const struct reader *reader, const struct ph_id_map *map, const char *owner, uint64_t owner_id,
                   const char *kind, uint64_t id, uint32_t *ret_number)
{
    uint32_t number = ph_id_map_find(map, id);
    if (number == 0)
        return ph_error_set(reader->error, -EINVAL, "%s %llu: %s %llu is not in the profile", owner,
                            (unsigned long long)owner_id, kind, (unsigned long long)id);
    *ret_number = number;
    return 0;
}

/* ---- strings and small fields ---- */

static int read_string(struct reader *reader, const struct ph_wire_field *field)
{
    if (reader->string_count == 0 && field->value_bytes)
        return ph_error_set(reader->error, -EINVAL, "string 0: expected the empty string");
    if (ph_grow(&reader->strings, sizeof(*reader->strings), reader->string_count, 1) < 0)
        return out_of_memory(reader);
    uint32_t string = ph_profile_string_n(reader->profile, (const char *)field->value, field->value_bytes);
    reader->strings[reader->string_count++] = string;
    return ph_profile_status(reader->profile) < 0 ? out_of_memory(reader) : 0;
}

static int keep_small(struct reader *reader, const struct ph_wire_field *field)
{
    if (reader->small.size_bytes == 0)
        reader->small_at = field->whole;
    ph_buf_append(&reader->small, field->whole, field->whole_bytes);
    if (reader->small.size_bytes > MESSAGE_MAX_BYTES)
        return too_long(reader, "Profile");
    return ph_buf_status(&reader->small) < 0 ? out_of_memory(reader) : 0;
}

static int read_types(struct reader *reader, const Perftools__Profiles__Profile *small)
{
    struct ph_profile *profile = reader->profile;
    if (small->n_sample_type == 0 || small->n_sample_type > PH_PROFILE_TYPES_MAX)
        return ph_error_set(reader->error, -EINVAL, "%zu sample types, expected 1 to %d", small->n_sample_type,
                            PH_PROFILE_TYPES_MAX);
    for (; profile->type_count < small->n_sample_type; profile->type_count++) {
        const Perftools__Profiles__ValueType *type = small->sample_type[profile->type_count];
        struct ph_value_type *added = &profile->types[profile->type_count];
        const struct string_field fields[] = {{type->type, &added->type}, {type->unit, &added->unit}};
        int status = find_strings(reader, fields, COUNT_OF(fields), "sample type", profile->type_count);
        if (status < 0)
            return status;
    }
    return 0;
}

/* By number: a file can name one string of many megabytes in millions of comments. */
static int read_comments(struct reader *reader, const Perftools__Profiles__Profile *small)
{
    struct ph_profile *profile = reader->profile;
    if (ph_grow(&profile->comments, sizeof(*profile->comments), 0, small->n_comment) < 0)
        return out_of_memory(reader);
    int status = 0;
    for (; profile->comment_count < small->n_comment && status == 0; profile->comment_count++) {
        uint32_t at = profile->comment_count;
        status = find_string(reader, small->comment[at], "comment", at, &profile->comments[at]);
    }
    return status;
}

static int read_scalars(struct reader *reader, const Perftools__Profiles__Profile *small)
{
    struct ph_profile *profile = reader->profile;
    const Perftools__Profiles__ValueType none = PERFTOOLS__PROFILES__VALUE_TYPE__INIT;
    const Perftools__Profiles__ValueType *period_type = small->period_type ? small->period_type : &none;
    const struct string_field fields[] = {
        {small->drop_frames, &profile->drop_frames},          {small->keep_frames, &profile->keep_frames},
        {small->default_sample_type, &profile->default_type}, {period_type->type, &profile->period_type.type},
        {period_type->unit, &profile->period_type.unit},
    };
    profile->time_ns = small->time_nanos;
    profile->duration_ns = small->duration_nanos;
    profile->period = small->period;
    return find_strings(reader, fields, COUNT_OF(fields), "profile", 0);
}

static int read_small(struct reader *reader)
{
    Perftools__Profiles__Profile *small =
        perftools__profiles__profile__unpack(NULL, reader->small.size_bytes, (const uint8_t *)reader->small.data);
    if (!small)
        return ph_error_set(reader->error, -EINVAL, "expected sound sample types, times and comments");
    int status = read_types(reader, small);
    if (status == 0)
        status = read_scalars(reader, small);
    if (status == 0)
        status = read_comments(reader, small);
    perftools__profiles__profile__free_unpacked(small, NULL);
    return status;
}

/* ---- tables ---- */

static int add_mapping(struct reader *reader, const Perftools__Profiles__Mapping *from)
{
    struct ph_mapping mapping = {
        .start = from->memory_start,
        .limit = from->memory_limit,
        .offset = from->file_offset,
        .has_functions = from->has_functions,
        .has_filenames = from->has_filenames,
        .has_line_numbers = from->has_line_numbers,
        .has_inline_frames = from->has_inline_frames,
    };
    const struct string_field fields[] = {{from->filename, &mapping.file}, {from->build_id, &mapping.build_id}};
    int status = find_strings(reader, fields, COUNT_OF(fields), "mapping", from->id);
    if (status == 0)
        status = add_id(reader, &reader->mappings, "mapping", from->id,
                        ph_profile_add_mapping(reader->profile, &mapping));
    return status;
}

static int add_function(struct reader *reader, const Perftools__Profiles__Function *from)
{
    struct ph_function function = {.start_line = from->start_line};
    const struct string_field fields[] = {
        {from->name, &function.name}, {from->system_name, &function.system_name}, {from->filename, &function.file}};
    int status = find_strings(reader, fields, COUNT_OF(fields), "function", from->id);
    if (status == 0)
        status = add_id(reader, &reader->functions, "function", from->id,
                        ph_profile_add_function(reader->profile, &function));
    return status;
}

static int read_lines(struct reader *reader, const Perftools__Profiles__Location *from)
{
    if (ph_grow(&reader->lines, sizeof(*reader->lines), 0, from->n_line) < 0)
        return out_of_memory(reader);
    for (size_t i = 0; i < from->n_line; i++) {
        struct ph_line *line = &reader->lines[i];
        *line = (struct ph_line){.line = from->line[i]->line, .column = from->line[i]->column};
        int status = find_id(reader, &reader->functions, "location", from->id, "function",
                             from->line[i]->function_id, &line->function);
        if (status < 0)
            return status;
    }
    return 0;
}

static int add_location(struct reader *reader, const Perftools__Profiles__Location *from)
{
    uint32_t mapping = 0;
    int status = read_lines(reader, from);
    if (status == 0 && from->mapping_id)
        status = find_id(reader, &reader->mappings, "location", from->id, "mapping", from->mapping_id, &mapping);
    if (status < 0)
        return status;
    uint32_t location = ph_profile_add_location(reader->profile, mapping, from->address, from->is_folded,
                                                reader->lines, (uint32_t)from->n_line);
    return add_id(reader, &reader->locations, "location", from->id, location);
}

static int read_frames(struct reader *reader, const Perftools__Profiles__Sample *from)
{
    if (ph_grow(&reader->frames, sizeof(*reader->frames), 0, from->n_location_id) < 0)
        return out_of_memory(reader);
    int status = 0;
    for (size_t i = 0; i < from->n_location_id && status == 0; i++)
        status = find_id(reader, &reader->locations, "sample", reader->sample_number, "location",
                         from->location_id[i], &reader->frames[i]);
    return status;
}

static int read_labels(struct reader *reader, const Perftools__Profiles__Sample *from)
{
    if (ph_grow(&reader->labels, sizeof(*reader->labels), 0, from->n_label) < 0)
        return out_of_memory(reader);
    int status = 0;
    for (size_t i = 0; i < from->n_label && status == 0; i++) {
        const Perftools__Profiles__Label *packed = from->label[i];
        struct ph_label *label = &reader->labels[i];
        const struct string_field fields[] = {
            {packed->key, &label->key}, {packed->str, &label->text}, {packed->num_unit, &label->unit}};
        status = find_strings(reader, fields, COUNT_OF(fields), "label of sample", reader->sample_number);
        label->number = packed->num;
        if (status == 0 && label->text)
            label->number = label->unit = 0;
    }
    return status;
}

static int add_sample(struct reader *reader, const Perftools__Profiles__Sample *from)
{
    if (from->n_value != reader->profile->type_count)
        return ph_error_set(reader->error, -EINVAL, "sample %zu: %zu values, expected %u", reader->sample_number,
                            from->n_value, reader->profile->type_count);
    int status = read_frames(reader, from);
    if (status == 0)
        status = read_labels(reader, from);
    if (status < 0)
        return status;
    reader->sample_number++;
    uint32_t sample = ph_profile_add_sample(reader->profile, reader->frames, (uint32_t)from->n_location_id,
                                            reader->labels, (uint32_t)from->n_label, from->value);
    return sample == PH_INDEX_NONE ? out_of_memory(reader) : 0;
}

/* read_sample() and its like: unpack one message, add it, release it. */
#define MESSAGE(name, Type, lower)                                                                                 \
    static int read_##name(struct reader *reader, const struct ph_wire_field *field)                               \
    {                                                                                                              \
        if (field->value_bytes > MESSAGE_MAX_BYTES)                                                                \
            return too_long(reader, #Type);                                                                        \
        Perftools__Profiles__##Type *message =                                                                     \
            perftools__profiles__##lower##__unpack(NULL, field->value_bytes, field->value);                        \
        if (!message)                                                                                              \
            return unsound(reader, field, #Type);                                                                  \
        int status = add_##name(reader, message);                                                                  \
        perftools__profiles__##lower##__free_unpacked(message, NULL);                                              \
        return status;                                                                                             \
    }
MESSAGE(mapping, Mapping, mapping)
MESSAGE(function, Function, function)
MESSAGE(location, Location, location)
MESSAGE(sample, Sample, sample)
#undef MESSAGE

/* ---- the whole ---- */

/* What a pass over the fields reads, by field number. Tables come in any order, and each needs those before it here. */
static field_reader *const passes[][FIELD_MAX] = {
    {
        [1] = keep_small,
        [6] = read_string,
        [7] = keep_small,
        [8] = keep_small,
        [9] = keep_small,
        [10] = keep_small,
        [11] = keep_small,
        [12] = keep_small,
        [13] = keep_small,
        [14] = keep_small,
    },
    {[3] = read_mapping, [5] = read_function},
    {[4] = read_location},
    {[2] = read_sample},
};

static int read_pass(struct reader *reader, field_reader *const *readers)
{
    struct ph_wire_field field;
    reader->wire.next = reader->wire.start;
    for (;;) {
        int status = ph_wire_next(&reader->wire, &field, reader->error);
        if (status <= 0)
            return status;
        field_reader *read = field.number < FIELD_MAX ? readers[field.number] : NULL;
        if (read && read != keep_small && field.type != PH_WIRE_BYTES)
            return unsound(reader, &field, "Profile");
        status = read ? read(reader, &field) : 0;
        if (status < 0)
            return ph_wire_blame(&reader->wire, field.whole, reader->error, status);
    }
}

static int read_profile(struct reader *reader)
{
    int status = read_pass(reader, passes[0]);
    if (status == 0)
        status = ph_wire_blame(&reader->wire, reader->small_at, reader->error, read_small(reader));
    for (size_t i = 1; i < COUNT_OF(passes) && status == 0; i++)
        status = read_pass(reader, passes[i]);
    return status == 0 ? ph_profile_check(reader->profile, reader->error) : status;
}

static int read_bare(const char *bytes, size_t size_bytes, struct ph_profile **ret_profile, struct ph_error *error)
{
    const uint8_t *start = (const uint8_t *)bytes;
    if (size_bytes == 0)
        return ph_error_set(error, -EINVAL, "byte 0: expected a pprof profile, but there is nothing");
    struct reader reader = {.wire = {start, start, start + size_bytes}, .error = error};
    reader.small_at = reader.wire.end;
    reader.profile = ph_profile_new();
    if (!reader.profile)
        return ph_error_set(error, -ENOMEM, "no memory for the profile");
    int status = read_profile(&reader);
    void *const arrays[] = {reader.strings, reader.frames, reader.labels, reader.lines};
    for (size_t i = 0; i < COUNT_OF(arrays); i++)
        free(arrays[i]);
    ph_buf_fini(&reader.small);
    ph_id_map_fini(&reader.mappings);
    ph_id_map_fini(&reader.functions);
    ph_id_map_fini(&reader.locations);
    if (status < 0)
        ph_profile_free(reader.profile);
    else
        *ret_profile = reader.profile;
    return status;
}

int ph_pprof_read(const char *bytes, size_t size_bytes, struct ph_profile **ret_profile, struct ph_error *error)
{
    if (!ph_gzip_is(bytes, size_bytes))
        return read_bare(bytes, size_bytes, ret_profile, error);
    struct ph_buf inflated = PH_BUF_INIT;
    int status = ph_gzip_read(bytes, size_bytes, PH_PPROF_INFLATED_MAX_BYTES, &inflated, error);
    if (status == 0)
        status = read_bare(inflated.data, inflated.size_bytes, ret_profile, error);
    ph_buf_fini(&inflated);
    return status;
}
