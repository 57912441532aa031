/* members.h - the processes behind this endpoint, with what /proc tells of each. On threads of ours. */
#ifndef PH_SERVER_MEMBERS_H
#define PH_SERVER_MEMBERS_H

#include "collect/process.h"
#include "server/request.h"

#include <stdbool.h>
#include <stddef.h>

struct ph_listed {
    struct ph_process process; /* if it is hidden, pid and name only */
    bool is_front;
    bool is_hidden; /* /proc does not tell of it, or tells of another process that has got its number */
};

struct ph_members {
    struct ph_listed *items; /* the front, then the others in order of pid */
    size_t count;
};

/** ph_members_read() - all members of the family; this process alone where there is no family. 0 or -ENOMEM. It takes 10 µs
 * for each. */
int ph_members_read(const struct ph_site *site, struct ph_members *ret_members);
void ph_members_fini(struct ph_members *members);

/** ph_members_find() - the member with @pid; NULL if there is none. */
const struct ph_listed *ph_members_find(const struct ph_members *members, pid_t pid);

/** ph_members_command() - append the command line of one, cut at 4 KiB. Nothing for one that is hidden, or that the kernel lets
 * wait for a device: its memory map may be locked, and reading would wait as well. */
void ph_members_command(const struct ph_listed *member, struct ph_buf *out);

#endif
