#include "tools/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define HEAD_BYTES   65536 /* program headers and the interpreter's name are at the beginning of a file */
#define GLIBC_LOADER "ld-linux"

static char *find_in(const char *folder, size_t folder_length, const char *name)
{
    char *path;
    /* An empty entry of PATH is the working directory. */
    if (asprintf(&path, "%.*s%s%s", (int)folder_length, folder, folder_length ? "/" : "./", name) < 0)
        return NULL;
    struct stat status;
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0)
        return path;
    free(path);
    return NULL;
}

char *ph_program_find(const char *name)
{
    if (strchr(name, '/'))
        return strdup(name);
    const char *folder = getenv("PATH");
    if (!folder)
        folder = "/bin:/usr/bin"; /* as execvp(3) */
    for (;;) {
        size_t length = strcspn(folder, ":");
        char *path = find_in(folder, length, name);
        if (path)
            return path;
        if (folder[length] == '\0')
            break;
        folder += length + 1;
    }
    errno = ENOENT;
    return NULL;
}

static void parse_script(const unsigned char *bytes, size_t size_bytes, char *ret_interpreter)
{
    const char *start = (const char *)bytes + 2, *end = (const char *)bytes + size_bytes;
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    const char *stop = start;
    while (stop < end && *stop && !strchr(" \t\r\n", *stop))
        stop++;
    if (stop - start < PATH_MAX)
        snprintf(ret_interpreter, PATH_MAX, "%.*s", (int)(stop - start), start);
}

static int inspect_loader(const unsigned char *bytes, size_t size_bytes, const Elf64_Phdr *segment,
                          struct ph_error *error)
{
    if (segment->p_offset >= size_bytes || segment->p_filesz > size_bytes - segment->p_offset)
        return 0;
    const char *path = (const char *)bytes + segment->p_offset;
    size_t length = strnlen(path, segment->p_filesz);
    if (memmem(path, length, GLIBC_LOADER, strlen(GLIBC_LOADER)))
        return 0;
    return ph_error_set(error, -ENOEXEC, "is loaded by %.*s: libporthole.so needs the GNU C library",
                        length < 80 ? (int)length : 80, path);
}

static int inspect_elf(const unsigned char *bytes, size_t size_bytes, struct ph_error *error)
{
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    memcpy(&header, bytes, sizeof(header));
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64)
        return ph_error_set(error, -ENOEXEC, "is not for x86-64: libporthole.so cannot be loaded into it");
    for (size_t i = 0; i < header.e_phnum; i++) {
        if (header.e_phoff > size_bytes || (i + 1) * sizeof(segment) > size_bytes - header.e_phoff)
            return 0; /* unusual: say nothing rather than something wrong */
        memcpy(&segment, bytes + header.e_phoff + i * sizeof(segment), sizeof(segment));
        if (segment.p_type == PT_INTERP)
            return inspect_loader(bytes, size_bytes, &segment, error);
    }
    return ph_error_set(error, -ENOEXEC, "is statically linked: LD_PRELOAD has no effect");
}

int ph_program_inspect(const unsigned char *bytes, size_t size_bytes, char *ret_interpreter, struct ph_error *error)
{
    ret_interpreter[0] = '\0';
    if (size_bytes >= 2 && memcmp(bytes, "#!", 2) == 0)
        parse_script(bytes, size_bytes, ret_interpreter);
    else if (size_bytes >= sizeof(Elf64_Ehdr) && memcmp(bytes, ELFMAG, SELFMAG) == 0)
        return inspect_elf(bytes, size_bytes, error);
    return 0;
}

/* Does execve() raise the privileges of who we are now? Then ld.so ignores preloads that are given as a path. */
static bool raises_privileges(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return false;
    return ((status.st_mode & S_ISUID) && status.st_uid != getuid()) ||
           ((status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP) && status.st_gid != getgid()) ||
           (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0);
}

static int check_file(const char *path, char *ret_interpreter, struct ph_error *error)
{
    struct ph_error cause;
    int failed = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ret_interpreter[0] = '\0';
    unsigned char *bytes = fd >= 0 ? malloc(HEAD_BYTES) : NULL;
    ssize_t size = bytes ? pread(fd, bytes, HEAD_BYTES, 0) : -1;
    if (size > 0)
        failed = ph_program_inspect(bytes, (size_t)size, ret_interpreter, &cause);
    if (fd >= 0 && failed == 0 && !ret_interpreter[0] && raises_privileges(fd))
        failed = ph_error_set(&cause, -ENOEXEC, "runs with raised privileges: LD_PRELOAD has no effect");
    free(bytes);
    if (fd >= 0)
        close(fd);
    return failed ? ph_error_set(error, failed, "%.100s %s", path, cause.text) : 0;
}

int ph_program_check(const char *path, struct ph_error *error)
{
    char interpreter[PATH_MAX], ignored[PATH_MAX];
    int failed = check_file(path, interpreter, error);
    return failed == 0 && interpreter[0] ? check_file(interpreter, ignored, error) : failed;
}
