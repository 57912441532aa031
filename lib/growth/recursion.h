/* recursion.h - a call path without its recursions. */
#ifndef PH_GROWTH_RECURSION_H
#define PH_GROWTH_RECURSION_H

#include <stdint.h>

/**
 * ph_recursion_collapse() - walk from the root to the leaf; where a frame comes again, what was called since is forgotten.
 * @frames: @count of them, leaf first. @ret_frames: room for as many; may not be @frames.
 * @places: a zero for each frame there is; zero again afterwards.
 *
 * "main, parse, list, parse, item" becomes "main, parse, item": a path of any depth has each frame once, and the levels
 * of a recursion fall together. Returns how many are left.
 */
uint32_t ph_recursion_collapse(const uint32_t *frames, uint32_t count, uint32_t *places, uint32_t *ret_frames);

#endif
