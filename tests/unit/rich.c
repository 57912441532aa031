#include "rich.h"

#include "base/buf.h"
#include "model/heap_types.h"
#include "model/maps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

uint32_t rich_function(struct ph_profile *profile, const char *name, const char *file)
{
    struct ph_function function = {
        .name = ph_profile_string(profile, name),
        .system_name = ph_profile_string(profile, name),
        .file = ph_profile_string(profile, file),
    };
    return ph_profile_add_function(profile, &function);
}

uint32_t rich_named(struct ph_profile *profile, const char *name)
{
    struct ph_line line = {.function = rich_function(profile, name, "")};
    return ph_profile_add_location(profile, 0, 0, false, &line, 1);
}

void rich_add(struct ph_profile *profile, const char *const *names, int64_t value)
{
    uint32_t frames[64], count = 0;
    int64_t values[PH_PROFILE_TYPES_MAX];
    while (names[count]) {
        frames[count] = rich_named(profile, names[count]);
        count++;
    }
    for (size_t i = 0; i < PH_PROFILE_TYPES_MAX; i++)
        values[i] = value;
    assert_int_not_equal(ph_profile_add_sample(profile, frames, count, NULL, 0, values), PH_INDEX_NONE);
}

struct ph_profile *rich_heap(int64_t rate_bytes)
{
    struct ph_profile *profile = ph_profile_new();
    assert_non_null(profile);
    ph_heap_types_set(profile, rate_bytes);
    return profile;
}

void rich_add_heap(struct ph_profile *profile, const uint64_t *addresses, uint32_t count, int64_t objects,
                   int64_t bytes)
{
    const int64_t values[] = {2 * objects, 2 * bytes, objects, bytes};
    uint32_t frames[64];
    struct ph_map_finder finder;
    assert_int_equal(ph_map_finder_init(&finder, profile), 0);
    for (uint32_t i = 0; i < count; i++)
        frames[i] =
            ph_profile_add_location(profile, ph_map_find(&finder, addresses[i]), addresses[i], false, NULL, 0);
    ph_map_finder_fini(&finder);
    assert_int_not_equal(ph_profile_add_sample(profile, frames, count, NULL, 0, values), PH_INDEX_NONE);
}

static void set_header(struct ph_profile *profile)
{
    ph_profile_add_type(profile, "samples", "count");
    ph_profile_add_type(profile, "space", "bytes");
    profile->default_type = ph_profile_string(profile, "samples");
    profile->period_type.type = ph_profile_string(profile, "period");
    profile->period_type.unit = ph_profile_string(profile, "bytes");
    profile->period = 512 << 10;
    profile->time_ns = INT64_C(1785000000123456789);
    profile->duration_ns = 30 * INT64_C(1000000000);
    profile->drop_frames = ph_profile_string(profile, "drop.*");
    profile->keep_frames = ph_profile_string(profile, "keep|hold");
    ph_profile_add_comment(profile, "first");
    ph_profile_add_comment(profile, "zwei \xe2\x82\xac");
}

static void add_mappings(struct ph_profile *profile)
{
    struct ph_mapping main_mapping = {
        .start = 0x400000,
        .limit = 0x500000,
        .file = ph_profile_string(profile, "/usr/bin/server"),
        .build_id = ph_profile_string(profile, "0123456789abcdef"),
        .has_functions = true,
        .has_line_numbers = true,
    };
    struct ph_mapping library = {
        .start = 0x7f0000001000,
        .limit = 0x7f0000002000,
        .offset = 0x1000,
        .file = ph_profile_string(profile, "/lib/libc.so.6"),
        .has_filenames = true,
        .has_inline_frames = true,
    };
    ph_profile_add_mapping(profile, &main_mapping);
    ph_profile_add_mapping(profile, &library);
}

/* Leaf first: inlined into its caller; folded; without a name; without mapping. */
static void add_frames(struct ph_profile *profile, uint32_t *frames)
{
    struct ph_function method = {
        .name = ph_profile_string(profile, "parse<int>"),
        .system_name = ph_profile_string(profile, "_Z5parseIiEvv"),
        .file = ph_profile_string(profile, "parse.cc"),
        .start_line = 10,
    };
    struct ph_line inlined[] = {
        {.function = ph_profile_add_function(profile, &method), .line = 12, .column = 7},
        {.function = rich_function(profile, "serve", "server.c"), .line = 99},
    };
    struct ph_line folded = {.function = rich_function(profile, "main", "main.c"), .line = -1};
    frames[0] = ph_profile_add_location(profile, 1, 0x401234, false, inlined, 2);
    frames[1] = ph_profile_add_location(profile, 1, 0x405678, true, &folded, 1);
    frames[2] = ph_profile_add_location(profile, 2, 0x7f0000001abc, false, NULL, 0);
    frames[3] = ph_profile_add_location(profile, 0, UINT64_MAX, false, NULL, 0);
}

struct ph_profile *rich_profile(void)
{
    struct ph_profile *profile = ph_profile_new();
    uint32_t frames[4];
    assert_non_null(profile);
    set_header(profile);
    add_mappings(profile);
    add_frames(profile, frames);
    const struct ph_label labels[] = {
        {.key = ph_profile_string(profile, "thread"), .text = ph_profile_string(profile, "io: worker 1")},
        {.key = ph_profile_string(profile, "size"), .number = -5, .unit = ph_profile_string(profile, "bytes")},
    };
    ph_profile_add_sample(profile, frames, 4, labels, 2, (const int64_t[]){1, INT64_MAX});
    ph_profile_add_sample(profile, frames, 4, labels, 1, (const int64_t[]){2, -4096});
    ph_profile_add_sample(profile, frames, 4, NULL, 0, (const int64_t[]){INT64_MIN, 0});
    ph_profile_add_sample(profile, frames + 2, 2, labels + 1, 1, (const int64_t[]){0, 7});
    ph_profile_add_sample(profile, NULL, 0, NULL, 0, (const int64_t[]){3, 3});
    assert_int_equal(ph_profile_status(profile), 0);
    return profile;
}

/* ---- as text ---- */

static void type_text(const struct ph_profile *profile, const char *what, struct ph_value_type type,
                      struct ph_buf *out)
{
    ph_buf_printf(out, "%s %s/%s\n", what, ph_profile_text(profile, type.type),
                  ph_profile_text(profile, type.unit));
}

static void header_text(const struct ph_profile *profile, struct ph_buf *out)
{
    for (uint32_t i = 0; i < profile->type_count; i++)
        type_text(profile, "type", profile->types[i], out);
    type_text(profile, "period", profile->period_type, out);
    ph_buf_printf(out, "period %" PRId64 " time %" PRId64 " duration %" PRId64 "\n", profile->period,
                  profile->time_ns, profile->duration_ns);
    ph_buf_printf(out, "default \"%s\" drop \"%s\" keep \"%s\"\n", ph_profile_text(profile, profile->default_type),
                  ph_profile_text(profile, profile->drop_frames), ph_profile_text(profile, profile->keep_frames));
    for (uint32_t i = 0; i < profile->comment_count; i++)
        ph_buf_printf(out, "comment \"%s\"\n", ph_profile_text(profile, profile->comments[i]));
}

static void mapping_text(const struct ph_profile *profile, const struct ph_mapping *mapping, struct ph_buf *out)
{
    ph_buf_printf(out, "%" PRIx64 "-%" PRIx64 "+%" PRIx64 " %s [%s] %d%d%d%d", mapping->start, mapping->limit,
                  mapping->offset, ph_profile_text(profile, mapping->file),
                  ph_profile_text(profile, mapping->build_id), mapping->has_functions, mapping->has_filenames,
                  mapping->has_line_numbers, mapping->has_inline_frames);
}

static void location_text(const struct ph_profile *profile, uint32_t number, struct ph_buf *out)
{
    const struct ph_location *location = ph_profile_location(profile, number);
    ph_buf_printf(out, "  %" PRIx64 "%s", location->address, location->is_folded ? " folded" : "");
    for (uint32_t i = location->first_line; i < location->first_line + location->line_count; i++) {
        const struct ph_function *function = &profile->functions[profile->lines[i].function - 1];
        ph_buf_printf(out, " %s (%s) %s:%" PRId64 ":%" PRId64 " from %" PRId64,
                      ph_profile_text(profile, function->name), ph_profile_text(profile, function->system_name),
                      ph_profile_text(profile, function->file), profile->lines[i].line, profile->lines[i].column,
                      function->start_line);
    }
    if (location->mapping) {
        ph_buf_text(out, " in ");
        mapping_text(profile, &profile->mappings[location->mapping - 1], out);
    }
    ph_buf_char(out, '\n');
}

static void sample_text(const struct ph_profile *profile, uint32_t number, struct ph_buf *out)
{
    const struct ph_sample *sample = &profile->samples[number];
    ph_buf_text(out, "sample");
    for (uint32_t i = 0; i < profile->type_count; i++)
        ph_buf_printf(out, " %" PRId64, ph_profile_values(profile, number)[i]);
    for (uint32_t i = sample->first_label; i < sample->first_label + sample->label_count; i++) {
        const struct ph_label *label = &profile->labels[i];
        ph_buf_printf(out, " %s=\"%s\"/%" PRId64 "%s", ph_profile_text(profile, label->key),
                      ph_profile_text(profile, label->text), label->number, ph_profile_text(profile, label->unit));
    }
    ph_buf_char(out, '\n');
    for (uint32_t i = 0; i < sample->frame_count; i++)
        location_text(profile, profile->frames[sample->first_frame + i], out);
}

char *rich_text(const struct ph_profile *profile)
{
    struct ph_buf out = PH_BUF_INIT;
    header_text(profile, &out);
    for (uint32_t i = 0; i < profile->mapping_count; i++) {
        ph_buf_text(&out, "mapping ");
        mapping_text(profile, &profile->mappings[i], &out);
        ph_buf_char(&out, '\n');
    }
    for (uint32_t i = 0; i < profile->sample_count; i++)
        sample_text(profile, i, &out);
    return ph_buf_take(&out, NULL);
}

void rich_expect_equal(const struct ph_profile *a, const struct ph_profile *b)
{
    char *text_a = rich_text(a), *text_b = rich_text(b);
    assert_string_equal(text_a, text_b);
    free(text_a);
    free(text_b);
}
