/*
 * ident.h - what tells one build of an ELF file from another, and where its code was to be mapped.
 *
 * Read from the ELF header, the program headers and the notes, which are the same in the file and in memory; so it
 * takes a read function. Only ELF files of our own class and byte order. Any thread.
 */
#ifndef PH_ELF_IDENT_H
#define PH_ELF_IDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PH_BUILD_ID_TEXT_MAX 129 /* 64 bytes in hex; linkers write 8 to 32 */
#define PH_IDENT_LOADS_MAX   16  /* executable segments; node has 3 */

struct ph_ident {
    char build_id[PH_BUILD_ID_TEXT_MAX]; /* lower-case hex; "" if there is none */
    uint64_t header_hash;                /* of ELF header and program headers; never 0 */
    struct ph_load {
        uint64_t offset, address, size_bytes; /* in the file, virtual, in the file */
    } loads[PH_IDENT_LOADS_MAX];              /* the executable PT_LOAD segments */
    uint32_t load_count;
    uint64_t unwind_address; /* virtual, of .eh_frame_hdr (PT_GNU_EH_FRAME); 0: none */
};

/** All of @size_bytes at @offset of the ELF file into @buffer, or false. */
typedef bool ph_read_at(const void *owner, uint64_t offset, void *buffer, size_t size_bytes);

/** ph_ident_read() - false if it is no ELF file for this machine. */
bool ph_ident_read(ph_read_at *read_at, const void *owner, struct ph_ident *ret_ident);

/** ph_ident_bias() - run-time address minus virtual address, for an executable mapping of @offset at @start;
 * 0 if no segment holds @offset. */
uint64_t ph_ident_bias(const struct ph_ident *ident, uint64_t start, uint64_t offset);

/** ph_note_build_id() - from note entries (gABI, "Note Section"), padded to @align_bytes. False if there is none.
 * @ret_text: PH_BUILD_ID_TEXT_MAX bytes. */
bool ph_note_build_id(const void *notes, size_t size_bytes, size_t align_bytes, char *ret_text);

#endif
