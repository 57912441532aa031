/*
 * leaky_httpd.c - a small HTTP service with a real leak, to be found with Porthole.
 *
 *   porthole run -- leaky_httpd [PORT]          (8080)
 *
 *   GET /thumbnail/NAME     a picture, computed once and then served from a cache
 *   GET /page/NAME          a page, put together for each request and freed
 *   GET /login/USER         remembers who is there; the oldest of 256 sessions makes room
 *   GET /stats              how many requests, thumbnails and sessions
 *
 * The leak is in the thumbnail cache, and it is of a common kind: nothing is lost, every byte can be reached, and no
 * leak checker will complain. The cache only grows. Its key is the whole target of the request, query included, and
 * pages ask for their thumbnails with a query that changes each time (`?t=1700000000`, to get past the browser's cache):
 * the cache never hits, and never drops anything.
 *
 * The functions that allocate are kept out of line: a profile names functions, and one that was inlined has no name
 * in the symbol table.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define THUMBNAIL_BYTES (24 * 1024)
#define CACHE_BUCKETS   1024
#define SESSION_MAX     256
#define PAGE_ROWS       200
#define HEAD_MAX        8192
#define WORKER_COUNT    4
#define NOINLINE        __attribute__((noinline))

struct response {
    int status;
    const char *type;
    char *body; /* freed by the caller if it is owned */
    size_t size;
    bool owned;
};

/* ---- The thumbnail cache: here is the leak ---- */

struct cache_entry {
    struct cache_entry *next;
    char *key;
    char *picture;
};

static struct cache_entry *cache[CACHE_BUCKETS];
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER; /* guards cache and cache_count */
static size_t cache_count;

static size_t hash(const char *text)
{
    uint32_t value = 2166136261u; /* FNV-1a */
    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * 16777619u;
    return value % CACHE_BUCKETS;
}

static struct cache_entry *cache_find(const char *key)
{
    struct cache_entry *entry = cache[hash(key)];
    while (entry && strcmp(entry->key, key) != 0)
        entry = entry->next;
    return entry;
}

NOINLINE static struct cache_entry *cache_insert(const char *key, char *picture)
{
    struct cache_entry *entry = malloc(sizeof(*entry));
    char *copy = strdup(key);
    if (!entry || !copy) {
        free(entry);
        free(copy);
        return NULL;
    }
    *entry = (struct cache_entry){cache[hash(key)], copy, picture};
    cache[hash(key)] = entry;
    cache_count++;
    return entry;
}

/* A grey ramp seeded by the name: a stand-in for decoding and scaling an image. */
NOINLINE static char *thumbnail_render(const char *name)
{
    char *picture = malloc(THUMBNAIL_BYTES);
    for (size_t i = 0; picture && i < THUMBNAIL_BYTES; i++)
        picture[i] = (char)(hash(name) + i);
    return picture;
}

NOINLINE static struct response thumbnail_serve(const char *target)
{
    struct response response = {.status = 503, .type = "text/plain"};
    pthread_mutex_lock(&cache_lock);
    struct cache_entry *entry = cache_find(target); /* the bug: the target still has its query */
    char *picture = entry ? entry->picture : thumbnail_render(target);
    if (!entry && picture)
        entry = cache_insert(target, picture);
    if (entry)
        response = (struct response){200, "image/x-raw", entry->picture, THUMBNAIL_BYTES, false};
    else
        free(picture);
    pthread_mutex_unlock(&cache_lock);
    return response;
}

/* ---- Sessions: a cache as it should be, with an end ---- */

static char *sessions[SESSION_MAX];
static pthread_mutex_t session_lock = PTHREAD_MUTEX_INITIALIZER; /* guards sessions and session_count */
static size_t session_count;

NOINLINE static struct response session_open(const char *target)
{
    char *session = strdup(target);
    pthread_mutex_lock(&session_lock);
    size_t slot = session_count++ % SESSION_MAX;
    free(sessions[slot]);
    sessions[slot] = session;
    pthread_mutex_unlock(&session_lock);
    return (struct response){200, "text/plain", "welcome\n", 8, false};
}

/* ---- Pages: much is allocated, all of it is freed ---- */

NOINLINE static struct response page_render(const char *target)
{
    char *page = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&page, &size);
    if (!stream)
        return (struct response){503, "text/plain", "out of memory\n", 14, false};
    for (int row = 0; row < PAGE_ROWS; row++)
        fprintf(stream, "<li><img src=\"/thumbnail/%d?t=%ld\"> %.100s</li>\n", row, (long)row * 17, target);
    fclose(stream);
    return (struct response){200, "text/html", page, size, true};
}

static struct response stats_serve(const char *target)
{
    char text[128];
    pthread_mutex_lock(&cache_lock);
    pthread_mutex_lock(&session_lock);
    int size = snprintf(text, sizeof(text), "thumbnails %zu\nsessions %zu\n", cache_count, session_count);
    pthread_mutex_unlock(&session_lock);
    pthread_mutex_unlock(&cache_lock);
    (void)target;
    return (struct response){200, "text/plain", strndup(text, (size_t)size), (size_t)size, true};
}

/* ---- HTTP/1.1, as much as it takes ---- */

static const struct {
    const char *prefix;
    struct response (*serve)(const char *target);
} routes[] = {
    {"/thumbnail/", thumbnail_serve},
    {"/page/", page_render},
    {"/login/", session_open},
    {"/stats", stats_serve},
};

static struct response route(const char *target)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
        if (strncmp(target, routes[i].prefix, strlen(routes[i].prefix)) == 0)
            return routes[i].serve(target);
    return (struct response){404, "text/plain", "not found\n", 10, false};
}

static bool send_all(int fd, const char *bytes, size_t size, int flags)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL | flags);
        if (sent <= 0)
            return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool respond(int fd, const struct response *response)
{
    char head[256];
    int size = snprintf(head, sizeof(head), "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                        response->status, response->status == 200 ? "OK" : "Error", response->type, response->size);
    return send_all(fd, head, (size_t)size, MSG_MORE) && send_all(fd, response->body, response->size, 0);
}

/* One request head, up to the empty line; false at the end of the connection. Bodies are not expected. */
static bool read_head(int fd, char head[HEAD_MAX])
{
    size_t size = 0;
    while (size < HEAD_MAX - 1) {
        ssize_t got = recv(fd, head + size, HEAD_MAX - 1 - size, 0);
        if (got <= 0)
            return false;
        size += (size_t)got;
        head[size] = '\0';
        if (strstr(head, "\r\n\r\n"))
            return true;
    }
    return false;
}

/* The head is in memory of its own, as in servers that parse it into objects: it comes and goes with each request. */
NOINLINE static bool request_handle(int fd)
{
    char *head = malloc(HEAD_MAX);
    bool alive = head && read_head(fd, head);
    if (alive && strncmp(head, "GET ", 4) == 0) {
        char *target = head + 4;
        target[strcspn(target, " \r\n")] = '\0';
        struct response response = route(target);
        alive = respond(fd, &response);
        if (response.owned)
            free(response.body);
    } else {
        alive = false;
    }
    free(head);
    return alive;
}

static void *serve_connections(void *argument)
{
    int listener = *(int *)argument;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
            err(1, "accept");
        while (fd >= 0 && request_handle(fd))
            ;
        if (fd >= 0)
            close(fd);
    }
    return NULL;
}

static int listen_at(int port)
{
    int yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 128) < 0)
        err(1, "cannot listen at 127.0.0.1:%d", port);
    return fd;
}

int main(int argc, char **argv)
{
    int listener = listen_at(argc > 1 ? atoi(argv[1]) : 8080);
    for (int i = 1; i < WORKER_COUNT; i++) {
        pthread_t worker;
        if (pthread_create(&worker, NULL, serve_connections, &listener) != 0)
            errx(1, "cannot start a worker");
    }
    serve_connections(&listener);
}
