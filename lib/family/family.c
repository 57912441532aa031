#include "family/family.h"

#include "family/beacon.h"
#include "family/tally.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Between bind() and listen() a beacon is neither free nor watched, and if hundreds come at once, some have to come again. */
#define ELECT_TRIES 50
#define NAP_NS      (1000L * 1000)

struct ph_family {
    const struct ph_probe *probe;
    struct ph_segment *segment;
    uint32_t row;
    bool is_founder;
    atomic_bool is_front;
    struct ph_beacon beacon;
    int watch_fd; /* of the front's beacon, or its pidfd */
    char beacon_name[PH_BEACON_NAME_MAX];
};

/* The family this process was forked into, or has founded: what survives fork(), and the window of a process. A second
 * window in one process at a time, as tests open them, is a family of its own. */
static struct ph_segment *lineage;
static bool lineage_is_entered;
static bool lineage_is_made_here;

static bool can_join(void)
{
    return lineage && !lineage_is_entered && ph_segment_is_home(lineage);
}

static int found(struct ph_family *family, struct ph_error *error)
{
    int status = ph_segment_new(&family->segment, error);
    if (status < 0)
        return status;
    family->is_founder = true;
    if (!lineage_is_entered) {
        lineage = family->segment; /* another one, of other namespaces, stays mapped: a thread may still read it */
        lineage_is_made_here = true;
    }
    return 0;
}

/* Who has founded it and comes back when nobody is left opens the port as the first time. */
static void join(struct ph_family *family)
{
    family->segment = lineage;
    family->is_founder = lineage_is_made_here && ph_segment_members(lineage, NULL, 0) == 0;
}

int ph_family_enter(const struct ph_probe *probe, struct ph_family **ret_family, struct ph_error *error)
{
    struct ph_family *family = calloc(1, sizeof(*family));
    if (!family)
        return ph_error_set(error, -ENOMEM, "out of memory");
    *family = (struct ph_family){.probe = probe, .beacon = PH_BEACON_OUT, .watch_fd = -1};
    int status = 0;
    if (can_join())
        join(family);
    else
        status = found(family, error);
    if (status < 0) {
        free(family);
        return status;
    }
    if (family->segment == lineage)
        lineage_is_entered = true;
    status = ph_segment_join(family->segment, &family->row);
    if (status < 0) {
        if (family->segment == lineage)
            lineage_is_entered = false;
        ph_family_free(family);
        return ph_error_set(error, status, "%d processes of this server are there already, no other can be shown",
                            PH_MEMBERS_MAX);
    }
    snprintf(family->beacon_name, sizeof(family->beacon_name), "porthole-front/%s", ph_segment_id(family->segment));
    *ret_family = family;
    return 0;
}

bool ph_family_is_founder(const struct ph_family *family)
{
    return family->is_founder;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* The table decides, in the end: nobody outside the family can write there. */
static bool lead(struct ph_family *family)
{
    bool leads = ph_segment_succeed(family->segment, family->row);
    atomic_store(&family->is_front, leads);
    return leads;
}

/* Without the beacon: somebody of another family holds it, or its holder answers nobody. A pidfd does not tell of exec(), but those
 * who watch the beacon do. False if the front has just gone. */
static bool watch_process(struct ph_family *family)
{
    pid_t front = ph_segment_front(family->segment);
    int fd = (int)syscall(SYS_pidfd_open, front, 0);
    if (fd < 0)
        return errno != ESRCH; /* a filter forbids it: then others have to follow the front */
    family->watch_fd = family->probe->own_fd(fd);
    if (ph_segment_has(family->segment, front))
        return true;
    close_fd(&family->watch_fd);
    return false;
}

enum outcome { FRONT, MEMBER, AGAIN };

static enum outcome go_without_beacon(struct ph_family *family)
{
    ph_beacon_put_out(&family->beacon);
    if (lead(family))
        return FRONT;
    return watch_process(family) ? MEMBER : AGAIN;
}

/* The kernel takes the beacon of a process that ends away after the pipe that its members watch: its last was opened first. */
static bool is_ending_front(const struct ph_family *family, pid_t holder)
{
    return holder == ph_segment_front(family->segment);
}

static enum outcome watch_beacon(struct ph_family *family)
{
    struct ucred holder;
    int fd = ph_beacon_watch(family->probe, family->beacon_name, &holder);
    if (fd == -ECONNREFUSED || fd == -EAGAIN)
        return AGAIN;
    if (fd < 0)
        return go_without_beacon(family);
    if (!ph_segment_has(family->segment, holder.pid)) {
        struct pollfd gone = {.fd = fd};
        bool has_gone = poll(&gone, 1, 0) > 0;
        close(fd);
        return has_gone || is_ending_front(family, holder.pid) ? AGAIN : go_without_beacon(family);
    }
    family->watch_fd = fd;
    return MEMBER;
}

static enum outcome try_once(struct ph_family *family)
{
    int status = ph_beacon_light(family->probe, family->beacon_name, &family->beacon);
    if (status == -EADDRINUSE)
        return watch_beacon(family);
    if (status < 0)
        return go_without_beacon(family);
    return lead(family) ? FRONT : go_without_beacon(family);
}

/* Not every event is the end of the front: the first one hands over what tells of that. */
static bool still_led(struct ph_family *family)
{
    if (family->watch_fd >= 0)
        family->watch_fd = ph_beacon_settle(family->probe, family->watch_fd);
    if (family->watch_fd < 0)
        family->watch_fd = -1;
    return family->watch_fd >= 0;
}

bool ph_family_elect(struct ph_family *family)
{
    static const struct timespec nap = {.tv_nsec = NAP_NS};
    enum outcome outcome = ph_family_is_front(family) ? FRONT : AGAIN;
    if (still_led(family))
        return false;
    for (int i = 0; outcome == AGAIN && i < ELECT_TRIES; i++) {
        if (i > 0)
            nanosleep(&nap, NULL);
        outcome = try_once(family);
    }
    if (outcome == AGAIN)
        outcome = go_without_beacon(family);
    return outcome == FRONT;
}

int ph_family_watch_fd(const struct ph_family *family)
{
    return family->watch_fd;
}

struct ph_beacon *ph_family_beacon(struct ph_family *family)
{
    return &family->beacon;
}

bool ph_family_is_front(const struct ph_family *family)
{
    return atomic_load(&family->is_front);
}

struct ph_segment *ph_family_segment(const struct ph_family *family)
{
    return family->segment;
}

/* First the table, then the beacon: who sees it go out must find nobody that leads. */
void ph_family_resign(struct ph_family *family)
{
    atomic_store(&family->is_front, false);
    ph_segment_resign(family->segment, family->row);
    ph_beacon_put_out(&family->beacon);
    close_fd(&family->watch_fd);
}

void ph_family_leave(struct ph_family *family)
{
    ph_segment_leave(family->segment, family->row);
    if (family->segment == lineage)
        lineage_is_entered = false;
}

void ph_family_free(struct ph_family *family)
{
    if (family && family->segment != lineage)
        ph_segment_free(family->segment);
    free(family);
}

void ph_family_forked(void)
{
    lineage_is_entered = false;
    lineage_is_made_here = false;
    ph_tally_forked();
}
