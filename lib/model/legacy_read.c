#include "model/legacy_read.h"

#include "base/scan.h"
#include "model/expected.h"
#include "model/grow.h"
#include "model/heap_types.h"
#include "model/maps.h"
#include "model/scale.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TITLE             "heap profile:"
#define TOTALS_SLACK      0.01
#define LOOK_AHEAD_FRAMES 64 /* Go leaves out the runtime's frames: a few, so hostile text cannot make it costly */

struct counts {
    int64_t inuse_objects, inuse_bytes, alloc_objects, alloc_bytes;
};

struct reader {
    struct ph_scan scan;
    struct ph_profile *profile;
    struct ph_error *error;
    struct ph_map_finder finder;
    double rate_bytes; /* 0 or 1: nothing to unbias */
    uint32_t *frames;  /* of the sample last read */
    uint32_t frame_count;
    uint32_t frame;        /* the one the last symbol line was for */
    struct ph_line *lines; /* of that frame */
    uint32_t line_count;
    struct counts totals;                      /* as the heading has them */
    double inuse_bytes_read, alloc_bytes_read; /* of the samples */
    bool has_maps, has_trailer;                /* what stands behind the last sample was reached */
};

static int out_of_memory(const struct reader *reader)
{
    int status = ph_profile_status(reader->profile);
    return ph_error_set(reader->error, status ? status : -ENOMEM, "no memory for the heap profile");
}

/* ---- counts ---- */

static bool scan_signed(struct ph_scan *scan, int64_t *ret_value)
{
    uint64_t value;
    bool negative = ph_scan_char(scan, '-');
    if (!ph_scan_decimal(scan, &value) || value > INT64_MAX)
        return false;
    *ret_value = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* "n: b", with blanks before both. */
static bool scan_pair(struct ph_scan *scan, int64_t *ret_objects, int64_t *ret_bytes)
{
    ph_scan_blanks(scan);
    if (!scan_signed(scan, ret_objects) || !ph_scan_char(scan, ':'))
        return false;
    ph_scan_blanks(scan);
    return scan_signed(scan, ret_bytes);
}

/* "n: b [N: B] @" or "n: b @". */
static bool scan_counts(struct ph_scan *scan, struct counts *ret_counts)
{
    struct counts counts = {0, 0, 0, 0};
    if (!scan_pair(scan, &counts.inuse_objects, &counts.inuse_bytes))
        return false;
    ph_scan_blanks(scan);
    if (ph_scan_char(scan, '[')) {
        if (!scan_pair(scan, &counts.alloc_objects, &counts.alloc_bytes))
            return false;
        ph_scan_blanks(scan);
        if (!ph_scan_char(scan, ']'))
            return false;
        ph_scan_blanks(scan);
    }
    *ret_counts = counts;
    return ph_scan_char(scan, '@');
}

/* ---- header ---- */

/* How the numbers were taken: google/pprof, profile/legacy_profile.go, parseHeapHeader(). */
static const struct {
    const char *name;
    unsigned divisor; /* of the number behind it; 0: none is there, and every allocation was counted */
} samplings[] = {
    {"heap_v2/", 1},
    {"heapz_v2/", 1},
    {"heap/", 2},
    {"heapprofile", 0},
};

static bool scan_sampling(struct ph_scan *scan, uint64_t *ret_rate)
{
    for (size_t i = 0; i < sizeof(samplings) / sizeof(samplings[0]); i++) {
        if (!ph_scan_text(scan, samplings[i].name))
            continue;
        uint64_t number = 1;
        if (samplings[i].divisor && (!ph_scan_decimal(scan, &number) || number > INT64_MAX))
            return false;
        *ret_rate = samplings[i].divisor ? number / samplings[i].divisor : 1;
        return true;
    }
    return false;
}

static int read_header(struct reader *reader)
{
    struct ph_scan line = ph_scan_line(&reader->scan);
    uint64_t rate;
    if (!ph_scan_text(&line, TITLE))
        return ph_expected_in(&reader->scan, &line, "\"" TITLE "\"", reader->error);
    if (!scan_counts(&line, &reader->totals))
        return ph_expected_in(&reader->scan, &line, "totals as in \"1: 2 [3: 4] @\"", reader->error);
    ph_scan_blanks(&line);
    if (!scan_sampling(&line, &rate))
        return ph_expected_in(&reader->scan, &line, "heap_v2/RATE, heapz_v2/RATE, heap/RATE or heapprofile",
                              reader->error);
    reader->rate_bytes = (double)rate;
    ph_heap_types_set(reader->profile, (int64_t)rate);
    return 0;
}

/* ---- symbol lines ---- */

/* Names the frame that the symbol lines so far were for. */
static void finish_frame(struct reader *reader)
{
    if (reader->line_count)
        ph_profile_set_lines(reader->profile, reader->frames[reader->frame], reader->lines, reader->line_count);
    reader->line_count = 0;
}

static uint64_t frame_address(const struct reader *reader, uint32_t frame)
{
    return ph_profile_location(reader->profile, reader->frames[frame])->address;
}

/*
 * The frame that a symbol line is for: the present one again if calls were inlined there, else the next one with
 * that address. A recursion repeats the address, too: its first function then comes again.
 */
static bool find_frame(struct reader *reader, uint64_t address, uint32_t function)
{
    uint32_t frame = reader->frame;
    if (reader->line_count)
        frame += reader->lines[0].function == function;
    uint32_t end =
        reader->frame_count - frame > LOOK_AHEAD_FRAMES ? frame + LOOK_AHEAD_FRAMES : reader->frame_count;
    while (frame < end && frame_address(reader, frame) != address)
        frame++;
    if (frame >= end)
        return false;
    if (frame != reader->frame)
        finish_frame(reader);
    reader->frame = frame;
    return true;
}

static void cut_tabs(struct ph_scan *field)
{
    while (field->end > field->next && (field->end[-1] == '\t' || field->end[-1] == ' '))
        field->end--;
}

/* Up to the next tab; moves behind the tabs. */
static struct ph_scan scan_field(struct ph_scan *line)
{
    const char *tab = memchr(line->next, '\t', (size_t)(line->end - line->next));
    struct ph_scan field = {line->next, line->next, tab ? tab : line->end};
    line->next = field.end;
    ph_scan_blanks(line);
    cut_tabs(&field);
    return field;
}

static uint32_t field_string(struct reader *reader, const struct ph_scan *field)
{
    return ph_profile_string_n(reader->profile, field->next, (size_t)(field->end - field->next));
}

/* Cuts "<mark>NUMBER" off the end of a field, hexadecimal for "+0x", else decimal. */
static bool cut_number(struct ph_scan *field, const char *mark, bool (*scan_number)(struct ph_scan *, uint64_t *),
                       uint64_t *ret_number)
{
    size_t mark_bytes = strlen(mark);
    for (const char *at = field->end; at > field->next; at--) {
        struct ph_scan tail = {field->start, at, field->end};
        if (ph_scan_text(&tail, mark) && scan_number(&tail, ret_number) && ph_scan_done(&tail)) {
            field->end = at;
            return true;
        }
        if ((size_t)(field->end - at) > mark_bytes + 20) /* more digits than 64 bits have */
            return false;
    }
    return false;
}

/* "#<TAB>0xADDR<TAB>function+0xOFFSET<TAB>file:line"; other comments are nothing to us. */
static int read_symbol(struct reader *reader, struct ph_scan line)
{
    uint64_t address, offset, number = 0;
    if (!ph_scan_text(&line, "#\t0x") || !ph_scan_hex(&line, &address) || !ph_scan_char(&line, '\t'))
        return 0;
    struct ph_scan name = scan_field(&line), file = scan_field(&line);
    cut_number(&name, "+0x", ph_scan_hex, &offset);
    cut_number(&file, ":", ph_scan_decimal, &number);
    if (ph_scan_done(&name) || (*name.next == '?' && name.end - name.next == 1))
        return 0;
    struct ph_function function = {.name = field_string(reader, &name), .file = field_string(reader, &file)};
    function.system_name = function.name;
    struct ph_line added = {.line = number <= INT64_MAX ? (int64_t)number : 0};
    added.function = ph_profile_add_function(reader->profile, &function);
    if (ph_profile_status(reader->profile) < 0)
        return out_of_memory(reader);
    if (!find_frame(reader, address, added.function))
        return 0;
    if (ph_grow(&reader->lines, sizeof(*reader->lines), reader->line_count, 1) < 0)
        return out_of_memory(reader);
    reader->lines[reader->line_count++] = added;
    return 0;
}

/* ---- samples ---- */

static int read_frames(struct reader *reader, struct ph_scan *line)
{
    reader->frame_count = reader->frame = 0;
    for (ph_scan_blanks(line); !ph_scan_done(line); ph_scan_blanks(line)) {
        uint64_t address;
        if (!ph_scan_text(line, "0x") || !ph_scan_hex(line, &address))
            return ph_expected_in(&reader->scan, line, "an address (0x and at most 16 hex digits)", reader->error);
        address -= address ? 1 : 0;
        uint32_t mapping = ph_map_find(&reader->finder, address);
        uint32_t location = ph_profile_add_location(reader->profile, mapping, address, false, NULL, 0);
        if (location == 0 || ph_grow(&reader->frames, sizeof(*reader->frames), reader->frame_count, 1) < 0)
            return out_of_memory(reader);
        reader->frames[reader->frame_count++] = location;
    }
    return 0;
}

static void unbias(const struct reader *reader, int64_t objects, int64_t bytes, int64_t *ret_pair)
{
    double factor = ph_unbias((double)objects, (double)bytes, reader->rate_bytes);
    ret_pair[0] = factor == 1 ? objects : ph_round_saturating((double)objects * factor);
    ret_pair[1] = factor == 1 ? bytes : ph_round_saturating((double)bytes * factor);
}

static int read_sample(struct reader *reader, struct ph_scan line)
{
    struct counts counts;
    int64_t values[PH_HEAP_TYPE_COUNT];
    if (!scan_counts(&line, &counts))
        return ph_expected_in(&reader->scan, &line, "counts as in \"1: 2 [3: 4] @ 0x5\"", reader->error);
    int status = read_frames(reader, &line);
    if (status < 0)
        return status;
    reader->inuse_bytes_read += (double)counts.inuse_bytes;
    reader->alloc_bytes_read += (double)counts.alloc_bytes;
    unbias(reader, counts.alloc_objects, counts.alloc_bytes, &values[PH_HEAP_ALLOC_OBJECTS]);
    unbias(reader, counts.inuse_objects, counts.inuse_bytes, &values[PH_HEAP_INUSE_OBJECTS]);
    uint32_t sample = ph_profile_add_sample(reader->profile, reader->frames, reader->frame_count, NULL, 0, values);
    return sample == PH_INDEX_NONE ? out_of_memory(reader) : 0;
}

static bool is_maps_title(struct ph_scan line)
{
    return (ph_scan_text(&line, "MAPPED_LIBRARIES:") || ph_scan_text(&line, "--- Memory map: ---")) &&
           ph_scan_done(&line);
}

/* Go's, behind the samples. */
static bool is_statistics_title(struct ph_scan line)
{
    return ph_scan_text(&line, "# runtime.MemStats") && ph_scan_done(&line);
}

static int read_line(struct reader *reader, struct ph_scan line)
{
    reader->has_trailer |= is_statistics_title(line);
    if (!ph_scan_done(&line) && *line.next == '#')
        return read_symbol(reader, line);
    finish_frame(reader);
    struct ph_scan rest = line;
    ph_scan_blanks(&rest);
    return ph_scan_done(&rest) ? 0 : read_sample(reader, line);
}

/*
 * A download that broke off looks like a smaller heap, and the next one like a leak. With neither list of files nor
 * statistics behind the samples, these must make up the totals of the heading, within what rounding takes.
 */
static bool makes_up(double read, int64_t total)
{
    return read >= (double)total - TOTALS_SLACK * fabs((double)total);
}

static int check_end(struct reader *reader)
{
    const struct ph_scan *scan = &reader->scan;
    bool is_whole = makes_up(reader->inuse_bytes_read, reader->totals.inuse_bytes) &&
                    makes_up(reader->alloc_bytes_read, reader->totals.alloc_bytes);
    if (reader->has_maps ? scan->end[-1] == '\n' : reader->has_trailer || is_whole)
        return 0;
    struct ph_scan end = {scan->start, scan->end, scan->end};
    return ph_expected(&end,
                       reader->has_maps ? "the rest of the list of mapped files"
                                        : "more samples: the heading counts more bytes than those before",
                       reader->error);
}

static int read_lines(struct reader *reader)
{
    int status = read_header(reader);
    while (status == 0 && !ph_scan_done(&reader->scan) && !reader->has_maps) {
        struct ph_scan line = ph_scan_line(&reader->scan);
        reader->has_maps = is_maps_title(line);
        if (!reader->has_maps)
            status = read_line(reader, line);
    }
    finish_frame(reader);
    if (status == 0)
        status = check_end(reader);
    if (status == 0 && ph_profile_status(reader->profile) < 0)
        status = out_of_memory(reader);
    return status;
}

/* The maps stand last but are needed first. */
static int read_maps(struct reader *reader)
{
    struct ph_scan scan = reader->scan;
    while (!ph_scan_done(&scan))
        if (is_maps_title(ph_scan_line(&scan)))
            break;
    bool fits = ph_maps_read(reader->profile, ph_scan_over(scan.next, (size_t)(scan.end - scan.next))) == 0 &&
                ph_map_finder_init(&reader->finder, reader->profile) == 0;
    return fits ? 0 : out_of_memory(reader);
}

bool ph_legacy_is(const char *text, size_t size_bytes)
{
    struct ph_scan scan = ph_scan_over(text, size_bytes);
    return ph_scan_text(&scan, TITLE);
}

int ph_legacy_read(const char *text, size_t size_bytes, struct ph_profile **ret_profile, struct ph_error *error)
{
    struct reader reader = {.scan = ph_scan_over(text, size_bytes), .error = error};
    reader.profile = ph_profile_new();
    if (!reader.profile)
        return ph_error_set(error, -ENOMEM, "no memory for the heap profile");
    int status = read_maps(&reader);
    if (status == 0)
        status = read_lines(&reader);
    free(reader.frames);
    free(reader.lines);
    ph_map_finder_fini(&reader.finder);
    if (status < 0)
        ph_profile_free(reader.profile);
    else
        *ret_profile = reader.profile;
    return status;
}
