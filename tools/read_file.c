#include "tools/read_file.h"

#include "base/human.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)64 << 10)

static int too_large(const char *path, size_t limit_bytes, struct ph_error *error)
{
    return ph_error_set(error, -EFBIG, "%.120s: larger than %s", path, ph_human_size(limit_bytes).text);
}

/* 1 if there is more to come, 0 at the end. */
static int read_chunk(int fd, const char *path, size_t limit_bytes, struct ph_buf *out, struct ph_error *error)
{
    if (ph_buf_reserve(out, CHUNK_BYTES) < 0)
        return ph_error_set(error, -ENOMEM, "%.120s: out of memory", path);
    ssize_t count = read(fd, out->data + out->size_bytes, CHUNK_BYTES);
    if (count < 0)
        return errno == EINTR ? 1 : ph_error_set(error, -errno, "cannot read %.120s: %m", path);
    out->size_bytes += (size_t)count;
    out->data[out->size_bytes] = '\0';
    return out->size_bytes > limit_bytes ? too_large(path, limit_bytes, error) : count > 0;
}

int ph_read_file(const char *path, size_t limit_bytes, struct ph_buf *out, struct ph_error *error)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ph_error_set(error, -errno, "cannot open %.120s: %m", path);
    int more = 1;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (uintmax_t)status.st_size > limit_bytes)
        more = too_large(path, limit_bytes, error);
    while (more > 0)
        more = read_chunk(fd, path, limit_bytes, out, error);
    close(fd);
    return more;
}
