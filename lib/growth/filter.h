/*
 * filter.h - which stacks and frames an analysis looks at: focus, ignore and hide, with the meaning they have in pprof.
 *
 * A location matches an expression if the name or source file of one of its functions does, or the file of its mapping.
 * A stack is dropped if one of its locations matches ignore, or if there is a focus and none of them matches that.
 * hide takes away matching functions, or all of a location if its mapping matches. Source: google/pprof, profile/filter.go.
 */
#ifndef PH_GROWTH_FILTER_H
#define PH_GROWTH_FILTER_H

#include "base/error.h"
#include "model/profile.h"

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

enum ph_filter_rule { PH_FILTER_FOCUS, PH_FILTER_IGNORE, PH_FILTER_HIDE, PH_FILTER_RULE_COUNT };

struct ph_filter {
    regex_t expressions[PH_FILTER_RULE_COUNT];
    bool is_set[PH_FILTER_RULE_COUNT];
};

/** ph_filter_init() - @expressions: extended regular ones, by rule; NULL or "" for none. -EINVAL names the wrong one. */
int ph_filter_init(struct ph_filter *filter, const char *const expressions[PH_FILTER_RULE_COUNT],
                   struct ph_error *error);
void ph_filter_fini(struct ph_filter *filter);

/* A filter at work on one profile: each of its strings is matched once, however many frames bear it. */
struct ph_filter_view {
    const struct ph_filter *filter;
    const struct ph_profile *profile;
    uint8_t *seen, *matches; /* by string: a bit for each rule */
};

/** ph_filter_view_init() - 0, -ENOMEM. Both are borrowed. */
int ph_filter_view_init(struct ph_filter_view *view, const struct ph_filter *filter,
                        const struct ph_profile *profile);
void ph_filter_view_fini(struct ph_filter_view *view);

/** ph_filter_drops() - is a stack through a location dropped for that alone (ignore)? ph_filter_holds(): is it kept if
 * nothing drops it (focus; always true without one)? */
bool ph_filter_drops(struct ph_filter_view *view, const struct ph_location *location);
bool ph_filter_holds(struct ph_filter_view *view, const struct ph_location *location);

/** ph_filter_hides() - the function of @line (NULL for a location that has no lines) in @location. */
bool ph_filter_hides(struct ph_filter_view *view, const struct ph_location *location, const struct ph_line *line);

#endif
