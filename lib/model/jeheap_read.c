#include "model/jeheap_read.h"

#include "base/mark.h"
#include "base/scan.h"
#include "model/expected.h"
#include "model/grow.h"
#include "model/heap_types.h"
#include "model/maps.h"
#include "model/scale.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC      "heap_v2/"
#define MAPS_TITLE "MAPPED_LIBRARIES:"

/*
 * What to do with each address seen so far: one look-up a frame, and a dump has millions of frames but only
 * thousands of addresses. Open addressing, at most half full.
 */
struct memo_slot {
    uint64_t address; /* as printed */
    uint32_t location;
};

#define FREE             0
#define DROPPED          UINT32_MAX
#define FIRST_MEMO_SLOTS 1024

struct reader {
    struct ph_scan scan;
    struct ph_profile *profile;
    const struct ph_jeheap_options *options;
    struct ph_error *error;
    struct ph_map_finder finder;
    struct memo_slot *memo;
    size_t memo_slots, memo_used;
    uint32_t *frames; /* of the stack being read */
    uint32_t frame_count;
    uint64_t marks[PH_JEHEAP_MARKS_MAX]; /* of that stack, too */
    uint32_t mark_count;
    double rate_bytes;
    uint64_t last_objects, last_bytes;
    double last_factor;
};

struct counts {
    uint64_t inuse_objects, inuse_bytes, alloc_objects, alloc_bytes;
};

static int expected(const struct reader *reader, const char *what)
{
    return ph_expected(&reader->scan, what, reader->error);
}

static int out_of_memory(const struct reader *reader)
{
    int status = ph_profile_status(reader->profile);
    return ph_error_set(reader->error, status ? status : -ENOMEM, "no memory for the heap profile");
}

/* ---- addresses ---- */

static struct memo_slot *find_slot(struct memo_slot *slots, size_t slot_count, uint64_t address)
{
    size_t mask = slot_count - 1;
    size_t i = (address * 0x9e3779b97f4a7c15ULL) >> 32 & mask;
    while (slots[i].location != FREE && slots[i].address != address)
        i = (i + 1) & mask;
    return &slots[i];
}

static int grow_memo(struct reader *reader)
{
    size_t slot_count = reader->memo_slots ? reader->memo_slots * 2 : FIRST_MEMO_SLOTS;
    struct memo_slot *slots = calloc(slot_count, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < reader->memo_slots; i++)
        if (reader->memo[i].location != FREE)
            *find_slot(slots, slot_count, reader->memo[i].address) = reader->memo[i];
    free(reader->memo);
    reader->memo = slots;
    reader->memo_slots = slot_count;
    return 0;
}

/* The location of a new address, DROPPED, or FREE if memory is out. */
static uint32_t decide(struct reader *reader, uint64_t return_address)
{
    const struct ph_jeheap_options *options = reader->options;
    uint64_t address = return_address ? return_address - 1 : 0;
    uint32_t mapping = ph_map_find(&reader->finder, address);
    if (options && options->rule && options->rule(options->context, address, mapping) == PH_FRAME_DROP)
        return DROPPED;
    return ph_profile_add_location(reader->profile, mapping, address, false, NULL, 0);
}

static uint32_t location_of(struct reader *reader, uint64_t return_address)
{
    struct memo_slot *slot = find_slot(reader->memo, reader->memo_slots, return_address);
    if (slot->location != FREE)
        return slot->location;
    uint32_t location = decide(reader, return_address);
    if (location == FREE)
        return FREE;
    *slot = (struct memo_slot){return_address, location};
    reader->memo_used++;
    return reader->memo_used * 2 <= reader->memo_slots || grow_memo(reader) == 0 ? location : FREE;
}

/* ---- blocks ---- */

static int add_frame(struct reader *reader, uint64_t address)
{
    if (ph_mark_is_any(address)) {
        if (reader->mark_count < PH_JEHEAP_MARKS_MAX)
            reader->marks[reader->mark_count++] = address;
        return 0;
    }
    uint32_t location = location_of(reader, address);
    if (location == DROPPED)
        return 0;
    if (location == FREE || ph_grow(&reader->frames, sizeof(*reader->frames), reader->frame_count, 1) < 0)
        return out_of_memory(reader);
    reader->frames[reader->frame_count++] = location;
    return 0;
}

static int read_stack(struct reader *reader)
{
    reader->frame_count = reader->mark_count = 0;
    while (ph_scan_char(&reader->scan, ' ')) {
        uint64_t address;
        if (!ph_scan_char(&reader->scan, '0') || !ph_scan_char(&reader->scan, 'x') ||
            !ph_scan_hex(&reader->scan, &address))
            return expected(reader, "an address (0x and at most 16 hex digits)");
        int status = add_frame(reader, address);
        if (status < 0)
            return status;
    }
    return ph_scan_char(&reader->scan, '\n') ? 0
                                             : expected(reader, "a blank and an address, or the end of the line");
}

/* "n: b [N: B]", up to the bracket. */
static int read_counts(struct reader *reader, struct counts *ret_counts)
{
    const struct {
        const char *before;
        uint64_t *value;
    } fields[] = {
        {"", &ret_counts->inuse_objects},
        {": ", &ret_counts->inuse_bytes},
        {" [", &ret_counts->alloc_objects},
        {": ", &ret_counts->alloc_bytes},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (!ph_scan_text(&reader->scan, fields[i].before))
            return expected(reader, "counts as in \"1: 2 [3: 4]\"");
        if (!ph_scan_decimal(&reader->scan, fields[i].value))
            return expected(reader, "a count of at most 64 bits");
    }
    return ph_scan_char(&reader->scan, ']') ? 0 : expected(reader, "\"]\"");
}

static int read_totals(struct reader *reader, struct counts *ret_counts)
{
    if (!ph_scan_text(&reader->scan, "  t*: "))
        return expected(reader, "\"  t*: \" and counts");
    int status = read_counts(reader, ret_counts);
    if (status < 0)
        return status;
    return ph_scan_char(&reader->scan, '\n') ? 0 : expected(reader, "the end of the line");
}

/* "  t3: 1: 2 [3: 4] name": skipped by their line ends, as there is one for each thread in each block. */
static int skip_threads(struct reader *reader)
{
    while (ph_scan_text(&reader->scan, "  t")) {
        const char *newline = memchr(reader->scan.next, '\n', (size_t)(reader->scan.end - reader->scan.next));
        reader->scan.next = newline ? newline + 1 : reader->scan.end;
        if (!newline)
            return expected(reader, "the end of the line");
    }
    return 0;
}

/* Most stacks hold what they ever allocated, or one object of a common size: the last factor often fits again. */
static double factor_for(struct reader *reader, uint64_t objects, uint64_t bytes)
{
    if (objects != reader->last_objects || bytes != reader->last_bytes) {
        reader->last_objects = objects;
        reader->last_bytes = bytes;
        reader->last_factor = ph_unbias((double)objects, (double)bytes, reader->rate_bytes);
    }
    return reader->last_factor;
}

static void unbias(struct reader *reader, uint64_t objects, uint64_t bytes, int64_t *ret_pair)
{
    double factor = factor_for(reader, objects, bytes);
    ret_pair[0] = ph_round_saturating((double)objects * factor);
    ret_pair[1] = ph_round_saturating((double)bytes * factor);
}

static int add_sample(struct reader *reader, const struct counts *counts)
{
    int64_t values[PH_HEAP_TYPE_COUNT];
    struct ph_label labels[PH_JEHEAP_LABELS_MAX];
    uint32_t label_count = 0;
    const struct ph_jeheap_options *options = reader->options;
    if (options && options->labels)
        label_count = options->labels(options->context, reader->marks, reader->mark_count, labels);
    unbias(reader, counts->alloc_objects, counts->alloc_bytes, &values[PH_HEAP_ALLOC_OBJECTS]);
    unbias(reader, counts->inuse_objects, counts->inuse_bytes, &values[PH_HEAP_INUSE_OBJECTS]);
    uint32_t sample =
        ph_profile_add_sample(reader->profile, reader->frames, reader->frame_count, labels, label_count, values);
    return sample == PH_INDEX_NONE ? out_of_memory(reader) : 0;
}

static int read_block(struct reader *reader)
{
    struct counts counts;
    int status = read_stack(reader);
    if (status == 0)
        status = read_totals(reader, &counts);
    if (status == 0)
        status = add_sample(reader, &counts);
    return status == 0 ? skip_threads(reader) : status;
}

/* ---- the whole ---- */

static int read_header(struct reader *reader)
{
    struct counts totals;
    uint64_t rate_bytes;
    if (!ph_scan_text(&reader->scan, MAGIC))
        return expected(reader, "\"" MAGIC "\"");
    if (!ph_scan_decimal(&reader->scan, &rate_bytes) || rate_bytes > INT64_MAX)
        return expected(reader, "the sample rate in bytes");
    if (!ph_scan_char(&reader->scan, '\n'))
        return expected(reader, "the end of the line");
    reader->rate_bytes = (double)rate_bytes;
    ph_heap_types_set(reader->profile, (int64_t)rate_bytes);
    int status = read_totals(reader, &totals);
    return status == 0 ? skip_threads(reader) : status;
}

/*
 * What follows the last block: nothing (a dump without maps), or a blank line and the maps. So a text that was cut
 * inside a line or a block is told; one that was cut behind a whole line of a thread or of the maps is not.
 */
static int read_end(struct reader *reader)
{
    if (ph_scan_done(&reader->scan))
        return 0;
    if (!ph_scan_text(&reader->scan, "\n" MAPS_TITLE "\n"))
        return expected(reader, "\"@\", a thread line or \"" MAPS_TITLE "\"");
    reader->scan.next = reader->scan.end;
    return reader->scan.end[-1] == '\n' ? 0 : expected(reader, "the end of the line");
}

static int read_dump(struct reader *reader)
{
    int status = read_header(reader);
    while (status == 0 && ph_scan_char(&reader->scan, '@'))
        status = read_block(reader);
    if (status == 0)
        status = read_end(reader);
    if (status == 0 && ph_profile_status(reader->profile) < 0)
        status = out_of_memory(reader);
    return status;
}

/*
 * The maps stand last but are needed first: look for their title backwards, line by line, as long as lines look
 * like those of a maps file. Empty if there are none.
 */
struct ph_scan ph_jeheap_maps(const char *text, size_t size_bytes)
{
    const char *line_end = text + size_bytes;
    while (line_end > text) {
        const char *newline = memrchr(text, '\n', (size_t)(line_end - text));
        const char *line = newline ? newline + 1 : text;
        struct ph_scan scan = ph_scan_over(line, (size_t)(line_end - line));
        if (ph_scan_text(&scan, MAPS_TITLE) && ph_scan_done(&scan) && line_end < text + size_bytes)
            return ph_scan_over(line_end + 1, (size_t)(text + size_bytes - line_end - 1));
        if (ph_scan_char(&scan, '@') || ph_scan_text(&scan, "  t") || !newline)
            break;
        line_end = newline;
    }
    return ph_scan_over(text + size_bytes, 0);
}

static int prepare(struct reader *reader, const char *text, size_t size_bytes)
{
    if (reader->profile->mapping_count == 0 && ph_maps_read(reader->profile, ph_jeheap_maps(text, size_bytes)) < 0)
        return out_of_memory(reader);
    if (ph_map_finder_init(&reader->finder, reader->profile) < 0 || grow_memo(reader) < 0)
        return out_of_memory(reader);
    return 0;
}

bool ph_jeheap_is(const char *text, size_t size_bytes)
{
    struct ph_scan scan = ph_scan_over(text, size_bytes);
    return ph_scan_text(&scan, MAGIC);
}

int ph_jeheap_read(struct ph_profile *profile, const char *text, size_t size_bytes,
                   const struct ph_jeheap_options *options, struct ph_error *error)
{
    struct reader reader = {
        .scan = ph_scan_over(text, size_bytes),
        .profile = profile,
        .options = options,
        .error = error,
    };
    int status = prepare(&reader, text, size_bytes);
    if (status == 0)
        status = read_dump(&reader);
    free(reader.frames);
    free(reader.memo);
    ph_map_finder_fini(&reader.finder);
    return status;
}
