#include "tools/token.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int trim(char *line, const char **ret_start)
{
    size_t length = strcspn(line, "\r\n");
    while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        length--;
    line[length] = '\0';
    *ret_start = line + strspn(line, " \t");
    for (const char *c = *ret_start; *c; c++)
        if (!isgraph((unsigned char)*c))
            return -EINVAL;
    return **ret_start ? 0 : -EINVAL;
}

int ph_token_read(const char *path, char *ret_token, struct ph_error *error)
{
    char line[PH_TOKEN_MAX + 1];
    FILE *file = fopen(path, "re");
    if (!file)
        return ph_error_set(error, -errno, "cannot open the token file %.100s: %m", path);
    bool is_read = fgets(line, sizeof(line), file) != NULL;
    int failed = ferror(file) ? -errno : 0;
    fclose(file);
    if (failed)
        return ph_error_set(error, failed, "cannot read the token file %.100s: %s", path, strerror(-failed));
    const char *start;
    if (!is_read || strlen(line) == sizeof(line) - 1 || trim(line, &start) < 0)
        return ph_error_set(error, -EINVAL,
                            "the token file %.100s should begin with a line of 1 to %d visible characters", path,
                            PH_TOKEN_MAX - 1);
    memcpy(ret_token, start, strlen(start) + 1);
    return 0;
}
