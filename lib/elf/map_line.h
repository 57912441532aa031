/*
 * map_line.h - one line of a maps file, as proc(5) has it: address range, permissions, offset, device, inode, path.
 *
 * Allocates only for the path. Any thread.
 */
#ifndef PH_ELF_MAP_LINE_H
#define PH_ELF_MAP_LINE_H

#include "base/arena.h"
#include "base/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_map_line {
    uint64_t start, limit, offset; /* limit exclusive */
    uint64_t device;               /* as makedev() makes it, so as in st_dev */
    uint64_t inode;
    bool readable, executable;
    bool deleted;     /* the path ended in " (deleted)" */
    const char *path; /* in the text: path_bytes long, still escaped, without " (deleted)" */
    size_t path_bytes;
};

/** ph_map_line_read() - step over one line. False, with nothing written, if it is no mapping. */
bool ph_map_line_read(struct ph_scan *text, struct ph_map_line *ret_line);

/** ph_map_line_path() - the path with "\012" turned back into a line end. NULL if memory is out. */
const char *ph_map_line_path(struct ph_arena *arena, const struct ph_map_line *line);

#endif
