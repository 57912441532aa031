#include "probe/labels.h"

#include "base/index.h"
#include "base/scan.h"
#include "model/labels.h"
#include "probe/counters.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define BUCKETS (PH_LABEL_SETS_MAX * 2)

/* A set that is being looked for, or is kept. The labels are sorted by key. */
struct sorted {
    uint64_t
        hash; /* the sum of those of the labels: so that of a set with one label more or less is not made anew */
    uint64_t label_hashes[PH_LABELS_MAX];
    struct ph_label_set set;
};

/* What is new in a set is one label at most: the texts of the others lie where they were set first. So all texts together are
 * bounded, as the sets are. */
struct entry {
    struct sorted sorted;
    char text[PH_LABEL_KEY_BYTES_MAX + 1 + PH_LABEL_VALUE_BYTES_MAX + 1];
};

struct table {
    uint32_t used_count;       /* atomic: entries that were taken */
    uint32_t buckets[BUCKETS]; /* atomic: open addressing; the number of a set, 0: free. Never changed again */
    struct entry entries[PH_LABEL_SETS_MAX];
};

static struct table *table; /* atomic; never unmapped */

/* Keys that have a meaning already: who reads a profile must not find two of a name. */
static const char *const reserved_keys[] = {
    PH_LABEL_PID,       PH_LABEL_ORIGIN, PH_LABEL_ORIGIN_PID, PH_LABEL_THREAD,      PH_LABEL_TID,  PH_LABEL_STATE,
    PH_LABEL_CPU,       PH_LABEL_CALL,   PH_LABEL_FD,         PH_LABEL_SOCKET,      PH_LABEL_PEER, PH_LABEL_MUTEX,
    PH_LABEL_OWNER_TID, PH_LABEL_SINCE,  PH_LABEL_TRUNCATED,  PH_LABEL_INTERRUPTED,
};

static struct table *find_table(void)
{
    return __atomic_load_n(&table, __ATOMIC_ACQUIRE);
}

static struct table *make_table(void)
{
    int saved_errno = errno;
    struct table *none = NULL;
    struct table *made =
        mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    errno = saved_errno;
    if (made == MAP_FAILED)
        return NULL;
    if (__atomic_compare_exchange_n(&table, &none, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return made;
    munmap(made, sizeof(*made)); /* another thread was faster */
    return none;
}

static const struct entry *entry_of(uint32_t number)
{
    static const struct entry empty;
    const struct table *there = find_table();
    if (!there || number == 0 || number > PH_LABEL_SETS_MAX)
        return &empty;
    return &there->entries[number - 1];
}

const struct ph_label_set *ph_label_set(uint32_t number)
{
    return &entry_of(number)->sorted.set;
}

uint32_t ph_label_place(const struct ph_label_set *set, const char *key)
{
    uint32_t place = 0;
    while (place < set->count && strcmp(set->labels[place].key, key) != 0)
        place++;
    return place;
}

/* ---- one set from another ---- */

static void copy_sorted(struct sorted *to, const struct sorted *from)
{
    to->hash = from->hash;
    to->set.count = from->set.count;
    for (uint32_t i = 0; i < from->set.count; i++) {
        to->label_hashes[i] = from->label_hashes[i];
        to->set.labels[i] = from->set.labels[i];
    }
}

static void remove_label(struct sorted *sorted, uint32_t place)
{
    uint32_t behind = sorted->set.count - place - 1;
    sorted->hash -= sorted->label_hashes[place];
    sorted->set.count--;
    memmove(&sorted->label_hashes[place], &sorted->label_hashes[place + 1], behind * sizeof(uint64_t));
    memmove(&sorted->set.labels[place], &sorted->set.labels[place + 1], behind * sizeof(sorted->set.labels[0]));
}

static void make_room(struct sorted *sorted, uint32_t place)
{
    uint32_t behind = sorted->set.count - place;
    memmove(&sorted->label_hashes[place + 1], &sorted->label_hashes[place], behind * sizeof(uint64_t));
    memmove(&sorted->set.labels[place + 1], &sorted->set.labels[place], behind * sizeof(sorted->set.labels[0]));
    sorted->label_hashes[place] = 0;
    sorted->set.count++;
}

static void put_label(struct sorted *sorted, uint32_t place, const char *key, const char *value, uint64_t hash)
{
    sorted->hash += hash - sorted->label_hashes[place];
    sorted->label_hashes[place] = hash;
    sorted->set.labels[place].key = key;
    sorted->set.labels[place].value = value;
}

static uint32_t place_for(const struct ph_label_set *set, const char *key, bool *ret_is_there)
{
    uint32_t place = 0;
    int order = -1;
    while (place < set->count && (order = strcmp(set->labels[place].key, key)) < 0)
        place++;
    *ret_is_there = place < set->count && order == 0;
    return place;
}

/* ---- the table of all sets ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || strcmp(a, b) == 0;
}

static bool equal(const struct sorted *a, const struct sorted *b)
{
    if (a->hash != b->hash || a->set.count != b->set.count)
        return false;
    for (uint32_t i = 0; i < a->set.count; i++)
        if (!same_text(a->set.labels[i].key, b->set.labels[i].key) ||
            !same_text(a->set.labels[i].value, b->set.labels[i].value))
            return false;
    return true;
}

static uint32_t take_entry(struct table *in)
{
    uint32_t used = __atomic_load_n(&in->used_count, __ATOMIC_RELAXED);
    do {
        if (used >= PH_LABEL_SETS_MAX)
            return 0;
    } while (
        !__atomic_compare_exchange_n(&in->used_count, &used, used + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return used + 1;
}

/* If no other was taken meanwhile; else its room is lost. Nobody knows its number. */
static void give_back(struct table *in, uint32_t number)
{
    uint32_t used = number;
    in->entries[number - 1].sorted.set.count = 0;
    __atomic_compare_exchange_n(&in->used_count, &used, number - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* @added: the label whose texts are the caller's still; count if none is. */
static void fill(struct entry *entry, const struct sorted *wanted, uint32_t added)
{
    copy_sorted(&entry->sorted, wanted);
    if (added == wanted->set.count)
        return;
    char *key = entry->text, *value = stpcpy(key, wanted->set.labels[added].key) + 1;
    strcpy(value, wanted->set.labels[added].value);
    entry->sorted.set.labels[added].key = key;
    entry->sorted.set.labels[added].value = value;
}

/* What is kept was looked at: only a label that makes a new set has to be. */
static bool is_allowed(const struct ph_label_set *set, uint32_t place)
{
    if (place == set->count)
        return true;
    const char *texts[] = {set->labels[place].key, set->labels[place].value};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct ph_scan scan = ph_scan_over(texts[i], strlen(texts[i]));
        while (ph_scan_utf8(&scan))
            continue;
        if (!ph_scan_done(&scan))
            return false;
    }
    for (size_t i = 0; i < sizeof(reserved_keys) / sizeof(reserved_keys[0]); i++)
        if (strcmp(reserved_keys[i], texts[0]) == 0)
            return false;
    return true;
}

/* The number of the set in this bucket. If the bucket is free, the set comes into it, in an entry that is *@mine from then on. */
static int look_into(struct table *in, uint32_t *bucket, const struct sorted *wanted, uint32_t added,
                     uint32_t *mine)
{
    uint32_t number = __atomic_load_n(bucket, __ATOMIC_ACQUIRE);
    if (number)
        return (int)number;
    if (!*mine) {
        if (!is_allowed(&wanted->set, added))
            return -EINVAL;
        *mine = take_entry(in);
        if (!*mine)
            return -ENOSPC;
        fill(&in->entries[*mine - 1], wanted, added);
    }
    if (__atomic_compare_exchange_n(bucket, &number, *mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return (int)*mine;
    return (int)number; /* another thread was faster */
}

static int intern(const struct sorted *wanted, uint32_t added, uint32_t *ret_set)
{
    struct table *in = find_table();
    uint32_t mine = 0;
    if (!in && !(in = make_table()))
        return -ENOSPC;
    for (uint64_t place = ph_hash_u64(wanted->hash);; place++) { /* half of the buckets are free for ever */
        int number = look_into(in, &in->buckets[place % BUCKETS], wanted, added, &mine);
        if (number < 0)
            return number;
        if ((uint32_t)number == mine || equal(&in->entries[number - 1].sorted, wanted)) {
            if (mine && (uint32_t)number != mine)
                give_back(in, mine);
            *ret_set = (uint32_t)number;
            return 0;
        }
    }
}

static int refuse(int status)
{
    PH_COUNT(labels_refused);
    return status;
}

int ph_labels_with(uint32_t set, const char *key, const char *value, uint32_t *ret_set)
{
    if (!key || !value || !key[0] || !value[0])
        return -EINVAL;
    size_t key_bytes = strnlen(key, PH_LABEL_KEY_BYTES_MAX + 1);
    size_t value_bytes = strnlen(value, PH_LABEL_VALUE_BYTES_MAX + 1);
    if (key_bytes > PH_LABEL_KEY_BYTES_MAX || value_bytes > PH_LABEL_VALUE_BYTES_MAX)
        return refuse(-EINVAL);
    struct sorted wanted;
    bool is_there;
    copy_sorted(&wanted, &entry_of(set)->sorted);
    uint32_t place = place_for(&wanted.set, key, &is_there);
    if (!is_there && wanted.set.count == PH_LABELS_MAX)
        return refuse(-ENOSPC);
    if (!is_there)
        make_room(&wanted, place);
    put_label(&wanted, place, key, value,
              ph_hash_u64(ph_hash_bytes(key, key_bytes) * 31 + ph_hash_bytes(value, value_bytes)));
    int status = intern(&wanted, place, ret_set);
    return status == -ENOSPC ? refuse(status) : status;
}

int ph_labels_without(uint32_t set, const char *key, uint32_t *ret_set)
{
    struct sorted wanted;
    copy_sorted(&wanted, &entry_of(set)->sorted);
    uint32_t place = ph_label_place(&wanted.set, key);
    if (place == wanted.set.count) {
        *ret_set = set;
        return 0;
    }
    remove_label(&wanted, place);
    if (wanted.set.count == 0) {
        *ret_set = 0;
        return 0;
    }
    int status = intern(&wanted, wanted.set.count, ret_set);
    return status == -ENOSPC ? refuse(status) : status;
}
