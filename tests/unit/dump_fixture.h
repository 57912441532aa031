/* dump_fixture.h - a thread dump by hand, with one thread of every sort: waiting, deadlocked, running, unanswered. */
#ifndef PH_TESTS_DUMP_FIXTURE_H
#define PH_TESTS_DUMP_FIXTURE_H

#include "model/profile.h"

/**
 * threads_dump() - of process 90, "server":
 *
 *     100 main      epoll_wait on descriptor 7, since 4.2 s
 *     101 worker<1> waits for the mutex 0x7f10, which 102 holds, since 2 minutes
 *     102 w\e[31m   waits for the mutex 0x7f18, which 101 holds; the same stack
 *     103 busy      runs, was interrupted, has the label request, its stack is cut
 *     104 mute      did not answer
 *
 * @pid: a label on each, as in a family; NULL for none.
 */
struct ph_profile *threads_dump(const char *pid);

#endif
