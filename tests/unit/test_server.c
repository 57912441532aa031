#include "base/clock.h"
#include "server/server.h"
#include "server/state.h"
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_NS   (20 * PH_NS_PER_S)
#define PORTS_TRIED   20
#define CLIENTS       100
#define CLIENT_ROUNDS 20

static struct ph_probe probe;
static atomic_int own_thread_count; /* those that run */
static atomic_int thread_error;     /* what creating the next ones fails with */
static atomic_int collecting;       /* jobs that are inside threads() */
static atomic_bool gate_closed;     /* threads() does not return */

struct own_thread {
    void *(*body)(void *argument);
    void *argument;
};

static void *run_own(void *argument)
{
    struct own_thread thread = *(struct own_thread *)argument;
    free(argument);
    thread.body(thread.argument);
    own_thread_count--;
    return NULL;
}

static int own_thread(const char *name, void *(*body)(void *), void *argument)
{
    if (thread_error)
        return thread_error;
    struct own_thread *thread = malloc(sizeof(*thread));
    assert_non_null(thread);
    *thread = (struct own_thread){body, argument};
    own_thread_count++;
    return fixture_probe.own_thread(name, run_own, thread);
}

static size_t threads(struct ph_thread *ret_threads, size_t capacity)
{
    collecting++;
    while (gate_closed)
        usleep(1000);
    collecting--;
    return 0;
}

static bool reaches(const atomic_int *number, int wanted)
{
    int64_t end_ns = ph_clock_monotonic_ns() + PATIENCE_NS;
    while (*number != wanted && ph_clock_monotonic_ns() < end_ns)
        usleep(1000);
    return *number == wanted;
}

static int set_up(void **state)
{
    probe = fixture_probe;
    probe.own_thread = own_thread;
    probe.threads = threads;
    probe.allocator = PH_ALLOCATOR_OTHER;
    probe.allocator_file = "/nowhere/libother.so";
    thread_error = 0;
    gate_closed = false;
    strcpy(fixture_options.listen, "127.0.0.1:0");
    fixture_options.token_file[0] = '\0';
    return 0;
}

/* Nothing of one test is left for the next. */
static int tear_down(void **state)
{
    gate_closed = false;
    assert_true(reaches(&own_thread_count, 0));
    return 0;
}

static struct ph_server *start(void)
{
    struct ph_server *server = NULL;
    struct ph_error error = {0, ""};
    if (ph_server_start(&probe, &server, &error) < 0)
        fail_msg("%s", error.text);
    return server;
}

static unsigned port_of(const struct ph_server *server)
{
    unsigned port;
    assert_int_equal(sscanf(ph_server_url(server), "http://127.0.0.1:%u", &port), 1);
    return port;
}

static int dial_port(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static int dial_abstract(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "porthole/%d", (int)getpid());
    socklen_t size_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, size_bytes) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool ask(int fd, const char *path)
{
    char request[256];
    int size =
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    return send(fd, request, (size_t)size, MSG_NOSIGNAL) == size;
}

/* The status of the answer; 0 if there was none. The beginning of it is in @ret_text. */
static unsigned read_answer(int fd, char *ret_text, size_t capacity)
{
    char rest[4096];
    unsigned status = 0;
    size_t size_bytes = 0;
    ssize_t count;
    while (size_bytes < capacity - 1 && (count = recv(fd, ret_text + size_bytes, capacity - 1 - size_bytes, 0)) > 0)
        size_bytes += (size_t)count;
    while (recv(fd, rest, sizeof(rest), 0) > 0)
        ;
    close(fd);
    ret_text[size_bytes] = '\0';
    return sscanf(ret_text, "HTTP/1.1 %u", &status) == 1 ? status : 0;
}

static unsigned get(unsigned port, const char *path)
{
    char text[1024];
    int fd = dial_port(port);
    if (fd < 0)
        return 0;
    ask(fd, path);
    return read_answer(fd, text, sizeof(text));
}

static unsigned descriptor_count(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void it_answers_where_it_says_it_listens_and_closes_all_when_stopped(void **state)
{
    unsigned before = descriptor_count();
    struct ph_server *server = start();
    unsigned port = port_of(server);
    assert_int_equal(get(port, "/debug/pprof/cmdline"), 200);
    assert_int_equal(get(port, "/debug/pprof/threadcreate"), 200);
    ph_server_stop(server);
    assert_int_equal(dial_port(port), -1);
    assert_int_equal(dial_abstract(), -1);
    assert_int_equal(descriptor_count(), before);
}

static void a_taken_port_leads_to_the_next_that_is_free(void **state)
{
    struct ph_server *first = start();
    unsigned port = port_of(first);
    snprintf(fixture_options.listen, sizeof(fixture_options.listen), "127.0.0.1:%u", port);
    struct ph_server *second = start();
    assert_in_range(port_of(second), port + 1, port + PORTS_TRIED - 1);
    assert_int_equal(get(port_of(second), "/debug/pprof/cmdline"), 200);
    ph_server_stop(second);
    ph_server_stop(first);
}

static void a_full_range_of_ports_is_an_error_that_leaves_nothing_open(void **state)
{
    struct ph_server *servers[PORTS_TRIED + 1] = {NULL};
    struct ph_error error = {0, ""};
    size_t count = 1;
    servers[0] = start();
    snprintf(fixture_options.listen, sizeof(fixture_options.listen), "127.0.0.1:%u", port_of(servers[0]));
    while (count <= PORTS_TRIED && ph_server_start(&probe, &servers[count], NULL) == 0)
        count++;
    assert_in_range(count, 1, PORTS_TRIED); /* fewer if others hold some of them */
    unsigned before = descriptor_count();
    assert_int_equal(ph_server_start(&probe, &servers[PORTS_TRIED], &error), -EADDRINUSE);
    assert_int_equal(descriptor_count(), before);
    assert_non_null(strstr(error.text, "set PORTHOLE_LISTEN to a free one"));
    for (size_t i = 0; i < count; i++)
        ph_server_stop(servers[i]);
}

static void an_address_that_other_hosts_reach_needs_a_token(void **state)
{
    struct ph_server *server = NULL;
    struct ph_error error = {0, ""};
    unsigned before = descriptor_count();
    strcpy(fixture_options.listen, "0.0.0.0:0");
    assert_int_equal(ph_server_start(&probe, &server, &error), -EACCES);
    assert_non_null(strstr(error.text, "PORTHOLE_TOKEN_FILE"));
    assert_int_equal(descriptor_count(), before);
}

static void off_leaves_the_abstract_socket(void **state)
{
    char text[1024];
    strcpy(fixture_options.listen, "off");
    struct ph_server *server = start();
    assert_string_equal(ph_server_url(server), "");
    int fd = dial_abstract();
    assert_true(fd >= 0);
    assert_true(ask(fd, "/debug/processes"));
    assert_int_equal(read_answer(fd, text, sizeof(text)), 200);
    ph_server_stop(server);
}

static void without_a_thread_it_does_not_start_and_leaves_nothing_open(void **state)
{
    struct ph_server *server = NULL;
    struct ph_error error = {0, ""};
    unsigned before = descriptor_count();
    thread_error = -EAGAIN;
    assert_int_equal(ph_server_start(&probe, &server, &error), -EAGAIN);
    assert_int_equal(error.code, -EAGAIN);
    assert_int_equal(descriptor_count(), before);
}

static void without_a_thread_a_profile_is_refused_and_the_next_one_made(void **state)
{
    char text[1024];
    struct ph_server *server = start();
    thread_error = -EAGAIN;
    int fd = dial_port(port_of(server));
    assert_true(ask(fd, "/debug/pprof/threadcreate"));
    assert_int_equal(read_answer(fd, text, sizeof(text)), 503);
    assert_non_null(strstr(text, "cannot start a thread"));
    assert_non_null(strstr(text, "Retry-After: 1"));
    thread_error = 0;
    assert_int_equal(get(port_of(server), "/debug/pprof/threadcreate"), 200);
    ph_server_stop(server);
}

static void a_heap_that_cannot_be_sampled_is_not_implemented(void **state)
{
    char text[1024];
    struct ph_server *server = start();
    int fd = dial_port(port_of(server));
    assert_true(ask(fd, "/debug/pprof/heap"));
    assert_int_equal(read_answer(fd, text, sizeof(text)), 501);
    assert_non_null(strstr(text, "X-Go-Pprof: 1"));
    assert_non_null(strstr(text, "/nowhere/libother.so"));
    ph_server_stop(server);
}

static void a_profile_in_the_making_holds_up_nobody(void **state)
{
    char text[1024];
    struct ph_server *server = start();
    gate_closed = true;
    int slow = dial_port(port_of(server));
    assert_true(ask(slow, "/debug/pprof/threadcreate"));
    assert_true(reaches(&collecting, 1));
    assert_int_equal(get(port_of(server), "/debug/processes"), 200);
    gate_closed = false;
    assert_int_equal(read_answer(slow, text, sizeof(text)), 200);
    ph_server_stop(server);
}

static void a_client_that_hangs_up_ends_its_profile(void **state)
{
    struct ph_server *server = start();
    int fd = dial_port(port_of(server));
    assert_true(ask(fd, "/debug/pprof/threadcreate?seconds=3600"));
    assert_true(reaches(&own_thread_count, 2));
    close(fd);
    assert_true(reaches(&own_thread_count, 1));
    assert_int_equal(get(port_of(server), "/debug/pprof/cmdline"), 200);
    ph_server_stop(server);
}

/* Stop while a profile is asked for and in the making; returns how long that took. The client is told. */
static int64_t stop_during(const char *path, const atomic_int *number, int wanted)
{
    char text[1024];
    struct ph_server *server = start();
    int fd = dial_port(port_of(server));
    assert_true(ask(fd, path));
    assert_true(reaches(number, wanted));
    int64_t start_ns = ph_clock_monotonic_ns();
    ph_server_stop(server);
    int64_t duration_ns = ph_clock_monotonic_ns() - start_ns;
    assert_int_equal(read_answer(fd, text, sizeof(text)), 503);
    assert_non_null(strstr(text, "stopping"));
    return duration_ns;
}

static void a_profile_that_outlives_the_endpoint_harms_nothing(void **state)
{
    gate_closed = true;
    stop_during("/debug/pprof/threadcreate", &collecting, 1);
    assert_int_equal(collecting, 1); /* it was not waited for */
    gate_closed = false;             /* and ends now; the sanitizers see what it touches */
}

static void stopping_ends_the_wait_for_seconds_but_gives_work_some_time(void **state)
{
    int64_t waiting_ns = stop_during("/debug/pprof/threadcreate?seconds=3600", &own_thread_count, 2);
    assert_true(reaches(&own_thread_count, 0));
    gate_closed = true;
    int64_t working_ns = stop_during("/debug/pprof/threadcreate", &collecting, 1);
    assert_true(waiting_ns < working_ns / 2);
}

/* The child has a copy of the locks that nobody will ever release. */
static void a_forked_child_stops_nothing_and_waits_for_nothing(void **state)
{
    int status;
    struct ph_server *server = start();
    pthread_mutex_lock(&server->jobs.mutex);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(PATIENCE_NS / PH_NS_PER_S);
        ph_server_stop(server);
        _exit(7);
    }
    pthread_mutex_unlock(&server->jobs.mutex);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_int_equal(get(port_of(server), "/debug/pprof/cmdline"), 200);
    ph_server_stop(server);
}

/* What one of many clients does; some hang up instead of reading. */
static void *be_a_client(void *argument)
{
    static const char *const paths[] = {"/debug/", "/debug/pprof/threadcreate", "/debug/pprof/heap",
                                        "/debug/pprof/threadcreate?seconds=3600", "/nowhere"};
    const unsigned *port = argument;
    uintptr_t bad_count = 0;
    char text[1024];
    for (unsigned i = 0; i < CLIENT_ROUNDS; i++) {
        const char *path = paths[((uintptr_t)pthread_self() / 4096 + i) % 5];
        int fd = dial_port(*port);
        if (fd < 0 || !ask(fd, path)) {
            bad_count++;
        } else if (strstr(path, "seconds")) {
            close(fd);
        } else {
            unsigned status = read_answer(fd, text, sizeof(text));
            bad_count += status != 200 && status != 404 && status != 501 && status != 503;
        }
    }
    return (void *)bad_count;
}

static void many_clients_at_once_are_each_answered(void **state)
{
    pthread_t clients[CLIENTS];
    uintptr_t bad_count = 0;
    struct ph_server *server = start();
    unsigned port = port_of(server);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&clients[i], NULL, be_a_client, &port), 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        void *result;
        pthread_join(clients[i], &result);
        bad_count += (uintptr_t)result;
    }
    assert_int_equal(bad_count, 0);
    assert_true(reaches(&own_thread_count, 1)); /* idle: only the endpoint's own is left */
    ph_server_stop(server);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_answers_where_it_says_it_listens_and_closes_all_when_stopped),
        TEST(a_taken_port_leads_to_the_next_that_is_free),
        TEST(a_full_range_of_ports_is_an_error_that_leaves_nothing_open),
        TEST(an_address_that_other_hosts_reach_needs_a_token),
        TEST(off_leaves_the_abstract_socket),
        TEST(without_a_thread_it_does_not_start_and_leaves_nothing_open),
        TEST(without_a_thread_a_profile_is_refused_and_the_next_one_made),
        TEST(a_heap_that_cannot_be_sampled_is_not_implemented),
        TEST(a_profile_in_the_making_holds_up_nobody),
        TEST(a_client_that_hangs_up_ends_its_profile),
        TEST(a_profile_that_outlives_the_endpoint_harms_nothing),
        TEST(stopping_ends_the_wait_for_seconds_but_gives_work_some_time),
        TEST(a_forked_child_stops_nothing_and_waits_for_nothing),
        TEST(many_clients_at_once_are_each_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
