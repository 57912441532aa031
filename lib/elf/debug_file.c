#include "elf/debug_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEBUG_ROOT "/usr/lib/debug"

/* A search under way: what is looked for, and the first file that was turned down. */
struct search {
    const struct ph_symbol_sources *sources;
    const struct ph_wanted_module *module;
    struct ph_module_files *files;
    char refusal[PATH_MAX + 512]; /* "" for none */
    int status;
};

static bool is_regular(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

int ph_symbol_sources_check(const struct ph_symbol_sources *sources, struct ph_error *error)
{
    struct stat status;
    if (sources->binary && access(sources->binary, R_OK) < 0)
        return ph_error_set(error, -errno, "--binary %.150s: %m", sources->binary);
    if (sources->binary && !is_regular(sources->binary))
        return ph_error_set(error, -EINVAL, "--binary %.150s: not a file", sources->binary);
    if (sources->debug_dir && stat(sources->debug_dir, &status) < 0)
        return ph_error_set(error, -errno, "--debug-dir %.150s: %m", sources->debug_dir);
    if (sources->debug_dir && !S_ISDIR(status.st_mode))
        return ph_error_set(error, -ENOTDIR, "--debug-dir %.150s: not a folder", sources->debug_dir);
    return 0;
}

static void refuse(struct search *search, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void refuse(struct search *search, const char *format, ...)
{
    va_list args;
    if (search->refusal[0])
        return;
    va_start(args, format);
    vsnprintf(search->refusal, sizeof(search->refusal), format, args);
    va_end(args);
}

static void warn(const struct search *search)
{
    if (search->refusal[0] && search->sources->warn)
        search->sources->warn(search->sources->context, search->refusal);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const char *build_id_or_none(const char *build_id)
{
    return build_id[0] ? build_id : "none";
}

static void refuse_build(struct search *search, const char *path, const char *found)
{
    refuse(search, "%s is another build (build id %s) than the one in the profile (%s): not used", path,
           build_id_or_none(found), search->module->build_id);
}

static void refuse_other(struct search *search, const char *path)
{
    refuse(search, "%s is no ELF file with sections for this machine: not used", path);
}

void ph_binary_judge(const struct ph_symbol_sources *sources, const char *build_id, size_t wanted_count,
                     size_t named_count)
{
    const struct ph_wanted_module module = {.path = "", .build_id = build_id, .is_main = true};
    struct search search = {.sources = sources, .module = &module};
    struct ph_image image = PH_IMAGE_NONE;
    if (!sources->binary || !sources->warn)
        return;
    int status = ph_image_open(&image, sources->binary);
    if (status == -EINVAL)
        refuse_other(&search, sources->binary);
    else if (status == 0 && build_id[0] && strcmp(build_id, image.tables.build_id) != 0)
        refuse_build(&search, sources->binary, image.tables.build_id);
    else if (named_count == 0 && (wanted_count > 0 || !build_id[0]))
        refuse(&search, "%s names no address of the profile", sources->binary);
    if (status == 0)
        ph_image_close(&image);
    warn(&search);
}

/* ---- the file with the code ---- */

enum trust {
    NAMED, /* by a person: good enough where nothing can be compared */
    FOUND, /* at a path that the profile tells */
};

/* The device is no help: of a file on btrfs or overlayfs the maps file and stat() tell different ones. */
static bool is_same_file(const struct ph_wanted_module *module, const struct ph_image *image)
{
    return module->inode != 0 && module->inode == image->file.inode;
}

static bool is_code_of(struct search *search, const struct ph_image *image, const char *path, enum trust trust)
{
    const struct ph_wanted_module *module = search->module;
    const char *build_id = image->tables.build_id;
    if (module->build_id[0]) {
        if (strcmp(module->build_id, build_id) == 0)
            return true;
        refuse_build(search, path, build_id);
        return false;
    }
    if (trust == NAMED || is_same_file(module, image))
        return true;
    if (module->inode)
        refuse(
            search,
            "%s is not the file that the profile was taken of (its inode is another): not used unless --binary or "
            "--debug-dir names it",
            path);
    else if (module->is_main)
        refuse(search,
               "%s: the profile has no build id to tell whether this is its program; not used, "
               "give it with --binary",
               path);
    return false;
}

static void try_code(struct search *search, enum trust trust, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Takes the file if it is there and right; does nothing if one was found before. */
static void try_code(struct search *search, enum trust trust, const char *format, ...)
{
    char path[PATH_MAX];
    struct ph_image image;
    va_list args;
    if (search->status < 0 || search->files->code.file.fd >= 0)
        return;
    va_start(args, format);
    int length = vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    int status = length >= 0 && (size_t)length < sizeof(path) ? ph_image_open(&image, path) : -ENAMETOOLONG;
    if (status == -ENOMEM)
        search->status = status;
    if (status == -EINVAL && trust == NAMED && search->sources->binary &&
        strcmp(path, search->sources->binary) == 0)
        refuse_other(search, path);
    if (status < 0)
        return;
    if (image.has_code && is_code_of(search, &image, path, trust))
        search->files->code = image;
    else
        ph_image_close(&image);
}

static void find_code(struct search *search)
{
    const struct ph_symbol_sources *sources = search->sources;
    const struct ph_wanted_module *module = search->module;
    const char *name = base_name(module->path);
    if (module->is_main && sources->binary)
        try_code(search, NAMED, "%s", sources->binary);
    if (sources->debug_dir) {
        if (strlen(module->build_id) > 2)
            try_code(search, NAMED, "%s/.build-id/%.2s/%s", sources->debug_dir, module->build_id,
                     module->build_id + 2);
        if (module->path[0] == '/')
            try_code(search, NAMED, "%s%s", sources->debug_dir, module->path);
        if (name[0])
            try_code(search, NAMED, "%s/%s", sources->debug_dir, name);
    }
    if (module->path[0] == '/')
        try_code(search, FOUND, "%s", module->path);
}

/* ---- the separate debug file ---- */

static bool is_debug_of(struct search *search, const struct ph_image *image, const char *path)
{
    const struct ph_image *code = &search->files->code;
    const char *found = image->tables.build_id;
    const char *expected = search->module->build_id;
    uint32_t crc;
    if (!expected[0] && code->file.fd >= 0)
        expected = code->tables.build_id;
    if (expected[0]) {
        if (strcmp(expected, found) == 0)
            return true;
        refuse(search, "%s belongs to another build (build id %s) than the one in the profile (%s): not used", path,
               build_id_or_none(found), expected);
        return false;
    }
    if (code->file.fd >= 0 && code->debuglink[0] && ph_image_crc(image, &crc) && crc == code->debuglink_crc)
        return true;
    refuse(search, "%s cannot be told to belong to %s: neither build id nor checksum match; not used", path,
           base_name(search->module->path));
    return false;
}

static void try_debug(struct search *search, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void try_debug(struct search *search, const char *format, ...)
{
    char path[PATH_MAX];
    struct ph_image image;
    va_list args;
    if (search->status < 0 || search->files->debug.file.fd >= 0)
        return;
    va_start(args, format);
    int length = vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    int status = length >= 0 && (size_t)length < sizeof(path) ? ph_image_open(&image, path) : -ENAMETOOLONG;
    if (status == -ENOMEM)
        search->status = status;
    if (status < 0)
        return;
    bool has_names = image.has_dwarf || image.tables.full.symbols.size_bytes > 0;
    if (has_names && is_debug_of(search, &image, path))
        search->files->debug = image;
    else
        ph_image_close(&image);
}

/* In a folder of debug files: by build id; by the name in .gnu_debuglink, with and without the path of the module (the
 * GDB manual, "Separate Debug Files"); by the name of the module. */
static void try_folder(struct search *search, const char *folder, const char *build_id)
{
    const char *path = search->module->path, *name = base_name(path), *link = search->files->code.debuglink;
    if (strlen(build_id) > 2)
        try_debug(search, "%s/.build-id/%.2s/%s.debug", folder, build_id, build_id + 2);
    if (link[0] && path[0] == '/')
        try_debug(search, "%s%.*s%s", folder, (int)(name - path), path, link);
    if (link[0])
        try_debug(search, "%s/%s", folder, link);
    if (path[0] == '/') {
        try_debug(search, "%s%s.debug", folder, path);
        try_debug(search, "%s%s", folder, path);
    }
    if (name[0]) {
        try_debug(search, "%s/%s.debug", folder, name);
        try_debug(search, "%s/%s", folder, name);
    }
}

/* Beside the file with the code. */
static void try_beside(struct search *search, const char *code_path)
{
    const char *link = search->files->code.debuglink;
    int folder_bytes = (int)(base_name(code_path) - code_path);
    if (!link[0])
        return;
    try_debug(search, "%.*s%s", folder_bytes, code_path, link);
    try_debug(search, "%.*s.debug/%s", folder_bytes, code_path, link);
}

static void find_debug(struct search *search)
{
    const struct ph_symbol_sources *sources = search->sources;
    const struct ph_image *code = &search->files->code;
    const char *build_id = search->module->build_id;
    if (code->has_dwarf)
        return;
    if (!build_id[0] && code->file.fd >= 0)
        build_id = code->tables.build_id;
    if (sources->debug_dir)
        try_folder(search, sources->debug_dir, build_id);
    if (search->module->is_main && sources->binary)
        try_debug(search, "%s", sources->binary); /* a debug file may be meant */
    if (search->module->is_main && sources->binary)
        try_beside(search, sources->binary);
    if (search->module->path[0] == '/')
        try_beside(search, search->module->path);
    if (search->module->path[0] == '/' || build_id[0])
        try_folder(search, DEBUG_ROOT, build_id);
}

int ph_module_files_find(const struct ph_symbol_sources *sources, const struct ph_wanted_module *module,
                         struct ph_module_files *ret_files)
{
    struct ph_module_files files = {PH_IMAGE_NONE, PH_IMAGE_NONE};
    struct search search = {.sources = sources, .module = module, .files = &files};
    find_code(&search);
    if (files.code.file.fd >= 0)
        search.refusal[0] = '\0'; /* of no interest: the right one was found */
    find_debug(&search);
    if (files.debug.file.fd < 0)
        warn(&search);
    if (search.status < 0)
        ph_module_files_fini(&files);
    else
        *ret_files = files;
    return search.status;
}

void ph_module_files_fini(struct ph_module_files *files)
{
    ph_image_close(&files->code);
    ph_image_close(&files->debug);
}
