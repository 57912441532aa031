/*
 * harm.h - what the modes of host_harm share: each is some threads that do what is hard to profile, and look whether they can tell.
 *
 * A promise that is not kept ends the program at once, with status 3 and a line that says which.
 */
#ifndef HARM_H
#define HARM_H

#include <atomic>
#include <csignal>
#include <cstdint>
#include <vector>

/* Set once the threads are to end. */
extern std::atomic<bool> stop;

/* The path of a module that can be opened. */
extern const char *module_path;

void burn(int rounds);
int64_t now_ns();

/* Counts what is done, for comparison with a run without Porthole. */
void done();

/* Printed with the verdict; no promise. @name: a literal. */
void note(const char *name, unsigned long value);

[[noreturn]] void broken(const char *format, ...) __attribute__((format(printf, 1, 2)));
void expect(bool is_kept, const char *promise);

/* The signals that the calling thread blocks, bit n - 1 for number n. */
uint64_t mask_now();
uint64_t words_of(const sigset_t *set);

/* A handler with all signals blocked while it runs, if @mask is full. */
void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags, bool is_mask_full);

/* Threads of one kind. Names are seen in profiles: at most 15 bytes. A work returns soon after stop. */
struct Work {
    const char *name;
    void (*run)();
    int thread_count;
};

struct Mode {
    const char *name;
    void (*prepare)(); /* on the first thread, before there are others; NULL: nothing */
    std::vector<Work> works;
};

/* Those that look, whatever else goes on: at the state of a thread, at the time that calls take, at signals of its own. */
std::vector<Work> witnesses();
void prepare_witnesses();

/* Without those that need values sent with signals; that need handlers; that wait. */
std::vector<Work> queueless_witnesses();
std::vector<Work> masked_witnesses();
std::vector<Work> state_witnesses();

std::vector<Work> both(std::vector<Work> works, const std::vector<Work> &others);

std::vector<Mode> masked_modes();
std::vector<Mode> signal_modes();
std::vector<Mode> stack_modes();
std::vector<Mode> child_modes();
std::vector<Mode> thread_modes();
std::vector<Mode> control_modes();

/* Two threads: one is sent signals, as soon as it has taken the last one. */
struct Pestered {
    pthread_t target;
    std::atomic<bool> is_ready, has_ended, is_over;
    std::atomic<unsigned> sent, taken;
};

/* On a thread of its own, until the target wants no more. @send: the next one to the target; 0 or an error. */
void pester(Pestered *pestered, int (*send)(const Pestered *pestered, unsigned value));

/* On the target, last thing: no signal comes any more. */
void end_pestered(Pestered *pestered);

#endif
