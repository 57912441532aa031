/*
 * segment.h - what all processes of a family share: who they are, and what only they know.
 *
 * The table is MAP_SHARED, made by the first process and inherited over fork at the same address. Fixed size, versioned, no
 * pointers. A member that was taken over can write there: readers believe no length, index or end of a text. What never changes
 * (key, id, founder) is a copy in each process.
 * Crash-safe: every word that decides something is written by one atomic store or exchange, so a process that dies at any
 * instruction leaves at worst a row that readers see to be dead. No locks. Any thread of any member.
 */
#ifndef PH_FAMILY_SEGMENT_H
#define PH_FAMILY_SEGMENT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PH_SEGMENT_VERSION   1
#define PH_MEMBERS_MAX       4096
#define PH_FAMILY_KEY_BYTES  33  /* 32 hexadecimal digits and a NUL */
#define PH_FAMILY_ID_BYTES   17  /* 16 hexadecimal digits and a NUL */
#define PH_SEGMENT_URL_BYTES 160 /* as PH_URL_MAX of server/listen.h */

/* One process of the family: a copy of its row. */
struct ph_member {
    pid_t pid;
    uint64_t start_ticks; /* field 22 of /proc/PID/stat: tells a pid that came again; 0 if /proc is not there */
    uid_t user;           /* effective, when it joined */
    bool is_front;
    char name[16]; /* comm, when it joined */
};

struct ph_segment;

/** ph_segment_new() - map an empty one and draw its key. 0; -ENOMEM, or the errno of getrandom(). */
int ph_segment_new(struct ph_segment **ret_segment, struct ph_error *error);

/** ph_segment_free() - unmap: this process only. NULL is fine. */
void ph_segment_free(struct ph_segment *segment);

/** ph_segment_key() - what proves that a peer is of this family: it was never anywhere but in this memory. */
const char *ph_segment_key(const struct ph_segment *segment);

/** ph_segment_id() - what tells families apart, in names of sockets that all can see. */
const char *ph_segment_id(const struct ph_segment *segment);

/** ph_segment_founder(), ph_segment_founder_user() - who made it; its effective user then. */
pid_t ph_segment_founder(const struct ph_segment *segment);
uid_t ph_segment_founder_user(const struct ph_segment *segment);

/** ph_segment_program() - the founder's name (comm) when it made it. */
const char *ph_segment_program(const struct ph_segment *segment);

/** ph_segment_is_home() - is the calling process in the pid and network namespace in which the segment was made? Elsewhere
 * the pids in it, and abstract sockets, mean something else. */
bool ph_segment_is_home(const struct ph_segment *segment);

/** ph_segment_join() - a row for the calling process; rows of dead processes are used again. -ENOSPC: there is no room.
 * The process is a member as long as the calling thread lives (alive.h). */
int ph_segment_join(struct ph_segment *segment, uint32_t *ret_row);

/** ph_segment_leave() - free the row of the calling process, on the thread that joined. */
void ph_segment_leave(struct ph_segment *segment, uint32_t row);

/** ph_segment_succeed() - the calling process, in @row, becomes the front if there is none: of all that try, one. Is it? */
bool ph_segment_succeed(struct ph_segment *segment, uint32_t row);

/** ph_segment_resign() - if the calling process, in @row, is the front, there is none from now on. */
void ph_segment_resign(struct ph_segment *segment, uint32_t row);

/** ph_segment_front() - the pid of the last front, which may have ended; 0 before the first. */
pid_t ph_segment_front(const struct ph_segment *segment);

/** ph_segment_members() - at most @capacity living members, in order of pid; how many there are. Rows of the dead are freed on
 * the way. */
size_t ph_segment_members(struct ph_segment *segment, struct ph_member *ret_members, size_t capacity);

/** ph_segment_find() - the living member @pid; false if there is none. */
bool ph_segment_find(struct ph_segment *segment, pid_t pid, struct ph_member *ret_member);

/** ph_segment_has() - is @pid a living member? */
bool ph_segment_has(struct ph_segment *segment, pid_t pid);

/** ph_segment_forget() - @member did not answer: free its row if it has ended or exec'ed another program. That of a
 * living member stays. */
void ph_segment_forget(struct ph_segment *segment, const struct ph_member *member);

/** ph_segment_url(), ph_segment_set_url() - where the family's endpoint is, "" for nowhere; written by the front only. A
 * copy, never half of one and half of another. */
void ph_segment_url(const struct ph_segment *segment, char ret_url[PH_SEGMENT_URL_BYTES]);
void ph_segment_set_url(struct ph_segment *segment, const char *url);

/** ph_segment_set_awaits() - known from now on to each front that follows: the address that the family was to listen at is that
 * of a former generation of the same program, and will be this one's. ph_segment_awaits() - is it? */
void ph_segment_set_awaits(struct ph_segment *segment);
bool ph_segment_awaits(const struct ph_segment *segment);

#endif
