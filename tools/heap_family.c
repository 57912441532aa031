#include "tools/heap_family.h"

#include "base/scan.h"
#include "model/grow.h"
#include "model/heap_types.h"
#include "model/intern.h"
#include "model/labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The only process of a profile without labels; 0 if it does not tell, or there are several. */
static int64_t only_pid(const struct ph_profile *profile)
{
    int64_t found = 0, pid, start_ns;
    for (uint32_t i = 0; i < profile->comment_count; i++) {
        if (!ph_heap_process_parse(ph_profile_text(profile, profile->comments[i]), &pid, &start_ns))
            continue;
        if (found)
            return 0;
        found = pid;
    }
    return found;
}

static int64_t pid_of(const struct ph_profile *profile, const struct ph_sample *sample, int64_t otherwise)
{
    const char *text = ph_profile_label_text(profile, sample, PH_LABEL_PID);
    uint64_t pid;
    return ph_parse_count(text, INT64_MAX, &pid) == 0 && pid ? (int64_t)pid : otherwise;
}

static bool is_inherited(const struct ph_profile *profile, const struct ph_sample *sample)
{
    return strcmp(ph_profile_label_text(profile, sample, PH_LABEL_ORIGIN), PH_LABEL_INHERITED) == 0;
}

/* From the end: samples of a process mostly follow one another. */
static struct ph_heap_process *find(struct ph_heap_family *family, int64_t pid)
{
    for (size_t i = family->count; i-- > 0;)
        if (family->processes[i].pid == pid)
            return &family->processes[i];
    if (ph_grow(&family->processes, sizeof(*family->processes), (uint32_t)family->count, 1) < 0)
        return NULL;
    family->processes[family->count] = (struct ph_heap_process){.pid = pid};
    return &family->processes[family->count++];
}

static int count_samples(const struct ph_profile *profile, uint32_t type, struct ph_heap_family *family)
{
    int64_t otherwise = only_pid(profile);
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        const struct ph_sample *sample = &profile->samples[i];
        int64_t value = ph_profile_values(profile, i)[type], pid = pid_of(profile, sample, otherwise);
        int64_t inherited = is_inherited(profile, sample) ? value : 0;
        family->inherited = ph_add_saturating(family->inherited, inherited);
        struct ph_heap_process *process = pid ? find(family, pid) : NULL;
        if (pid && !process)
            return -ENOMEM;
        if (!process)
            continue;
        process->total = ph_add_saturating(process->total, value);
        process->inherited = ph_add_saturating(process->inherited, inherited);
    }
    return 0;
}

static int add_named(const struct ph_profile *profile, struct ph_heap_family *family)
{
    int64_t pid, start_ns;
    for (uint32_t i = 0; i < profile->comment_count; i++)
        if (ph_heap_process_parse(ph_profile_text(profile, profile->comments[i]), &pid, &start_ns) &&
            !find(family, pid))
            return -ENOMEM;
    return 0;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static int by_total(const void *a, const void *b)
{
    const struct ph_heap_process *x = a, *y = b;
    if (magnitude(x->total) != magnitude(y->total))
        return magnitude(x->total) < magnitude(y->total) ? 1 : -1;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

int ph_heap_family_init(const struct ph_profile *profile, uint32_t type, struct ph_heap_family *ret_family)
{
    struct ph_heap_family family = {0};
    int failed = count_samples(profile, type, &family);
    if (failed == 0)
        failed = add_named(profile, &family);
    if (failed) {
        ph_heap_family_fini(&family);
        return failed;
    }
    if (family.count)
        qsort(family.processes, family.count, sizeof(*family.processes), by_total);
    *ret_family = family;
    return 0;
}

void ph_heap_family_fini(struct ph_heap_family *family)
{
    free(family->processes);
    *family = (struct ph_heap_family){0};
}

bool ph_heap_family_has(const struct ph_heap_family *family, int64_t pid)
{
    for (size_t i = 0; i < family->count; i++)
        if (family->processes[i].pid == pid)
            return true;
    return false;
}

int ph_heap_part_init(const struct ph_profile *profile, int64_t pid, struct ph_heap_part *ret_part)
{
    struct ph_profile view = *profile;
    int64_t otherwise = only_pid(profile);
    size_t values_bytes = profile->type_count * sizeof(*view.values);
    view.samples = calloc((size_t)profile->sample_count + 1, sizeof(*view.samples));
    view.values = calloc((size_t)profile->sample_count + 1, values_bytes + 1);
    view.sample_count = view.comment_count = 0; /* those name the other processes */
    if (!view.samples || !view.values) {
        free(view.samples);
        free(view.values);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        if (pid_of(profile, &profile->samples[i], otherwise) != pid)
            continue;
        view.samples[view.sample_count] = profile->samples[i];
        memcpy(ph_profile_values(&view, view.sample_count++), ph_profile_values(profile, i), values_bytes);
    }
    ret_part->view = view;
    return 0;
}

void ph_heap_part_fini(struct ph_heap_part *part)
{
    free(part->view.samples);
    free(part->view.values);
    *part = (struct ph_heap_part){0};
}
