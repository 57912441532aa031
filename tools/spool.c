#include "tools/spool.h"

#include "model/pprof_read.h"
#include "model/pprof_write.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int failed_to(const char *what, struct ph_error *error)
{
    int code = errno ? -errno : -EIO;
    return ph_error_set(error, code, "cannot %s the temporary file for profiles in " P_tmpdir ": %s", what,
                        strerror(-code));
}

void ph_spool_fini(struct ph_spool *spool)
{
    if (spool->file)
        fclose(spool->file);
    *spool = (struct ph_spool){.file = NULL};
}

/* tmpfile(3) deletes it at once: nothing is left whatever happens to us. */
static int append(struct ph_spool *spool, const char *bytes, size_t size_bytes, uint64_t number,
                  struct ph_error *error)
{
    errno = 0;
    if (!spool->file && !(spool->file = tmpfile()))
        return failed_to("make", error);
    struct ph_spool_entry *entry = &spool->entries[spool->count];
    const struct ph_spool_entry *last = spool->count ? entry - 1 : NULL;
    *entry = (struct ph_spool_entry){last ? last->offset + (off_t)last->size_bytes : 0, size_bytes, number};
    if (fseeko(spool->file, entry->offset, SEEK_SET) < 0 ||
        fwrite(bytes, 1, size_bytes, spool->file) != size_bytes || fflush(spool->file) != 0)
        return failed_to("write to", error);
    spool->count++;
    return 0;
}

int ph_spool_add(struct ph_spool *spool, const struct ph_profile *profile, uint64_t number, struct ph_error *error)
{
    struct ph_buf bytes = PH_BUF_INIT;
    int failed = ph_pprof_write(profile, &bytes, error);
    if (failed == -ENOMEM)
        ph_error_set(error, failed, "out of memory");
    if (failed == 0)
        failed = append(spool, bytes.data, bytes.size_bytes, number, error);
    ph_buf_fini(&bytes);
    return failed;
}

/* The bytes of an entry, to be freed; NULL once it has failed. */
static char *load(const struct ph_spool *spool, const struct ph_spool_entry *entry, struct ph_error *error)
{
    char *bytes = malloc(entry->size_bytes);
    errno = 0;
    if (!bytes) {
        ph_error_set(error, -ENOMEM, "out of memory");
    } else if (fseeko(spool->file, entry->offset, SEEK_SET) < 0 ||
               fread(bytes, 1, entry->size_bytes, spool->file) != entry->size_bytes) {
        failed_to("read", error);
        free(bytes);
        bytes = NULL;
    }
    return bytes;
}

int ph_spool_read(const struct ph_spool *spool, size_t i, struct ph_profile **ret_profile, struct ph_error *error)
{
    struct ph_error reason = {0};
    char *bytes = load(spool, &spool->entries[i], &reason);
    int failed = bytes ? ph_pprof_read(bytes, spool->entries[i].size_bytes, ret_profile, &reason) : reason.code;
    free(bytes);
    if (failed)
        ph_error_set(error, failed, "%s", reason.text);
    return failed;
}

static bool stays(const struct ph_spool *spool, size_t i)
{
    return i >= spool->count / 2 || i % 2 == 0;
}

/* Into a new file, so that the old one's room is given back. */
int ph_spool_thin(struct ph_spool *spool, struct ph_error *error)
{
    struct ph_spool thin = {.file = NULL};
    struct ph_error reason = {0};
    for (size_t i = 0; i < spool->count && reason.code == 0; i++) {
        char *bytes = stays(spool, i) ? load(spool, &spool->entries[i], &reason) : NULL;
        if (bytes)
            append(&thin, bytes, spool->entries[i].size_bytes, spool->entries[i].number, &reason);
        free(bytes);
    }
    if (reason.code) {
        ph_spool_fini(&thin);
        return ph_error_set(error, reason.code, "%s", reason.text);
    }
    ph_spool_fini(spool);
    *spool = thin;
    return 0;
}
