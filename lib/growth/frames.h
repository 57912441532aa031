/*
 * frames.h - the places in the code that the stacks of several profiles share.
 *
 * A frame is told by what stays the same over restarts: a function by its name, an address by its file's build id and the
 * offset in it, a module by its file name without folders, a process by its id. Text formats tell no build ids: there a file is the one of
 * that name that others tell. What else a frame says of itself (source file, module)
 * is that of the profile that had it first. One thread at a time.
 */
#ifndef PH_GROWTH_FRAMES_H
#define PH_GROWTH_FRAMES_H

#include "growth/filter.h"
#include "growth/report.h"
#include "model/profile.h"

#include <stdint.h>

struct ph_frame { /* as struct ph_growth_frame; texts are strings of ph_frames.known */
    uint32_t function, file, module, build_id;
    int64_t line;
    uint64_t offset;
};

struct ph_frames {
    enum ph_growth_by by;
    struct ph_profile *known; /* holds the texts; its locations are the keys of the frames */
    struct ph_frame *entries; /* known->location_count of them */
    struct ph_frame_module *modules;
    uint32_t module_count;
};

/** ph_frames_init() - 0, -ENOMEM. @known: kept, not owned: a profile for this use alone. */
int ph_frames_init(struct ph_frames *frames, enum ph_growth_by by, struct ph_profile *known);
void ph_frames_fini(struct ph_frames *frames);

/** ph_frames_of_process() - the frame that stands for a process, above all its stacks: its number, from 0; PH_INDEX_NONE if
 * memory is out. @pid: as in the label. */
uint32_t ph_frames_of_process(struct ph_frames *frames, const char *pid);

/* Each location of one profile as frames, leaf first: none if it is hidden, several if it has inlined calls. */
struct ph_frame_map {
    uint32_t *starts; /* by location number - 1, and one more: where its frames begin */
    uint32_t *frames; /* numbers, from 0 */
    uint32_t count;
};

/** ph_frame_map_init() - find the frames of all locations of view->profile; new ones are added. 0, -ENOMEM. */
int ph_frame_map_init(struct ph_frame_map *map, struct ph_frames *frames, struct ph_filter_view *view);
void ph_frame_map_fini(struct ph_frame_map *map);

#endif
