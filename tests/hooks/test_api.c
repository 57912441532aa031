/* The public API as a program that links the library uses it: open, close, open again, profile without endpoint. */
#include "porthole/porthole.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct porthole_options quiet = {.listen = "off", .log = "quiet"};

/* The local socket that every open window has. -errno if nobody listens there. */
static int connect_window(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "porthole/%d", (int)getpid());
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    if (connect(fd, (struct sockaddr *)&address, size) == 0)
        return fd;
    int error = errno;
    close(fd);
    return -error;
}

/* Status of a GET, 0 if there was no answer within ten seconds. */
static int get(const char *path)
{
    char text[512] = "";
    struct timeval limit = {.tv_sec = 10};
    int fd = connect_window();
    if (fd < 0)
        return 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    int length = snprintf(text, sizeof(text), "GET %s HTTP/1.0\r\n\r\n", path);
    int status = 0;
    if (send(fd, text, (size_t)length, MSG_NOSIGNAL) == length && recv(fd, text, sizeof(text) - 1, 0) > 0)
        sscanf(text, "HTTP/1.%*d %d", &status);
    close(fd);
    return status;
}

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void the_window_opens_and_closes_and_opens_again(void **state)
{
    (void)state;
    assert_true(connect_window() < 0);
    for (int round = 0; round < 5; round++) {
        assert_int_equal(porthole_init(&quiet), 0);
        assert_int_equal(porthole_init(&quiet), 0); /* it is open: nothing to do */
        assert_int_equal(get("/debug/pprof/cmdline"), 200);
        porthole_shutdown();
        assert_true(connect_window() < 0);
    }
    porthole_shutdown(); /* it is closed: nothing to do */
}

static void closing_gives_every_descriptor_back(void **state)
{
    (void)state;
    assert_int_equal(porthole_init(&quiet), 0);
    porthole_shutdown();
    int before = open_descriptors();
    for (int round = 0; round < 10; round++) {
        assert_int_equal(porthole_init(&quiet), 0);
        assert_int_equal(get("/debug/pprof/heap"), 200);
        porthole_shutdown();
    }
    assert_int_equal(open_descriptors(), before);
}

static void a_closed_window_stays_closed_when_the_host_listens(void **state)
{
    (void)state;
    struct sockaddr_un nameless = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&nameless, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(fd, 1), 0);
    usleep(200000);
    assert_true(connect_window() < 0);
    close(fd);
}

static void a_bad_value_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    const struct porthole_options bad = {.listen = "nonsense", .log = "quiet"};
    assert_int_equal(porthole_init(&bad), -EINVAL);
    assert_true(connect_window() < 0);
    assert_int_equal(porthole_init(&quiet), 0);
    porthole_shutdown();
}

static void an_address_that_is_not_ours_says_so_and_may_be_tried_again(void **state)
{
    (void)state;
    const struct porthole_options foreign = {.listen = "unix:/no/such/folder/socket"};
    assert_true(porthole_init(&foreign) < 0);
    assert_true(connect_window() < 0);
    assert_int_equal(porthole_init(&quiet), 0);
    assert_int_equal(get("/debug/pprof/cmdline"), 200);
    porthole_shutdown();
}

static void the_heap_can_be_written_without_an_endpoint(void **state)
{
    (void)state;
    unsigned char head[2];
    FILE *file = tmpfile();
    assert_int_equal(porthole_heap_profile_write(fileno(file)), 0);
    rewind(file);
    assert_int_equal(fread(head, 1, 2, file), 2);
    assert_int_equal(head[0], 0x1f); /* gzip, RFC 1952 */
    assert_int_equal(head[1], 0x8b);
    fclose(file);
    assert_true(connect_window() < 0);
}

static void writing_to_nowhere_is_an_error_not_a_signal(void **state)
{
    (void)state;
    assert_int_equal(porthole_heap_profile_write(-1), -EBADF);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_int_equal(porthole_heap_profile_write(full), -ENOSPC);
    close(full);
}

static int opens_its_own(void)
{
    bool had_none = connect_window() < 0;
    bool opened = porthole_init(&quiet) == 0 && get("/debug/pprof/cmdline") == 200;
    porthole_shutdown();
    return had_none && opened && connect_window() < 0 ? 0 : 1;
}

static void a_forked_child_has_no_window_until_it_opens_its_own(void **state)
{
    (void)state;
    assert_int_equal(porthole_init(&quiet), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(opens_its_own());
    int status = -1;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(get("/debug/pprof/cmdline"), 200); /* the parent's is as it was */
    porthole_shutdown();
}

/* Children are made while other threads hold whatever writing a profile needs. */
static void *write_profiles(void *stop)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    while (!__atomic_load_n((bool *)stop, __ATOMIC_ACQUIRE))
        porthole_heap_profile_write(null);
    close(null);
    return NULL;
}

static void a_child_forked_meanwhile_can_write_its_heap(void **state)
{
    (void)state;
    bool stop = false;
    pthread_t writers[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, write_profiles, &stop), 0);
    for (int round = 0; round < 30; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(20); /* a lock that nobody holds any more would be waited for */
            int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
            _exit(porthole_heap_profile_write(null) == 0 ? 0 : 1);
        }
        int status = -1;
        waitpid(pid, &status, 0);
        assert_int_equal(status, 0);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    for (int i = 0; i < 2; i++)
        pthread_join(writers[i], NULL);
}

/* In a copy of everything, made without fork handlers: 0 if it can go on. */
static int go_on_in_a_bare_clone(void)
{
    pid_t pid = (pid_t)syscall(SYS_fork);
    if (pid == 0) {
        alarm(5);
        porthole_shutdown();
        pid_t grandchild = fork();
        if (grandchild == 0)
            _exit(0);
        int status = -1;
        waitpid(grandchild, &status, 0);
        _exit(status == 0 && porthole_init(&quiet) == -EAGAIN ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    return status;
}

/* A thread of ours that allocates at that moment leaves the copy a lock that nobody holds (doc/limits.md): then once more. */
static void a_bare_clone_does_not_wait_for_a_window_it_has_not(void **state)
{
    (void)state;
    int status = SIGALRM;
    assert_int_equal(porthole_init(&quiet), 0);
    assert_int_equal(get("/debug/pprof/cmdline"), 200);
    for (int attempt = 0; attempt < 8 && status == SIGALRM; attempt++)
        status = go_on_in_a_bare_clone();
    assert_int_equal(status, 0);
    assert_int_equal(get("/debug/pprof/cmdline"), 200);
    porthole_shutdown();
}

static void *shut_down(void *nothing)
{
    porthole_shutdown();
    return nothing;
}

static void a_shutdown_during_the_start_closes_what_was_started(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, shut_down, NULL), 0);
        int result = porthole_init(&quiet);
        assert_true(result == 0 || result == -ECANCELED);
        pthread_join(thread, NULL);
        porthole_shutdown();
        assert_true(connect_window() < 0);
    }
}

static void *init_with(void *options)
{
    return (void *)(intptr_t)porthole_init(options);
}

static void of_many_that_open_it_at_once_each_is_told_that_it_is_open(void **state)
{
    (void)state;
    static const struct porthole_options wrong = {.listen = "nonsense", .log = "quiet"};
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, init_with, (void *)(i % 4 ? &quiet : &wrong)), 0);
    for (int i = 0; i < 8; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_true((intptr_t)result == 0 || (intptr_t)result == (i % 4 ? -ECANCELED : -EINVAL));
    }
    assert_int_equal(porthole_init(&quiet), 0);
    assert_int_equal(get("/debug/pprof/cmdline"), 200);
    porthole_shutdown();
}

static void the_version_has_three_numbers(void **state)
{
    (void)state;
    unsigned major, minor, patch;
    assert_int_equal(sscanf(porthole_version(), "%u.%u.%u", &major, &minor, &patch), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window_opens_and_closes_and_opens_again),
        cmocka_unit_test(closing_gives_every_descriptor_back),
        cmocka_unit_test(a_closed_window_stays_closed_when_the_host_listens),
        cmocka_unit_test(a_bad_value_is_refused_and_changes_nothing),
        cmocka_unit_test(an_address_that_is_not_ours_says_so_and_may_be_tried_again),
        cmocka_unit_test(the_heap_can_be_written_without_an_endpoint),
        cmocka_unit_test(writing_to_nowhere_is_an_error_not_a_signal),
        cmocka_unit_test(a_forked_child_has_no_window_until_it_opens_its_own),
        cmocka_unit_test(a_child_forked_meanwhile_can_write_its_heap),
        cmocka_unit_test(a_bare_clone_does_not_wait_for_a_window_it_has_not),
        cmocka_unit_test(a_shutdown_during_the_start_closes_what_was_started),
        cmocka_unit_test(of_many_that_open_it_at_once_each_is_told_that_it_is_open),
        cmocka_unit_test(the_version_has_three_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
