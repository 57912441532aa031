#include "model/pprof_write.h"

#include "model/check.h"
#include "model/gzip.h"
#include "model/profile.pb-c.h"
#include "model/sample_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_BYTES ((size_t)64 * 1024)

/*
 * The encoding of a Profile is the concatenation of the encodings of its fields (protobuf encoding guide, "Last One
 * Wins" and merging), so it is packed as many fragments: Profile messages that hold one entry each.
 */
struct writer {
    const struct ph_profile *profile;
    struct ph_gzip_writer gzip;       /* its out is NULL if all is to stay as it is */
    struct ph_buf packed;             /* fragments on their way to the compressor */
    Perftools__Profiles__Line *lines; /* of the location with most */
    Perftools__Profiles__Line **line_list;
};

static void flush(struct writer *writer)
{
    ph_gzip_write(&writer->gzip, writer->packed.data, writer->packed.size_bytes);
    writer->packed.size_bytes = 0;
}

static void flush_if_large(struct writer *writer)
{
    if (writer->gzip.out && writer->packed.size_bytes >= FLUSH_BYTES)
        flush(writer);
}

static void emit(struct writer *writer, const Perftools__Profiles__Profile *fragment)
{
    size_t size_bytes = perftools__profiles__profile__get_packed_size(fragment);
    if (ph_buf_reserve(&writer->packed, size_bytes) < 0)
        return;
    uint8_t *end = (uint8_t *)writer->packed.data + writer->packed.size_bytes;
    writer->packed.size_bytes += perftools__profiles__profile__pack(fragment, end);
    flush_if_large(writer);
}

static void write_types(struct writer *writer)
{
    for (uint32_t i = 0; i < writer->profile->type_count; i++) {
        Perftools__Profiles__ValueType type = PERFTOOLS__PROFILES__VALUE_TYPE__INIT;
        type.type = writer->profile->types[i].type;
        type.unit = writer->profile->types[i].unit;
        Perftools__Profiles__ValueType *list[] = {&type};
        Perftools__Profiles__Profile fragment = PERFTOOLS__PROFILES__PROFILE__INIT;
        fragment.n_sample_type = 1;
        fragment.sample_type = list;
        emit(writer, &fragment);
    }
}

static void write_samples(struct writer *writer)
{
    for (uint32_t i = 0; i < writer->profile->sample_count; i++) {
        ph_sample_pack(writer->profile, i, &writer->packed);
        flush_if_large(writer);
    }
}

static void write_mappings(struct writer *writer)
{
    for (uint32_t i = 0; i < writer->profile->mapping_count; i++) {
        const struct ph_mapping *from = &writer->profile->mappings[i];
        Perftools__Profiles__Mapping mapping = PERFTOOLS__PROFILES__MAPPING__INIT;
        mapping.id = i + 1;
        mapping.memory_start = from->start;
        mapping.memory_limit = from->limit;
        mapping.file_offset = from->offset;
        mapping.filename = from->file;
        mapping.build_id = from->build_id;
        mapping.has_functions = from->has_functions;
        mapping.has_filenames = from->has_filenames;
        mapping.has_line_numbers = from->has_line_numbers;
        mapping.has_inline_frames = from->has_inline_frames;
        Perftools__Profiles__Mapping *list[] = {&mapping};
        Perftools__Profiles__Profile fragment = PERFTOOLS__PROFILES__PROFILE__INIT;
        fragment.n_mapping = 1;
        fragment.mapping = list;
        emit(writer, &fragment);
    }
}

static void write_locations(struct writer *writer)
{
    const struct ph_profile *profile = writer->profile;
    for (uint32_t i = 0; i < profile->location_count; i++) {
        const struct ph_location *from = &profile->locations[i];
        Perftools__Profiles__Location location = PERFTOOLS__PROFILES__LOCATION__INIT;
        location.id = i + 1;
        location.mapping_id = from->mapping;
        location.address = from->address;
        location.is_folded = from->is_folded;
        for (uint32_t j = 0; j < from->line_count; j++) {
            const struct ph_line *line = &profile->lines[from->first_line + j];
            writer->lines[j].function_id = line->function;
            writer->lines[j].line = line->line;
            writer->lines[j].column = line->column;
        }
        location.n_line = from->line_count;
        location.line = writer->line_list;
        Perftools__Profiles__Location *list[] = {&location};
        Perftools__Profiles__Profile fragment = PERFTOOLS__PROFILES__PROFILE__INIT;
        fragment.n_location = 1;
        fragment.location = list;
        emit(writer, &fragment);
    }
}

static void write_functions(struct writer *writer)
{
    for (uint32_t i = 0; i < writer->profile->function_count; i++) {
        const struct ph_function *from = &writer->profile->functions[i];
        Perftools__Profiles__Function function = PERFTOOLS__PROFILES__FUNCTION__INIT;
        function.id = i + 1;
        function.name = from->name;
        function.system_name = from->system_name;
        function.filename = from->file;
        function.start_line = from->start_line;
        Perftools__Profiles__Function *list[] = {&function};
        Perftools__Profiles__Profile fragment = PERFTOOLS__PROFILES__PROFILE__INIT;
        fragment.n_function = 1;
        fragment.function = list;
        emit(writer, &fragment);
    }
}

static void write_strings(struct writer *writer)
{
    for (uint32_t i = 0; i < writer->profile->string_count; i++) {
        char *list[] = {(char *)writer->profile->strings[i].text}; /* protobuf-c only reads it */
        Perftools__Profiles__Profile fragment = PERFTOOLS__PROFILES__PROFILE__INIT;
        fragment.n_string_table = 1;
        fragment.string_table = list;
        emit(writer, &fragment);
    }
}

static void write_scalars(struct writer *writer)
{
    const struct ph_profile *profile = writer->profile;
    Perftools__Profiles__ValueType period_type = PERFTOOLS__PROFILES__VALUE_TYPE__INIT;
    period_type.type = profile->period_type.type;
    period_type.unit = profile->period_type.unit;
    Perftools__Profiles__Profile fragment = PERFTOOLS__PROFILES__PROFILE__INIT;
    fragment.drop_frames = profile->drop_frames;
    fragment.keep_frames = profile->keep_frames;
    fragment.time_nanos = profile->time_ns;
    fragment.duration_nanos = profile->duration_ns;
    fragment.period_type = period_type.type || period_type.unit ? &period_type : NULL;
    fragment.period = profile->period;
    fragment.default_sample_type = profile->default_type;
    emit(writer, &fragment);
}

static void write_comments(struct writer *writer)
{
    for (uint32_t i = 0; i < writer->profile->comment_count; i++) {
        int64_t comment = writer->profile->comments[i];
        Perftools__Profiles__Profile fragment = PERFTOOLS__PROFILES__PROFILE__INIT;
        fragment.n_comment = 1;
        fragment.comment = &comment;
        emit(writer, &fragment);
    }
}

/* Scratch space for the longest line list. */
static int make_scratch(struct writer *writer)
{
    const struct ph_profile *profile = writer->profile;
    size_t lines = 1;
    for (uint32_t i = 0; i < profile->location_count; i++)
        lines = profile->locations[i].line_count > lines ? profile->locations[i].line_count : lines;
    writer->lines = calloc(lines, sizeof(*writer->lines));
    writer->line_list = calloc(lines, sizeof(*writer->line_list));
    if (!writer->lines || !writer->line_list)
        return -ENOMEM;
    for (size_t i = 0; i < lines; i++) {
        perftools__profiles__line__init(&writer->lines[i]);
        writer->line_list[i] = &writer->lines[i];
    }
    return 0;
}

static void free_scratch(struct writer *writer)
{
    free(writer->lines);
    free(writer->line_list);
    ph_buf_fini(&writer->packed);
}

/* The order of the fields, as Go writes them. */
static void write_all(struct writer *writer)
{
    write_types(writer);
    write_samples(writer);
    write_mappings(writer);
    write_locations(writer);
    write_functions(writer);
    write_strings(writer);
    write_scalars(writer);
    write_comments(writer);
}

static int write_gzipped(struct writer *writer, struct ph_buf *out)
{
    int status = ph_gzip_writer_init(&writer->gzip, out);
    if (status < 0)
        return status;
    write_all(writer);
    flush(writer);
    return ph_gzip_writer_finish(&writer->gzip);
}

static int write_bare(struct writer *writer, struct ph_buf *out)
{
    write_all(writer);
    ph_buf_append(out, writer->packed.data, writer->packed.size_bytes);
    return ph_buf_status(out);
}

static int write_profile(const struct ph_profile *profile, int (*write)(struct writer *, struct ph_buf *),
                         struct ph_buf *out, struct ph_error *error)
{
    int status = ph_profile_check(profile, error);
    if (status < 0)
        return status;
    struct writer writer = {.profile = profile, .packed = PH_BUF_INIT};
    status = make_scratch(&writer);
    if (status == 0)
        status = write(&writer, out);
    if (status == 0)
        status = ph_buf_status(&writer.packed);
    free_scratch(&writer);
    return status < 0 ? ph_error_set(error, status, "no memory to encode the profile") : 0;
}

int ph_pprof_write(const struct ph_profile *profile, struct ph_buf *out, struct ph_error *error)
{
    return write_profile(profile, write_gzipped, out, error);
}

int ph_pprof_write_bare(const struct ph_profile *profile, struct ph_buf *out, struct ph_error *error)
{
    return write_profile(profile, write_bare, out, error);
}
