/*
 * instances.h - the processes of this machine that have Porthole inside: each listens at @porthole/<pid>.
 *
 * Abstract sockets belong to a network namespace: only those of ours are seen. Which of them belong together: families.h.
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

/** ph_instance_command() - the command line as /proc has it, blanks between the arguments; free() it. NULL if there is none. */
char *ph_instance_command(pid_t pid);

#endif
