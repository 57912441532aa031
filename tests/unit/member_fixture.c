#include "member_fixture.h"

#include "base/buf.h"
#include "family/ask.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define OPEN_MAX_COUNT 64

struct member_fixture {
    struct member_script script;
    pthread_t thread;
    int listener, stop_fd;
    int open_fds[OPEN_MAX_COUNT]; /* that are not answered */
    int open_count;
    atomic_uint request_count;
    char request[4096];
};

static int own_fd(int fd)
{
    return fd;
}

const struct ph_probe member_probe = {.abi = PH_PROBE_ABI, .version = "0", .own_fd = own_fd};

static void send_answer(const struct member_fixture *member, int fd)
{
    const struct member_script *script = &member->script;
    bool symbols = script->symbol_answer && strstr(member->request, "/symbol");
    const char *answer = symbols ? script->symbol_answer : script->answer;
    size_t answer_bytes = symbols ? strlen(answer) : script->answer_bytes;
    size_t sent_bytes = 0, piece_bytes = script->piece_bytes ? script->piece_bytes : answer_bytes;
    while (sent_bytes < answer_bytes) {
        size_t size_bytes = MIN(piece_bytes, answer_bytes - sent_bytes);
        ssize_t count = send(fd, answer + sent_bytes, size_bytes, MSG_NOSIGNAL);
        if (count <= 0)
            return;
        sent_bytes += (size_t)count;
        if (script->piece_bytes)
            usleep(200);
    }
}

static void read_request(struct member_fixture *member, int fd)
{
    size_t size_bytes = 0;
    ssize_t count;
    member->request[0] = '\0';
    while (!strstr(member->request, "\r\n\r\n") &&
           (count = recv(fd, member->request + size_bytes, sizeof(member->request) - 1 - size_bytes, 0)) > 0) {
        size_bytes += (size_t)count;
        member->request[size_bytes] = '\0';
    }
    atomic_fetch_add(&member->request_count, 1);
}

static void serve(struct member_fixture *member, int fd)
{
    read_request(member, fd);
    if (!member->script.answer && member->open_count < OPEN_MAX_COUNT) {
        member->open_fds[member->open_count++] = fd;
        return;
    }
    struct pollfd stop = {.fd = member->stop_fd, .events = POLLIN};
    if (poll(&stop, 1, member->script.delay_ms) == 0)
        send_answer(member, fd);
    close(fd);
}

static void *run(void *argument)
{
    struct member_fixture *member = argument;
    struct pollfd slots[] = {{.fd = member->stop_fd, .events = POLLIN},
                             {.fd = member->script.never_accepts ? -1 : member->listener, .events = POLLIN}};
    while (poll(slots, 2, -1) > 0 && !slots[0].revents)
        serve(member, accept(member->listener, NULL, NULL));
    return NULL;
}

struct member_fixture *member_start(pid_t pid, const struct member_script *script)
{
    struct member_fixture *member = calloc(1, sizeof(*member));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "porthole/%d", (int)pid);
    assert_non_null(member);
    member->script = *script;
    member->stop_fd = eventfd(0, EFD_CLOEXEC);
    member->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(member->listener, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)),
                     0);
    assert_int_equal(listen(member->listener, 64), 0);
    assert_int_equal(pthread_create(&member->thread, NULL, run, member), 0);
    return member;
}

const char *member_request(const struct member_fixture *member)
{
    return member->request;
}

unsigned member_request_count(const struct member_fixture *member)
{
    return atomic_load(&member->request_count);
}

void member_stop(struct member_fixture *member)
{
    eventfd_write(member->stop_fd, 1);
    pthread_join(member->thread, NULL);
    for (int i = 0; i < member->open_count; i++)
        close(member->open_fds[i]);
    close(member->listener);
    close(member->stop_fd);
    free(member);
}

char *member_answer(pid_t pid, const char *status, const char *body, size_t body_bytes, size_t *ret_bytes)
{
    struct ph_buf answer = PH_BUF_INIT;
    ph_buf_printf(&answer, "HTTP/1.1 %s\r\nContent-Type: text/x\r\n%s: %d\r\nContent-Length: %zu\r\n\r\n", status,
                  PH_FAMILY_MEMBER_HEADER, (int)pid, body_bytes);
    ph_buf_append(&answer, body, body_bytes);
    return ph_buf_take(&answer, ret_bytes);
}

struct ph_member member_row(pid_t pid)
{
    return (struct ph_member){.pid = pid, .start_ticks = 1, .name = "worker"};
}
