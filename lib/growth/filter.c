#include "growth/filter.h"

#include <errno.h>
#include <stdlib.h>

static const char *const rule_names[PH_FILTER_RULE_COUNT] = {
    [PH_FILTER_FOCUS] = "focus",
    [PH_FILTER_IGNORE] = "ignore",
    [PH_FILTER_HIDE] = "hide",
};

static int compile(struct ph_filter *filter, int rule, const char *expression, struct ph_error *error)
{
    char reason[96];
    int status = regcomp(&filter->expressions[rule], expression, REG_EXTENDED | REG_NOSUB);
    if (status == 0) {
        filter->is_set[rule] = true;
        return 0;
    }
    regerror(status, &filter->expressions[rule], reason, sizeof(reason));
    return ph_error_set(error, status == REG_ESPACE ? -ENOMEM : -EINVAL, "%s \"%.80s\": %s", rule_names[rule],
                        expression, reason);
}

int ph_filter_init(struct ph_filter *filter, const char *const expressions[PH_FILTER_RULE_COUNT],
                   struct ph_error *error)
{
    int status = 0;
    *filter = (struct ph_filter){0};
    for (int rule = 0; rule < PH_FILTER_RULE_COUNT && status == 0; rule++)
        if (expressions[rule] && *expressions[rule])
            status = compile(filter, rule, expressions[rule], error);
    if (status < 0)
        ph_filter_fini(filter);
    return status;
}

void ph_filter_fini(struct ph_filter *filter)
{
    for (int rule = 0; rule < PH_FILTER_RULE_COUNT; rule++)
        if (filter->is_set[rule])
            regfree(&filter->expressions[rule]);
    *filter = (struct ph_filter){0};
}

int ph_filter_view_init(struct ph_filter_view *view, const struct ph_filter *filter,
                        const struct ph_profile *profile)
{
    uint8_t *seen = calloc(2, profile->string_count);
    if (!seen)
        return -ENOMEM;
    *view = (struct ph_filter_view){filter, profile, seen, seen + profile->string_count};
    return 0;
}

void ph_filter_view_fini(struct ph_filter_view *view)
{
    free(view->seen);
    *view = (struct ph_filter_view){0};
}

static bool string_matches(struct ph_filter_view *view, int rule, uint32_t string)
{
    uint8_t bit = (uint8_t)(1 << rule);
    if (!(view->seen[string] & bit)) {
        const char *text = ph_profile_text(view->profile, string);
        view->seen[string] |= bit;
        if (regexec(&view->filter->expressions[rule], text, 0, NULL, 0) == 0)
            view->matches[string] |= bit;
    }
    return view->matches[string] & bit;
}

static bool mapping_matches(struct ph_filter_view *view, int rule, const struct ph_location *location)
{
    return location->mapping && string_matches(view, rule, view->profile->mappings[location->mapping - 1].file);
}

static bool line_matches(struct ph_filter_view *view, int rule, const struct ph_line *line)
{
    if (line->function == 0)
        return false;
    const struct ph_function *function = &view->profile->functions[line->function - 1];
    return string_matches(view, rule, function->name) || string_matches(view, rule, function->file);
}

static bool location_matches(struct ph_filter_view *view, int rule, const struct ph_location *location)
{
    for (uint32_t i = 0; i < location->line_count; i++)
        if (line_matches(view, rule, &view->profile->lines[location->first_line + i]))
            return true;
    return mapping_matches(view, rule, location);
}

bool ph_filter_drops(struct ph_filter_view *view, const struct ph_location *location)
{
    return view->filter->is_set[PH_FILTER_IGNORE] && location_matches(view, PH_FILTER_IGNORE, location);
}

bool ph_filter_holds(struct ph_filter_view *view, const struct ph_location *location)
{
    return !view->filter->is_set[PH_FILTER_FOCUS] || location_matches(view, PH_FILTER_FOCUS, location);
}

bool ph_filter_hides(struct ph_filter_view *view, const struct ph_location *location, const struct ph_line *line)
{
    if (!view->filter->is_set[PH_FILTER_HIDE])
        return false;
    return (line && line_matches(view, PH_FILTER_HIDE, line)) || mapping_matches(view, PH_FILTER_HIDE, location);
}
