#include "growth/verdict.h"

const char *ph_growth_label_name(enum ph_growth_label label)
{
    static const char *const names[PH_GROWTH_LABEL_COUNT] = {
        [PH_GROWTH_NOISE] = "noise",         [PH_GROWTH_INSUFFICIENT] = "insufficient samples",
        [PH_GROWTH_SHRINKING] = "shrinking", [PH_GROWTH_PLATEAU] = "plateau",
        [PH_GROWTH_STEP] = "step",           [PH_GROWTH_GROWING] = "growing",
    };
    return names[label];
}
