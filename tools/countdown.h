/* countdown.h - a line on the terminal's stderr while a server works, drawn over and taken away again. Process-wide. */
#ifndef PH_TOOLS_COUNTDOWN_H
#define PH_TOOLS_COUNTDOWN_H

#include <stdbool.h>

/** ph_countdown_start() - "profiling SUBJECT: 3s of 10s". @subject is borrowed, made visible already. SIGINT, SIGTERM and SIGHUP are
 * noted from now on (signals.h). */
void ph_countdown_start(const char *subject, long seconds);

/** ph_countdown_is_over() - draw it again. Has somebody ended the command? For ph_source_options.is_given_up. */
bool ph_countdown_is_over(void);

/** ph_countdown_end() - take the line away. Returns for how many seconds it ran. */
double ph_countdown_end(void);

#endif
