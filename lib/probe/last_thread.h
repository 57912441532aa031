/*
 * last_thread.h - a program ends with its last thread; ours must not keep it alive.
 *
 * Issue: a main() that leaves by pthread_exit() lets its threads go on, and with the last of them glibc calls exit(0). It counts
 * ours, too, so the process would stay, deaf to every signal that ours block.
 * Solution: count the host's threads, and call exit(0) in glibc's place.
 */
#ifndef PH_PROBE_LAST_THREAD_H
#define PH_PROBE_LAST_THREAD_H

/** ph_host_thread_begins() - before the host makes a thread; ph_host_thread_ends() - if that failed, or on the thread, as the last
 * thing of its life: does not return if it was the last one and only ours are left. */
void ph_host_thread_begins(void);
void ph_host_thread_failed(void);
void ph_host_thread_ends(void);

/** ph_host_thread_uncounted() - one was made whose end nobody will tell: no exit is called from now on. */
void ph_host_thread_uncounted(void);

/** ph_host_threads_forked() - in the child: one is left. */
void ph_host_threads_forked(void);

#endif
