/* target_name.h - a server named as ps(1) names it: `porthole heap nginx`. */
#ifndef PH_TOOLS_TARGET_NAME_H
#define PH_TOOLS_TARGET_NAME_H

#include "tools/families.h"
#include "tools/target.h"

/**
 * ph_target_find() - as ph_target_parse(), but a word that is neither file nor path may also be the name of a server with
 * Porthole inside: then the target is the process that has its port, with target->is_named.
 *
 * 0; -EINVAL for what can be none of them; -ENOENT: nothing is called so; -EEXIST: several servers are, and they are
 * named in @error; or the errno of looking for them.
 */
int ph_target_find(const char *text, struct ph_target *ret_target, struct ph_error *error);

/** ph_target_find_live() - the same where files are of no use: a server goes first, whatever lies in the current folder. */
int ph_target_find_live(const char *text, struct ph_target *ret_target, struct ph_error *error);

/** ph_target_choose() - the server called @name among @families. 0, -ENOENT or -EEXIST, said in @error. */
int ph_target_choose(const struct ph_families *families, const char *name, pid_t *ret_pid, struct ph_error *error);

#endif
