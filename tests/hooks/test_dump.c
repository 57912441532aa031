/* What jemalloc opens for a heap dump: of the host's own all, of ours not the maps. The library calls this program's open(). */
#include "porthole/porthole.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

int mallctl(const char *name, void *old, size_t *old_size, void *new_value, size_t new_size);

static int maps_opened; /* atomic: of the calls for the maps file by which jemalloc names it, with the thread */

static bool is_dump_of_maps(const char *path)
{
    char expected[64];
    snprintf(expected, sizeof(expected), "/proc/%d/task/%d/maps", (int)getpid(), (int)getpid());
    return strcmp(path, expected) == 0;
}

__attribute__((visibility("default"))) int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (is_dump_of_maps(path))
        __atomic_fetch_add(&maps_opened, 1, __ATOMIC_RELAXED);
    return openat(AT_FDCWD, path, flags, mode);
}

/* Bytes of the answer's beginning, 0 if there was none. */
static ssize_t get_heap(char *text, size_t size_bytes)
{
    static const char request[] = "GET /debug/pprof/heap HTTP/1.0\r\n\r\n";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 20};
    int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "porthole/%d", (int)getpid());
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ssize_t got = 0;
    if (connect(fd, (struct sockaddr *)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) == 0 &&
        send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0)
        got = recv(fd, text, size_bytes - 1, MSG_WAITALL);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got;
}

static void our_dump_is_made_without_the_maps(void **state)
{
    const struct porthole_options quiet = {.listen = "off", .log = "quiet"};
    static char text[4096];
    assert_int_equal(porthole_init(&quiet), 0);
    int before = __atomic_load_n(&maps_opened, __ATOMIC_RELAXED);
    assert_true(get_heap(text, sizeof(text)) > 0);
    assert_memory_equal(text, "HTTP/1.1 200", 12);
    assert_int_equal(__atomic_load_n(&maps_opened, __ATOMIC_RELAXED), before);
    porthole_shutdown();
}

/* Also while the window is open: the calling thread counts. */
static void the_dump_of_the_host_is_whole(void **state)
{
    const struct porthole_options quiet = {.listen = "off", .log = "quiet"};
    static char text[1 << 20];
    char path[] = "/tmp/porthole-dump.XXXXXX";
    const char *name = path;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(porthole_init(&quiet), 0);
    int before = __atomic_load_n(&maps_opened, __ATOMIC_RELAXED);
    assert_int_equal(mallctl("prof.dump", NULL, NULL, &name, sizeof(name)), 0);
    assert_int_equal(__atomic_load_n(&maps_opened, __ATOMIC_RELAXED), before + 1);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    char *maps = strstr(text, "\nMAPPED_LIBRARIES:\n");
    assert_non_null(maps);
    assert_non_null(strstr(maps, "libporthole.so"));
    porthole_shutdown();
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_dump_is_made_without_the_maps),
        cmocka_unit_test(the_dump_of_the_host_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
