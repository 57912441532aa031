/*
 * instances.h - the processes of this machine that have Porthole inside: each listens at @porthole/<pid>.
 *
 * Abstract sockets belong to a network namespace: only those of ours are seen.
 */
#ifndef PH_TOOLS_INSTANCES_H
#define PH_TOOLS_INSTANCES_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PH_INSTANCE_SOCKET_MAX 32

/** ph_instance_socket() - the name of the abstract socket of process @pid, without the NUL in front. */
void ph_instance_socket(pid_t pid, char ret_name[PH_INSTANCE_SOCKET_MAX]);

/** ph_instances_parse() - the pids in the text of /proc/net/unix, ascending, each once. free() them. 0 or -ENOMEM. */
int ph_instances_parse(const char *text, size_t size_bytes, pid_t **ret_pids, size_t *ret_count);

/** ph_instances_find() - the same, of this machine now. 0, or a negative errno with the reason in @error. */
int ph_instances_find(pid_t **ret_pids, size_t *ret_count, struct ph_error *error);

/** ph_instance_is_foreign() - does the process belong to a user whose processes do not answer to us? */
bool ph_instance_is_foreign(pid_t pid);

/* What a process said about itself. */
struct ph_instance {
    pid_t pid;
    struct ph_error error; /* code 0 if it answered */
    char *url;             /* where its endpoint listens; "" if nowhere but at the local socket; NULL if unknown */
    char *command;         /* also known, from /proc, of one that did not answer; NULL if not */
    double uptime_seconds;
    int64_t rss_bytes;
};

/**
 * ph_instances_ask() - ask each of @count processes who it is. Those that hang cost @timeout_ms together (each 128).
 * @ret_instances: @count of them, in the order of @pids; ph_instance_fini() releases each. Why one did not answer
 *                 is in its error.
 * 0, or -ENOMEM with nothing written.
 */
int ph_instances_ask(const pid_t *pids, size_t count, long timeout_ms, struct ph_instance *ret_instances);

void ph_instance_fini(struct ph_instance *instance);

#endif
