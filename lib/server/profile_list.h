/* profile_list.h - all profiles on a page: name, what it tells, and commands to copy. */
#ifndef PH_SERVER_PROFILE_LIST_H
#define PH_SERVER_PROFILE_LIST_H

#include "base/buf.h"
#include "server/request.h"
#include "server/router.h"

#include <stdint.h>

/** How many entries a profile has now; -1 if that is not known. */
typedef int64_t ph_profile_count(const void *context, const struct ph_route *route);

/** ph_profile_list_write() - append one card for each profile of routes.def. @count_of: NULL for no counts;
 * @context: its argument. */
void ph_profile_list_write(const struct ph_request *request, ph_profile_count *count_of, const void *context,
                           struct ph_buf *out);

/** ph_profile_is_lasting() - does it take seconds in any case? */
bool ph_profile_is_lasting(const struct ph_route *route);

#endif
