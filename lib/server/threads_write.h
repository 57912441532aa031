/* threads_write.h - a thread dump in its forms for people and programs; deadlocks come first in each. Any thread. Memory that
 * runs out is in the buffer's status. */
#ifndef PH_SERVER_THREADS_WRITE_H
#define PH_SERVER_THREADS_WRITE_H

#include "base/buf.h"
#include "server/threads_view.h"

#include <stdint.h>

/* Whose dump it is. */
struct ph_threads_title {
    int64_t pid;
    const char *process; /* its name */
    const char *version; /* of Porthole, for the page */
};

/** ph_threads_json() - as the schema Threads of doc/openapi.yaml has it. */
void ph_threads_json(const struct ph_threads_view *view, const struct ph_threads_title *title, struct ph_buf *out);

/** ph_threads_text() - each thread by itself: `thread 123 "nginx" [epoll_wait, 4s]:`, what else is known of what it waits for, and
 * its stack as Go prints those of goroutines. */
void ph_threads_text(const struct ph_threads_view *view, struct ph_buf *out);

/** ph_threads_go_text() - the same in the syntax of Go's goroutine?debug=2, for programs that read that:
 * `goroutine 123 [epoll_wait, 2 minutes]:`. Source: goroutineheader() and traceback() in Go's runtime/traceback.go. */
void ph_threads_go_text(const struct ph_threads_view *view, struct ph_buf *out);

/** ph_threads_html() - a page: threads of equal stacks together. */
void ph_threads_html(const struct ph_threads_view *view, const struct ph_threads_title *title, struct ph_buf *out);

#endif
