#include "server/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static int accept_at(int fd)
{
    struct ph_server server = {.spare_fd = -1};
    struct ph_listener listener = {.fd = fd};
    ph_accept(&server, &listener);
    assert_int_equal(server.accept_after_ns, 0);
    close(server.spare_fd);
    return listener.fd;
}

/* A raw system call of the host can do that; polling it would never end. */
static void a_descriptor_that_is_no_listener_any_more_is_given_up(void **state)
{
    int file = open("/dev/null", O_RDONLY);
    int mute = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(accept_at(file), -1);
    assert_int_equal(accept_at(mute), -1);
    close(file);
    assert_int_equal(accept_at(file), -1);
    close(mute);
}

static void a_listener_with_nobody_waiting_is_kept(void **state)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr nameless = {.sa_family = AF_UNIX};
    assert_int_equal(bind(fd, &nameless, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(accept_at(fd), fd);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_descriptor_that_is_no_listener_any_more_is_given_up),
        cmocka_unit_test(a_listener_with_nobody_waiting_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
