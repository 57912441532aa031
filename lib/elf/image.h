/*
 * image.h - an ELF file on disk, as far as one must know it to name addresses in it: segments, build id, symbol tables,
 * and whether there is DWARF or a hint where it is. For the tools. One thread at a time.
 */
#ifndef PH_ELF_IMAGE_H
#define PH_ELF_IMAGE_H

#include "elf/file.h"
#include "elf/tables.h"
#include "model/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PH_SEGMENTS_MAX  32 /* PT_LOAD; linkers make 2 to 8 */
#define PH_DEBUGLINK_MAX 256

struct ph_segment {
    uint64_t offset, address, file_bytes, memory_bytes;
    bool is_code;
};

struct ph_image {
    struct ph_file file;     /* its fd is -1: no image */
    struct ph_tables tables; /* with the build id */
    struct ph_segment segments[PH_SEGMENTS_MAX];
    size_t segment_count;
    bool has_code;                    /* the code itself, which files with debug information only have not */
    bool has_dwarf;                   /* .debug_info */
    char debuglink[PH_DEBUGLINK_MAX]; /* file name in .gnu_debuglink; "" if there is none */
    uint32_t debuglink_crc;
};

#define PH_IMAGE_NONE                                                                                              \
    {                                                                                                              \
        .file = PH_FILE_NONE                                                                                       \
    }

/** ph_image_open() - 0; -EINVAL for what is no ELF file for this machine with section headers; -errno; -ENOMEM. */
int ph_image_open(struct ph_image *ret_image, const char *path);

/** ph_image_close() - also of PH_IMAGE_NONE. */
void ph_image_close(struct ph_image *image);

/** ph_image_crc() - the checksum of the whole file as .gnu_debuglink has it. False if it cannot be read. */
bool ph_image_crc(const struct ph_image *image, uint32_t *ret_crc);

/**
 * ph_image_bias() - run-time address minus virtual address in @mapping. False if no segment was mapped there.
 * A mapping may begin in a segment before the code: some profilers join the mappings of a file.
 */
bool ph_image_bias(const struct ph_image *image, const struct ph_mapping *mapping, uint64_t *ret_bias);

#endif
