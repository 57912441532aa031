#include "family/fold.h"

#include "base/index.h"
#include "model/grow.h"
#include "model/labels.h"
#include "model/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One stack of one origin that at least one process has inherited. */
struct group {
    uint32_t sample; /* one of its samples: its stack and labels stand for all */
    uint32_t holder; /* the sample of the holder that has most of the deciding type */
};

/* What the labels of one sample say; 0 for what they do not. */
struct marks {
    uint32_t origin_pid;
    bool is_inherited;
};

struct folder {
    struct ph_profile *profile;
    uint32_t pid_key, origin_key, inherited, origin_pid_key; /* strings */
    uint32_t deciding_type;
    struct ph_index index; /* of groups */
    struct group *groups;
    int64_t *most;  /* for each group and type: the most that one holder has inherited */
    int64_t *owned; /* and what the owner has */
    uint32_t group_count;
};

static const struct ph_label *labels_of(const struct folder *folder, uint32_t sample)
{
    return folder->profile->labels + folder->profile->samples[sample].first_label;
}

static struct marks read_marks(const struct folder *folder, uint32_t sample)
{
    struct marks marks = {0, false};
    const struct ph_label *labels = labels_of(folder, sample);
    for (uint32_t i = 0; i < folder->profile->samples[sample].label_count; i++) {
        if (labels[i].key == folder->origin_pid_key)
            marks.origin_pid = labels[i].text;
        else if (labels[i].key == folder->origin_key)
            marks.is_inherited = labels[i].text == folder->inherited;
    }
    return marks;
}

/* Does the label say whose sample it is? It does not count where stacks of different holders are compared. */
static bool is_of_holder(const struct folder *folder, const struct ph_label *label)
{
    return label->key == folder->pid_key || label->key == folder->origin_key;
}

/* The next label, from *place on, that counts; NULL at the end. */
static const struct ph_label *next_label(const struct folder *folder, uint32_t sample, uint32_t *place)
{
    const struct ph_label *labels = labels_of(folder, sample);
    while (*place < folder->profile->samples[sample].label_count) {
        const struct ph_label *label = &labels[(*place)++];
        if (!is_of_holder(folder, label))
            return label;
    }
    return NULL;
}

static uint64_t hash_of(const struct folder *folder, uint32_t sample)
{
    const struct ph_sample *entry = &folder->profile->samples[sample];
    const struct ph_label *label;
    uint32_t place = 0;
    uint64_t hash = ph_hash_bytes(folder->profile->frames + entry->first_frame,
                                  entry->frame_count * sizeof(*folder->profile->frames));
    while ((label = next_label(folder, sample, &place)) != NULL)
        hash = ph_hash_u64(hash * 31 + ((uint64_t)label->key << 32 | label->text) + (uint64_t)label->number);
    return hash;
}

static bool labels_equal(const struct folder *folder, uint32_t a, uint32_t b)
{
    uint32_t place_a = 0, place_b = 0;
    const struct ph_label *x, *y;
    do {
        x = next_label(folder, a, &place_a);
        y = next_label(folder, b, &place_b);
        if (!x != !y ||
            (x && (x->key != y->key || x->text != y->text || x->number != y->number || x->unit != y->unit)))
            return false;
    } while (x);
    return true;
}

static bool group_equal(const void *owner, uint32_t number, const void *key)
{
    const struct folder *folder = owner;
    uint32_t a = folder->groups[number].sample, b = *(const uint32_t *)key;
    const struct ph_profile *profile = folder->profile;
    const struct ph_sample *x = &profile->samples[a], *y = &profile->samples[b];
    size_t frames_bytes = x->frame_count * sizeof(*profile->frames);
    return x->frame_count == y->frame_count &&
           (!frames_bytes ||
            memcmp(profile->frames + x->first_frame, profile->frames + y->first_frame, frames_bytes) == 0) &&
           labels_equal(folder, a, b);
}

static uint32_t find_group(const struct folder *folder, uint32_t sample)
{
    return ph_index_find(&folder->index, hash_of(folder, sample), group_equal, folder, &sample);
}

static int add_group(struct folder *folder, uint32_t sample)
{
    uint32_t types = folder->profile->type_count;
    size_t row_bytes = types * sizeof(*folder->most);
    int status = ph_grow(&folder->groups, sizeof(*folder->groups), folder->group_count, 1);
    if (status == 0)
        status = ph_grow(&folder->most, row_bytes, folder->group_count, 1);
    if (status == 0)
        status = ph_grow(&folder->owned, row_bytes, folder->group_count, 1);
    if (status == 0)
        status = ph_index_add(&folder->index, hash_of(folder, sample), folder->group_count);
    if (status < 0)
        return status;
    folder->groups[folder->group_count] = (struct group){sample, sample};
    memcpy(folder->most + (size_t)folder->group_count * types, ph_profile_values(folder->profile, sample),
           row_bytes);
    memset(folder->owned + (size_t)folder->group_count * types, 0, row_bytes);
    folder->group_count++;
    return 0;
}

static void add_holder(struct folder *folder, uint32_t number, uint32_t sample)
{
    struct group *group = &folder->groups[number];
    uint32_t types = folder->profile->type_count;
    const int64_t *values = ph_profile_values(folder->profile, sample);
    int64_t *most = folder->most + (size_t)number * types;
    if (values[folder->deciding_type] > ph_profile_values(folder->profile, group->holder)[folder->deciding_type])
        group->holder = sample;
    for (uint32_t i = 0; i < types; i++)
        most[i] = values[i] > most[i] ? values[i] : most[i];
}

static int gather_inherited(struct folder *folder)
{
    int status = 0;
    for (uint32_t i = 0; i < folder->profile->sample_count && status == 0; i++) {
        if (!read_marks(folder, i).is_inherited)
            continue;
        uint32_t found = find_group(folder, i);
        if (found == PH_INDEX_NONE)
            status = add_group(folder, i);
        else
            add_holder(folder, found, i);
    }
    return status;
}

/* At most one process owns an origin. */
static void gather_owned(struct folder *folder)
{
    uint32_t types = folder->profile->type_count;
    for (uint32_t i = 0; i < folder->profile->sample_count && folder->group_count; i++) {
        struct marks marks = read_marks(folder, i);
        uint32_t found = marks.is_inherited || !marks.origin_pid ? PH_INDEX_NONE : find_group(folder, i);
        if (found != PH_INDEX_NONE)
            memcpy(folder->owned + (size_t)found * types, ph_profile_values(folder->profile, i),
                   types * sizeof(*folder->owned));
    }
}

static void count_extras(struct folder *folder)
{
    uint32_t types = folder->profile->type_count;
    for (uint32_t i = 0; i < folder->profile->sample_count; i++)
        if (read_marks(folder, i).is_inherited)
            memset(ph_profile_values(folder->profile, i), 0, types * sizeof(*folder->owned));
    for (uint32_t i = 0; i < folder->group_count; i++) {
        int64_t *values = ph_profile_values(folder->profile, folder->groups[i].holder);
        const int64_t *most = folder->most + (size_t)i * types, *owned = folder->owned + (size_t)i * types;
        for (uint32_t j = 0; j < types; j++)
            values[j] = most[j] > owned[j] ? most[j] - owned[j] : 0;
    }
}

/* What is left of the labels moves up; the room behind them stays unused. */
static void drop_origin_pid(struct folder *folder)
{
    struct ph_profile *profile = folder->profile;
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        struct ph_sample *sample = &profile->samples[i];
        struct ph_label *labels = profile->labels + sample->first_label;
        uint32_t kept = 0;
        for (uint32_t j = 0; j < sample->label_count; j++)
            if (labels[j].key != folder->origin_pid_key)
                labels[kept++] = labels[j];
        sample->label_count = kept;
    }
}

static void init_folder(struct folder *folder, struct ph_profile *profile)
{
    *folder = (struct folder){
        .profile = profile,
        .pid_key = ph_profile_string(profile, PH_LABEL_PID),
        .origin_key = ph_profile_string(profile, PH_LABEL_ORIGIN),
        .inherited = ph_profile_string(profile, PH_LABEL_INHERITED),
        .origin_pid_key = ph_profile_string(profile, PH_LABEL_ORIGIN_PID),
        .deciding_type = profile->type_count ? profile->type_count - 1 : 0, /* as pprof chooses */
    };
    for (uint32_t i = 0; i < profile->type_count; i++)
        if (profile->types[i].type == profile->default_type)
            folder->deciding_type = i;
}

static int fold_in_place(struct ph_profile *profile)
{
    struct folder folder;
    init_folder(&folder, profile);
    int status = ph_profile_status(profile);
    if (status == 0)
        status = gather_inherited(&folder);
    if (status == 0) {
        gather_owned(&folder);
        count_extras(&folder);
        drop_origin_pid(&folder);
    }
    ph_index_fini(&folder.index);
    free(folder.groups);
    free(folder.most);
    free(folder.owned);
    return status;
}

/* Samples have become zero, and equal: merging leaves the ones out and joins the others. */
int ph_fold(struct ph_profile *take_profile, struct ph_profile **ret_folded, struct ph_error *error)
{
    const struct ph_profile *folded = take_profile;
    int status = fold_in_place(take_profile);
    if (status < 0)
        ph_error_set(error, status, "no memory to count inherited memory once");
    else
        status = ph_profile_merge(&folded, 1, ret_folded, error);
    ph_profile_free(take_profile);
    return status;
}
