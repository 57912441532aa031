#include "tools/thread_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_frame(const struct ph_thread_frame *x, const struct ph_thread_frame *y)
{
    int order = strcmp(x->module, y->module);
    uint64_t x_place = x->module[0] ? x->offset : x->address, y_place = y->module[0] ? y->offset : y->address;
    if (order == 0)
        order = (x_place > y_place) - (x_place < y_place);
    return order ? order : strcmp(x->function, y->function);
}

static int by_stack(const struct ph_thread_row *x, const struct ph_thread_row *y)
{
    if (x->frame_count != y->frame_count)
        return x->frame_count < y->frame_count ? -1 : 1;
    int order = 0;
    for (size_t i = 0; i < x->frame_count && order == 0; i++)
        order = by_frame(&x->frames[i], &y->frames[i]);
    return order;
}

static int by_id(const struct ph_thread_row *x, const struct ph_thread_row *y)
{
    int order = (x->pid > y->pid) - (x->pid < y->pid);
    return order ? order : (x->tid > y->tid) - (x->tid < y->tid);
}

static int compare_ids(const void *a, const void *b)
{
    return by_id(*(const struct ph_thread_row *const *)a, *(const struct ph_thread_row *const *)b);
}

static int compare_stacks(const void *a, const void *b)
{
    const struct ph_thread_row *x = *(const struct ph_thread_row *const *)a;
    const struct ph_thread_row *y = *(const struct ph_thread_row *const *)b;
    int order = by_stack(x, y);
    return order ? order : by_id(x, y);
}

static int compare_groups(const void *a, const void *b)
{
    const struct ph_thread_group *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return by_id(x->members[0], y->members[0]);
}

/* The stacks of those that did not answer, or could not be read, are not equal: nothing is known of them. */
static bool belongs(const struct ph_thread_group *group, const struct ph_thread_row *row)
{
    return row->frame_count > 0 && by_stack(group->members[0], row) == 0;
}

static void divide(struct ph_thread_groups *groups, size_t member_count, bool is_joined)
{
    for (size_t i = 0; i < member_count; i++) {
        struct ph_thread_group *last = groups->count ? &groups->groups[groups->count - 1] : NULL;
        if (last && is_joined && belongs(last, groups->members[i]))
            last->count++;
        else
            groups->groups[groups->count++] = (struct ph_thread_group){&groups->members[i], 1};
    }
}

int ph_thread_groups_make(const struct ph_thread_answer *answer, bool is_joined,
                          struct ph_thread_groups *ret_groups)
{
    struct ph_thread_groups groups = {0};
    size_t count = 0;
    groups.members = calloc(answer->row_count + 1, sizeof(*groups.members));
    groups.groups = calloc(answer->row_count + 1, sizeof(*groups.groups));
    if (!groups.members || !groups.groups) {
        ph_thread_groups_fini(&groups);
        return -ENOMEM;
    }
    for (size_t i = 0; i < answer->row_count; i++)
        if (answer->rows[i].is_shown)
            groups.members[count++] = &answer->rows[i];
    qsort(groups.members, count, sizeof(*groups.members), is_joined ? compare_stacks : compare_ids);
    divide(&groups, count, is_joined);
    if (is_joined)
        qsort(groups.groups, groups.count, sizeof(*groups.groups), compare_groups);
    *ret_groups = groups;
    return 0;
}

void ph_thread_groups_fini(struct ph_thread_groups *groups)
{
    free(groups->members);
    free(groups->groups);
    *groups = (struct ph_thread_groups){0};
}
