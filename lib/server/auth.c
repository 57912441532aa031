#include "server/auth.h"

#include "base/scan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not blocking: a FIFO at that place must not hold up the start. */
static int open_token(const char *path, struct ph_error *error)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return ph_error_set(error, -errno, "cannot read the token file %s: %s", path, strerror(errno));
    int status = 0;
    if (fstat(fd, &facts) < 0 || !S_ISREG(facts.st_mode))
        status = ph_error_set(error, -EINVAL, "the token file %s is not a regular file", path);
    else if (facts.st_mode & (S_IROTH | S_IWOTH))
        status = ph_error_set(error, -EPERM, "every user can read or write the token file %s; run: chmod o= %s",
                              path, path);
    if (status == 0)
        return fd;
    close(fd);
    return status;
}

static bool is_visible(const char *text, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        if (text[i] < '!' || text[i] > '~')
            return false;
    return true;
}

static struct ph_scan first_line(const char *text, size_t size_bytes)
{
    struct ph_scan all = ph_scan_over(text, size_bytes);
    struct ph_scan line = ph_scan_line(&all);
    ph_scan_blanks(&line);
    while (line.end > line.next && (line.end[-1] == ' ' || line.end[-1] == '\t'))
        line.end--;
    return line;
}

int ph_token_read(const char *path, struct ph_token *ret_token, struct ph_error *error)
{
    char text[PH_TOKEN_MAX_BYTES + 2]; /* the longest line and its end, so that one too long is seen to be */
    int fd = open_token(path, error);
    if (fd < 0)
        return fd;
    ssize_t count = read(fd, text, sizeof(text));
    int read_error = errno;
    close(fd);
    if (count < 0)
        return ph_error_set(error, -read_error, "cannot read the token file %s: %s", path, strerror(read_error));
    struct ph_scan line = first_line(text, (size_t)count);
    size_t length = (size_t)(line.end - line.next);
    if (length < PH_TOKEN_MIN_BYTES || length > PH_TOKEN_MAX_BYTES || !is_visible(line.next, length))
        return ph_error_set(error, -EINVAL,
                            "the first line of the token file %s must be %d to %d visible ASCII characters; try: "
                            "openssl rand -hex 16",
                            path, PH_TOKEN_MIN_BYTES, PH_TOKEN_MAX_BYTES);
    *ret_token = (struct ph_token){.size_bytes = length};
    memcpy(ret_token->text, line.next, length);
    return 0;
}

static bool equals(const char *secret, size_t secret_bytes, const char *given)
{
    size_t given_bytes = strlen(given);
    unsigned difference = given_bytes != secret_bytes;
    for (size_t i = 0; i < secret_bytes; i++)
        difference |= (unsigned char)secret[i] ^ (i < given_bytes ? (unsigned char)given[i] : 0U);
    return difference == 0;
}

bool ph_key_matches(const char *key, const char *given)
{
    return equals(key, strlen(key), given);
}

bool ph_token_matches(const struct ph_token *token, const char *authorization)
{
    static const char scheme[] = "bearer ";
    if (!authorization || strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
        return false;
    const char *given = authorization + sizeof(scheme) - 1;
    given += strspn(given, " ");
    return equals(token->text, token->size_bytes, given);
}

static bool is_port(const char *text)
{
    uint64_t port;
    return text[0] == '\0' || (text[0] == ':' && ph_parse_count(text + 1, 65535, &port) == 0);
}

static bool copy_name(const char *name, size_t length, char ret_copy[INET6_ADDRSTRLEN])
{
    if (length >= INET6_ADDRSTRLEN)
        return false;
    memcpy(ret_copy, name, length);
    ret_copy[length] = '\0';
    return true;
}

bool ph_host_allowed(const char *host)
{
    char name[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    if (host[0] == '[') {
        size_t length = strcspn(host + 1, "]");
        return host[1 + length] == ']' && is_port(host + length + 2) && copy_name(host + 1, length, name) &&
               inet_pton(AF_INET6, name, address) == 1;
    }
    size_t length = strcspn(host, ":");
    if (!is_port(host + length) || !copy_name(host, length, name))
        return false;
    return strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, address) == 1;
}
