/* nearest.h - what a typing error probably meant. */
#ifndef PH_TOOLS_NEAREST_H
#define PH_TOOLS_NEAREST_H

#include <stddef.h>

/**
 * ph_nearest() - the one of @names (NULL-terminated) that @text is most likely a slip of, NULL if none is near.
 *
 * Near: at most two letters wrong, missing, too many or swapped, and at most half of the name. Distance:
 * optimal string alignment (Damerau 1964). Words of more than 32 bytes are never near.
 */
const char *ph_nearest(const char *text, const char *const *names);

#endif
