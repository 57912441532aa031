/*
 * profile.h - a profile in memory: the data model of pprof (proto/profile.proto in google/pprof) in C.
 *
 * Sources fill it (jeheap_read, legacy_read, pprof_read, the collectors), encoders read it (pprof_write,
 * legacy_write, folded), merge and scale work on it. Everything is interned: strings, functions, locations
 * and stacks each exist once, so that equal stacks of one source are one sample.
 *
 * Numbers. Strings are numbered from 0 and string 0 is "". Mappings, functions and locations are numbered
 * from 1 and 0 means none: entry number n is at [n - 1]. These are the ids on the wire, too.
 *
 * Failure is sticky: when memory runs out, the add functions return 0 and ph_profile_status() says -ENOMEM
 * from then on; a caller may fill a whole profile and ask once. One thread at a time.
 */
#ifndef PH_MODEL_PROFILE_H
#define PH_MODEL_PROFILE_H

#include "base/arena.h"
#include "base/index.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PH_PROFILE_TYPES_MAX 16 /* sample types of one profile; Go's largest has 4 */

struct ph_value_type {
    uint32_t type, unit; /* strings */
};

struct ph_mapping {
    uint64_t start, limit, offset; /* limit is exclusive; offset is that of start in the file */
    uint32_t file, build_id;       /* strings; the build id in lower-case hex */
    bool has_functions, has_filenames, has_line_numbers, has_inline_frames;
};

struct ph_function {
    uint32_t name, system_name, file; /* strings */
    int64_t start_line;               /* 0 if unknown */
};

struct ph_line {
    uint32_t function;
    int64_t line; /* 0 if unknown */
    int64_t column;
};

/* A place in the code. More than one line means inlined calls: innermost first, the last is the caller of all. */
struct ph_location {
    uint64_t address; /* as it was at run time; 0 if unknown */
    uint32_t mapping;
    uint32_t first_line, line_count; /* in ph_profile.lines */
    bool is_folded;
    bool is_added_bare; /* private to intern.c: added without lines, which it may have got since */
};

struct ph_label {
    uint32_t key;   /* string */
    uint32_t text;  /* string; 0 for a number */
    int64_t number; /* where text is 0 */
    uint32_t unit;  /* string; of number */
};

/* Stack and labels of one sample; its values are ph_profile_values(). */
struct ph_sample {
    uint32_t first_frame, frame_count; /* in ph_profile.frames: location numbers, leaf first */
    uint32_t first_label, label_count; /* in ph_profile.labels */
};

struct ph_string {
    const char *text; /* NUL-terminated; always valid UTF-8 without a NUL inside, see ph_profile_string() */
    uint32_t size_bytes;
};

struct ph_profile {
    struct ph_value_type types[PH_PROFILE_TYPES_MAX];
    uint32_t type_count;
    uint32_t default_type; /* string: the type pprof shows first; 0 for the last */
    struct ph_value_type period_type;
    int64_t period;                    /* in units of period_type */
    int64_t time_ns;                   /* when it was taken, realtime */
    int64_t duration_ns;               /* 0 for a snapshot */
    uint32_t drop_frames, keep_frames; /* strings: regular expressions for pprof */

    uint32_t *comments; /* strings */
    uint32_t comment_count;

    struct ph_string *strings;
    uint32_t string_count;
    struct ph_mapping *mappings;
    uint32_t mapping_count;
    struct ph_function *functions;
    uint32_t function_count;
    struct ph_line *lines;
    uint32_t line_count;
    struct ph_location *locations;
    uint32_t location_count;
    uint32_t *frames;
    uint32_t frame_count;
    struct ph_label *labels;
    uint32_t label_count;
    struct ph_sample *samples;
    int64_t *values; /* type_count for each sample */
    uint32_t sample_count;

    /* Private to profile.c and intern.c. */
    struct ph_arena text;
    struct ph_index string_index, function_index, location_index, sample_index;
    int status;
};

/** ph_profile_new() - an empty profile holding string 0. NULL if memory is out. Free with ph_profile_free(). */
struct ph_profile *ph_profile_new(void);
void ph_profile_free(struct ph_profile *profile);

/** ph_profile_status() - 0, or the negative errno of the first add that failed (-ENOMEM, -EOVERFLOW). */
int ph_profile_status(const struct ph_profile *profile);

/** ph_profile_string() - the number of a string, added if new. ph_profile_text() is the way back.
 * Bytes that are no UTF-8, and NUL, are replaced here by U+FFFD: one such byte and readers refuse the profile. */
uint32_t ph_profile_string(struct ph_profile *profile, const char *text);
uint32_t ph_profile_string_n(struct ph_profile *profile, const char *bytes, size_t size_bytes);
const char *ph_profile_text(const struct ph_profile *profile, uint32_t string);

/** ph_profile_add_type() - one more sample type; only while there are no samples. Its place (0, 1, …), or
 * PH_PROFILE_TYPES_MAX with status -EOVERFLOW. ph_profile_find_type(): the place by name, -1 if absent. */
uint32_t ph_profile_add_type(struct ph_profile *profile, const char *type, const char *unit);
int ph_profile_find_type(const struct ph_profile *profile, const char *type);

void ph_profile_add_comment(struct ph_profile *profile, const char *text);

/** ph_profile_add_mapping() - always a new one: equal mappings are the caller's concern (merge.h). */
uint32_t ph_profile_add_mapping(struct ph_profile *profile, const struct ph_mapping *mapping);

/** ph_profile_add_function() - interned by all four fields. */
uint32_t ph_profile_add_function(struct ph_profile *profile, const struct ph_function *function);

/**
 * ph_profile_add_location() - interned by mapping, address, folding and lines.
 * @lines: @line_count of them, copied.
 */
uint32_t ph_profile_add_location(struct ph_profile *profile, uint32_t mapping, uint64_t address, bool is_folded,
                                 const struct ph_line *lines, uint32_t line_count);

/**
 * ph_profile_set_lines() - give names to a location that has none yet (one that has keeps its own). It stays
 * interned as it was added, so that later stacks through the same address find it. Returns 0 or the status.
 */
int ph_profile_set_lines(struct ph_profile *profile, uint32_t location, const struct ph_line *lines,
                         uint32_t line_count);

/**
 * ph_profile_add_sample() - add @values (type_count of them) to the sample with this stack and these labels.
 * @frames: location numbers, leaf first; may be none. @labels may be NULL; @values, too, without sample types.
 *
 * The sample is made if it is new; else the values are added to it, saturating at the ends of int64_t.
 * Returns the sample's place, or PH_INDEX_NONE with the status set.
 */
uint32_t ph_profile_add_sample(struct ph_profile *profile, const uint32_t *frames, uint32_t frame_count,
                               const struct ph_label *labels, uint32_t label_count, const int64_t *values);

/** ph_profile_find_sample() - the place of the sample with this stack and these labels; PH_INDEX_NONE if there is none. */
uint32_t ph_profile_find_sample(const struct ph_profile *profile, const uint32_t *frames, uint32_t frame_count,
                                const struct ph_label *labels, uint32_t label_count);

static inline int64_t *ph_profile_values(const struct ph_profile *profile, uint32_t sample)
{
    return profile->values + (size_t)sample * profile->type_count;
}

static inline const struct ph_location *ph_profile_location(const struct ph_profile *profile, uint32_t location)
{
    return &profile->locations[location - 1];
}

/** ph_profile_label_text() - the text of the first label with @key; "" if the sample has none. */
const char *ph_profile_label_text(const struct ph_profile *profile, const struct ph_sample *sample,
                                  const char *key);

/** ph_profile_total() - the sum of one value over all samples, saturating. */
int64_t ph_profile_total(const struct ph_profile *profile, uint32_t type);

#endif
