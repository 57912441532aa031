/* flame_svg.h - a flame graph as one SVG file that needs nothing else. */
#ifndef PH_TOOLS_FLAME_SVG_H
#define PH_TOOLS_FLAME_SVG_H

#include "base/buf.h"
#include "model/profile.h"

#include <stdint.h>

struct ph_flame_options {
    const char *title; /* of unknown origin: escaped here */
    uint32_t type;     /* the sample type */
};

/**
 * ph_flame_svg_write() - append the graph of @profile to @out; strings are added to the profile.
 *
 * Each frame is a box as wide as its value, with its name as far as it fits and a title (hover) with name, value and
 * share. All of it can be read without script; with it, a click zooms, and a search marks what matches. Names become
 * well-formed XML whatever they hold. 0; -ENOMEM, -EOVERFLOW.
 */
int ph_flame_svg_write(struct ph_profile *profile, const struct ph_flame_options *options, struct ph_buf *out);

extern const char ph_flame_script[]; /* private: ECMAScript without "]]>" */

#endif
