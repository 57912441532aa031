/* threads.cc - modes with very many threads, and with threads that are cancelled. */
#include "harm.h"

#include <cerrno>
#include <climits>
#include <ctime>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <unistd.h>

/* ---- threads: ten thousand ---- */

static const int MANY = 10000;
static const size_t STACK_BYTES = 32 << 10;

static int end_event;
static pthread_mutex_t end_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t end_condition = PTHREAD_COND_INITIALIZER;

/* Most of the time they wait, in some different ways, and no wait ends too soon. */
static void wait_in_poll(int wait_ms)
{
    struct pollfd item = {end_event, POLLIN, 0};
    int64_t begin_ns = now_ns();
    int result = poll(&item, 1, wait_ms);
    expect(result >= 0, "poll");
    expect(result == 1 || now_ns() - begin_ns >= wait_ms * INT64_C(1000000) - 100000, "poll is short");
}

static void wait_for_condition(int wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += wait_ms / 1000 + 1;
    pthread_mutex_lock(&end_lock);
    int result = stop ? 0 : pthread_cond_timedwait(&end_condition, &end_lock, &until);
    pthread_mutex_unlock(&end_lock);
    expect(result == 0 || result == ETIMEDOUT, "pthread_cond_timedwait");
}

static void *be_one_of_many(void *argument)
{
    long number = reinterpret_cast<long>(argument);
    bool is_busy = number % 50 == 0;
    pthread_setname_np(pthread_self(), is_busy ? "busy-of-many" : "one-of-many");
    while (!stop) {
        burn(is_busy ? 2000000 : 10000);
        if (number % 2)
            wait_in_poll(1000 + static_cast<int>(number % 1000));
        else
            wait_for_condition(1000 + static_cast<int>(number % 1000));
        done();
    }
    return nullptr;
}

static void be_many()
{
    std::vector<pthread_t> threads;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (long i = 0; i < MANY && !stop; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, be_one_of_many, reinterpret_cast<void *>(i)) != 0)
            break; /* a limit of the kernel, or of the user */
        threads.push_back(thread);
    }
    note("threads at a time", threads.size());
    while (!stop)
        usleep(20000);
    uint64_t one = 1;
    expect(write(end_event, &one, sizeof(one)) == sizeof(one), "write");
    pthread_mutex_lock(&end_lock);
    pthread_cond_broadcast(&end_condition);
    pthread_mutex_unlock(&end_lock);
    for (pthread_t thread : threads)
        pthread_join(thread, nullptr);
}

static void prepare_many()
{
    prepare_witnesses();
    end_event = eventfd(0, EFD_CLOEXEC);
}

/* ---- cancel: threads are cancelled where they wait, and anywhere ---- */

struct Guard {
    std::atomic<int> *count;
    ~Guard()
    {
        (*count)++;
    }
};

static void clean(void *count)
{
    (*static_cast<std::atomic<int> *>(count))++;
}

struct Victim {
    int kind;
    std::atomic<int> destroyed, cleaned;
    std::atomic<bool> has_begun;
};

static void wait_somewhere(int kind)
{
    struct epoll_event event;
    switch (kind % 5) {
    case 0:
        poll(nullptr, 0, -1);
        break;
    case 1:
        usleep(900000);
        break;
    case 2:
        pause();
        break;
    case 3:
        select(0, nullptr, nullptr, nullptr, nullptr);
        break;
    default:
        epoll_wait(end_event, &event, 1, -1);
        break;
    }
}

static void *wait_for_cancellation(void *argument)
{
    Victim *victim = static_cast<Victim *>(argument);
    Guard guard = {&victim->destroyed};
    pthread_cleanup_push(clean, &victim->cleaned);
    victim->has_begun = true;
    for (;;)
        wait_somewhere(victim->kind);
    pthread_cleanup_pop(0);
    return nullptr;
}

static pthread_key_t cleaned_key;

/* Only a loop, which may be left at any instruction; so nothing in this function is to be cleaned up (C++ would call terminate()). */
static void *compute_until_cancelled(void *argument)
{
    Victim *victim = static_cast<Victim *>(argument);
    pthread_setspecific(cleaned_key, &victim->cleaned);
    victim->has_begun = true;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr);
    for (;;)
        __asm__ volatile("" : : : "memory");
    return nullptr;
}

static void cancel_one(Victim *victim, void *(*be)(void *), useconds_t after_us)
{
    pthread_t thread;
    void *result = nullptr;
    expect(pthread_create(&thread, nullptr, be, victim) == 0, "pthread_create");
    while (!victim->has_begun)
        sched_yield();
    usleep(after_us);
    expect(pthread_cancel(thread) == 0, "pthread_cancel");
    expect(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED, "a thread is cancelled");
    expect(victim->cleaned == 1, "a cancelled thread cleans up");
}

static void cancel_waiting()
{
    for (int kind = 0; !stop; kind++) {
        Victim victim = {};
        victim.kind = kind;
        cancel_one(&victim, wait_for_cancellation, static_cast<useconds_t>(kind % 7) * 100);
        expect(victim.destroyed == 1, "the destructors of a cancelled thread run");
        done();
    }
}

static void cancel_computing()
{
    for (int kind = 0; !stop; kind++) {
        Victim victim = {};
        cancel_one(&victim, compute_until_cancelled, static_cast<useconds_t>(kind % 11) * 900);
        done();
    }
}

static void prepare_cancel()
{
    prepare_witnesses();
    expect(pthread_key_create(&cleaned_key, clean) == 0, "pthread_key_create");
    end_event = epoll_create1(EPOLL_CLOEXEC);
}

/* ---- leaderless: the first thread has ended ---- */

__attribute__((noinline)) static void burn_on()
{
    while (!stop) {
        burn(300000);
        done();
    }
}

std::vector<Mode> thread_modes()
{
    return {
        {"threads", prepare_many, both(witnesses(), {{"many", be_many, 1}})},
        {"leaderless", prepare_witnesses, both(witnesses(), {{"burn-on", burn_on, 2}})},
        {"cancel", prepare_cancel,
         both(witnesses(), {{"cancel-wait", cancel_waiting, 1}, {"cancel-compute", cancel_computing, 2}})},
    };
}
