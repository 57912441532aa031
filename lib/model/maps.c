#include "model/maps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t start, limit, offset;
    struct ph_scan path; /* empty for anonymous memory */
    bool is_executable;
};

static void skip_word(struct ph_scan *scan)
{
    while (scan->next < scan->end && *scan->next != ' ')
        scan->next++;
    ph_scan_blanks(scan);
}

static struct ph_scan path_of(struct ph_scan rest)
{
    static const char deleted[] = " (deleted)";
    size_t deleted_bytes = sizeof(deleted) - 1;
    struct ph_scan path = {rest.next, rest.next, rest.end};
    if ((size_t)(path.end - path.next) > deleted_bytes &&
        memcmp(path.end - deleted_bytes, deleted, deleted_bytes) == 0)
        path.end -= deleted_bytes;
    return path;
}

/* "start-limit perms offset device inode   path": proc(5). */
static bool parse_entry(struct ph_scan line, struct entry *ret_entry)
{
    struct entry entry;
    ph_scan_blanks(&line);
    if (!ph_scan_hex(&line, &entry.start) || !ph_scan_char(&line, '-') || !ph_scan_hex(&line, &entry.limit) ||
        !ph_scan_char(&line, ' ') || line.end - line.next < 4 || entry.start > entry.limit)
        return false;
    entry.is_executable = line.next[2] == 'x';
    skip_word(&line);
    if (!ph_scan_hex(&line, &entry.offset))
        return false;
    ph_scan_blanks(&line);
    skip_word(&line); /* device */
    skip_word(&line); /* inode */
    entry.path = path_of(line);
    *ret_entry = entry;
    return true;
}

static size_t path_bytes(const struct entry *entry)
{
    return (size_t)(entry->path.end - entry->path.next);
}

static bool is_path_equal(const struct entry *a, const struct entry *b)
{
    return path_bytes(a) == path_bytes(b) && memcmp(a->path.next, b->path.next, path_bytes(a)) == 0;
}

static struct entry find_main(struct ph_scan text)
{
    struct entry entry;
    while (!ph_scan_done(&text))
        if (parse_entry(ph_scan_line(&text), &entry) && path_bytes(&entry) && *entry.path.next == '/')
            return entry;
    return (struct entry){0};
}

static void add_entry(struct ph_profile *profile, const struct entry *entry)
{
    struct ph_mapping mapping = {.start = entry->start, .limit = entry->limit, .offset = entry->offset};
    mapping.file = ph_profile_string_n(profile, entry->path.next, path_bytes(entry));
    ph_profile_add_mapping(profile, &mapping);
}

/* Adds the segments that are the main binary's, or those that are not. */
static void add_entries(struct ph_profile *profile, struct ph_scan text, const struct entry *main_entry,
                        bool of_main)
{
    struct entry entry;
    while (!ph_scan_done(&text))
        if (parse_entry(ph_scan_line(&text), &entry) && entry.is_executable && path_bytes(&entry) &&
            is_path_equal(&entry, main_entry) == of_main)
            add_entry(profile, &entry);
}

int ph_maps_read(struct ph_profile *profile, struct ph_scan text)
{
    struct entry main_entry = find_main(text);
    add_entries(profile, text, &main_entry, true);
    add_entries(profile, text, &main_entry, false);
    return ph_profile_status(profile);
}

static int by_start(const void *a, const void *b)
{
    const struct ph_map_range *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

int ph_map_finder_init(struct ph_map_finder *finder, const struct ph_profile *profile)
{
    *finder = (struct ph_map_finder){NULL, 0};
    if (profile->mapping_count == 0)
        return 0;
    finder->ranges = calloc(profile->mapping_count, sizeof(*finder->ranges));
    if (!finder->ranges)
        return -ENOMEM;
    for (; finder->count < profile->mapping_count; finder->count++) {
        const struct ph_mapping *mapping = &profile->mappings[finder->count];
        finder->ranges[finder->count] =
            (struct ph_map_range){mapping->start, mapping->limit, (uint32_t)finder->count + 1};
    }
    qsort(finder->ranges, finder->count, sizeof(*finder->ranges), by_start);
    return 0;
}

void ph_map_finder_fini(struct ph_map_finder *finder)
{
    free(finder->ranges);
    *finder = (struct ph_map_finder){NULL, 0};
}

uint32_t ph_map_find(const struct ph_map_finder *finder, uint64_t address)
{
    size_t low = 0, high = finder->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (finder->ranges[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low && address < finder->ranges[low - 1].limit ? finder->ranges[low - 1].mapping : 0;
}

/* ---- several processes ---- */

#define PLACE_ALIGNMENT UINT64_C(0x200000)

static bool overlaps(const struct ph_mapping *a, const struct ph_mapping *b)
{
    return a->start < b->limit && b->start < a->limit;
}

static bool overlaps_earlier(const struct ph_profile *profile, uint32_t place)
{
    for (uint32_t i = 0; i < place; i++)
        if (overlaps(&profile->mappings[i], &profile->mappings[place]))
            return true;
    return false;
}

/* Above what programs can map: [vsyscall] lies higher still. */
static uint64_t highest_limit(const struct ph_profile *profile)
{
    uint64_t highest = 0;
    for (uint32_t i = 0; i < profile->mapping_count; i++)
        if (profile->mappings[i].limit > highest && profile->mappings[i].limit < UINT64_C(1) << 63)
            highest = profile->mappings[i].limit;
    return highest;
}

static void move_mapping(struct ph_profile *profile, uint32_t place, uint64_t start)
{
    struct ph_mapping *mapping = &profile->mappings[place];
    uint64_t distance = start - mapping->start;
    for (uint32_t i = 0; i < profile->location_count; i++)
        if (profile->locations[i].mapping == place + 1)
            profile->locations[i].address += distance;
    mapping->limit += distance;
    mapping->start = start;
}

void ph_maps_part(struct ph_profile *profile)
{
    uint64_t free_from = highest_limit(profile);
    for (uint32_t i = 1; i < profile->mapping_count; i++) {
        if (!overlaps_earlier(profile, i))
            continue;
        free_from = (free_from + PLACE_ALIGNMENT - 1) & ~(PLACE_ALIGNMENT - 1);
        move_mapping(profile, i, free_from);
        free_from = profile->mappings[i].limit;
    }
}

void ph_maps_name(struct ph_buf *out, const char *name)
{
    while (*name) {
        size_t length = strcspn(name, "\t\n\r");
        ph_buf_append(out, name, length);
        name += length;
        if (*name++)
            ph_buf_char(out, ' ');
        else
            return;
    }
}

void ph_maps_write(const struct ph_profile *profile, struct ph_buf *out)
{
    for (uint32_t i = 0; i < profile->mapping_count; i++) {
        const struct ph_mapping *mapping = &profile->mappings[i];
        ph_buf_printf(out, "%08" PRIx64 "-%08" PRIx64 " r-xp %08" PRIx64 " 00:00 0 ", mapping->start,
                      mapping->limit, mapping->offset);
        ph_maps_name(out, ph_profile_text(profile, mapping->file));
        ph_buf_char(out, '\n');
    }
}
