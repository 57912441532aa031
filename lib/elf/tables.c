#include "elf/tables.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_BYTES 4096

struct reader {
    Elf *elf;
    const struct ph_file *file;
    struct ph_range section_names;
    struct ph_tables *tables;
};

static struct ph_range range_of(const struct ph_file *file, const GElf_Shdr *header)
{
    bool usable = !(header->sh_flags & SHF_COMPRESSED) && ph_file_holds(file, header->sh_offset, header->sh_size);
    return usable ? (struct ph_range){header->sh_offset, header->sh_size} : (struct ph_range){0, 0};
}

static bool find_section(const struct reader *reader, size_t number, GElf_Shdr *ret_header)
{
    Elf_Scn *section = elf_getscn(reader->elf, number);
    return section && gelf_getshdr(section, ret_header);
}

static void add_symbols(struct reader *reader, const GElf_Shdr *header, struct ph_symbol_table *table)
{
    GElf_Shdr names;
    if (table->symbols.size_bytes > 0 || header->sh_entsize != sizeof(ElfW(Sym)) ||
        !find_section(reader, header->sh_link, &names) || names.sh_type != SHT_STRTAB)
        return;
    struct ph_symbol_table found = {range_of(reader->file, header), range_of(reader->file, &names)};
    found.symbols.size_bytes -= found.symbols.size_bytes % sizeof(ElfW(Sym));
    if (found.symbols.size_bytes > 0 && found.names.size_bytes > 0)
        *table = found;
}

static void add_build_id(struct reader *reader, const GElf_Shdr *header)
{
    unsigned char notes[NOTES_BYTES];
    struct ph_range range = range_of(reader->file, header);
    if (reader->tables->build_id[0] || range.size_bytes > sizeof(notes) ||
        !ph_file_read(reader->file, range.offset, notes, range.size_bytes))
        return;
    ph_note_build_id(notes, range.size_bytes, header->sh_addralign, reader->tables->build_id);
}

/* Section names are read one by one: linkers that merge all names into one table make it tens of megabytes. */
static void add_debugdata(struct reader *reader, const GElf_Shdr *header)
{
    static const char wanted[] = ".gnu_debugdata";
    char name[sizeof(wanted)];
    struct ph_range names = reader->section_names;
    if (header->sh_name < names.size_bytes && names.size_bytes - header->sh_name >= sizeof(name) &&
        ph_file_read(reader->file, names.offset + header->sh_name, name, sizeof(name)) &&
        memcmp(name, wanted, sizeof(name)) == 0)
        reader->tables->debugdata = range_of(reader->file, header);
}

static void add_code(const GElf_Shdr *header, struct ph_section *section)
{
    const uint64_t code = SHF_ALLOC | SHF_EXECINSTR;
    uint64_t limit;
    if ((header->sh_flags & code) == code && !__builtin_add_overflow(header->sh_addr, header->sh_size, &limit))
        *section = (struct ph_section){header->sh_addr, limit};
}

static void add_section(struct reader *reader, size_t number)
{
    GElf_Shdr header;
    if (!find_section(reader, number, &header))
        return;
    add_code(&header, &reader->tables->sections[number]);
    if (header.sh_type == SHT_SYMTAB)
        add_symbols(reader, &header, &reader->tables->full);
    else if (header.sh_type == SHT_DYNSYM)
        add_symbols(reader, &header, &reader->tables->dynamic);
    else if (header.sh_type == SHT_NOTE)
        add_build_id(reader, &header);
    else if (header.sh_type == SHT_PROGBITS && !(header.sh_flags & SHF_ALLOC))
        add_debugdata(reader, &header);
}

static int read_sections(struct reader *reader)
{
    size_t count, names;
    GElf_Shdr header;
    if (elf_kind(reader->elf) != ELF_K_ELF || elf_getshdrnum(reader->elf, &count) < 0 || count == 0)
        return -EINVAL;
    reader->tables->sections = calloc(count, sizeof(*reader->tables->sections));
    if (!reader->tables->sections)
        return -ENOMEM;
    reader->tables->section_count = count;
    if (elf_getshdrstrndx(reader->elf, &names) == 0 && find_section(reader, names, &header))
        reader->section_names = range_of(reader->file, &header);
    for (size_t i = 1; i < count; i++)
        add_section(reader, i);
    return 0;
}

/* Before libelf sees it: what it would convert (other byte order, 32 bits) we cannot use, and with e_shnum 0 the
 * number of sections is one of 64 bits in the file, for which libelf would allocate. */
static bool is_usable(const struct ph_file *file)
{
    struct ph_ident ident;
    ElfW(Ehdr) header;
    return ph_ident_read(ph_file_read, file, &ident) && ph_file_read(file, 0, &header, sizeof(header)) &&
           header.e_shnum != 0 && header.e_shentsize == sizeof(ElfW(Shdr));
}

int ph_tables_read(struct ph_tables *ret_tables, const struct ph_file *file)
{
    if (!is_usable(file))
        return -EINVAL;
    struct ph_tables tables = {.section_count = 0};
    struct reader reader = {.file = file, .tables = &tables};
    elf_version(EV_CURRENT);
    reader.elf =
        file->bytes ? elf_memory((char *)file->bytes, file->size_bytes) : elf_begin(file->fd, ELF_C_READ, NULL);
    int status = reader.elf ? read_sections(&reader) : -EINVAL;
    if (reader.elf)
        elf_end(reader.elf);
    if (status < 0)
        ph_tables_fini(&tables);
    else
        *ret_tables = tables;
    return status;
}

void ph_tables_fini(struct ph_tables *tables)
{
    free(tables->sections);
    *tables = (struct ph_tables){.section_count = 0};
}
