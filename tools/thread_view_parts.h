/* thread_view_parts.h - the parts of thread_view.h. */
#ifndef PH_TOOLS_THREAD_VIEW_PARTS_H
#define PH_TOOLS_THREAD_VIEW_PARTS_H

#include "tools/thread_groups.h"
#include "tools/thread_view.h"

/** ph_thread_wait_words() - append "waits 12s in recv, fd 7: tcp 127.0.0.1:80 from 127.0.0.1:5555"; nothing if it does not wait.
 * @since: how long; "" if unknown. */
void ph_thread_wait_words(const struct ph_thread_answer *answer, const struct ph_thread_wait *wait,
                          const char *since, struct ph_buf *out);

/** ph_thread_name() - "4711 worker"; "4711" if its name is unknown, "?" for nobody. */
void ph_thread_name(const struct ph_thread_answer *answer, int64_t tid, struct ph_buf *out);

/** ph_thread_frame_words() - the function, demangled, into @name and where it is into @place: "bank.c:42", "libc.so.6+0x8a2b3". Without
 * a function, the place is the name, and @place stays empty. */
void ph_thread_frame_words(const struct ph_thread_frame *frame, struct ph_buf *name, struct ph_buf *place);

/** ph_thread_names_words() - "worker-1, worker-2 and 9 more"; ph_thread_tids_words() - "4711-4720, 4725". Of a group. */
void ph_thread_names_words(const struct ph_thread_group *group, struct ph_buf *out);
void ph_thread_tids_words(const struct ph_thread_group *group, struct ph_buf *out);

/** ph_thread_states_words() - "10 sleeping, 2 running"; of one thread "sleeping". */
void ph_thread_states_words(const struct ph_thread_row *const *rows, size_t count, struct ph_buf *out);

/** ph_thread_cpu_sum() - of those that tell; negative if none does. */
int64_t ph_thread_cpu_sum(const struct ph_thread_row *const *rows, size_t count);

/** ph_thread_pids_write() - append the table by process. 0 or -ENOMEM. */
int ph_thread_pids_write(const struct ph_thread_view *view, struct ph_buf *out);

#endif
