/* rich.h - a profile that has one of everything, and profiles as text, so that tests can compare whole ones. */
#ifndef PH_TESTS_RICH_H
#define PH_TESTS_RICH_H

#include "model/profile.h"

/** rich_profile() - labels, units, inlined and folded frames, comments, negative values, names beyond ASCII, … */
struct ph_profile *rich_profile(void);

/** rich_function(), rich_named() - a function; a location of its own without an address for it. */
uint32_t rich_function(struct ph_profile *profile, const char *name, const char *file);
uint32_t rich_named(struct ph_profile *profile, const char *name);

/** rich_add() - a sample through @names (leaf first, NULL-terminated) with @value for every type. */
void rich_add(struct ph_profile *profile, const char *const *names, int64_t value);

/** rich_heap() - an empty heap profile; rich_add_heap() - a sample through addresses, leaf first. */
struct ph_profile *rich_heap(int64_t rate_bytes);
void rich_add_heap(struct ph_profile *profile, const uint64_t *addresses, uint32_t count, int64_t objects,
                   int64_t bytes);

/** rich_text() - all that a profile says, without its numbering; free() it. */
char *rich_text(const struct ph_profile *profile);

/** rich_expect_equal() - both say the same. */
void rich_expect_equal(const struct ph_profile *a, const struct ph_profile *b);

#endif
