/*
 * memory.h - reading our own memory where it may vanish meanwhile: another thread of the host may dlclose().
 *
 * Bytes go through a pipe: write() from an address that is no longer mapped fails with EFAULT, where a plain read
 * would kill the host. process_vm_readv() would do without descriptors, but seccomp filters that kill on it
 * are in use, and /proc/self/mem is closed to servers that changed their user. One thread at a time.
 */
#ifndef PH_ELF_MEMORY_H
#define PH_ELF_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_memory {
    int read_fd, write_fd; /* both -1 if there were no descriptors left: every read fails */
};

void ph_memory_open(struct ph_memory *memory);
void ph_memory_close(struct ph_memory *memory);

/** ph_memory_read() - all of @size_bytes at @address; false if any of it is not mapped or not readable. */
bool ph_memory_read(const struct ph_memory *memory, uint64_t address, void *buffer, size_t size_bytes);

#endif
