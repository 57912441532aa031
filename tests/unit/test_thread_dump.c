#include "collect/deadlocks.h"
#include "collect/thread_dump.h"

#include "model/labels.h"
#include "threads_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- Reading a dump ---- */

static struct ph_profile *dump_all(void)
{
    struct ph_profile *profile = NULL;
    struct ph_error error = {0};
    if (ph_thread_dump_collect(&fixture_probe, &profile, &error) < 0)
        fail_msg("%s", error.text);
    return profile;
}

static const struct ph_label *find_label(const struct ph_profile *dump, const struct ph_sample *sample,
                                         const char *key)
{
    for (uint32_t i = 0; i < sample->label_count; i++)
        if (strcmp(ph_profile_text(dump, dump->labels[sample->first_label + i].key), key) == 0)
            return &dump->labels[sample->first_label + i];
    return NULL;
}

static const struct ph_sample *sample_of(const struct ph_profile *dump, pid_t tid)
{
    for (uint32_t i = 0; i < dump->sample_count; i++) {
        const struct ph_label *label = find_label(dump, &dump->samples[i], PH_LABEL_TID);
        if (label && label->number == tid)
            return &dump->samples[i];
    }
    return NULL;
}

static const char *text_of(const struct ph_profile *dump, pid_t tid, const char *key)
{
    const struct ph_sample *sample = sample_of(dump, tid);
    return sample ? ph_profile_label_text(dump, sample, key) : "no such thread";
}

static int64_t number_of(const struct ph_profile *dump, pid_t tid, const char *key)
{
    const struct ph_sample *sample = sample_of(dump, tid);
    const struct ph_label *label = sample ? find_label(dump, sample, key) : NULL;
    return label ? label->number : -1;
}

/* Its place in the stack, counted from the leaf; -1: it is not there. */
static int frame_of(const struct ph_profile *dump, pid_t tid, const char *function)
{
    const struct ph_sample *sample = sample_of(dump, tid);
    for (uint32_t i = 0; sample && i < sample->frame_count; i++) {
        const struct ph_location *location = ph_profile_location(dump, dump->frames[sample->first_frame + i]);
        if (location->line_count &&
            strcmp(ph_profile_text(dump, dump->functions[dump->lines[location->first_line].function - 1].name),
                   function) == 0)
            return (int)i;
    }
    return -1;
}

static void assert_whole(const struct ph_profile *dump, pid_t tid, const char *function)
{
    assert_string_equal(text_of(dump, tid, PH_LABEL_TRUNCATED), "");
    assert_true(frame_of(dump, tid, function) > 0);
}

static int setup(void **state)
{
    (void)state;
    fixture_begin();
    return 0;
}

/* ---- What threads wait for ---- */

static void a_thread_in_epoll_wait_tells_its_descriptor(void **state)
{
    int epoll = -1;
    struct thread thread = {.body = body_epoll, .argument = &epoll, .name = "loop"};
    (void)state;
    thread_start_blocked(&thread);
    struct ph_profile *dump = dump_all();
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_THREAD), "loop");
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_STATE), "sleeping");
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_CALL), "epoll_wait");
    assert_int_equal(number_of(dump, thread.tid, PH_LABEL_FD), epoll);
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_SOCKET), "eventpoll");
    assert_true(number_of(dump, thread.tid, PH_LABEL_CPU) > 0);
    assert_int_equal(number_of(dump, thread.tid, PH_LABEL_INTERRUPTED), -1);
    assert_whole(dump, thread.tid, "body_epoll");
    ph_profile_free(dump);
    fixture_release();
    thread_join(&thread);
}

/* Two ends of a connection over loopback. */
static void connect_pair(int ends[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(ends[0], (struct sockaddr *)&address, size), 0);
    ends[1] = accept(listener, NULL, NULL);
    close(listener);
}

static void name_end(int fd, bool of_peer, const char *kind, char *ret_name)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    (of_peer ? getpeername : getsockname)(fd, (struct sockaddr *)&address, &size);
    sprintf(ret_name, "%s127.0.0.1:%u", kind, ntohs(address.sin_port));
}

static void a_thread_in_recv_tells_both_ends_of_its_connection(void **state)
{
    int ends[2];
    char local[64], peer[64];
    (void)state;
    connect_pair(ends);
    struct thread thread = {.body = body_receive, .argument = &ends[1]};
    thread_start_blocked(&thread);
    struct ph_profile *dump = dump_all();
    name_end(ends[1], false, "tcp ", local);
    name_end(ends[1], true, "", peer);
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_CALL), "recvfrom");
    assert_int_equal(number_of(dump, thread.tid, PH_LABEL_FD), ends[1]);
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_SOCKET), local);
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_PEER), peer);
    assert_whole(dump, thread.tid, "body_receive");
    ph_profile_free(dump);
    close(ends[0]);
    thread_join(&thread);
    close(ends[1]);
}

static void a_thread_at_a_mutex_tells_it_and_its_owner(void **state)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct thread owner = {.body = body_hold, .argument = &mutex};
    struct thread thread = {.body = body_lock, .argument = &mutex};
    char address[32];
    (void)state;
    thread_start_blocked(&owner);
    thread_start_blocked(&thread);
    struct ph_profile *dump = dump_all();
    sprintf(address, "0x%lx", (unsigned long)&mutex);
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_CALL), "futex");
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_MUTEX), address);
    assert_int_equal(number_of(dump, thread.tid, PH_LABEL_OWNER_TID), owner.tid);
    assert_whole(dump, thread.tid, "body_lock");
    ph_profile_free(dump);
    fixture_release();
    thread_join(&owner);
    thread_join(&thread);
}

static void a_semaphore_is_no_mutex(void **state)
{
    struct thread thread = {.body = body_semaphore};
    (void)state;
    thread_start_blocked(&thread);
    struct ph_profile *dump = dump_all();
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_CALL), "futex");
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_MUTEX), "");
    assert_int_equal(number_of(dump, thread.tid, PH_LABEL_OWNER_TID), -1);
    assert_whole(dump, thread.tid, "body_semaphore");
    ph_profile_free(dump);
    fixture_release();
    thread_join(&thread);
}

static void what_the_probe_notes_is_there_only_while_the_thread_waits(void **state)
{
    struct thread waiting = {.body = body_semaphore, .waits_since_ns = 1, .label_set = 7};
    struct thread working = {.body = body_spin, .waits_since_ns = 1};
    (void)state;
    thread_start_blocked(&waiting);
    thread_start_spinning(&working);
    struct ph_profile *dump = dump_all();
    assert_true(number_of(dump, waiting.tid, PH_LABEL_SINCE) > 0);
    assert_string_equal(text_of(dump, waiting.tid, "job"), "indexing");
    assert_int_equal(number_of(dump, working.tid, PH_LABEL_SINCE), -1);
    ph_profile_free(dump);
    fixture_release();
    thread_join(&waiting);
    thread_join(&working);
}

/* ---- Without disturbing ---- */

static void blocked_threads_are_not_interrupted(void **state)
{
    enum { COUNT = 3, DUMPS = 20 };
    int epoll, ends[2];
    connect_pair(ends);
    struct thread threads[COUNT] = {{.body = body_epoll, .argument = &epoll},
                                    {.body = body_receive, .argument = &ends[1]},
                                    {.body = body_semaphore}};
    long switches[COUNT];
    (void)state;
    for (int i = 0; i < COUNT; i++)
        thread_start_blocked(&threads[i]);
    for (int i = 0; i < COUNT; i++)
        switches[i] = thread_switches(threads[i].tid);
    for (int i = 0; i < DUMPS; i++)
        ph_profile_free(dump_all());
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(thread_switches(threads[i].tid), switches[i]);
        assert_int_equal(threads[i].interruptions, 0);
    }
    fixture_release();
    close(ends[0]);
    for (int i = 0; i < COUNT; i++)
        thread_join(&threads[i]);
    close(ends[1]);
}

static void a_sleeping_thread_sleeps_on(void **state)
{
    struct thread thread = {.body = body_sleep};
    (void)state;
    thread_start_blocked(&thread);
    for (int i = 0; i < 20; i++) {
        struct ph_profile *dump = dump_all();
        assert_non_null(sample_of(dump, thread.tid));
        ph_profile_free(dump);
    }
    fixture_release();
    thread_join(&thread);
    assert_int_equal(thread.interruptions, 0);
}

static void threads_that_mask_all_signals_and_wait_are_seen_whole(void **state)
{
    struct thread thread = {.body = body_sleep_masked};
    (void)state;
    thread_start_blocked(&thread);
    struct ph_profile *dump = dump_all();
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_CALL), "clock_nanosleep");
    assert_whole(dump, thread.tid, "body_sleep");
    ph_profile_free(dump);
    fixture_release();
    thread_join(&thread);
}

/* ---- Threads that run ---- */

static void a_running_thread_is_asked_once(void **state)
{
    struct thread thread = {.body = body_spin};
    (void)state;
    thread_start_spinning(&thread);
    struct ph_profile *dump = dump_all();
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_STATE), "running");
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_CALL), "");
    assert_int_equal(number_of(dump, thread.tid, PH_LABEL_INTERRUPTED), 1);
    assert_int_equal(frame_of(dump, thread.tid, "body_spin"), 0);
    ph_profile_free(dump);
    fixture_release();
    thread_join(&thread);
}

static void who_does_not_answer_is_there_without_a_stack(void **state)
{
    struct thread thread = {.body = body_spin_masked};
    (void)state;
    thread_start_spinning(&thread);
    struct ph_profile *dump = dump_all();
    assert_string_equal(text_of(dump, thread.tid, PH_LABEL_STATE), "unanswered");
    assert_string_not_equal(text_of(dump, thread.tid, PH_LABEL_TRUNCATED), "");
    assert_int_equal(sample_of(dump, thread.tid)->frame_count, 0);
    assert_true(dump->duration_ns < 4000000000);
    ph_profile_free(dump);
    fixture_release();
    thread_join(&thread);
}

static void own_threads_are_left_out(void **state)
{
    struct thread thread = {.body = body_semaphore, .own = true};
    (void)state;
    thread_start_blocked(&thread);
    struct ph_profile *dump = dump_all();
    assert_null(sample_of(dump, thread.tid));
    ph_profile_free(dump);
    fixture_release();
    thread_join(&thread);
}

static void many_threads_are_all_seen(void **state)
{
    enum { COUNT = 200 };
    static struct thread threads[COUNT];
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        threads[i] = (struct thread){.body = body_semaphore};
        thread_start_blocked(&threads[i]);
    }
    struct ph_profile *dump = dump_all();
    for (int i = 0; i < COUNT; i++)
        assert_whole(dump, threads[i].tid, "body_semaphore");
    ph_profile_free(dump);
    fixture_release();
    for (int i = 0; i < COUNT; i++)
        thread_join(&threads[i]);
}

static void a_bare_dump_has_no_names(void **state)
{
    struct thread thread = {.body = body_semaphore};
    struct ph_profile *dump = NULL;
    (void)state;
    thread_start_blocked(&thread);
    assert_int_equal(ph_thread_dump_collect_bare(&fixture_probe, &dump, NULL), 0);
    assert_true(sample_of(dump, thread.tid)->frame_count > 2);
    assert_int_equal(dump->function_count, 0);
    ph_profile_free(dump);
    fixture_release();
    thread_join(&thread);
}

/* ---- Deadlocks ---- */

/* Threads in a ring: each holds its own mutex and wants the next one's. They are never ended: no unlocking from outside is right. */
enum { RING_MAX = 3 };
static pthread_mutex_t ring[RING_MAX];
static pthread_barrier_t barrier;

static void body_ring(struct thread *thread)
{
    pthread_mutex_t *const *mutexes = thread->argument;
    pthread_mutex_lock(mutexes[0]);
    pthread_barrier_wait(&barrier);
    pthread_mutex_lock(mutexes[1]);
}

struct found {
    size_t calls, count;
    int64_t tids[8];
};

/* In a child, instead of assertions: those would go on with the tests of the parent. */
#define REQUIRE(condition)                                                                                         \
    do {                                                                                                           \
        if (!(condition)) {                                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                \
            _exit(1);                                                                                              \
        }                                                                                                          \
    } while (0)

static void in_child(void (*body)(int), int argument)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(30);
        body(argument);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void note_found(void *context, int64_t pid, const int64_t *tids, size_t count)
{
    struct found *found = context;
    REQUIRE(pid == 0);
    found->calls++;
    found->count = count;
    memcpy(found->tids, tids, count * sizeof(*tids));
}

/* In a process of its own, which ends with its threads. */
static void deadlock(int count)
{
    static struct thread threads[RING_MAX];
    static pthread_mutex_t *wanted[RING_MAX][2];
    struct found found = {0};
    pthread_barrier_init(&barrier, NULL, (unsigned)count);
    for (int i = 0; i < count; i++) {
        pthread_mutex_init(&ring[i], NULL);
        wanted[i][0] = &ring[i];
        wanted[i][1] = &ring[(i + 1) % count];
        threads[i] = (struct thread){.body = body_ring, .argument = wanted[i]};
        thread_start(&threads[i]);
    }
    for (int i = 0; i < count; i++)
        while (strcmp(text_of(dump_all(), threads[i].tid, PH_LABEL_MUTEX), "") == 0)
            usleep(1000);
    ph_thread_dump_deadlocks(dump_all(), note_found, &found);
    REQUIRE(found.calls == 1);
    REQUIRE(found.count == (size_t)count);
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++)
            if (found.tids[i] == threads[j].tid)
                REQUIRE(found.tids[(i + 1) % count] == threads[(j + 1) % count].tid);
}

static void a_deadlock_of_two_is_found(void **state)
{
    (void)state;
    in_child(deadlock, 2);
}

static void a_deadlock_of_three_is_found(void **state)
{
    (void)state;
    in_child(deadlock, 3);
}

/* ---- Servers that were root ---- */

/* As the hooks of the probe do it: note the frame, wait. To ask for its address makes the function keep one. */
__attribute__((noinline)) static ssize_t hooked_read(struct thread *thread, int fd)
{
    char byte;
    thread->wait_frame = (uintptr_t)__builtin_frame_address(0);
    ssize_t result = read(fd, &byte, 1);
    thread->wait_frame = 0;
    return result;
}

__attribute__((noinline)) static void body_hooked(struct thread *thread)
{
    while (hooked_read(thread, *(int *)thread->argument) > 0)
        ;
}

static void changed_user(int argument)
{
    int hooked_pipe[2], pipe_ends[2];
    struct thread hooked = {.body = body_hooked, .argument = hooked_pipe, .waits_since_ns = 1};
    struct thread other = {.body = body_semaphore};
    (void)argument;
    REQUIRE(pipe(hooked_pipe) == 0 && pipe(pipe_ends) == 0);
    REQUIRE(setgid(65534) == 0 && setuid(65534) == 0);
    thread_start_blocked(&hooked);
    thread_start_blocked(&other);
    struct ph_profile *dump = dump_all();
    REQUIRE(strcmp(text_of(dump, hooked.tid, PH_LABEL_STATE), "sleeping") == 0);
    REQUIRE(strcmp(text_of(dump, hooked.tid, PH_LABEL_CALL), "read") == 0);
    REQUIRE(strcmp(text_of(dump, hooked.tid, PH_LABEL_TRUNCATED), "") == 0);
    REQUIRE(frame_of(dump, hooked.tid, "body_hooked") == 0);
    REQUIRE(number_of(dump, hooked.tid, PH_LABEL_SINCE) > 0);
    REQUIRE(strcmp(text_of(dump, other.tid, PH_LABEL_CALL), "futex") == 0);
    REQUIRE(strcmp(text_of(dump, other.tid, PH_LABEL_TRUNCATED), "") != 0);
    REQUIRE(fixture_signals == 0);
}

static void after_a_change_of_user_stacks_begin_at_the_caller_of_a_hooked_call(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    in_child(changed_user, 0);
}

int main(void)
{
    alarm(100);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_thread_in_epoll_wait_tells_its_descriptor, setup),
        cmocka_unit_test_setup(a_thread_in_recv_tells_both_ends_of_its_connection, setup),
        cmocka_unit_test_setup(a_thread_at_a_mutex_tells_it_and_its_owner, setup),
        cmocka_unit_test_setup(a_semaphore_is_no_mutex, setup),
        cmocka_unit_test_setup(what_the_probe_notes_is_there_only_while_the_thread_waits, setup),
        cmocka_unit_test_setup(blocked_threads_are_not_interrupted, setup),
        cmocka_unit_test_setup(a_sleeping_thread_sleeps_on, setup),
        cmocka_unit_test_setup(threads_that_mask_all_signals_and_wait_are_seen_whole, setup),
        cmocka_unit_test_setup(a_running_thread_is_asked_once, setup),
        cmocka_unit_test_setup(who_does_not_answer_is_there_without_a_stack, setup),
        cmocka_unit_test_setup(own_threads_are_left_out, setup),
        cmocka_unit_test_setup(many_threads_are_all_seen, setup),
        cmocka_unit_test_setup(a_bare_dump_has_no_names, setup),
        cmocka_unit_test_setup(a_deadlock_of_two_is_found, setup),
        cmocka_unit_test_setup(a_deadlock_of_three_is_found, setup),
        cmocka_unit_test_setup(after_a_change_of_user_stacks_begin_at_the_caller_of_a_hooked_call, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
