#include "elf/modules.h"

#include "base/index.h"
#include "elf/file.h"
#include "elf/ident.h"
#include "elf/map_line.h"
#include "elf/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define READ_BYTES      ((size_t)64 * 1024)
#define IMAGE_LINES_MAX 64 /* lines behind its first that are searched for a part of one ELF image */
#define NONE            PH_INDEX_NONE

/* A line that matters: a mapping of something with a name, or executable. */
struct line {
    uint64_t start, limit, offset;
    uint32_t file;
    uint32_t head; /* the line before or at this one that maps the file's ELF header; NONE if there is none */
    bool readable, executable;
};

struct file {
    struct ph_map_line line; /* device, inode and path are its key */
    const char *path;
    uint32_t head;  /* the latest line that maps its start */
    uint32_t image; /* NONE until one of its mappings turned out to be code */
};

/* What the ELF header of a file says. The same file may be mapped several times (dlmopen). */
struct image {
    struct ph_ident ident;
    const char *build_id;
    bool is_elf;
};

struct snapshot {
    struct ph_buf lines, files, images; /* arrays of the above */
    uint32_t line_count, file_count, image_count;
    struct ph_index file_index;
    struct ph_memory memory;
    bool is_self;
    const uint64_t *starts; /* of the mappings that are wanted; NULL for all */
    size_t start_count;
    struct ph_modules *modules; /* the result */
};

static struct line *line_at(const struct snapshot *snapshot, uint32_t number)
{
    return (struct line *)(void *)snapshot->lines.data + number;
}

static struct file *file_at(const struct snapshot *snapshot, uint32_t number)
{
    return (struct file *)(void *)snapshot->files.data + number;
}

static struct image *image_at(const struct snapshot *snapshot, uint32_t number)
{
    return (struct image *)(void *)snapshot->images.data + number;
}

static bool same_file(const void *owner, uint32_t number, const void *key)
{
    const struct ph_map_line *a = &file_at(owner, number)->line, *b = key;
    return a->device == b->device && a->inode == b->inode && a->deleted == b->deleted &&
           a->path_bytes == b->path_bytes && memcmp(a->path, b->path, a->path_bytes) == 0;
}

/* The number of the file a line maps, or NONE if memory is out. */
static uint32_t intern_file(struct snapshot *snapshot, const struct ph_map_line *line)
{
    uint64_t hash = ph_hash_bytes(line->path, line->path_bytes) ^ ph_hash_u64(line->inode);
    uint32_t number = ph_index_find(&snapshot->file_index, hash, same_file, snapshot, line);
    if (number != NONE)
        return number;
    struct file file = {*line, ph_map_line_path(&snapshot->modules->text, line), NONE, NONE};
    ph_buf_append(&snapshot->files, &file, sizeof(file));
    if (!file.path || ph_buf_status(&snapshot->files) < 0 ||
        ph_index_add(&snapshot->file_index, hash, snapshot->file_count) < 0)
        return NONE;
    return snapshot->file_count++;
}

static bool has_elf(const struct ph_map_line *line)
{
    return line->inode != 0 || (line->path_bytes == 6 && memcmp(line->path, "[vdso]", 6) == 0);
}

static int add_line(struct snapshot *snapshot, const struct ph_map_line *from)
{
    uint32_t number = intern_file(snapshot, from);
    if (number == NONE)
        return -ENOMEM;
    struct file *file = file_at(snapshot, number);
    if (from->offset == 0 && has_elf(from))
        file->head = snapshot->line_count;
    struct line line = {from->start, from->limit,    from->offset,    number,
                        file->head,  from->readable, from->executable};
    ph_buf_append(&snapshot->lines, &line, sizeof(line));
    snapshot->line_count++;
    return ph_buf_status(&snapshot->lines);
}

static int read_lines(struct snapshot *snapshot, const char *text, size_t size_bytes)
{
    struct ph_scan scan = ph_scan_over(text, size_bytes);
    struct ph_map_line line;
    while (!ph_scan_done(&scan)) {
        if (!ph_map_line_read(&scan, &line) || (line.path_bytes == 0 && !line.executable))
            continue;
        if (add_line(snapshot, &line) < 0)
            return -ENOMEM;
    }
    return 0;
}

struct mapped {
    const struct snapshot *snapshot;
    uint32_t head;
};

/* The part of the file at @offset where it is mapped in memory: patched files have their notes behind the code. */
static bool read_mapped(const void *owner, uint64_t offset, void *buffer, size_t size_bytes)
{
    const struct mapped *mapped = owner;
    const struct line *head = line_at(mapped->snapshot, mapped->head);
    uint32_t left = mapped->snapshot->line_count - mapped->head;
    for (uint32_t i = 0; i < left && i < IMAGE_LINES_MAX; i++) {
        const struct line *line = head + i;
        if (line->file != head->file || !line->readable || offset < line->offset)
            continue;
        uint64_t skip = offset - line->offset;
        if (skip < line->limit - line->start && size_bytes <= line->limit - line->start - skip)
            return ph_memory_read(&mapped->snapshot->memory, line->start + skip, buffer, size_bytes);
    }
    return false;
}

/* From the file, if memory cannot be read: only if it is still the file that was mapped. */
static bool read_disk(const struct snapshot *snapshot, const struct file *file, struct ph_ident *ret_ident)
{
    struct ph_file disk;
    if (file->line.deleted || file->path[0] != '/' || ph_file_open(&disk, file->path) < 0)
        return false;
    bool same = disk.device == file->line.device && disk.inode == file->line.inode;
    bool is_elf = same && ph_ident_read(ph_file_read, &disk, ret_ident);
    ph_file_close(&disk);
    return is_elf;
}

/* The image of the file of a line; it is read once. NULL if there is none or memory is out. */
static const struct image *find_image(struct snapshot *snapshot, const struct line *line)
{
    struct file *file = file_at(snapshot, line->file);
    if (!snapshot->is_self || line->head == NONE)
        return NULL;
    if (file->image != NONE)
        return image_at(snapshot, file->image);
    struct image image = {.build_id = ""};
    struct mapped mapped = {snapshot, line->head};
    image.is_elf = ph_ident_read(read_mapped, &mapped, &image.ident) || read_disk(snapshot, file, &image.ident);
    if (image.is_elf && image.ident.build_id[0])
        image.build_id =
            ph_arena_copy(&snapshot->modules->text, image.ident.build_id, strlen(image.ident.build_id));
    ph_buf_append(&snapshot->images, &image, sizeof(image));
    if (!image.build_id || ph_buf_status(&snapshot->images) < 0)
        return NULL;
    file->image = snapshot->image_count++;
    return image_at(snapshot, file->image);
}

/* The file of the executable: the one that holds the program headers the kernel told of, else the first. */
static uint32_t main_file(const struct snapshot *snapshot)
{
    uint64_t headers = snapshot->is_self ? getauxval(AT_PHDR) : 0;
    uint32_t first = NONE;
    for (uint32_t i = 0; i < snapshot->line_count; i++) {
        const struct line *line = line_at(snapshot, i);
        bool has_path = file_at(snapshot, line->file)->path[0] == '/';
        if (has_path && line->start <= headers && headers < line->limit)
            return line->file;
        if (has_path && first == NONE)
            first = line->file;
    }
    return first;
}

static struct ph_module make_module(struct snapshot *snapshot, const struct line *line)
{
    const struct file *file = file_at(snapshot, line->file);
    struct ph_module module = {
        .start = line->start,
        .limit = line->limit,
        .offset = line->offset,
        .path = file->path,
        .build_id = "",
        .device = file->line.device,
        .inode = file->line.inode,
        .file = line->file,
        .deleted = file->line.deleted,
    };
    const struct image *image = find_image(snapshot, line);
    if (image && image->is_elf) {
        module.build_id = image->build_id;
        module.header_hash = image->ident.header_hash;
        module.bias = ph_ident_bias(&image->ident, line->start, line->offset);
        module.head = line_at(snapshot, line->head)->start;
        if (image->ident.unwind_address)
            module.unwind_header = module.bias + image->ident.unwind_address;
    }
    return module;
}

static bool is_wanted(const struct snapshot *snapshot, const struct line *line)
{
    bool found = !snapshot->starts;
    for (size_t i = 0; i < snapshot->start_count && !found; i++)
        found = snapshot->starts[i] == line->start;
    return found && line->executable;
}

static int by_start(const void *a, const void *b)
{
    const struct ph_module *left = a, *right = b;
    return (left->start > right->start) - (left->start < right->start);
}

static int make_modules(struct snapshot *snapshot)
{
    struct ph_modules *modules = snapshot->modules;
    uint32_t executable = main_file(snapshot);
    modules->modules = malloc((snapshot->line_count + 1) * sizeof(*modules->modules));
    if (!modules->modules)
        return -ENOMEM;
    for (uint32_t i = 0; i < snapshot->line_count; i++) {
        const struct line *line = line_at(snapshot, i);
        if (!is_wanted(snapshot, line))
            continue;
        struct ph_module *module = &modules->modules[modules->count++];
        *module = make_module(snapshot, line);
        module->is_main = line->file == executable;
    }
    modules->file_count = snapshot->file_count;
    qsort(modules->modules, modules->count, sizeof(*modules->modules), by_start);
    return ph_buf_status(&snapshot->images);
}

/* @snapshot: what is wanted, and of whom. */
static int take_snapshot(struct snapshot *snapshot, const char *text, size_t size_bytes,
                         struct ph_modules *ret_modules, struct ph_error *error)
{
    struct ph_modules modules = PH_MODULES_INIT;
    snapshot->memory = (struct ph_memory){-1, -1};
    snapshot->modules = &modules;
    if (snapshot->is_self)
        ph_memory_open(&snapshot->memory);
    int status = read_lines(snapshot, text, size_bytes);
    if (status == 0)
        status = make_modules(snapshot);
    ph_memory_close(&snapshot->memory);
    ph_buf_fini(&snapshot->lines);
    ph_buf_fini(&snapshot->files);
    ph_buf_fini(&snapshot->images);
    ph_index_fini(&snapshot->file_index);
    if (status < 0) {
        ph_modules_fini(&modules);
        return ph_error_set(error, status, "out of memory for the list of mapped files");
    }
    *ret_modules = modules;
    return 0;
}

/* The kernel hands out a page of text at a time, and each part is consistent and higher than the one before. */
int ph_modules_text(struct ph_buf *text)
{
    int fd = ph_fd_open("/proc/thread-self/maps");
    if (fd < 0)
        return fd;
    ssize_t got = 1;
    int status = 0;
    while (got > 0 && status == 0) {
        status = ph_buf_reserve(text, READ_BYTES);
        if (status < 0)
            break;
        got = read(fd, text->data + text->size_bytes, READ_BYTES);
        if (got < 0)
            status = -errno;
        else
            text->size_bytes += (size_t)got;
    }
    close(fd);
    return status;
}

int ph_modules_self(struct ph_modules *ret_modules, struct ph_error *error)
{
    struct snapshot snapshot = {.is_self = true};
    struct ph_buf text = PH_BUF_INIT;
    int status = ph_modules_text(&text);
    if (status < 0)
        ph_error_set(error, status, "cannot read /proc/self/maps: %s", strerrordesc_np(-status));
    else
        status = take_snapshot(&snapshot, text.data, text.size_bytes, ret_modules, error);
    ph_buf_fini(&text);
    return status;
}

int ph_modules_parse(const char *text, size_t size_bytes, struct ph_modules *ret_modules, struct ph_error *error)
{
    struct snapshot snapshot = {.is_self = false};
    return take_snapshot(&snapshot, text, size_bytes, ret_modules, error);
}

int ph_modules_self_used(const char *text, size_t size_bytes, const uint64_t *starts, size_t start_count,
                         struct ph_modules *ret_modules, struct ph_error *error)
{
    struct snapshot snapshot = {.is_self = true, .starts = starts, .start_count = start_count};
    return take_snapshot(&snapshot, text, size_bytes, ret_modules, error);
}

void ph_modules_fini(struct ph_modules *modules)
{
    free(modules->modules);
    ph_arena_fini(&modules->text);
    *modules = (struct ph_modules)PH_MODULES_INIT;
}

const struct ph_module *ph_modules_find(const struct ph_modules *modules, uint64_t address)
{
    size_t low = 0, high = modules->count; /* the first that starts behind @address is in [low, high] */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (modules->modules[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    const struct ph_module *module = low > 0 ? &modules->modules[low - 1] : NULL;
    return module && address < module->limit ? module : NULL;
}

uint32_t ph_module_into_profile(const struct ph_module *module, struct ph_profile *profile)
{
    struct ph_mapping mapping = {.start = module->start, .limit = module->limit, .offset = module->offset};
    mapping.file = ph_profile_string(profile, module->path);
    mapping.build_id = ph_profile_string(profile, module->build_id);
    return ph_profile_add_mapping(profile, &mapping);
}

static void add_modules(const struct ph_modules *modules, bool is_main, struct ph_profile *profile,
                        const struct ph_module **ret_order, size_t *next)
{
    for (size_t i = 0; i < modules->count; i++) {
        const struct ph_module *module = &modules->modules[i];
        if (module->is_main != is_main)
            continue;
        ph_module_into_profile(module, profile);
        if (ret_order)
            ret_order[(*next)++] = module;
    }
}

int ph_modules_into_profile(const struct ph_modules *modules, struct ph_profile *profile,
                            const struct ph_module **ret_order)
{
    size_t next = 0;
    add_modules(modules, true, profile, ret_order, &next);
    add_modules(modules, false, profile, ret_order, &next);
    return ph_profile_status(profile);
}
