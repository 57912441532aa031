/*
 * probe_calls.c - what the probe costs the thread it works on: a sample taken by the signal handler, and a label set and cleared. The
 * probe is linked into this program.
 *
 *     probe_calls ROUNDS
 *
 * For each round one line of nanoseconds of CPU time: a sample with 8 KiB of stack; the same signal with a handler that does nothing;
 * a label set and cleared; the same by PORTHOLE_LABEL(); key and value copied into variables of the thread and made empty again;
 * pthread_setspecific() twice.
 */
#include "porthole/porthole.h"

#include "probe/capture.h"
#include "probe/signal.h"
#include "probe/timers.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES ((size_t)8 << 10)
#define BURST       64 /* samples; the ring holds more */
#define BURSTS      40
#define CALLS       200000

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* ---- The handler ---- */

static void empty_handler(int number, siginfo_t *info, void *context)
{
}

static int install_empty(void)
{
    struct sigaction action = {.sa_sigaction = empty_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigfillset(&action.sa_mask);
    return sigaction(SIGRTMIN + 2, &action, NULL) == 0 ? SIGRTMIN + 2 : -1;
}

static void send_burst(int number)
{
    pid_t tid = gettid();
    for (int i = 0; i < BURST; i++)
        if (ph_signal_send(number, tid, PH_CAPTURE_BY_TIMER | (uint32_t)tid) < 0)
            abort();
}

static size_t drain(void)
{
    struct ph_capture capture;
    size_t count = 0;
    while (ph_sampling_take(&capture)) {
        count += capture.stack_bytes == STACK_BYTES;
        ph_sampling_give_back(&capture);
    }
    return count;
}

/* Of one; @wanted: how many samples each burst must leave. */
static double time_signals(int number, size_t wanted)
{
    double sum_ns = 0;
    for (int i = 0; i < BURSTS; i++) {
        double from_ns = cpu_ns();
        send_burst(number);
        sum_ns += cpu_ns() - from_ns;
        if (drain() != wanted)
            abort();
    }
    return sum_ns / BURST / BURSTS;
}

/* ---- Labels ---- */

/* Not known when this is compiled: strcpy() is to be a call. */
static const char *volatile the_key = "handler", *volatile the_value = "/thumbnail";

static __thread char own_key[64], own_value[128];
static pthread_key_t key;

static void label_set_and_clear(void)
{
    porthole_label_set(the_key, the_value);
    porthole_label_clear(the_key);
}

static void label_scope(void)
{
    PORTHOLE_LABEL(the_key, the_value);
}

static void copy_and_empty(void)
{
    strcpy(own_key, the_key);
    strcpy(own_value, the_value);
    __asm__ volatile("" : : : "memory");
    own_key[0] = own_value[0] = '\0';
    __asm__ volatile("" : : : "memory");
}

static void set_specific_twice(void)
{
    pthread_setspecific(key, own_value);
    pthread_setspecific(key, NULL);
}

static double time_calls(void (*call)(void))
{
    double from_ns = cpu_ns();
    for (int i = 0; i < CALLS; i++)
        call();
    return (cpu_ns() - from_ns) / CALLS;
}

/* ---- All of it ---- */

static void run_rounds(long rounds, int number, int empty_number)
{
    time_signals(number, BURST); /* warm: the ring's pages are touched */
    for (long i = 0; i < rounds; i++) {
        printf("%.1f %.1f", time_signals(number, BURST), time_signals(empty_number, 0));
        printf(" %.1f %.1f", time_calls(label_set_and_clear), time_calls(label_scope));
        printf(" %.1f %.1f\n", time_calls(copy_and_empty), time_calls(set_specific_twice));
    }
}

/* On a thread that the probe knows, with more of a stack below it than is copied. */
static void *run(void *argument)
{
    struct ph_sampling_counts counts;
    char deep[2 * STACK_BYTES];
    __asm__ volatile("" : : "r"(deep) : "memory");
    int number = ph_signal_acquire(), empty_number = install_empty();
    if (number < 0 || empty_number < 0 || ph_sampling_begin(1, STACK_BYTES) < 0)
        abort();
    run_rounds(*(const long *)argument, number, empty_number);
    ph_sampling_end(&counts);
    return NULL;
}

int main(int argc, char **argv)
{
    long rounds = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    pthread_t thread;
    if (rounds < 1 || pthread_key_create(&key, NULL) != 0 || pthread_create(&thread, NULL, run, &rounds) != 0)
        return 2;
    pthread_join(thread, NULL);
    return 0;
}
