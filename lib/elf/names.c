#include "elf/names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES ((size_t)8 * 1024) /* read at first; a whole window only for a name that does not fit */

int ph_names_init(struct ph_names *names, const struct ph_file *file, struct ph_range table)
{
    char *window = malloc(PH_NAME_MAX_BYTES);
    if (!window)
        return -ENOMEM;
    *names = (struct ph_names){file, table, window, 0, 0};
    return 0;
}

void ph_names_fini(struct ph_names *names)
{
    free(names->window);
    names->window = NULL;
}

/* The name in the window, if it stands there up to its NUL. */
static const char *find(const struct ph_names *names, uint64_t offset, size_t *ret_bytes)
{
    if (offset < names->window_offset || offset - names->window_offset >= names->window_bytes)
        return NULL;
    size_t skip = (size_t)(offset - names->window_offset);
    const char *name = names->window + skip;
    const char *end = memchr(name, '\0', names->window_bytes - skip);
    if (end)
        *ret_bytes = (size_t)(end - name);
    return end ? name : NULL;
}

static bool load(struct ph_names *names, uint64_t offset, size_t wanted_bytes)
{
    uint64_t left = names->table.size_bytes - offset;
    names->window_offset = offset;
    names->window_bytes = left < wanted_bytes ? (size_t)left : wanted_bytes;
    if (!ph_file_read(names->file, names->table.offset + offset, names->window, names->window_bytes))
        names->window_bytes = 0;
    return names->window_bytes > 0;
}

static bool is_plain(const char *name, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    return size_bytes > 0;
}

const char *ph_names_read(struct ph_names *names, uint64_t offset, size_t *ret_bytes)
{
    size_t size_bytes = 0;
    if (offset >= names->table.size_bytes)
        return NULL;
    const char *name = find(names, offset, &size_bytes);
    if (!name && load(names, offset, FIRST_BYTES))
        name = find(names, offset, &size_bytes);
    if (!name && load(names, offset, PH_NAME_MAX_BYTES))
        name = find(names, offset, &size_bytes);
    if (!name)
        return NULL;
    const char *version = size_bytes > 1 ? memchr(name + 1, '@', size_bytes - 1) : NULL;
    size_bytes = version ? (size_t)(version - name) : size_bytes;
    if (!is_plain(name, size_bytes))
        return NULL;
    *ret_bytes = size_bytes;
    return name;
}
