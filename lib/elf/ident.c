#include "elf/ident.h"

#include "base/index.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#define HEADERS_MAX 64   /* program headers; linkers make about 15 */
#define NOTES_BYTES 4096 /* build id, ABI tag and properties take 150 */

#define NATIVE_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)
#define NATIVE_DATA  (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

struct header {
    ElfW(Ehdr) file;
    ElfW(Phdr) program[HEADERS_MAX];
};

static bool read_headers(ph_read_at *read_at, const void *owner, struct header *header)
{
    ElfW(Ehdr) *file = &header->file;
    return read_at(owner, 0, file, sizeof(*file)) && memcmp(file->e_ident, ELFMAG, SELFMAG) == 0 &&
           file->e_ident[EI_CLASS] == NATIVE_CLASS && file->e_ident[EI_DATA] == NATIVE_DATA &&
           file->e_phentsize == sizeof(header->program[0]) && file->e_phnum <= HEADERS_MAX &&
           read_at(owner, file->e_phoff, header->program, file->e_phnum * sizeof(header->program[0]));
}

static size_t aligned(size_t size_bytes, size_t align_bytes)
{
    return (size_bytes + align_bytes - 1) & ~(align_bytes - 1);
}

static bool write_hex(const unsigned char *bytes, size_t size_bytes, char *text)
{
    if (size_bytes == 0 || size_bytes > (PH_BUILD_ID_TEXT_MAX - 1) / 2)
        return false;
    for (size_t i = 0; i < size_bytes; i++) {
        *text++ = "0123456789abcdef"[bytes[i] >> 4];
        *text++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *text = '\0';
    return true;
}

bool ph_note_build_id(const void *notes, size_t size_bytes, size_t align_bytes, char *ret_text)
{
    const unsigned char *next = notes;
    ElfW(Nhdr) note;
    align_bytes = align_bytes == 8 ? 8 : 4;
    while (size_bytes >= sizeof(note)) {
        memcpy(&note, next, sizeof(note));
        /* Lengths have 32 bits and size_t 64: no sum here can overflow. */
        size_t content = aligned(sizeof(note) + note.n_namesz, align_bytes);
        size_t after = aligned(content + note.n_descsz, align_bytes);
        if (content + note.n_descsz > size_bytes)
            return false;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(next + sizeof(note), "GNU", 4) == 0)
            return write_hex(next + content, note.n_descsz, ret_text);
        if (after >= size_bytes)
            return false;
        next += after;
        size_bytes -= after;
    }
    return false;
}

static void read_build_id(ph_read_at *read_at, const void *owner, const ElfW(Phdr) * program, char *ret_text)
{
    unsigned char notes[NOTES_BYTES];
    size_t size_bytes = program->p_filesz < sizeof(notes) ? program->p_filesz : sizeof(notes);
    if (read_at(owner, program->p_offset, notes, size_bytes))
        ph_note_build_id(notes, size_bytes, program->p_align, ret_text);
}

static void add_load(struct ph_ident *ident, const ElfW(Phdr) * program)
{
    if ((program->p_flags & PF_X) && ident->load_count < PH_IDENT_LOADS_MAX)
        ident->loads[ident->load_count++] =
            (struct ph_load){program->p_offset, program->p_vaddr, program->p_filesz};
}

bool ph_ident_read(ph_read_at *read_at, const void *owner, struct ph_ident *ret_ident)
{
    struct header header;
    struct ph_ident ident = {.load_count = 0};
    if (!read_headers(read_at, owner, &header))
        return false;
    size_t count = header.file.e_phnum;
    ident.header_hash = ph_hash_bytes(&header, sizeof(header.file) + count * sizeof(header.program[0]));
    ident.header_hash += ident.header_hash == 0;
    for (size_t i = 0; i < count; i++) {
        const ElfW(Phdr) *program = &header.program[i];
        if (program->p_type == PT_LOAD)
            add_load(&ident, program);
        else if (program->p_type == PT_GNU_EH_FRAME)
            ident.unwind_address = program->p_vaddr;
        else if (program->p_type == PT_NOTE && !ident.build_id[0])
            read_build_id(read_at, owner, program, ident.build_id);
    }
    *ret_ident = ident;
    return true;
}

/* Segments may share a page of the file; then the later one begins in it, so the last that begins at or before
 * @offset is the one that was mapped there. */
uint64_t ph_ident_bias(const struct ph_ident *ident, uint64_t start, uint64_t offset)
{
    uint64_t page_mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1;
    const struct ph_load *found = NULL;
    for (uint32_t i = 0; i < ident->load_count; i++) {
        const struct ph_load *load = &ident->loads[i];
        bool holds = (load->offset & ~page_mask) <= offset && offset < load->offset + load->size_bytes;
        if (holds && (!found || load->offset >= found->offset))
            found = load;
    }
    return found ? start - (found->address + offset - found->offset) : 0;
}
