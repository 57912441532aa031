/*
 * top.h - a profile by function, line or module: flat and cumulative values, largest first. What `porthole heap` and `porthole cpu`
 * print.
 */
#ifndef PH_MODEL_TOP_H
#define PH_MODEL_TOP_H

#include "base/error.h"
#include "model/profile.h"

#include <stddef.h>
#include <stdint.h>

enum ph_top_by {
    PH_TOP_FUNCTION,
    PH_TOP_LINE,   /* "function file:line", as far as that is known */
    PH_TOP_MODULE, /* "[file]" for all of a mapping */
};

struct ph_top_row {
    const char *name;   /* the function, as in the profile; "[file]" or "0xaddress" where no name is known */
    const char *file;   /* of its mapping; "" if unknown */
    int64_t flat;       /* samples whose leaf it is */
    int64_t cumulative; /* samples it is anywhere in, each counted once (recursion) */
};

struct ph_top {
    struct ph_top_row *rows; /* by |flat|, then |cumulative|, then name */
    size_t row_count;
    int64_t total;
    struct ph_arena text; /* holds the names */
};

/** ph_top_build_by() - over sample type @type. The rows hold copies: the profile may go. 0, -ENOMEM. ph_top_build(): by function. */
int ph_top_build_by(const struct ph_profile *profile, uint32_t type, enum ph_top_by by, struct ph_top *ret_top);
int ph_top_build(const struct ph_profile *profile, uint32_t type, struct ph_top *ret_top);
void ph_top_fini(struct ph_top *top);

#endif
