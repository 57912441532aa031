#include "takeover_fixture.h"

#include "base/clock.h"
#include "family/beacon.h"
#include "server/server.h"
#include "server_fixture.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_NS (FIXTURE_PATIENCE_MS * PH_NS_PER_MS)

/* ---- In the processes of the family ---- */

static volatile sig_atomic_t told_to_stop, told_to_exec;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        told_to_stop = 1;
    else
        told_to_exec = 1;
}

static void block_orders(sigset_t *ret_before)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGUSR2);
    sigprocmask(SIG_BLOCK, &both, ret_before);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    signal(SIGCHLD, SIG_IGN);
    sigdelset(ret_before, SIGUSR1);
    sigdelset(ret_before, SIGUSR2);
}

static int dormant(void)
{
    while (pause() < 0)
        ;
    return 0;
}

/* True in the child, with its order. */
static bool obey_fork(struct fixture_founder *founder, enum fixture_order *ret_order)
{
    if (read(founder->orders[0], ret_order, sizeof(*ret_order)) != sizeof(*ret_order))
        _exit(98);
    pid_t pid = fork();
    if (pid < 0)
        _exit(97);
    if (pid > 0)
        return false;
    alarm(60);
    fixture_forked(founder->reports[1]);
    founder->orders[0] = -1;
    if (*ret_order == FIXTURE_LOSER)
        fixture_lose_heirs();
    ph_family_forked();
    return true;
}

static struct fixture_accident accident;

static bool is_over(void)
{
    struct ucred holder;
    int beacon = ph_beacon_watch(&fixture_probe, accident.name, &holder);
    int port = beacon < 0 && accident.port ? fixture_dial_port(accident.port) : -1;
    close(beacon);
    close(port);
    return beacon < 0 && port < 0;
}

static void happen(int fd)
{
    int domain = 0;
    socklen_t size_bytes = sizeof(domain);
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size_bytes);
    if (domain != accident.domain || --accident.socket_no > 0)
        return;
    fixture_socket_opened = NULL;
    fixture_kill(accident.front, SIGKILL);
    while (!is_over())
        usleep(1000);
}

/* SIGUSR1: close the window and end. SIGUSR2: exec another program. */
static int serve(struct fixture_founder *founder)
{
    struct ph_server *server;
    struct ph_error error = {0};
    sigset_t waiting;
    enum fixture_order order;
    block_orders(&waiting);
    int status = ph_server_start(&fixture_probe, &server, &error);
    unsigned port = 0;
    if (status == 0)
        sscanf(ph_server_url(server), "http://127.0.0.1:%u", &port);
    fixture_tell(founder->reports[1], status < 0 ? 'e' : ph_server_is_founder(server) ? 'f' : 'm', (int)port);
    for (;;) {
        struct pollfd slot = {.fd = founder->orders[0], .events = POLLIN};
        int ready = ppoll(&slot, 1, NULL, &waiting);
        if (told_to_exec)
            execl("/bin/sleep", "sleep", "60", NULL);
        if (told_to_stop) {
            ph_server_stop(server);
            fixture_tell(founder->reports[1], 's', 0);
            return 0;
        }
        if (ready > 0 && obey_fork(founder, &order)) {
            if (order != FIXTURE_DORMANT)
                return serve(founder);
            fixture_tell(founder->reports[1], 'd', 0);
            return dormant();
        }
    }
}

static int be_founder(void *argument)
{
    struct fixture_founder *founder = argument;
    prctl(PR_SET_NAME, founder->program);
    strcpy(fixture_options.listen, founder->listen);
    strcpy(fixture_options.token_file, founder->token_file);
    fixture_options.log = PH_LOG_QUIET;
    accident = founder->accident;
    fixture_socket_opened = accident.domain ? happen : NULL;
    return serve(founder);
}

/* ---- In the test ---- */

struct fixture_report fixture_hear_of(struct fixture_founder *founder, char what)
{
    struct fixture_report report = {0};
    assert_true(fixture_hear(founder->reports[0], FIXTURE_PATIENCE_MS, &report));
    assert_int_equal(report.what, what);
    return report;
}

unsigned fixture_found(struct fixture_founder *founder, const char *listen, const char *program)
{
    snprintf(founder->listen, sizeof(founder->listen), "%s", listen);
    snprintf(founder->program, sizeof(founder->program), "%s", program);
    fixture_pipe(founder->reports);
    fixture_pipe(founder->orders);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    founder->pid = fixture_child(be_founder, founder);
    return (unsigned)fixture_hear_of(founder, 'f').number;
}

/* The next one of our children, ended or not; 0 if there is none. */
static pid_t any_child(void)
{
    int pid = 0;
    FILE *file = fopen("/proc/thread-self/children", "re");
    if (file && fscanf(file, "%d", &pid) != 1)
        pid = 0;
    if (file)
        fclose(file);
    return pid;
}

int fixture_end_left(void **state)
{
    (void)state;
    for (pid_t pid = any_child(); pid > 0; pid = any_child())
        fixture_end(pid);
    return 0;
}

void fixture_forget(struct fixture_founder *founder)
{
    close(founder->reports[0]);
    close(founder->reports[1]);
    close(founder->orders[0]);
    close(founder->orders[1]);
}

pid_t fixture_fork(struct fixture_founder *founder, enum fixture_order order)
{
    assert_int_equal(write(founder->orders[1], &order, sizeof(order)), sizeof(order));
    return fixture_hear_of(founder, order == FIXTURE_DORMANT ? 'd' : 'm').pid;
}

void fixture_text_of_port(unsigned port, char ret_text[128])
{
    snprintf(ret_text, 128, "127.0.0.1:%u", port);
}

int fixture_dial_port(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

int fixture_dial_unix(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t size_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] != '@'));
    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, size_bytes) == 0)
        return fd;
    close(fd);
    return -1;
}

unsigned fixture_ask(int fd, const char *header)
{
    char text[512];
    struct pollfd slot = {.fd = fd, .events = POLLIN};
    unsigned status = 0;
    int size =
        snprintf(text, sizeof(text),
                 "GET /debug/pprof/cmdline HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", header);
    if (fd < 0)
        return 0;
    if (send(fd, text, (size_t)size, MSG_NOSIGNAL) == size && poll(&slot, 1, FIXTURE_PATIENCE_MS) == 1) {
        ssize_t count = recv(fd, text, sizeof(text) - 1, 0);
        text[count > 0 ? count : 0] = '\0';
        sscanf(text, "HTTP/1.1 %u", &status);
    }
    close(fd);
    return status;
}

pid_t fixture_holder(const char *program, const char *url)
{
    char name[PH_BEACON_NAME_MAX];
    struct ucred holder;
    snprintf(name, sizeof(name), "porthole-at/%.15s/%.70s", program, url);
    int fd = ph_beacon_watch(&fixture_probe, name, &holder);
    if (fd < 0)
        return 0;
    close(fd);
    return holder.pid;
}

pid_t fixture_next_holder(const char *program, const char *url, pid_t before)
{
    int64_t end_ns = ph_clock_monotonic_ns() + PATIENCE_NS;
    pid_t pid = fixture_holder(program, url);
    while ((pid == 0 || pid == before) && ph_clock_monotonic_ns() < end_ns) {
        usleep(1000);
        pid = fixture_holder(program, url);
    }
    return pid;
}

void fixture_start_family(struct fixture_family *family, int members)
{
    *family = (struct fixture_family){0}; /* above all, no accident */
    family->port = fixture_found(&family->founder, "127.0.0.1:0", "takeover");
    snprintf(family->url, sizeof(family->url), "http://127.0.0.1:%u", family->port);
    for (int i = 0; i < members; i++)
        family->pids[i] = fixture_fork(&family->founder, FIXTURE_MEMBER);
}
