#include "elf/memory.h"

#include "elf/file.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PIECE_BYTES 4096 /* fits into an empty pipe, even into one cut to a page by pipe-user-pages-soft */

void ph_memory_open(struct ph_memory *memory)
{
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
        ends[0] = ph_fd_lift(ends[0]);
        ends[1] = ph_fd_lift(ends[1]);
    }
    *memory = (struct ph_memory){ends[0], ends[1]};
}

void ph_memory_close(struct ph_memory *memory)
{
    if (memory->read_fd >= 0) {
        close(memory->read_fd);
        close(memory->write_fd);
    }
    *memory = (struct ph_memory){-1, -1};
}

bool ph_memory_read(const struct ph_memory *memory, uint64_t address, void *buffer, size_t size_bytes)
{
    unsigned char *next = buffer;
    while (size_bytes > 0) {
        size_t piece = size_bytes < PIECE_BYTES ? size_bytes : PIECE_BYTES;
        /* Not write(): a sanitizer's would look at the bytes itself. */
        ssize_t moved = syscall(SYS_write, memory->write_fd, address, piece);
        if (moved <= 0 || read(memory->read_fd, next, (size_t)moved) != moved)
            return false;
        next += moved;
        address += (uint64_t)moved;
        size_bytes -= (size_t)moved;
    }
    return true;
}
