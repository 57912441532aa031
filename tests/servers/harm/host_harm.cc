/*
 * host_harm.cc - a server that is hard to profile, in one of many ways, and that notices what it must not.
 *
 *   host_harm MODE PORT MODULE
 *
 * Runs until a client says "s" at PORT; then tells what it has done, and ends with 0 if all promises were kept.
 */
#include "harm.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

std::atomic<bool> stop;
const char *module_path;

static std::atomic<unsigned long> done_count;
static volatile unsigned long sink;

static const int END_SECONDS = 30; /* for a thread to end, once it is told to */

void burn(int rounds)
{
    for (int i = 0; i < rounds; i++)
        sink = sink + static_cast<unsigned long>(i);
}

int64_t now_ns()
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void done()
{
    done_count.fetch_add(1, std::memory_order_relaxed);
}

void broken(const char *format, ...)
{
    char text[256], name[16] = "";
    int saved_errno = errno;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    pthread_getname_np(pthread_self(), name, sizeof(name));
    dprintf(STDERR_FILENO, "broken on %s: %s (errno %d, %s)\n", name, text, saved_errno, strerror(saved_errno));
    _exit(3);
}

void expect(bool is_kept, const char *promise)
{
    if (!is_kept)
        broken("%s", promise);
}

uint64_t words_of(const sigset_t *set)
{
    uint64_t word;
    memcpy(&word, set, sizeof(word));
    return word;
}

uint64_t mask_now()
{
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, nullptr, &set);
    return words_of(&set);
}

void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags, bool is_mask_full)
{
    struct sigaction action = {};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    if (is_mask_full)
        sigfillset(&action.sa_mask);
    expect(sigaction(number, &action, nullptr) == 0, "sigaction");
}

/* ---- Notes ---- */

static std::mutex notes_lock;
static std::vector<std::pair<const char *, unsigned long>> notes;

void note(const char *name, unsigned long value)
{
    std::lock_guard<std::mutex> guard(notes_lock);
    for (auto &known : notes)
        if (strcmp(known.first, name) == 0) {
            known.second += value;
            return;
        }
    notes.emplace_back(name, value);
}

/* ---- Threads ---- */

struct Thread {
    pthread_t thread;
    const Work *work;
};

static void *run(void *argument)
{
    const Work *work = static_cast<const Work *>(argument);
    pthread_setname_np(pthread_self(), work->name);
    work->run();
    return nullptr;
}

static std::vector<Thread> begin_threads(const Mode &mode)
{
    std::vector<Thread> threads;
    for (const Work &work : mode.works)
        for (int i = 0; i < work.thread_count; i++) {
            Thread thread = {0, &work};
            if (pthread_create(&thread.thread, nullptr, run, const_cast<Work *>(&work)) != 0)
                broken("no thread for %s", work.name);
            threads.push_back(thread);
        }
    return threads;
}

static void end_threads(const std::vector<Thread> &threads)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += END_SECONDS;
    stop = true;
    for (const Thread &thread : threads)
        if (pthread_timedjoin_np(thread.thread, nullptr, &until) != 0)
            broken("%s does not end", thread.work->name);
}

/* ---- The whole ---- */

static void wait_for_the_end(int port)
{
    struct sockaddr_in address = {};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    expect(bind(listener, reinterpret_cast<sockaddr *>(&address), sizeof(address)) == 0 &&
               listen(listener, 16) == 0,
           "listen");
    for (;;) {
        char byte = 0;
        int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        expect(connection >= 0, "accept");
        ssize_t count = read(connection, &byte, 1);
        expect(count >= 0, "read");
        close(connection);
        if (count == 1 && byte == 's')
            return;
    }
}

static double cpu_seconds()
{
    double sum = 0;
    for (int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        struct rusage usage;
        getrusage(who, &usage);
        sum += static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    }
    return sum;
}

static void run_mode(const Mode &mode, int port)
{
    if (mode.prepare)
        mode.prepare();
    int64_t begin_ns = now_ns();
    std::vector<Thread> threads = begin_threads(mode);
    wait_for_the_end(port);
    double seconds = static_cast<double>(now_ns() - begin_ns) / 1e9, cpu = cpu_seconds();
    unsigned long count = done_count;
    end_threads(threads);
    printf("all promises were kept: %lu done in %.2f s, %.2f s of CPU\n", count, seconds, cpu);
    for (const auto &known : notes)
        printf("%s: %lu\n", known.first, known.second);
}

static int find_and_run(char **arguments)
{
    for (auto modes : {masked_modes, signal_modes, stack_modes, child_modes, thread_modes, control_modes})
        for (const Mode &mode : modes())
            if (strcmp(mode.name, arguments[1]) == 0) {
                run_mode(mode, atoi(arguments[2]));
                return 0;
            }
    fprintf(stderr, "no such mode: %s\n", arguments[1]);
    return 2;
}

static void *run_and_exit(void *arguments)
{
    exit(find_and_run(static_cast<char **>(arguments)));
}

/* The first thread ends before all others, in one of the modes. */
int main(int count, char **arguments)
{
    pthread_t thread;
    if (count != 4)
        return 2;
    module_path = arguments[3];
    if (strcmp(arguments[1], "leaderless") != 0)
        return find_and_run(arguments);
    expect(pthread_create(&thread, nullptr, run_and_exit, arguments) == 0, "pthread_create");
    pthread_exit(nullptr);
}
