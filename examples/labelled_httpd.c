/*
 * labelled_httpd.c - a small HTTP service whose handlers all keep their data through one function: stacks cannot tell them
 * apart, labels can.
 *
 *   cc -g -o labelled_httpd labelled_httpd.c $(pkg-config --cflags porthole)
 *   porthole run -- ./labelled_httpd 8080 &
 *   for i in $(seq 300); do curl -s localhost:8080/thumbnail localhost:8080/search localhost:8080/login; done
 *   go tool pprof -tags http://127.0.0.1:6060/debug/pprof/heap
 *   go tool pprof -top -tagfocus handler=/thumbnail http://127.0.0.1:6060/debug/pprof/heap
 *
 * -top says that cache_put() holds it all. -tags says for whom: handler=/thumbnail.
 *
 * With PORTHOLE_WEAK it needs no library: run by itself, it serves as before, and labels nothing. A label names a kind of
 * work: the row of the table, not what the client has sent, as a process has room for some thousand sets of labels only.
 */
#define PORTHOLE_WEAK
#include <porthole/porthole.h>

#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 4096

struct entry {
    struct entry *next;
    char bytes[];
};

static struct entry *cache;

static const struct handler {
    const char *path;
    size_t kept_bytes;   /* of each answer, for ever */
    unsigned work_count; /* rounds of arithmetic */
} handlers[] = {
    {"/thumbnail", 32 << 10, 200},
    {"/search", 2 << 10, 20000},
    {"/login", 256, 10},
};

__attribute__((noinline)) static void cache_put(size_t size)
{
    struct entry *entry = malloc(sizeof(*entry) + size);
    if (!entry)
        return;
    memset(entry->bytes, 'x', size);
    entry->next = cache;
    cache = entry;
}

__attribute__((noinline)) static unsigned compute(unsigned count)
{
    unsigned value = count;
    for (unsigned i = 0; i < count * 100; i++)
        value = (value ^ i) * 16777619u;
    return value;
}

/* The label is there until the end of this function, however it is left. */
static void handle(const struct handler *handler, char *answer)
{
    PORTHOLE_LABEL("handler", handler->path);
    unsigned value = compute(handler->work_count);
    cache_put(handler->kept_bytes);
    snprintf(answer, REQUEST_MAX, "HTTP/1.0 200 OK\r\n\r\n%u\n", value);
}

static void answer_request(char *text, char *answer)
{
    char *path = strncmp(text, "GET ", 4) == 0 ? text + 4 : text;
    path[strcspn(path, " ?\r\n")] = '\0';
    strcpy(answer, "HTTP/1.0 404 Not Found\r\n\r\n");
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
        if (strcmp(path, handlers[i].path) == 0)
            handle(&handlers[i], answer);
}

static void serve(int fd)
{
    char text[REQUEST_MAX], answer[REQUEST_MAX];
    ssize_t size = recv(fd, text, sizeof(text) - 1, 0);
    if (size > 0) {
        text[size] = '\0';
        answer_request(text, answer);
        send(fd, answer, strlen(answer), MSG_NOSIGNAL);
    }
    close(fd);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((in_port_t)atoi(argc > 1 ? argv[1] : "8080"));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(listener, 64) < 0)
        err(1, "port %d", ntohs(address.sin_port));
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0)
            serve(fd);
    }
}
