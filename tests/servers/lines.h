/*
 * lines.h - a small TCP server for test hosts: a line comes in, `COMMAND ARGUMENT`; a line goes out.
 *
 * One connection at a time, on the thread that calls lines_serve().
 */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINES_MAX 4096

/* The connection being served and the listening socket, for commands that must spare them. */
struct lines_server {
    int listener, connection;
    bool fork_each; /* a child for every connection */
};

struct lines_command {
    const char *name;
    /* Writes one line without its end to @answer, LINES_MAX bytes. */
    void (*run)(struct lines_server *server, const char *argument, char *answer);
};

/** lines_listen() - a listening socket on 127.0.0.1:@port, CLOEXEC. Ends the program if there is none. */
int lines_listen(int port);

/** lines_serve() - for ever. @commands ends with a row without a name. */
void lines_serve(struct lines_server *server, const struct lines_command *commands);

#endif
