#include "lines.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int lines_listen(int port)
{
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address;
    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 128) < 0)
        err(1, "cannot listen on port %d", port);
    return fd;
}

static void run_line(struct lines_server *server, const struct lines_command *commands, char *line, char *answer)
{
    char *argument = strchr(line, ' ');
    if (argument)
        *argument++ = '\0';
    while (commands->name && strcmp(commands->name, line) != 0)
        commands++;
    if (commands->name)
        commands->run(server, argument ? argument : "", answer);
    else
        snprintf(answer, LINES_MAX, "unknown command %.100s", line);
}

/* Reads up to a newline; the client sends one line and waits. Returns its length without the end, -1 at the end. */
static int read_line(int fd, char *line)
{
    for (int size = 0; size < LINES_MAX - 1; size++) {
        if (read(fd, line + size, 1) != 1)
            return -1;
        if (line[size] == '\n') {
            line[size] = '\0';
            return size;
        }
    }
    return -1;
}

static void serve_connection(struct lines_server *server, const struct lines_command *commands)
{
    char line[LINES_MAX], answer[LINES_MAX + 1];
    while (read_line(server->connection, line) >= 0) {
        answer[0] = '\0';
        run_line(server, commands, line, answer);
        strcat(answer, "\n");
        if (write(server->connection, answer, strlen(answer)) < 0)
            break;
    }
    close(server->connection);
}

void lines_serve(struct lines_server *server, const struct lines_command *commands)
{
    signal(SIGPIPE, SIG_IGN);
    if (server->fork_each)
        signal(SIGCHLD, SIG_IGN);
    for (;;) {
        server->connection = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (server->connection < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (server->connection < 0)
            err(1, "accept");
        pid_t child = server->fork_each ? fork() : -1;
        if (child == 0) {
            serve_connection(server, commands);
            _exit(0);
        }
        if (child > 0)
            close(server->connection);
        else
            serve_connection(server, commands);
    }
}
