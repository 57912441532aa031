/* takeover_fixture.h - real processes, each with a server, forked from the one that opened the port: made, told, asked. */
#ifndef PH_TESTS_TAKEOVER_FIXTURE_H
#define PH_TESTS_TAKEOVER_FIXTURE_H

#include "processes_fixture.h"

#include <stdbool.h>
#include <sys/types.h>

#define FIXTURE_PATIENCE_MS 20000
#define FIXTURE_MEMBERS     6

/* What a founder forks. */
enum fixture_order {
    FIXTURE_MEMBER,  /* a child that serves */
    FIXTURE_LOSER,   /* that serves, but whose inherited sockets are gone */
    FIXTURE_DORMANT, /* that has inherited all, and serves nothing */
};

/* What happens to a former generation while the founder asks for its address. */
struct fixture_accident {
    int domain;     /* of the sockets that are counted; 0: nothing happens */
    int socket_no;  /* before what this one was opened for is tried */
    pid_t front;    /* it is killed then */
    char name[160]; /* of its beacon, which is out when it goes on */
    unsigned port;  /* is free by then; 0: that is not waited for */
};

/* SIGUSR1: close the window and end. SIGUSR2: exec another program. That holds for what it forks as well. */
struct fixture_founder {
    struct fixture_accident accident;
    char listen[128];
    char program[16];
    char token_file[64]; /* "" for none */
    int reports[2], orders[2];
    pid_t pid;
};

struct fixture_family {
    struct fixture_founder founder;
    char url[64];
    unsigned port;
    pid_t pids[FIXTURE_MEMBERS];
};

/** fixture_found() - a first process; the port it got. fixture_forget() - the test's ends of its pipes. */
unsigned fixture_found(struct fixture_founder *founder, const char *listen, const char *program);
void fixture_forget(struct fixture_founder *founder);

/** fixture_end_left() - a test's teardown: whatever became of it, no process of it is left. One that is stopped would stay for ever,
 * and with it the pipe that whoever runs the tests reads. */
int fixture_end_left(void **state);

/** fixture_hear_of() - the next report of the family, which must be @what. */
struct fixture_report fixture_hear_of(struct fixture_founder *founder, char what);

/** fixture_fork() - by the founder; it has done what it is for. */
pid_t fixture_fork(struct fixture_founder *founder, enum fixture_order order);

/** fixture_start_family() - at a free port, as the program "takeover", with @members besides the founder. */
void fixture_start_family(struct fixture_family *family, int members);

/** fixture_text_of_port() - as PORTHOLE_LISTEN has it. */
void fixture_text_of_port(unsigned port, char ret_text[128]);

/** fixture_dial_port(), fixture_dial_unix() - connected, or -1. @name: a path, or an abstract name after '@'. */
int fixture_dial_port(unsigned port);
int fixture_dial_unix(const char *name);

/** fixture_ask() - the status of the answer, 0 if none came; closes @fd. @header: with its line end, or "". */
unsigned fixture_ask(int fd, const char *header);

/** fixture_holder() - who has the address @url, by the beacon of it; 0 for nobody. */
pid_t fixture_holder(const char *program, const char *url);

/** fixture_next_holder() - the next one that has it, and is not @before; 0 if there is none for long. */
pid_t fixture_next_holder(const char *program, const char *url, pid_t before);

#endif
