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

/** ph_load_forked() - in a forked child, on its one thread. */
void ph_load_forked(void);

/** ph_agent_loaded() - NULL if it was not loaded yet. */
const struct ph_agent *ph_agent_loaded(void);

#endif
