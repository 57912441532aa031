/* say.h - the few lines Porthole writes on the host's stderr. Never on a hot path. */
#ifndef PH_PROBE_SAY_H
#define PH_PROBE_SAY_H

/** ph_say_init() - remember what stderr is, before main(). */
void ph_say_init(void);

/** ph_say() - "porthole: TEXT" and a line end, in one write, if stderr is still what it was: a daemon may have put a
 * socket or a data file there. Keeps errno. */
void ph_say(const char *text);

#endif
