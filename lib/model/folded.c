#include "model/folded.h"

#include "base/scan.h"
#include "model/expected.h"
#include "model/grow.h"
#include "model/intern.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Source of the format: github.com/brendangregg/FlameGraph, stackcollapse-perf.pl and flamegraph.pl. */

#define NO_FRAMES "[unknown]" /* as stackcollapse-perf.pl: a line without a stack is none */

/* ---- writing ---- */

struct row {
    const char *stack; /* in writer.text */
    int64_t value;
};

struct writer {
    const struct ph_profile *profile;
    struct ph_buf stack; /* of the sample at hand */
    struct row *rows;
    uint32_t row_count;
    struct ph_index index;
    struct ph_arena text;
};

static void append_name(struct ph_buf *out, const char *name)
{
    static const char instead[256] = {[';'] = ':', ['\n'] = ' ', ['\r'] = ' '};
    for (; *name; name++)
        ph_buf_char(out, instead[(unsigned char)*name] ? instead[(unsigned char)*name] : *name);
}

static void append_place(struct writer *writer, const struct ph_location *location)
{
    uint64_t address = location->address;
    if (location->mapping) {
        const struct ph_mapping *mapping = &writer->profile->mappings[location->mapping - 1];
        const char *file = ph_profile_text(writer->profile, mapping->file);
        const char *slash = strrchr(file, '/');
        append_name(&writer->stack, slash ? slash + 1 : file);
        ph_buf_char(&writer->stack, '+');
        address = address - mapping->start + mapping->offset;
    }
    ph_buf_printf(&writer->stack, "0x%" PRIx64, address);
}

/* Inlined calls are frames, too; the last line is the caller of all. */
static void append_location(struct writer *writer, const struct ph_location *location)
{
    const struct ph_profile *profile = writer->profile;
    if (location->line_count == 0)
        append_place(writer, location);
    for (uint32_t i = location->line_count; i > 0; i--) {
        uint32_t function = profile->lines[location->first_line + i - 1].function;
        const char *name = ph_profile_text(profile, profile->functions[function - 1].name);
        if (name[strspn(name, " \t\r\n")]) /* readers cut blanks off, and find no name then */
            append_name(&writer->stack, name);
        else
            append_place(writer, location);
        if (i > 1)
            ph_buf_char(&writer->stack, ';');
    }
}

static int make_stack(struct writer *writer, const struct ph_sample *sample)
{
    writer->stack.size_bytes = 0;
    if (sample->frame_count == 0)
        ph_buf_text(&writer->stack, NO_FRAMES);
    for (uint32_t i = sample->frame_count; i > 0; i--) {
        uint32_t frame = writer->profile->frames[sample->first_frame + i - 1];
        append_location(writer, ph_profile_location(writer->profile, frame));
        if (i > 1)
            ph_buf_char(&writer->stack, ';');
    }
    return ph_buf_status(&writer->stack);
}

static bool row_equal(const void *owner, uint32_t number, const void *key)
{
    return strcmp(((const struct writer *)owner)->rows[number].stack, key) == 0;
}

static int add_row(struct writer *writer, uint64_t hash, int64_t value)
{
    char *stack = ph_arena_copy(&writer->text, writer->stack.data, writer->stack.size_bytes);
    int status = stack ? ph_grow(&writer->rows, sizeof(*writer->rows), writer->row_count, 1) : -ENOMEM;
    if (status == 0)
        status = ph_index_add(&writer->index, hash, writer->row_count);
    if (status == 0)
        writer->rows[writer->row_count++] = (struct row){stack, value};
    return status;
}

static int count_sample(struct writer *writer, const struct ph_sample *sample, int64_t value)
{
    int status = make_stack(writer, sample);
    if (status < 0)
        return status;
    uint64_t hash = ph_hash_bytes(writer->stack.data, writer->stack.size_bytes);
    uint32_t row = ph_index_find(&writer->index, hash, row_equal, writer, writer->stack.data);
    if (row == PH_INDEX_NONE)
        return add_row(writer, hash, value);
    writer->rows[row].value = ph_add_saturating(writer->rows[row].value, value);
    return 0;
}

static void write_rows(const struct writer *writer, struct ph_buf *out)
{
    for (uint32_t i = 0; i < writer->row_count; i++) {
        if (writer->rows[i].value == 0) /* positive and negative ones, as in a delta, may cancel each other out */
            continue;
        ph_buf_text(out, writer->rows[i].stack);
        ph_buf_printf(out, " %" PRId64 "\n", writer->rows[i].value);
    }
}

int ph_folded_write(const struct ph_profile *profile, uint32_t type, struct ph_buf *out)
{
    struct writer writer = {.profile = profile};
    int status = 0;
    for (uint32_t i = 0; i < profile->sample_count && status == 0; i++) {
        int64_t value = ph_profile_values(profile, i)[type];
        if (value)
            status = count_sample(&writer, &profile->samples[i], value);
    }
    if (status == 0)
        write_rows(&writer, out);
    ph_buf_fini(&writer.stack);
    free(writer.rows);
    ph_index_fini(&writer.index);
    ph_arena_fini(&writer.text);
    return status < 0 ? status : ph_buf_status(out);
}

/* ---- reading ---- */

struct reader {
    struct ph_scan scan;
    struct ph_profile *profile;
    struct ph_error *error;
    uint32_t *frames; /* of the line at hand: filled from its end, as the leaf comes last there and first here */
};

static int out_of_memory(const struct reader *reader)
{
    int status = ph_profile_status(reader->profile);
    return ph_error_set(reader->error, status ? status : -ENOMEM, "no memory for the folded stacks");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void cut_blanks(struct ph_scan *line)
{
    while (line->end > line->next && is_blank(line->end[-1]))
        line->end--;
}

/* Cuts the count, which may be negative in a delta, and the blanks before it off the end of the line. */
static int cut_count(struct reader *reader, struct ph_scan *line, int64_t *ret_count)
{
    struct ph_scan count = *line;
    uint64_t magnitude;
    for (count.next = line->end; count.next > line->next && !is_blank(count.next[-1]);)
        count.next--;
    line->end = count.next;
    cut_blanks(line);
    bool negative = ph_scan_char(&count, '-');
    if (!ph_scan_decimal(&count, &magnitude) || magnitude > INT64_MAX || !ph_scan_done(&count))
        return ph_expected_in(&reader->scan, &count, "a count of at most 63 bits behind the stack", reader->error);
    *ret_count = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return 0;
}

static uint32_t add_frame(struct ph_profile *profile, const char *name, size_t size_bytes)
{
    uint32_t string = ph_profile_string_n(profile, name, size_bytes);
    struct ph_function function = {.name = string, .system_name = string};
    struct ph_line line = {.function = ph_profile_add_function(profile, &function)};
    return ph_profile_add_location(profile, 0, 0, false, &line, 1);
}

static size_t count_frames(const struct ph_scan *stack)
{
    size_t count = 1;
    for (const char *c = stack->next; c < stack->end; c++)
        count += *c == ';';
    return count;
}

static int read_stack(struct reader *reader, struct ph_scan stack, size_t frame_count)
{
    if (ph_grow(&reader->frames, sizeof(*reader->frames), 0, frame_count) < 0)
        return out_of_memory(reader);
    for (size_t i = frame_count; i > 0; i--) {
        const char *name = stack.next;
        while (!ph_scan_done(&stack) && *stack.next != ';')
            stack.next++;
        if (stack.next == name)
            return ph_expected_in(&reader->scan, &stack, "the name of a function", reader->error);
        reader->frames[i - 1] = add_frame(reader->profile, name, (size_t)(stack.next - name));
        ph_scan_char(&stack, ';');
    }
    return ph_profile_status(reader->profile) < 0 ? out_of_memory(reader) : 0;
}

static int read_line(struct reader *reader, struct ph_scan line)
{
    int64_t count;
    cut_blanks(&line);
    if (ph_scan_done(&line))
        return 0;
    int status = cut_count(reader, &line, &count);
    size_t frame_count = count_frames(&line);
    if (status == 0)
        status = read_stack(reader, line, frame_count);
    if (status < 0)
        return status;
    uint32_t sample =
        ph_profile_add_sample(reader->profile, reader->frames, (uint32_t)frame_count, NULL, 0, &count);
    return sample == PH_INDEX_NONE ? out_of_memory(reader) : 0;
}

int ph_folded_read(const char *text, size_t size_bytes, const char *type, const char *unit,
                   struct ph_profile **ret_profile, struct ph_error *error)
{
    struct reader reader = {.scan = ph_scan_over(text, size_bytes), .error = error};
    reader.profile = ph_profile_new();
    if (!reader.profile)
        return ph_error_set(error, -ENOMEM, "no memory for the folded stacks");
    ph_profile_add_type(reader.profile, type, unit);
    int status = ph_profile_status(reader.profile) < 0 ? out_of_memory(&reader) : 0;
    while (status == 0 && !ph_scan_done(&reader.scan))
        status = read_line(&reader, ph_scan_line(&reader.scan));
    free(reader.frames);
    if (status < 0)
        ph_profile_free(reader.profile);
    else
        *ret_profile = reader.profile;
    return status;
}
