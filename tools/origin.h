/*
 * origin.h - which process a profile came from, as far as that can be told.
 *
 * The profile tells the program; the endpoint of Porthole tells the process, too. Others (Go, a library of its own)
 * are known by their program only, and a restart by the program lying elsewhere in memory.
 */
#ifndef PH_TOOLS_ORIGIN_H
#define PH_TOOLS_ORIGIN_H

#include "model/profile.h"
#include "tools/source.h"

#include <stdbool.h>
#include <stdint.h>

#define PH_ORIGIN_TEXT_MAX      256
#define PH_ORIGIN_PROCESSES_MAX 32 /* the oldest ones: workers come and go */

struct ph_origin_process {
    int64_t pid, start_ns; /* start_ns: 0 if unknown */
};

struct ph_origin {
    char program[PH_ORIGIN_TEXT_MAX];  /* the path of its file, of a very long one the end; "" if unknown */
    char build_id[PH_ORIGIN_TEXT_MAX]; /* "" if unknown */
    uint64_t base_address;             /* where the program lies; 0 if unknown */
    int64_t pid;                       /* of a family the oldest; 0 if unknown */
    int64_t start_ns;                  /* when the process started, realtime, within a second; 0 if unknown */
    bool is_member;                    /* it is one of a family of which another is the front */
    /* Of a family, the oldest first; none if there is but that one. */
    struct ph_origin_process family[PH_ORIGIN_PROCESSES_MAX];
    uint32_t family_count;
};

enum ph_origin_change {
    PH_ORIGIN_SAME,          /* as far as both are known */
    PH_ORIGIN_RESTARTED,     /* the same program, but no process is left of it */
    PH_ORIGIN_OTHER_PROGRAM, /* another name, and not the same build id */
};

/** ph_origin_of_profile() - fill in program, build_id and base_address; the rest is kept. */
void ph_origin_of_profile(const struct ph_profile *profile, struct ph_origin *origin);

/**
 * ph_origin_ask() - ask the endpoint at /debug/processes and fill in pid and what follows; 0 if it does not tell.
 * @options: for the token and how long to wait; route and query are not used. @target is no file.
 *
 * Waits for the answer, or until it is given up. No error: what is unknown is unknown.
 */
void ph_origin_ask(const struct ph_target *target, const struct ph_source_options *options,
                   struct ph_origin *origin);

/** ph_origin_parse() - the same from the body of an answer that came at @now_ns. @pid: the process that was asked, which
 * stands for its family if it is the front; 0: the family. */
void ph_origin_parse(const char *json, size_t size_bytes, int64_t pid, int64_t now_ns, struct ph_origin *origin);

enum ph_origin_change ph_origin_compare(const struct ph_origin *before, const struct ph_origin *now);

/** ph_origin_name() - the name of the program's file without its folders, "?" if unknown; points into @origin. */
const char *ph_origin_name(const struct ph_origin *origin);

#endif
