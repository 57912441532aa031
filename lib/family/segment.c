#include "family/segment.h"

#include "family/alive.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/random.h>
#include <unistd.h>

#define NAME_BYTES ((size_t)16)
#define URL_TRIES  100

/*
 * Who has a row, in one word, so that taking a row is one exchange and no half of a claim can be left behind: the pid
 * (22 bits: PID_MAX_LIMIT of Linux), then the start time in ticks (41 bits: centuries), then whether the row is complete.
 */
#define PID_BITS 22
#define COMPLETE (UINT64_C(1) << 63)

struct row {
    _Atomic uint64_t owner; /* 0: free */
    _Atomic uint32_t user;
    _Atomic char name[NAME_BYTES];
    struct ph_alive alive; /* held by the owner while the row is complete */
};

struct url {
    _Atomic char text[PH_SEGMENT_URL_BYTES];
};

/* What is shared. Any member may have been taken over and write what it likes: nothing here is a length, an index or a text to
 * be believed. */
struct table {
    uint32_t version;
    _Atomic uint64_t front;    /* owner of the front's row, without COMPLETE */
    _Atomic uint32_t url_turn; /* urls[url_turn % 2] is valid, the other one may be written */
    struct url urls[2];
    _Atomic uint32_t row_end; /* no row from here on was ever used: pages that are not read are not there */
    atomic_bool awaits;       /* the family waits for the port it asked for */
    struct row rows[PH_MEMBERS_MAX];
};

/* What never changes, each process has for itself, as a copy that fork() made. */
struct ph_segment {
    char key[PH_FAMILY_KEY_BYTES];
    char id[PH_FAMILY_ID_BYTES];
    pid_t founder;
    uid_t founder_user;
    char program[NAME_BYTES];
    struct ph_home home;
    struct table *table;
};

static uint64_t owner_of(pid_t pid, uint64_t start_ticks)
{
    return (start_ticks << PID_BITS | (uint64_t)pid) & ~COMPLETE;
}

static pid_t pid_of(uint64_t owner)
{
    return (pid_t)(owner & ((1U << PID_BITS) - 1));
}

static uint64_t ticks_of(uint64_t owner)
{
    return (owner & ~COMPLETE) >> PID_BITS;
}

static uint64_t own_owner(void)
{
    return owner_of(getpid(), ph_start_ticks(getpid()));
}

static int draw_hex(char *ret_text, size_t text_bytes)
{
    unsigned char bytes[PH_FAMILY_KEY_BYTES / 2];
    size_t count = (text_bytes - 1) / 2;
    if (getrandom(bytes, count, 0) != (ssize_t)count)
        return -errno;
    for (size_t i = 0; i < count; i++)
        snprintf(ret_text + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

static int draw_names(struct ph_segment *segment)
{
    int status = draw_hex(segment->key, sizeof(segment->key));
    return status < 0 ? status : draw_hex(segment->id, sizeof(segment->id));
}

static struct table *map_table(void)
{
    struct table *table =
        mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (table == MAP_FAILED)
        return NULL;
    table->version = PH_SEGMENT_VERSION;
    return table;
}

int ph_segment_new(struct ph_segment **ret_segment, struct ph_error *error)
{
    struct ph_segment *segment = calloc(1, sizeof(*segment));
    if (!segment || !(segment->table = map_table())) {
        free(segment);
        return ph_error_set(error, -ENOMEM, "no memory for the table of processes");
    }
    int status = draw_names(segment);
    if (status < 0) {
        ph_segment_free(segment);
        return ph_error_set(error, status, "cannot draw a key: %s", strerror(-status));
    }
    segment->founder = getpid();
    segment->founder_user = geteuid();
    ph_process_name(segment->program);
    segment->home = ph_home_here();
    *ret_segment = segment;
    return 0;
}

void ph_segment_free(struct ph_segment *segment)
{
    if (segment)
        munmap(segment->table, sizeof(*segment->table));
    free(segment);
}

const char *ph_segment_key(const struct ph_segment *segment)
{
    return segment->key;
}

const char *ph_segment_id(const struct ph_segment *segment)
{
    return segment->id;
}

pid_t ph_segment_founder(const struct ph_segment *segment)
{
    return segment->founder;
}

uid_t ph_segment_founder_user(const struct ph_segment *segment)
{
    return segment->founder_user;
}

const char *ph_segment_program(const struct ph_segment *segment)
{
    return segment->program;
}

bool ph_segment_is_home(const struct ph_segment *segment)
{
    struct ph_home here = ph_home_here();
    return segment->table->version == PH_SEGMENT_VERSION && ph_home_equals(&segment->home, &here);
}

/* An incomplete row is that of a process which is joining or leaving, or died of it. */
static bool is_dead(const struct row *row, uint64_t owner)
{
    if (owner & COMPLETE)
        return !ph_alive_is(&row->alive);
    return !ph_process_is_there(pid_of(owner), ticks_of(owner));
}

/* True if the row is free now. What has been read of a row that has another owner since, the exchange tells. */
static bool is_free(struct row *row)
{
    uint64_t owner = atomic_load(&row->owner);
    if (owner && is_dead(row, owner))
        return atomic_compare_exchange_strong(&row->owner, &owner, 0);
    return owner == 0;
}

static bool claim(struct row *row, uint64_t owner)
{
    uint64_t expected = 0;
    return is_free(row) && atomic_compare_exchange_strong(&row->owner, &expected, owner);
}

static uint32_t row_end(const struct ph_segment *segment)
{
    return MIN(atomic_load(&segment->table->row_end), PH_MEMBERS_MAX);
}

static void raise_end(struct ph_segment *segment, uint32_t end)
{
    uint32_t before = atomic_load(&segment->table->row_end);
    while (before < end && !atomic_compare_exchange_weak(&segment->table->row_end, &before, end))
        ;
}

static void describe(struct row *row)
{
    char name[NAME_BYTES] = "";
    ph_process_name(name);
    for (size_t i = 0; i < NAME_BYTES; i++)
        atomic_store_explicit(&row->name[i], name[i], memory_order_relaxed);
    atomic_store(&row->user, geteuid());
}

int ph_segment_join(struct ph_segment *segment, uint32_t *ret_row)
{
    uint64_t owner = own_owner();
    for (uint32_t i = 0; i < PH_MEMBERS_MAX; i++) {
        struct row *row = &segment->table->rows[i];
        /* Before the claim: a row in use must never lie beyond what others look at. */
        raise_end(segment, i + 1);
        if (!claim(row, owner))
            continue;
        describe(row);
        ph_alive_begin(&row->alive);
        atomic_store(&row->owner, owner | COMPLETE);
        *ret_row = i;
        return 0;
    }
    return -ENOSPC;
}

/* Three steps, as the next owner uses `alive` as soon as the row is free. */
void ph_segment_leave(struct ph_segment *segment, uint32_t row_index)
{
    struct row *row = &segment->table->rows[row_index];
    uint64_t owner = atomic_load(&row->owner);
    if (pid_of(owner) != getpid() || !(owner & COMPLETE))
        return;
    atomic_store(&row->owner, owner & ~COMPLETE);
    ph_alive_end(&row->alive);
    atomic_store(&row->owner, 0);
}

bool ph_segment_succeed(struct ph_segment *segment, uint32_t row_index)
{
    uint64_t front = atomic_load(&segment->table->front);
    uint64_t own = atomic_load(&segment->table->rows[row_index].owner) & ~COMPLETE;
    uint32_t end = row_end(segment);
    for (uint32_t i = 0; i < end; i++)
        if (atomic_load(&segment->table->rows[i].owner) == (front | COMPLETE) && !is_free(&segment->table->rows[i]))
            return front == own;
    return atomic_compare_exchange_strong(&segment->table->front, &front, own);
}

void ph_segment_resign(struct ph_segment *segment, uint32_t row_index)
{
    uint64_t own = atomic_load(&segment->table->rows[row_index].owner) & ~COMPLETE;
    atomic_compare_exchange_strong(&segment->table->front, &own, 0);
}

pid_t ph_segment_front(const struct ph_segment *segment)
{
    return pid_of(atomic_load(&segment->table->front));
}

/* False if the row is free, dead (then it is freed), or got another owner meanwhile. */
static bool copy_member(struct ph_segment *segment, struct row *row, struct ph_member *ret_member)
{
    uint64_t owner = atomic_load(&row->owner);
    if (owner == 0 || is_free(row) || !(owner & COMPLETE))
        return false;
    *ret_member = (struct ph_member){
        .pid = pid_of(owner),
        .start_ticks = ticks_of(owner),
        .user = atomic_load(&row->user),
        .is_front = atomic_load(&segment->table->front) == (owner & ~COMPLETE),
    };
    for (size_t i = 0; i + 1 < NAME_BYTES; i++)
        ret_member->name[i] = atomic_load_explicit(&row->name[i], memory_order_relaxed);
    return atomic_load(&row->owner) == owner;
}

static int compare_pids(const void *a, const void *b)
{
    pid_t x = ((const struct ph_member *)a)->pid, y = ((const struct ph_member *)b)->pid;
    return (x > y) - (x < y);
}

size_t ph_segment_members(struct ph_segment *segment, struct ph_member *ret_members, size_t capacity)
{
    struct ph_member member;
    size_t count = 0;
    uint32_t end = row_end(segment);
    for (uint32_t i = 0; i < end; i++) {
        if (!copy_member(segment, &segment->table->rows[i], &member))
            continue;
        if (count < capacity)
            ret_members[count] = member;
        count++;
    }
    if (capacity)
        qsort(ret_members, MIN(count, capacity), sizeof(*ret_members), compare_pids);
    return count;
}

bool ph_segment_find(struct ph_segment *segment, pid_t pid, struct ph_member *ret_member)
{
    struct ph_member member;
    uint32_t end = row_end(segment);
    for (uint32_t i = 0; i < end; i++) {
        struct row *row = &segment->table->rows[i];
        if (pid_of(atomic_load(&row->owner)) != pid || !copy_member(segment, row, &member) || member.pid != pid)
            continue;
        *ret_member = member;
        return true;
    }
    return false;
}

bool ph_segment_has(struct ph_segment *segment, pid_t pid)
{
    uint32_t end = row_end(segment);
    for (uint32_t i = 0; i < end; i++)
        if (pid_of(atomic_load(&segment->table->rows[i].owner)) == pid && !is_free(&segment->table->rows[i]))
            return true;
    return false;
}

void ph_segment_forget(struct ph_segment *segment, const struct ph_member *member)
{
    uint64_t owner = owner_of(member->pid, member->start_ticks) | COMPLETE;
    uint32_t end = row_end(segment);
    for (uint32_t i = 0; i < end; i++)
        if (atomic_load(&segment->table->rows[i].owner) == owner)
            is_free(&segment->table->rows[i]);
}

/* A writer that dies leaves the turn as it was; one that never ends gets no more than these tries. */
void ph_segment_url(const struct ph_segment *segment, char ret_url[PH_SEGMENT_URL_BYTES])
{
    const struct table *table = segment->table;
    uint32_t turn = atomic_load(&table->url_turn), before = turn + 1;
    for (int i = 0; turn != before && i < URL_TRIES; i++) {
        before = turn;
        for (size_t j = 0; j < PH_SEGMENT_URL_BYTES; j++)
            ret_url[j] = atomic_load(&table->urls[before % 2].text[j]);
        turn = atomic_load(&table->url_turn);
    }
    ret_url[PH_SEGMENT_URL_BYTES - 1] = '\0';
}

void ph_segment_set_url(struct ph_segment *segment, const char *url)
{
    uint32_t turn = atomic_load(&segment->table->url_turn) + 1;
    size_t length = strnlen(url, PH_SEGMENT_URL_BYTES - 1);
    for (size_t i = 0; i < PH_SEGMENT_URL_BYTES; i++)
        atomic_store(&segment->table->urls[turn % 2].text[i], i < length ? url[i] : '\0');
    atomic_store(&segment->table->url_turn, turn);
}

void ph_segment_set_awaits(struct ph_segment *segment)
{
    atomic_store(&segment->table->awaits, true);
}

bool ph_segment_awaits(const struct ph_segment *segment)
{
    return atomic_load(&segment->table->awaits);
}
