#include "elf/image.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK_BYTES ((size_t)64 << 10)

static void read_segments(struct ph_image *image, Elf *elf)
{
    size_t count;
    GElf_Phdr header;
    if (elf_getphdrnum(elf, &count) < 0)
        return;
    for (size_t i = 0; i < count && image->segment_count < PH_SEGMENTS_MAX; i++)
        if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_LOAD)
            image->segments[image->segment_count++] = (struct ph_segment){
                header.p_offset, header.p_vaddr, header.p_filesz, header.p_memsz, (header.p_flags & PF_X) != 0};
}

/* "A filename, with any leading directory components removed, followed by a zero byte, zero to three bytes of padding,
 * and a four-byte CRC checksum": the GDB manual, "Separate Debug Files". */
static void read_debuglink(struct ph_image *image, const GElf_Shdr *header)
{
    char content[PH_DEBUGLINK_MAX + 8];
    if (header->sh_size < 8 || header->sh_size > sizeof(content) ||
        !ph_file_read(&image->file, header->sh_offset, content, header->sh_size))
        return;
    size_t name_bytes = strnlen(content, header->sh_size);
    size_t crc_at = (name_bytes + 4) & ~(size_t)3;
    if (name_bytes == 0 || name_bytes >= PH_DEBUGLINK_MAX || crc_at + 4 > header->sh_size ||
        memchr(content, '/', name_bytes))
        return;
    memcpy(image->debuglink, content, name_bytes + 1);
    memcpy(&image->debuglink_crc, content + crc_at, 4);
}

static void read_section(struct ph_image *image, const GElf_Shdr *header, const char *name)
{
    const uint64_t code = SHF_ALLOC | SHF_EXECINSTR;
    if ((header->sh_flags & code) == code && header->sh_type == SHT_PROGBITS)
        image->has_code = true;
    if (header->sh_type == SHT_NOBITS || !name)
        return;
    if (strcmp(name, ".debug_info") == 0 || strcmp(name, ".zdebug_info") == 0)
        image->has_dwarf = true;
    else if (strcmp(name, ".gnu_debuglink") == 0)
        read_debuglink(image, header);
}

static void read_sections(struct ph_image *image, Elf *elf)
{
    size_t names;
    GElf_Shdr header;
    if (elf_getshdrstrndx(elf, &names) < 0)
        return;
    for (Elf_Scn *section = elf_nextscn(elf, NULL); section; section = elf_nextscn(elf, section))
        if (gelf_getshdr(section, &header))
            read_section(image, &header, elf_strptr(elf, names, header.sh_name));
}

static int read_image(struct ph_image *image)
{
    int status = ph_tables_read(&image->tables, &image->file);
    if (status < 0)
        return status;
    Elf *elf = elf_begin(image->file.fd, ELF_C_READ, NULL);
    if (!elf)
        return -EINVAL;
    read_segments(image, elf);
    read_sections(image, elf);
    elf_end(elf);
    return 0;
}

int ph_image_open(struct ph_image *ret_image, const char *path)
{
    struct ph_image image = PH_IMAGE_NONE;
    int status = ph_file_open(&image.file, path);
    if (status < 0)
        return status;
    status = read_image(&image);
    if (status < 0) {
        ph_image_close(&image);
        return status;
    }
    *ret_image = image;
    return 0;
}

void ph_image_close(struct ph_image *image)
{
    ph_tables_fini(&image->tables);
    ph_file_close(&image->file);
}

bool ph_image_crc(const struct ph_image *image, uint32_t *ret_crc)
{
    unsigned char bytes[CHUNK_BYTES];
    uLong crc = 0;
    for (uint64_t at = 0; at < image->file.size_bytes;) {
        uint64_t left = image->file.size_bytes - at;
        size_t count = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
        if (!ph_file_read(&image->file, at, bytes, count))
            return false;
        crc = crc32(crc, bytes, (uInt)count);
        at += count;
    }
    *ret_crc = (uint32_t)crc;
    return true;
}

/* Segments may share a page of the file; then the later one begins in it, so the last that begins at or before
 * @offset is the one that was mapped there. */
static const struct ph_segment *segment_at(const struct ph_image *image, uint64_t offset, bool is_code,
                                           uint64_t page_mask)
{
    const struct ph_segment *found = NULL;
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct ph_segment *segment = &image->segments[i];
        bool holds = (segment->offset & ~page_mask) <= offset && offset < segment->offset + segment->file_bytes;
        if (holds && segment->is_code == is_code && (!found || segment->offset >= found->offset))
            found = segment;
    }
    return found;
}

bool ph_image_bias(const struct ph_image *image, const struct ph_mapping *mapping, uint64_t *ret_bias)
{
    uint64_t page_mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1;
    const struct ph_segment *segment = segment_at(image, mapping->offset, true, page_mask);
    if (!segment)
        segment = segment_at(image, mapping->offset, false, page_mask);
    if (!segment)
        return false;
    uint64_t bias = mapping->start - (segment->address + mapping->offset - segment->offset);
    if (bias & page_mask)
        return false; /* another file: a loader moves by whole pages */
    *ret_bias = bias;
    return true;
}
