#include "server/members.h"

#include "family/family.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#define COMMAND_BYTES_MAX 4096
#define NEWCOMERS_MAX     64 /* that join between counting and listing: more are in the next answer */

static struct ph_listed list_one(const struct ph_member *member)
{
    struct ph_listed listed = {.is_front = member->is_front};
    bool is_told = ph_process_read(member->pid, &listed.process, NULL) == 0;
    bool is_self = member->pid == getpid();
    bool is_other = !is_self && member->start_ticks && listed.process.start_ticks != member->start_ticks;
    if (is_told && !is_other)
        return listed;
    listed.is_hidden = true;
    listed.process = (struct ph_process){.pid = member->pid};
    /* Who cannot read its own name has the program's: exec would have ended the membership. */
    const char *name = member->name[0] ? member->name : program_invocation_short_name;
    snprintf(listed.process.name, sizeof(listed.process.name), "%s", name);
    return listed;
}

static int front_first(const void *a, const void *b)
{
    const struct ph_listed *x = a, *y = b;
    if (x->is_front != y->is_front)
        return x->is_front ? -1 : 1;
    return (x->process.pid > y->process.pid) - (x->process.pid < y->process.pid);
}

static int read_family(struct ph_segment *segment, struct ph_members *ret_members)
{
    size_t capacity = ph_segment_members(segment, NULL, 0) + NEWCOMERS_MAX;
    struct ph_member *members = calloc(capacity, sizeof(*members));
    struct ph_listed *items = calloc(capacity, sizeof(*items));
    if (!members || !items) {
        free(members);
        free(items);
        return -ENOMEM;
    }
    size_t count = ph_segment_members(segment, members, capacity);
    count = MIN(count, capacity);
    for (size_t i = 0; i < count; i++)
        items[i] = list_one(&members[i]);
    qsort(items, count, sizeof(*items), front_first);
    free(members);
    *ret_members = (struct ph_members){items, count};
    return 0;
}

int ph_members_read(const struct ph_site *site, struct ph_members *ret_members)
{
    struct ph_member self = {.pid = getpid(), .is_front = true};
    if (site->family)
        return read_family(ph_family_segment(site->family), ret_members);
    struct ph_listed *items = calloc(1, sizeof(*items));
    if (!items)
        return -ENOMEM;
    items[0] = list_one(&self);
    *ret_members = (struct ph_members){items, 1};
    return 0;
}

void ph_members_fini(struct ph_members *members)
{
    free(members->items);
    *members = (struct ph_members){NULL, 0};
}

const struct ph_listed *ph_members_find(const struct ph_members *members, pid_t pid)
{
    for (size_t i = 0; i < members->count; i++)
        if (members->items[i].process.pid == pid)
            return &members->items[i];
    return NULL;
}

void ph_members_command(const struct ph_listed *member, struct ph_buf *out)
{
    bool may_block = member->process.state == 'D' && member->process.pid != getpid();
    if (!member->is_hidden && !may_block)
        ph_process_command(member->process.pid, COMMAND_BYTES_MAX, out);
}
