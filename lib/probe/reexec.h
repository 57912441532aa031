/*
 * reexec.h - a server that upgrades itself takes its window along.
 *
 * Issue: nginx starts its new binary (USR2) with an environment that it has swept: no LD_PRELOAD, so the new generation
 * would have no window, and whoever looks at the port would see the old one end.
 * Solution: where a server executes its own file, by an environment without LD_PRELOAD, what it was started with is put
 * back. An environment that has an LD_PRELOAD, and every other program, are the host's affair.
 * Runs in vfork children: nothing is written, nothing allocated.
 */
#ifndef PH_PROBE_REEXEC_H
#define PH_PROBE_REEXEC_H

#include <stddef.h>

#define PH_REEXEC_LINES_MAX 16

/** ph_reexec_remember() - the program's file, LD_PRELOAD, MALLOC_CONF and PORTHOLE_…, as they are now. Once, when the window
 * opens: hosts write over their environment later. */
void ph_reexec_remember(void);

/** ph_reexec_lacking() - the lines that @environment should have to execute @path; how many: 0 for other programs. */
size_t ph_reexec_lacking(const char *path, char *const *environment, char *ret_lines[PH_REEXEC_LINES_MAX]);

#endif
