#include "elf/loaded.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADERS_MAX 64   /* program headers; linkers make about 15 */
#define NOTES_BYTES 4096 /* build id, ABI tag and properties take 150 */
#define FIRST_ROOM  64

struct reading {
    struct ph_loaded *loaded;
    size_t room;
    int status;
};

static int grow(struct reading *reading)
{
    size_t room = reading->room ? reading->room * 2 : FIRST_ROOM;
    struct ph_loaded_file *files = reallocarray(reading->loaded->files, room, sizeof(*files));
    if (!files)
        return -ENOMEM;
    reading->loaded->files = files;
    reading->room = room;
    return 0;
}

static int add_file(struct reading *reading, const struct dl_phdr_info *info, const struct dl_find_object *object)
{
    struct ph_loaded *loaded = reading->loaded;
    struct ph_loaded_file file = {
        .path = ph_arena_copy(&loaded->text, info->dlpi_name, strlen(info->dlpi_name)),
        .start = (uint64_t)(uintptr_t)object->dlfo_map_start,
        .limit = (uint64_t)(uintptr_t)object->dlfo_map_end,
        .bias = info->dlpi_addr,
        .headers = (uint64_t)(uintptr_t)info->dlpi_phdr,
        .header_count = info->dlpi_phnum,
    };
    if (!file.path || (loaded->count == reading->room && grow(reading) < 0))
        return -ENOMEM;
    loaded->files[loaded->count++] = file;
    return 0;
}

/* The executable is the first. A file that was cut short on disk has pages that kill who reads them: so its headers are not
 * read here, and its bounds are asked for. */
static int on_object(struct dl_phdr_info *info, size_t size_bytes, void *context)
{
    struct reading *reading = context;
    struct dl_find_object object;
    bool is_file = info->dlpi_name[0] == '/' || (info->dlpi_name[0] == '\0' && reading->loaded->count == 0);
    if (is_file && _dl_find_object((void *)info->dlpi_phdr, &object) == 0)
        reading->status = add_file(reading, info, &object);
    return reading->status;
}

int ph_loaded_read(struct ph_loaded *ret_loaded)
{
    struct ph_loaded loaded = {.text = PH_ARENA_INIT};
    struct reading reading = {.loaded = &loaded};
    dl_iterate_phdr(on_object, &reading);
    if (reading.status < 0)
        ph_loaded_fini(&loaded);
    else
        *ret_loaded = loaded;
    return reading.status;
}

void ph_loaded_fini(struct ph_loaded *loaded)
{
    free(loaded->files);
    ph_arena_fini(&loaded->text);
    *loaded = (struct ph_loaded){.text = PH_ARENA_INIT};
}

/* ---- one of them ---- */

static bool read_executable_path(char *ret_path)
{
    static const char deleted[] = " (deleted)";
    ssize_t length = readlink("/proc/thread-self/exe", ret_path, PATH_MAX - 1);
    if (length <= 0)
        return false;
    ret_path[length] = '\0';
    char *end = ret_path + length + 1 - sizeof(deleted);
    if (end > ret_path && strcmp(end, deleted) == 0)
        *end = '\0';
    return ret_path[0] == '/';
}

static bool read_build_id(const struct ph_memory *memory, uint64_t bias, const ElfW(Phdr) * notes, char *ret_text)
{
    unsigned char bytes[NOTES_BYTES];
    size_t size_bytes = notes->p_filesz < sizeof(bytes) ? notes->p_filesz : sizeof(bytes);
    return ph_memory_read(memory, bias + notes->p_vaddr, bytes, size_bytes) &&
           ph_note_build_id(bytes, size_bytes, notes->p_align, ret_text);
}

/* The loader maps whole pages. */
static void place_code(uint64_t bias, const ElfW(Phdr) * segment, struct ph_loaded_code *code)
{
    uint64_t mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1, address = bias + segment->p_vaddr;
    code->start = address & ~mask;
    code->limit = (address + segment->p_memsz + mask) & ~mask;
    code->offset = segment->p_offset & ~mask;
}

static bool read_segments(const struct ph_memory *memory, const struct ph_loaded_file *file,
                          struct ph_loaded_code *code)
{
    ElfW(Phdr) headers[HEADERS_MAX];
    int code_count = 0;
    bool has_build_id = false;
    if (file->header_count > HEADERS_MAX ||
        !ph_memory_read(memory, file->headers, headers, file->header_count * sizeof(headers[0])))
        return false;
    for (size_t i = 0; i < file->header_count; i++) {
        if (headers[i].p_type == PT_NOTE && !has_build_id)
            has_build_id = read_build_id(memory, file->bias, &headers[i], code->build_id);
        if (headers[i].p_type != PT_LOAD || !(headers[i].p_flags & PF_X))
            continue;
        place_code(file->bias, &headers[i], code);
        code_count++;
    }
    return has_build_id && code_count == 1;
}

bool ph_loaded_tell(const struct ph_loaded_file *file, const struct ph_memory *memory,
                    struct ph_loaded_code *ret_code)
{
    bool has_path =
        file->path[0] ? realpath(file->path, ret_code->path) != NULL : read_executable_path(ret_code->path);
    return has_path && read_segments(memory, file, ret_code);
}
