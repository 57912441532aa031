/* The endpoint of a family: real processes, each with a server, forked from the one that opened the port. */
#include "base/clock.h"
#include "family/beacon.h"
#include "family/family.h"
#include "processes_fixture.h"
#include "server/server.h"
#include "server/state.h"
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 20000
#define TRY_MS      1300 /* more than between two tries to get a port */
#define MEMBERS     6
#define PATIENCE_NS (PATIENCE_MS * PH_NS_PER_MS)
#define OTHER_USER  65534

/* What a founder is told to do. */
enum order {
    FORK_MEMBER,  /* a child that serves */
    FORK_LOSER,   /* that serves, but whose inherited sockets are gone */
    FORK_DORMANT, /* that has inherited all, and serves nothing */
};

/* What happens to a former generation while the founder asks for its address. */
struct accident {
    int domain;     /* of the sockets that are counted; 0: nothing happens */
    int socket_no;  /* before what this one was opened for is tried */
    pid_t front;    /* it is killed then */
    char name[160]; /* of its beacon, which is out when it goes on */
    unsigned port;  /* is free by then; 0: that is not waited for */
};

struct founder {
    struct accident accident;
    char listen[128];
    char program[16];
    char token_file[64]; /* "" for none */
    int reports[2], orders[2];
    pid_t pid;
};

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
static bool obey_fork(struct founder *founder, enum order *ret_order)
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
    if (*ret_order == FORK_LOSER)
        fixture_lose_heirs();
    ph_family_forked();
    return true;
}

static struct accident accident;

static int dial_port(unsigned port);

static bool is_over(void)
{
    struct ucred holder;
    int beacon = ph_beacon_watch(&fixture_probe, accident.name, &holder);
    int port = beacon < 0 && accident.port ? dial_port(accident.port) : -1;
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
static int serve(struct founder *founder)
{
    struct ph_server *server;
    struct ph_error error = {0};
    sigset_t waiting;
    enum order order;
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
            if (order != FORK_DORMANT)
                return serve(founder);
            fixture_tell(founder->reports[1], 'd', 0);
            return dormant();
        }
    }
}

static int be_founder(void *argument)
{
    struct founder *founder = argument;
    prctl(PR_SET_NAME, founder->program);
    strcpy(fixture_options.listen, founder->listen);
    strcpy(fixture_options.token_file, founder->token_file);
    fixture_options.log = PH_LOG_QUIET;
    accident = founder->accident;
    fixture_socket_opened = accident.domain ? happen : NULL;
    return serve(founder);
}

/* ---- In the test ---- */

static struct fixture_report hear(struct founder *founder, char what)
{
    struct fixture_report report = {0};
    assert_true(fixture_hear(founder->reports[0], PATIENCE_MS, &report));
    assert_int_equal(report.what, what);
    return report;
}

/* The port it got. */
static unsigned found(struct founder *founder, const char *listen, const char *program)
{
    snprintf(founder->listen, sizeof(founder->listen), "%s", listen);
    snprintf(founder->program, sizeof(founder->program), "%s", program);
    fixture_pipe(founder->reports);
    fixture_pipe(founder->orders);
    founder->pid = fixture_child(be_founder, founder);
    return (unsigned)hear(founder, 'f').number;
}

static void forget(struct founder *founder)
{
    close(founder->reports[0]);
    close(founder->reports[1]);
    close(founder->orders[0]);
    close(founder->orders[1]);
}

static pid_t fork_one(struct founder *founder, enum order order)
{
    assert_int_equal(write(founder->orders[1], &order, sizeof(order)), sizeof(order));
    return hear(founder, order == FORK_DORMANT ? 'd' : 'm').pid;
}

static void text_of_port(unsigned port, char ret_text[128])
{
    snprintf(ret_text, 128, "127.0.0.1:%u", port);
}

static int dial_port(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* @name: a path, or an abstract name after '@'. */
static int dial_unix(const char *name)
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

/* The status of the answer, 0 if none came; closes @fd. @header: with its line end, or "". */
static unsigned get(int fd, const char *header)
{
    char text[512];
    struct pollfd slot = {.fd = fd, .events = POLLIN};
    unsigned status = 0;
    int size =
        snprintf(text, sizeof(text),
                 "GET /debug/pprof/cmdline HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", header);
    if (fd < 0)
        return 0;
    if (send(fd, text, (size_t)size, MSG_NOSIGNAL) == size && poll(&slot, 1, PATIENCE_MS) == 1) {
        ssize_t count = recv(fd, text, sizeof(text) - 1, 0);
        text[count > 0 ? count : 0] = '\0';
        sscanf(text, "HTTP/1.1 %u", &status);
    }
    close(fd);
    return status;
}

/* Who has the address, by the beacon of it; 0 for nobody. */
static pid_t holder_of(const char *program, const char *url)
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

/* The next one that has it, and is not @before. */
static pid_t next_holder(const char *program, const char *url, pid_t before)
{
    int64_t end_ns = ph_clock_monotonic_ns() + PATIENCE_NS;
    pid_t pid = holder_of(program, url);
    while ((pid == 0 || pid == before) && ph_clock_monotonic_ns() < end_ns) {
        usleep(1000);
        pid = holder_of(program, url);
    }
    return pid;
}

struct family {
    struct founder founder;
    char url[64];
    unsigned port;
    pid_t pids[MEMBERS];
};

static void start_family(struct family *family, int members)
{
    *family = (struct family){0}; /* above all, no accident */
    family->port = found(&family->founder, "127.0.0.1:0", "takeover");
    snprintf(family->url, sizeof(family->url), "http://127.0.0.1:%u", family->port);
    for (int i = 0; i < members; i++)
        family->pids[i] = fork_one(&family->founder, FORK_MEMBER);
}

/* Ask again and again. Tells how many requests got no answer ('n'), and fails if a connection was refused. */
static int be_client(void *argument)
{
    struct family *family = argument;
    int unanswered = 0;
    signal(SIGUSR1, on_signal);
    fixture_tell(family->founder.reports[1], 'c', 0);
    while (!told_to_stop) {
        int fd = dial_port(family->port);
        if (fd < 0)
            return 1;
        bool is_answered = get(fd, "") == 200;
        unanswered += !is_answered && !told_to_stop; /* which ends poll(), too */
    }
    fixture_tell(family->founder.reports[1], 'n', unanswered);
    return 0;
}

static void killed_fronts_refuse_no_connection_and_lose_what_they_were_answering_at_most(void **state)
{
    struct family family;
    start_family(&family, MEMBERS);
    pid_t client = fixture_child(be_client, &family), front = family.founder.pid;
    hear(&family.founder, 'c');
    assert_int_equal(next_holder("takeover", family.url, 0), front);
    for (int i = 0; i < MEMBERS; i++) {
        usleep(20000);
        fixture_kill(front, SIGKILL);
        front = next_holder("takeover", family.url, front);
        assert_true(front > 0);
        assert_int_equal(get(dial_port(family.port), ""), 200);
    }
    fixture_kill(client, SIGUSR1);
    assert_true(hear(&family.founder, 'n').number <= MEMBERS);
    assert_int_equal(fixture_status(client), 0);
    fixture_kill(front, SIGKILL);
    fixture_status(family.founder.pid);
    forget(&family.founder);
}

static void connections_made_while_there_is_no_front_are_answered_by_the_next(void **state)
{
    struct family family;
    start_family(&family, 1);
    fixture_kill(family.pids[0], SIGSTOP);
    fixture_end(family.founder.pid);
    int fd = dial_port(family.port);
    assert_true(fd >= 0);
    fixture_kill(family.pids[0], SIGCONT);
    assert_int_equal(get(fd, ""), 200);
    fixture_kill(family.pids[0], SIGKILL);
    forget(&family.founder);
}

static void a_front_that_execs_is_followed(void **state)
{
    struct family family;
    start_family(&family, 1);
    fixture_kill(family.founder.pid, SIGUSR2);
    assert_int_equal(next_holder("takeover", family.url, family.founder.pid), family.pids[0]);
    assert_int_equal(get(dial_port(family.port), ""), 200);
    fixture_end(family.founder.pid);
    fixture_kill(family.pids[0], SIGKILL);
    forget(&family.founder);
}

static void the_port_closes_with_the_last_window_whoever_has_a_copy_of_it(void **state)
{
    struct family family;
    start_family(&family, 2);
    pid_t sleeper = fork_one(&family.founder, FORK_DORMANT);
    pid_t front = family.founder.pid;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(next_holder("takeover", family.url, 0), front);
        assert_int_equal(get(dial_port(family.port), ""), 200);
        fixture_kill(front, SIGUSR1);
        hear(&family.founder, 's');
        if (i < 2)
            front = next_holder("takeover", family.url, front);
    }
    assert_int_equal(dial_port(family.port), -1);
    assert_int_equal(fixture_kill(sleeper, SIGKILL), 0);
    fixture_status(family.founder.pid);
    forget(&family.founder);
}

static void a_member_whose_sockets_are_gone_listens_again_at_the_same_port(void **state)
{
    struct family family;
    start_family(&family, 0);
    family.pids[0] = fork_one(&family.founder, FORK_LOSER);
    fixture_end(family.founder.pid);
    assert_int_equal(next_holder("takeover", family.url, family.founder.pid), family.pids[0]);
    assert_int_equal(get(dial_port(family.port), ""), 200);
    fixture_kill(family.pids[0], SIGKILL);
    forget(&family.founder);
}

/* A worker often may not read what the first process could. */
static void the_token_holds_after_a_takeover_though_its_file_has_gone(void **state)
{
    struct founder founder = {.token_file = "/tmp/porthole-token-XXXXXX"};
    int fd = mkstemp(founder.token_file);
    assert_int_equal(write(fd, "0123456789abcdef\n", 17), 17);
    close(fd);
    unsigned port = found(&founder, "127.0.0.1:0", "takeover");
    pid_t member = fork_one(&founder, FORK_MEMBER);
    unlink(founder.token_file);
    fixture_end(founder.pid);
    assert_int_equal(get(dial_port(port), ""), 401);
    assert_int_equal(get(dial_port(port), "Authorization: Bearer 0123456789abcdef\r\n"), 200);
    fixture_kill(member, SIGKILL);
    forget(&founder);
}

static void the_next_generation_gets_the_port_when_the_last_one_has_gone(void **state)
{
    struct family old;
    struct founder next = {0};
    char listen[128];
    start_family(&old, 1);
    text_of_port(old.port, listen);
    unsigned other = found(&next, listen, "takeover");
    assert_int_not_equal(other, old.port);
    fixture_end(old.founder.pid);
    assert_int_equal(next_holder("takeover", old.url, old.founder.pid), old.pids[0]);
    fixture_kill(old.pids[0], SIGKILL);
    assert_int_equal(next_holder("takeover", old.url, old.pids[0]), next.pid);
    assert_int_equal(get(dial_port(old.port), ""), 200);
    assert_int_equal(get(dial_port(other), ""), 200);
    pid_t heir = fork_one(&next, FORK_MEMBER);
    fixture_end(next.pid);
    assert_int_equal(next_holder("takeover", old.url, next.pid), heir);
    assert_int_equal(get(dial_port(old.port), ""), 200);
    assert_int_equal(get(dial_port(other), ""), 200);
    fixture_kill(heir, SIGKILL);
    forget(&old.founder);
    forget(&next);
}

/* As haproxy's master, which listens, forks a worker and becomes another program. */
static void it_gets_the_port_also_if_the_front_that_waited_for_it_has_gone(void **state)
{
    struct family old;
    struct founder next = {0};
    char listen[128];
    start_family(&old, 0);
    text_of_port(old.port, listen);
    unsigned other = found(&next, listen, "takeover");
    pid_t worker = fork_one(&next, FORK_MEMBER);
    fixture_kill(worker, SIGSTOP);
    fixture_end(next.pid);
    fixture_end(old.founder.pid);
    fixture_kill(worker, SIGCONT);
    assert_int_equal(next_holder("takeover", old.url, old.founder.pid), worker);
    assert_int_equal(get(dial_port(old.port), ""), 200);
    assert_int_equal(get(dial_port(other), ""), 200);
    fixture_kill(worker, SIGKILL);
    forget(&old.founder);
    forget(&next);
}

/* The founder finds the port taken, and when it asks whose it is nobody is there any more. */
static void it_gets_the_port_also_if_the_last_one_ended_while_it_asked_for_it(void **state)
{
    struct family old;
    char listen[128];
    start_family(&old, 0);
    text_of_port(old.port, listen);
    struct founder next = {.accident = {AF_INET, 2, old.founder.pid, "", old.port}};
    snprintf(next.accident.name, sizeof(next.accident.name), "porthole-at/takeover/%s", old.url);
    unsigned other = found(&next, listen, "takeover");
    assert_int_not_equal(other, old.port);
    assert_int_equal(next_holder("takeover", old.url, 0), next.pid);
    assert_int_equal(get(dial_port(old.port), ""), 200);
    fixture_end(next.pid);
    fixture_status(old.founder.pid);
    forget(&old.founder);
    forget(&next);
}

/* As when the kernel closes what a process had one by one: the beacon is out, and the port is taken still. */
static void it_gets_the_port_also_if_that_is_closed_later_than_the_last_front_has_gone(void **state)
{
    struct family old;
    char listen[128];
    start_family(&old, 0);
    pid_t closing = fork_one(&old.founder, FORK_DORMANT);
    text_of_port(old.port, listen);
    struct founder next = {.accident = {AF_INET, 1, old.founder.pid, "", 0}};
    snprintf(next.accident.name, sizeof(next.accident.name), "porthole-at/takeover/%s", old.url);
    unsigned other = found(&next, listen, "takeover");
    assert_int_not_equal(other, old.port);
    fixture_kill(closing, SIGKILL);
    assert_int_equal(next_holder("takeover", old.url, 0), next.pid);
    assert_int_equal(get(dial_port(old.port), ""), 200);
    fixture_end(next.pid);
    fixture_status(old.founder.pid);
    forget(&old.founder);
    forget(&next);
}

/* In a folder of its own, to be removed; its name is short wherever the tests run, as a socket's must be. */
static void name_socket_file(char ret_path[64], char ret_listen[128])
{
    char folder[] = "/tmp/porthole-takeover-XXXXXX";
    assert_non_null(mkdtemp(folder));
    snprintf(ret_path, 64, "%s/socket", folder);
    snprintf(ret_listen, 128, "unix:%s", ret_path);
}

static void remove_socket_file(char *path)
{
    unlink(path);
    rmdir(dirname(path));
}

static void it_gets_a_socket_file_also_if_the_last_front_ended_while_it_asked_for_it(void **state)
{
    struct founder first = {0};
    char path[64], listen[128];
    name_socket_file(path, listen);
    found(&first, listen, "takeover");
    pid_t closing = fork_one(&first, FORK_DORMANT);
    struct founder next = {.accident = {AF_UNIX, 2, first.pid, "", 0}};
    snprintf(next.accident.name, sizeof(next.accident.name), "porthole-at/takeover/%s", listen);
    found(&next, listen, "takeover");
    fixture_kill(closing, SIGKILL);
    assert_int_equal(next_holder("takeover", listen, 0), next.pid);
    assert_int_equal(get(dial_unix(path), ""), 200);
    fixture_end(next.pid);
    fixture_status(first.pid);
    remove_socket_file(path);
    forget(&first);
    forget(&next);
}

/* A process that ends has the name for a while; without the beacon no later generation would wait for the address. */
static void a_front_that_finds_the_name_of_its_address_taken_gets_it_when_it_is_free(void **state)
{
    struct family family;
    struct ph_beacon rival;
    char name[PH_BEACON_NAME_MAX];
    start_family(&family, 1);
    snprintf(name, sizeof(name), "porthole-at/takeover/%s", family.url);
    fixture_kill(family.pids[0], SIGSTOP);
    fixture_end(family.founder.pid);
    assert_int_equal(ph_beacon_light(&fixture_probe, name, &rival), 0);
    fixture_kill(family.pids[0], SIGCONT);
    assert_int_equal(get(dial_port(family.port), ""), 200);
    assert_int_equal(holder_of("takeover", family.url), getpid());
    ph_beacon_put_out(&rival);
    assert_int_equal(next_holder("takeover", family.url, 0), family.pids[0]);
    fixture_kill(family.pids[0], SIGKILL);
    forget(&family.founder);
}

static void the_port_of_another_program_stays_its_own(void **state)
{
    struct family old;
    struct founder other = {0};
    char listen[128];
    start_family(&old, 0);
    text_of_port(old.port, listen);
    unsigned port = found(&other, listen, "another");
    assert_int_not_equal(port, old.port);
    fixture_end(old.founder.pid);
    usleep(TRY_MS * 1000);
    assert_int_equal(dial_port(old.port), -1);
    assert_int_equal(get(dial_port(port), ""), 200);
    fixture_end(other.pid);
    forget(&old.founder);
    forget(&other);
}

/* As of a generation whose last thread is just ending: it has the port still, but nothing else. */
static void a_port_that_is_just_given_up_is_had(void **state)
{
    (void)state;
    struct founder founder = {0};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t bytes = sizeof(address);
    char listen_text[128];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&address, &bytes);
    pid_t holder = fork();
    assert_true(holder >= 0);
    if (holder == 0) {
        usleep(20000);
        _exit(0);
    }
    close(fd);
    text_of_port(ntohs(address.sin_port), listen_text);
    assert_int_equal(found(&founder, listen_text, "takeover"), ntohs(address.sin_port));
    fixture_end(founder.pid);
    waitpid(holder, NULL, 0);
    forget(&founder);
}

static void a_socket_file_goes_with_the_last_window(void **state)
{
    struct founder first = {0}, next = {0};
    struct stat facts;
    char path[64], listen[128];
    name_socket_file(path, listen);
    found(&first, listen, "takeover");
    pid_t member = fork_one(&first, FORK_MEMBER);
    found(&next, listen, "takeover"); /* starts without, as there is no other file */
    assert_int_equal(holder_of("takeover", listen), first.pid);
    fixture_kill(first.pid, SIGUSR1);
    hear(&first, 's');
    assert_int_equal(next_holder("takeover", listen, first.pid), member);
    assert_int_equal(get(dial_unix(path), ""), 200);
    fixture_kill(member, SIGUSR1);
    hear(&first, 's');
    assert_int_equal(next_holder("takeover", listen, member), next.pid);
    assert_int_equal(get(dial_unix(path), ""), 200);
    fixture_kill(next.pid, SIGUSR1);
    hear(&next, 's');
    assert_int_equal(stat(path, &facts), -1);
    remove_socket_file(path);
    fixture_status(first.pid);
    fixture_status(next.pid);
    forget(&first);
    forget(&next);
}

/* In a process of its own, which is the whole family. 0, or the number of the step that failed. */
static int try_keys(void *argument)
{
    struct ph_server *server;
    struct ph_error error = {0};
    char name[64], right[128], wrong[128];
    strcpy(fixture_options.listen, "off");
    if (ph_server_start(&fixture_probe, &server, &error) < 0)
        return 1;
    snprintf(name, sizeof(name), "@porthole/%d", (int)getpid());
    const char *key = ph_segment_key(ph_family_segment(server->site.family));
    snprintf(right, sizeof(right), "%s: %s\r\n", PH_FAMILY_HEADER, key);
    snprintf(wrong, sizeof(wrong), "%s: %.31sx\r\n", PH_FAMILY_HEADER, key);
    unsigned by_user = get(dial_unix(name), ""), by_right_key = get(dial_unix(name), right);
    unsigned by_wrong_key = get(dial_unix(name), wrong);
    if (by_user != 200 || by_right_key != 200 || by_wrong_key != 403)
        return 2;
    if (geteuid() != 0)
        return 77;
    pid_t pid = fork();
    if (pid == 0) {
        if (setuid(OTHER_USER) < 0)
            _exit(3);
        _exit(get(dial_unix(name), "") != 403 ? 4 : get(dial_unix(name), right) != 200 ? 5 : 0);
    }
    int status = fixture_status(pid);
    ph_server_stop(server);
    return status;
}

static void the_key_of_the_family_admits_and_a_wrong_one_does_not(void **state)
{
    int status = fixture_status(fixture_child(try_keys, NULL));
    if (status == 77)
        skip(); /* only root can be two users */
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_fronts_refuse_no_connection_and_lose_what_they_were_answering_at_most),
        cmocka_unit_test(connections_made_while_there_is_no_front_are_answered_by_the_next),
        cmocka_unit_test(a_front_that_execs_is_followed),
        cmocka_unit_test(the_port_closes_with_the_last_window_whoever_has_a_copy_of_it),
        cmocka_unit_test(a_member_whose_sockets_are_gone_listens_again_at_the_same_port),
        cmocka_unit_test(the_token_holds_after_a_takeover_though_its_file_has_gone),
        cmocka_unit_test(the_next_generation_gets_the_port_when_the_last_one_has_gone),
        cmocka_unit_test(it_gets_the_port_also_if_the_front_that_waited_for_it_has_gone),
        cmocka_unit_test(it_gets_the_port_also_if_the_last_one_ended_while_it_asked_for_it),
        cmocka_unit_test(it_gets_the_port_also_if_that_is_closed_later_than_the_last_front_has_gone),
        cmocka_unit_test(it_gets_a_socket_file_also_if_the_last_front_ended_while_it_asked_for_it),
        cmocka_unit_test(a_front_that_finds_the_name_of_its_address_taken_gets_it_when_it_is_free),
        cmocka_unit_test(the_port_of_another_program_stays_its_own),
        cmocka_unit_test(a_port_that_is_just_given_up_is_had),
        cmocka_unit_test(a_socket_file_goes_with_the_last_window),
        cmocka_unit_test(the_key_of_the_family_admits_and_a_wrong_one_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
