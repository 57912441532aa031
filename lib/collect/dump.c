#include "collect/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t dump_lock = PTHREAD_MUTEX_INITIALIZER; /* a dump holds jemalloc's locks: one is enough */

void ph_dump_forked(void)
{
    pthread_mutex_init(&dump_lock, NULL);
}

static int open_unnamed(struct ph_error *error)
{
    static const char *const folders[] = {"/dev/shm", "/tmp"};
    int fd = memfd_create("porthole-heap", MFD_CLOEXEC);
    int first_errno = errno;
    for (size_t i = 0; fd < 0 && i < sizeof(folders) / sizeof(folders[0]); i++)
        fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return ph_error_set(error, -first_errno,
                            "nowhere to dump the heap to: memfd_create: %s; /dev/shm, /tmp: %s",
                            strerror(first_errno), strerror(errno));
    return fd;
}

/* jemalloc opens the file again by this name. thread-self, not self: a thread may have descriptors of its own. */
static int dump_into(const struct ph_probe *probe, int fd, struct ph_error *error)
{
    char path[48];
    const char *name = path;
    snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", fd);
    pthread_mutex_lock(&dump_lock);
    probe->hold_forks(); /* jemalloc would make a fork wait, too, but not say for how long */
    int result = probe->mallctl("prof.dump", NULL, NULL, &name, sizeof(name));
    probe->release_forks();
    pthread_mutex_unlock(&dump_lock);
    if (result == 0)
        return 0;
    return ph_error_set(error, -EIO, "jemalloc could not write its heap dump (%s): is memory or /proc missing?",
                        strerror(result));
}

static int map_dump(int fd, struct ph_dump *ret_dump, struct ph_error *error)
{
    struct stat file;
    if (fstat(fd, &file) < 0 || file.st_size <= 0)
        return ph_error_set(error, -EIO, "jemalloc's heap dump is empty: no space left for it?");
    void *text = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (text == MAP_FAILED)
        return ph_error_set(error, -errno, "no room to map the heap dump (%lld bytes): %s", (long long)file.st_size,
                            strerror(errno));
    *ret_dump = (struct ph_dump){text, (size_t)file.st_size};
    return 0;
}

int ph_dump_take(const struct ph_probe *probe, struct ph_dump *ret_dump, struct ph_error *error)
{
    int fd = open_unnamed(error);
    if (fd < 0)
        return fd;
    fd = probe->own_fd(fd);
    int result = dump_into(probe, fd, error);
    if (result == 0)
        result = map_dump(fd, ret_dump, error);
    close(fd);
    return result;
}

void ph_dump_release(struct ph_dump *dump)
{
    munmap((void *)dump->text, dump->size_bytes);
    *dump = (struct ph_dump){NULL, 0};
}
