/*
 * file.h - the bytes of an ELF file, read inside somebody else's process.
 *
 * Only pread(), never mmap(): a mapped file that is cut short meanwhile would kill the host with SIGBUS. Only
 * regular files: opening a FIFO or a device does things. The same shape serves images that are already in memory
 * (vDSO, unpacked .gnu_debugdata). Any thread.
 */
#ifndef PH_ELF_FILE_H
#define PH_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_file {
    int fd;               /* -1 for an image in memory, or none */
    unsigned char *bytes; /* the image; owned */
    uint64_t size_bytes;
    uint64_t device, inode; /* st_dev, st_ino; 0 for an image */
};

#define PH_FILE_NONE                                                                                               \
    {                                                                                                              \
        -1, NULL, 0, 0, 0                                                                                          \
    }

/** ph_file_open() - @path, absolute. 0; -EINVAL for what is no regular file; -errno. */
int ph_file_open(struct ph_file *ret_file, const char *path);

/** ph_file_over() - an image on the heap, freed by ph_file_close(). */
struct ph_file ph_file_over(unsigned char *take_bytes, size_t size_bytes);

/** ph_file_close() - a file that is PH_FILE_NONE may be closed, too. */
void ph_file_close(struct ph_file *file);

/** ph_file_read() - all of @size_bytes at @offset, or false. @file: a struct ph_file; fits ph_ident_read(). */
bool ph_file_read(const void *file, uint64_t offset, void *buffer, size_t size_bytes);

/** ph_file_holds() - is the range inside the file? Never overflows. */
bool ph_file_holds(const struct ph_file *file, uint64_t offset, uint64_t size_bytes);

/** ph_fd_open() - any file, read-only, lifted; -errno. For /proc, where sizes are 0. */
int ph_fd_open(const char *path);

/** ph_fd_lift() - move a descriptor up to where hosts do not look; the same one if there is no room. */
int ph_fd_lift(int take_fd);

#endif
