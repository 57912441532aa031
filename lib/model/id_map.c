#include "model/id_map.h"

#include "model/grow.h"

#include <errno.h>
#include <stdlib.h>

static bool id_equal(const void *owner, uint32_t number, const void *key)
{
    return ((const struct ph_id_map *)owner)->pairs[number].id == *(const uint64_t *)key;
}

uint32_t ph_id_map_find(const struct ph_id_map *map, uint64_t id)
{
    /* Most files number from 1 in order. */
    if (id - 1 < map->count && map->pairs[id - 1].id == id)
        return map->pairs[id - 1].number;
    uint32_t found = ph_index_find(&map->index, ph_hash_u64(id), id_equal, map, &id);
    return found != PH_INDEX_NONE ? map->pairs[found].number : 0;
}

int ph_id_map_add(struct ph_id_map *map, uint64_t id, uint32_t number)
{
    if (ph_id_map_find(map, id))
        return -EEXIST;
    int status = ph_grow(&map->pairs, sizeof(*map->pairs), map->count, 1);
    if (status == 0)
        status = ph_index_add(&map->index, ph_hash_u64(id), map->count);
    if (status == 0)
        map->pairs[map->count++] = (struct ph_id_pair){id, number};
    return status;
}

void ph_id_map_fini(struct ph_id_map *map)
{
    free(map->pairs);
    ph_index_fini(&map->index);
    *map = (struct ph_id_map)PH_ID_MAP_INIT;
}
