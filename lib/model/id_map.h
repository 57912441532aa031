/* id_map.h - ids as a file has them, any 64-bit numbers, to the numbers of our own entries. One thread at a time. */
#ifndef PH_MODEL_ID_MAP_H
#define PH_MODEL_ID_MAP_H

#include "base/index.h"

#include <stdint.h>

struct ph_id_pair {
    uint64_t id;
    uint32_t number;
};

struct ph_id_map {
    struct ph_id_pair *pairs; /* in the order of the file */
    uint32_t count;
    struct ph_index index;
};

#define PH_ID_MAP_INIT                                                                                             \
    {                                                                                                              \
        NULL, 0, PH_INDEX_INIT                                                                                     \
    }

/** ph_id_map_add() - 0; -EEXIST if the id is there already; -ENOMEM; -EOVERFLOW. */
int ph_id_map_add(struct ph_id_map *map, uint64_t id, uint32_t number);

/** ph_id_map_find() - the number of an id, 0 if it is not there. */
uint32_t ph_id_map_find(const struct ph_id_map *map, uint64_t id);

void ph_id_map_fini(struct ph_id_map *map);

#endif
