#include "elf/unwind_tables.h"

#include <errno.h>
#include <stdlib.h>

#define HEADER_BYTES 16 /* form, address of .eh_frame in up to eight bytes, count */

/* What has to be copied: addresses. */
struct extent {
    uint64_t low, high;
};

static bool read_header(const struct ph_memory *memory, uint64_t header, uint64_t *ret_frames, uint64_t *ret_rows,
                        uint64_t *ret_count)
{
    uint8_t bytes[HEADER_BYTES];
    if (!ph_memory_read(memory, header, bytes, sizeof(bytes)))
        return false;
    struct ph_cfi_cursor at = {(uintptr_t)bytes, (uintptr_t)bytes + sizeof(bytes), header - (uintptr_t)bytes,
                               false};
    if (!ph_cfi_header(&at, ret_frames, ret_count))
        return false;
    *ret_rows = at.at + at.delta;
    return true;
}

/* The entries that the rows name: the last one ends .eh_frame. */
static int find_extent(const struct ph_memory *memory, uint64_t header, struct extent *ret_extent)
{
    uint64_t frames, rows, count;
    uint32_t last_bytes;
    if (!read_header(memory, header, &frames, &rows, &count) || !count)
        return -ENOENT;
    if (count > PH_UNWIND_TABLES_BYTES_MAX / sizeof(struct ph_cfi_row))
        return -EFBIG;
    struct ph_cfi_row *table = malloc(count * sizeof(*table));
    if (!table)
        return -ENOMEM;
    bool is_read = ph_memory_read(memory, rows, table, count * sizeof(*table));
    int32_t first = INT32_MAX, last = INT32_MIN;
    for (uint64_t i = 0; is_read && i < count; i++) {
        first = table[i].entry < first ? table[i].entry : first;
        last = table[i].entry > last ? table[i].entry : last;
    }
    free(table);
    uint64_t last_entry = header + (uint64_t)(int64_t)last, first_entry = header + (uint64_t)(int64_t)first;
    if (!is_read || !ph_memory_read(memory, last_entry, &last_bytes, sizeof(last_bytes)))
        return -ENOENT;
    uint64_t rows_end = rows + count * sizeof(struct ph_cfi_row);
    uint64_t entries_end = last_entry + sizeof(last_bytes) + last_bytes;
    struct extent extent = {header, entries_end > rows_end ? entries_end : rows_end};
    extent.low = first_entry < extent.low ? first_entry : extent.low;
    extent.low = frames < extent.low ? frames : extent.low; /* common entries come before */
    *ret_extent = extent;
    return 0;
}

int ph_unwind_tables_copy(const struct ph_memory *memory, uint64_t header, struct ph_cfi_tables *ret_tables)
{
    struct extent extent;
    int status = find_extent(memory, header, &extent);
    if (status < 0)
        return status;
    if (extent.high <= extent.low || extent.high - extent.low > PH_UNWIND_TABLES_BYTES_MAX)
        return -EFBIG;
    size_t size_bytes = (size_t)(extent.high - extent.low);
    uint8_t *bytes = malloc(size_bytes);
    if (!bytes)
        return -ENOMEM;
    if (!ph_memory_read(memory, extent.low, bytes, size_bytes)) {
        free(bytes);
        return -ENOENT;
    }
    uintptr_t low = (uintptr_t)bytes;
    *ret_tables =
        (struct ph_cfi_tables){low, low + size_bytes, low + (uintptr_t)(header - extent.low), extent.low - low};
    return 0;
}

void ph_unwind_tables_free(struct ph_cfi_tables *tables)
{
    free((void *)tables->low);
    *tables = (struct ph_cfi_tables){0};
}
