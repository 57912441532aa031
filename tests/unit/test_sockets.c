#include "collect/sockets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static struct ph_arena text;

static int setup(void **state)
{
    (void)state;
    text = (struct ph_arena)PH_ARENA_INIT;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ph_arena_fini(&text);
    return 0;
}

/* Little-endian machines write 127.0.0.1 so. */
static const char tcp[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0000 100 0\n"
    "   1: 0100007F:1F90 0200007F:C350 01 00000000:00000000 02:00000FA1 00000000    33        0 200 2 0000 20 4\n";
static const char tcp6[] =
    "  sl  local_address                         remote_address                        st tx_queue …\n"
    "   0: 00000000000000000000000001000000:01BB B80D0120000000000000000001000000:D431 01 00000000:00000000 "
    "00:00000000 00000000  1000        0 300 1 0000\n";
static const char local[] = "Num       RefCount Protocol Flags    Type St Inode Path\n"
                            "0000000000000000: 00000003 00000000 00000000 0001 03 400 /run/a file\n"
                            "0000000000000000: 00000003 00000000 00000000 0001 03 401 @abstract\n"
                            "0000000000000000: 00000003 00000000 00000000 0001 03 402\n";

static struct ph_socket parse_one(const char *kind, const char *table, uint64_t inode)
{
    struct ph_socket socket = {.inode = inode};
    assert_int_equal(ph_sockets_parse(kind, table, strlen(table), &socket, 1, &text), 0);
    return socket;
}

static void connections_have_two_ends_and_listeners_one(void **state)
{
    (void)state;
    struct ph_socket listener = parse_one("tcp", tcp, 100), connection = parse_one("tcp", tcp, 200);
    assert_string_equal(listener.socket, "tcp 0.0.0.0:80");
    assert_null(listener.peer);
    assert_string_equal(connection.socket, "tcp 127.0.0.1:8080");
    assert_string_equal(connection.peer, "127.0.0.2:50000");
    connection = parse_one("tcp6", tcp6, 300);
    assert_string_equal(connection.socket, "tcp6 [::1]:443");
    assert_string_equal(connection.peer, "[2001:db8::1]:54321");
}

static void local_sockets_have_a_path_an_abstract_name_or_none(void **state)
{
    (void)state;
    assert_string_equal(parse_one("unix", local, 400).socket, "unix /run/a file");
    assert_string_equal(parse_one("unix", local, 401).socket, "unix @abstract");
    assert_string_equal(parse_one("unix", local, 402).socket, "unix");
}

static void all_that_wait_for_one_socket_get_its_name_and_others_none(void **state)
{
    struct ph_socket sockets[4] = {{.inode = 0}, {.inode = 199}, {.inode = 200}, {.inode = 200}};
    (void)state;
    assert_int_equal(ph_sockets_parse("tcp", tcp, strlen(tcp), sockets, 4, &text), 0);
    assert_null(sockets[0].socket);
    assert_null(sockets[1].socket);
    assert_string_equal(sockets[2].socket, "tcp 127.0.0.1:8080");
    assert_string_equal(sockets[3].socket, "tcp 127.0.0.1:8080");
}

/* At a guard page the length would tell; here no byte behind it makes a socket of it. */
static void a_table_that_ends_anywhere_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    for (size_t length = 0; length < strlen(tcp6); length++) {
        char copy[sizeof(tcp6)];
        struct ph_socket socket = {.inode = 300};
        memcpy(copy, tcp6, length);
        assert_int_equal(ph_sockets_parse("tcp6", copy, length, &socket, 1, &text), 0);
        assert_true(!socket.socket || strcmp(socket.socket, "tcp6 [::1]:443") == 0);
    }
}

static void descriptors_are_told_by_kind(void **state)
{
    int pipe_ends[2], pair[2];
    (void)state;
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    int epoll = epoll_create1(0);
    struct ph_socket sockets[] = {{.tid = getpid(), .fd = pipe_ends[0], .place = 0},
                                  {.tid = getpid(), .fd = pair[0], .place = 1},
                                  {.tid = getpid(), .fd = epoll, .place = 2},
                                  {.tid = getpid(), .fd = 1000000, .place = 3}};
    const char *expected[] = {"pipe", "unix", "eventpoll"};
    assert_int_equal(ph_sockets_find(sockets, 4, &text), 0);
    for (int i = 0; i < 4; i++) {
        if (sockets[i].place == 3)
            assert_null(sockets[i].socket);
        else
            assert_string_equal(sockets[i].socket, expected[sockets[i].place]);
    }
    close(epoll);
    close(pair[0]);
    close(pair[1]);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

/* ---- What is read ---- */

static unsigned tables_read;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
    tables_read += strncmp(path, "/proc/self/net/", strlen("/proc/self/net/")) == 0;
    return __real_open(path, flags);
}

static unsigned tables_for(int fd)
{
    struct ph_socket sockets[] = {{.tid = getpid(), .fd = fd, .place = 0}};
    tables_read = 0;
    assert_int_equal(ph_sockets_find(sockets, 1, &text), 0);
    assert_non_null(sockets[0].socket);
    close(fd);
    return tables_read;
}

static void tables_are_read_only_until_all_sockets_are_found(void **state)
{
    (void)state;
    int pair[2], listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(tables_for(epoll_create1(0)), 0);
    assert_int_equal(tables_for(listener), 1);
    assert_int_equal(tables_for(pair[0]), 5);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(connections_have_two_ends_and_listeners_one, setup, teardown),
        cmocka_unit_test_setup_teardown(local_sockets_have_a_path_an_abstract_name_or_none, setup, teardown),
        cmocka_unit_test_setup_teardown(all_that_wait_for_one_socket_get_its_name_and_others_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_that_ends_anywhere_is_read_as_far_as_it_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(descriptors_are_told_by_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(tables_are_read_only_until_all_sockets_are_found, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
