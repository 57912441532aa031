/* load.h - finding and opening the agent. */
#ifndef PH_PROBE_LOAD_H
#define PH_PROBE_LOAD_H

#include "probe/probe.h"

/**
 * ph_agent_load() - open libporthole-agent.so, once, and exchange tables.
 *
 * Looked for in PORTHOLE_AGENT, else beside the probe, in porthole/ below it, in $libdir/porthole. RTLD_LOCAL: its
 * libraries (libmicrohttpd with gnutls, …) must not answer the host's symbols. Blocks for some 20 ms; on threads of
 * ours or in a ph_own_scope. NULL with the reason in @error (-ENOENT, -ELIBACC, -EPROTO).
 */
const struct ph_agent *ph_agent_load(const struct ph_probe *probe, struct ph_error *error);

/** ph_load_before_fork(), ph_load_after_fork() - from the fork handlers, on threads of the host. */
void ph_load_before_fork(void);
void ph_load_after_fork(bool in_child);

/** ph_agent_loaded() - NULL if it was not loaded yet. */
const struct ph_agent *ph_agent_loaded(void);

#endif
