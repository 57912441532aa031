#include "probe/reexec.h"

#include "base/options.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRELOAD    "LD_PRELOAD="
#define TEXT_BYTES 4096

/* Written once, before any of the host's other threads or children can be there for it. */
static char text[TEXT_BYTES]; /* the lines, each with its NUL */
static size_t text_bytes;
static char program[PATH_MAX];
static dev_t device;
static ino_t inode;

static bool begins_with(const char *line, const char *prefix)
{
    return strncmp(line, prefix, strlen(prefix)) == 0;
}

static bool is_ours(const char *line)
{
    return begins_with(line, PRELOAD) || begins_with(line, "PORTHOLE_") || begins_with(line, "MALLOC_CONF=");
}

static void remember_line(const char *line)
{
    size_t line_bytes = strlen(line) + 1;
    if (text_bytes + line_bytes > TEXT_BYTES)
        return;
    memcpy(text + text_bytes, line, line_bytes);
    text_bytes += line_bytes;
}

void ph_reexec_remember(void)
{
    struct stat facts;
    int saved_errno = errno;
    ssize_t length = text_bytes ? -1 : readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (length > 0 && stat("/proc/self/exe", &facts) == 0 && ph_environment_find(environ, "LD_PRELOAD")) {
        program[length] = '\0';
        device = facts.st_dev;
        inode = facts.st_ino;
        for (char **line = environ; *line; line++)
            if (is_ours(*line))
                remember_line(*line);
    }
    errno = saved_errno;
}

/* The same file, or, after an upgrade of the package, another one at its place. */
static bool is_program(const char *path)
{
    struct stat facts;
    return strcmp(path, program) == 0 ||
           (stat(path, &facts) == 0 && facts.st_dev == device && facts.st_ino == inode);
}

static bool has(char *const *environment, const char *line)
{
    size_t name_bytes = strcspn(line, "=") + 1;
    for (; environment && *environment; environment++)
        if (strncmp(*environment, line, name_bytes) == 0)
            return true;
    return false;
}

size_t ph_reexec_lacking(const char *path, char *const *environment, char *ret_lines[PH_REEXEC_LINES_MAX])
{
    size_t count = 0;
    int saved_errno = errno;
    if (text_bytes && path && !has(environment, PRELOAD) && is_program(path))
        for (char *line = text; line < text + text_bytes && count < PH_REEXEC_LINES_MAX; line += strlen(line) + 1)
            if (!has(environment, line))
                ret_lines[count++] = line;
    errno = saved_errno;
    return count;
}
