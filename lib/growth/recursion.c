#include "growth/recursion.h"

uint32_t ph_recursion_collapse(const uint32_t *frames, uint32_t count, uint32_t *places, uint32_t *ret_frames)
{
    uint32_t kept = 0;
    for (uint32_t i = count; i-- > 0;) {
        uint32_t place = places[frames[i]];
        for (; place && kept > place; kept--)
            places[ret_frames[kept - 1]] = 0;
        if (place)
            continue;
        ret_frames[kept++] = frames[i];
        places[frames[i]] = kept;
    }
    for (uint32_t i = 0; i < kept; i++)
        places[ret_frames[i]] = 0;
    for (uint32_t i = 0; i < kept / 2; i++) {
        uint32_t swapped = ret_frames[i];
        ret_frames[i] = ret_frames[kept - 1 - i];
        ret_frames[kept - 1 - i] = swapped;
    }
    return kept;
}
