/* export.h - the mark of what leaves this object; the list is in symbols.def, allocator.def and porthole.h. */
#ifndef PH_PROBE_EXPORT_H
#define PH_PROBE_EXPORT_H

#define PH_EXPORT __attribute__((visibility("default")))

#endif
