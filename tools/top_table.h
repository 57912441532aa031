/* top_table.h - the rows of a profile as a table: flat, cumulative, and what they belong to. */
#ifndef PH_TOOLS_TOP_TABLE_H
#define PH_TOOLS_TOP_TABLE_H

#include "base/buf.h"
#include "base/human.h"
#include "model/top.h"

#include <stddef.h>

struct ph_top_table {
    enum ph_top_by by;
    size_t row_count;    /* show at most so many */
    size_t width;        /* cut lines to it; 0: do not cut */
    const char *nothing; /* what to say if there is no row: "nothing that was sampled is left to show" */
    struct ph_human (*show)(int64_t value); /* in its unit */
};

/** ph_top_table_write() - append "Showing 20 of 133 functions" and the table; one line if there is nothing. Rows of zero are left
 * out. @profile: of sample type @type. 0 or -ENOMEM. */
int ph_top_table_write(const struct ph_top_table *table, const struct ph_profile *profile, uint32_t type,
                       struct ph_buf *out);

/** ph_top_shower() - how values of @unit are shown: bytes, nanoseconds, else a count. */
struct ph_human (*ph_top_shower(const char *unit))(int64_t value);

/** ph_top_largest() - the function that most is in, demangled, as a new string to be freed; "" if there is none. NULL if memory is
 * out. */
char *ph_top_largest(const struct ph_profile *profile, uint32_t type);

#endif
