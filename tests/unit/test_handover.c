/* How the heir gets from our table into the host's: a fork asks, our first thread gives. The probe is linked into this program. */
#include "probe/handover.h"

#include "probe/apart.h"
#include "probe/counters.h"
#include "probe/guard.h"
#include "probe/heir.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CHILD_S     30
#define ASKERS      8
#define NUMBERS_MAX 2048

enum {
    DENIED = 77,
};

/* Ends the child in which a case runs; what it says is in the log. */
#define REQUIRE(condition) require(condition, #condition, __LINE__)

static void require(bool holds, const char *condition, int line)
{
    if (holds)
        return;
    fprintf(stderr, "line %d: %s\n", line, condition);
    _exit(1);
}

/* ---- Our first thread, as activate.c has it ---- */

enum manner {
    WILLING,
    LATE,             /* comes when nobody waits for it any more */
    LEAVES,           /* its window is closed when it is asked */
    OF_ANOTHER_PLACE, /* network namespace */
};

static enum manner manner;
static ino_t bequeathed;
static sem_t bell, is_ready, may_give, has_given;
static unsigned rings; /* atomic */

static void ring(void)
{
    __atomic_fetch_add(&rings, 1, __ATOMIC_RELAXED);
    sem_post(&bell);
}

static void prepare(void)
{
    struct stat facts;
    ph_tls.own = true;
    if (manner == OF_ANOTHER_PLACE && unshare(CLONE_NEWNET) < 0)
        _exit(DENIED);
    ph_apart_leave(ph_heir_find());
    ph_heir_keep();
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(fstat(fd, &facts) == 0 && ph_bequeath(&fd, 1) == 0);
    bequeathed = facts.st_ino;
    close(fd);
    ph_handover_offer();
}

static void *serve(void *unused)
{
    prepare();
    sem_post(&is_ready);
    while (sem_wait(&bell) == 0) {
        if (manner == LATE)
            sem_wait(&may_give);
        if (manner == LEAVES)
            ph_handover_end();
        ph_handover_give();
        sem_post(&has_given);
    }
    return unused;
}

static void start(enum manner how)
{
    pthread_t thread;
    manner = how;
    REQUIRE(pthread_create(&thread, NULL, serve, NULL) == 0);
    sem_wait(&is_ready);
}

/* ---- The host ---- */

static unsigned open_count(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < NUMBERS_MAX; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* What was bequeathed can be taken from it. */
static bool has_heir(void)
{
    struct stat facts;
    int fd = -1;
    bool has = ph_heir_is(ph_heir_fd()) && (fcntl(ph_heir_fd(), F_GETFD) & FD_CLOEXEC) && ph_inherit(&fd, 1) == 1 &&
               fstat(fd, &facts) == 0 && facts.st_ino == bequeathed;
    syscall(SYS_close, fd);
    return has;
}

static bool is_degraded(void)
{
    return ph_probe.degraded & PH_DEGRADED_HEIR;
}

/* Each in a process of its own: there is one heir in each. */
static int in_child(void (*body)(void))
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_S);
        body();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void ask_once(void)
{
    start(WILLING);
    unsigned before = open_count();
    REQUIRE(ph_heir_fd() == PH_HEIR_NONE && ph_handover_is_due());
    ph_handover_take(ring);
    REQUIRE(has_heir() && ph_heir_fd() >= 512 && !is_degraded());
    REQUIRE(open_count() == before + 1 && !ph_handover_is_due());
}

static void the_host_has_it_when_it_has_asked_and_nothing_before(void **state)
{
    (void)state;
    assert_int_equal(in_child(ask_once), 0);
}

static void *ask(void *unused)
{
    ph_handover_take(ring);
    REQUIRE(ph_heir_is(ph_heir_fd()));
    return unused;
}

static void ask_from_many_threads(void)
{
    pthread_t threads[ASKERS];
    start(WILLING);
    unsigned before = open_count();
    for (int i = 0; i < ASKERS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, ask, NULL) == 0);
    for (int i = 0; i < ASKERS; i++)
        pthread_join(threads[i], NULL);
    REQUIRE(has_heir() && rings == 1 && open_count() == before + 1);
}

static void of_many_threads_that_fork_one_asks_and_the_others_wait(void **state)
{
    (void)state;
    assert_int_equal(in_child(ask_from_many_threads), 0);
}

/* ---- Somebody else ---- */

/* The one socket that listens with such a name; the columns are in Linux, net/unix/af_unix.c, unix_seq_show(). */
static struct sockaddr_un listening_place(socklen_t *ret_bytes)
{
    char line[512], name[8];
    unsigned flags, type;
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    FILE *file = fopen("/proc/net/unix", "re");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "%*x: %*x %*x %x %x %*x %*u @%7s", &flags, &type, name) == 3 && flags == 0x10000 &&
            type == SOCK_SEQPACKET && strlen(name) == 5)
            memcpy(place.sun_path + 1, name, 5);
    if (file)
        fclose(file);
    *ret_bytes = (socklen_t)offsetof(struct sockaddr_un, sun_path) + 6;
    return place;
}

static void be_refused(void)
{
    char byte;
    socklen_t bytes;
    struct sockaddr_un place = listening_place(&bytes);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    REQUIRE(connect(fd, (struct sockaddr *)&place, bytes) == 0);
    REQUIRE(recv(fd, &byte, 1, 0) == 0); /* closed, and nothing sent */
}

static int refused = -1;

static void ring_and_let_a_stranger_connect_first(void)
{
    ring();
    while (__atomic_load_n(&ph_handover_stage, __ATOMIC_ACQUIRE) == PH_HANDOVER_ASKED)
        sched_yield();
    refused = in_child(be_refused);
}

static void ask_after_a_stranger(void)
{
    start(WILLING);
    ph_handover_take(ring_and_let_a_stranger_connect_first);
    REQUIRE(refused == 0 && has_heir());
}

static void another_process_that_connects_gets_nothing(void **state)
{
    (void)state;
    assert_int_equal(in_child(ask_after_a_stranger), 0);
}

static void offer_something_else(void)
{
    start(WILLING);
    unsigned before = open_count();
    REQUIRE(!ph_heir_adopt(socket(AF_UNIX, SOCK_SEQPACKET, 0)) && !ph_heir_adopt(dup(STDERR_FILENO)));
    REQUIRE(ph_heir_fd() == PH_HEIR_NONE && open_count() == before);
}

static void what_is_not_the_heir_is_not_taken_for_it(void **state)
{
    (void)state;
    assert_int_equal(in_child(offer_something_else), 0);
}

/* ---- In vain ---- */

static void ask_somebody_late(void)
{
    start(LATE);
    unsigned before = open_count();
    ph_handover_take(ring);
    REQUIRE(sem_trywait(&has_given) < 0 && is_degraded());
    sem_post(&may_give);
    sem_wait(&has_given);
    REQUIRE(ph_heir_fd() == PH_HEIR_NONE && open_count() == before && !ph_handover_is_due());
}

static void a_fork_does_not_wait_for_ever(void **state)
{
    (void)state;
    assert_int_equal(in_child(ask_somebody_late), 0);
}

static void ask_as_the_window_closes(void)
{
    start(LEAVES);
    ph_handover_take(ring);
    REQUIRE(ph_heir_fd() == PH_HEIR_NONE && !is_degraded() && !ph_handover_is_due());
}

static void a_window_that_closes_meanwhile_is_no_loss(void **state)
{
    (void)state;
    assert_int_equal(in_child(ask_as_the_window_closes), 0);
}

static void ask_with_no_number_left(void)
{
    start(WILLING);
    int next = dup(STDERR_FILENO);
    struct rlimit limit = {(rlim_t)next + 1, (rlim_t)next + 1};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    ph_handover_take(ring);
    REQUIRE(is_degraded() && ph_heir_fd() == PH_HEIR_NONE);
    close(next);
    REQUIRE(dup(STDERR_FILENO) == next);
}

static void without_a_number_left_the_loss_is_told(void **state)
{
    (void)state;
    assert_int_equal(in_child(ask_with_no_number_left), 0);
}

static void ask_across_namespaces(void)
{
    start(OF_ANOTHER_PLACE);
    ph_handover_take(ring);
    REQUIRE(is_degraded() && ph_heir_fd() == PH_HEIR_NONE);
}

static void from_another_network_namespace_the_loss_is_told(void **state)
{
    (void)state;
    int status = in_child(ask_across_namespaces);
    if (status == DENIED)
        skip();
    assert_int_equal(status, 0);
}

static int make_semaphores(void **state)
{
    sem_t *semaphores[] = {&bell, &is_ready, &may_give, &has_given};
    (void)state;
    for (size_t i = 0; i < sizeof(semaphores) / sizeof(semaphores[0]); i++)
        sem_init(semaphores[i], 0, 0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_has_it_when_it_has_asked_and_nothing_before),
        cmocka_unit_test(of_many_threads_that_fork_one_asks_and_the_others_wait),
        cmocka_unit_test(another_process_that_connects_gets_nothing),
        cmocka_unit_test(what_is_not_the_heir_is_not_taken_for_it),
        cmocka_unit_test(a_fork_does_not_wait_for_ever),
        cmocka_unit_test(a_window_that_closes_meanwhile_is_no_loss),
        cmocka_unit_test(without_a_number_left_the_loss_is_told),
        cmocka_unit_test(from_another_network_namespace_the_loss_is_told),
    };
    return cmocka_run_group_tests(tests, make_semaphores, NULL);
}
