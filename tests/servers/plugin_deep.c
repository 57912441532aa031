/* plugin_deep.c - takes the host's memory, gives the host its own. */
#include <stdlib.h>
#include <string.h>

char *plugin_grow(char *text)
{
    size_t length = strlen(text);
    char *longer = malloc(length + 100);
    if (!longer)
        abort();
    memcpy(longer, text, length);
    memset(longer + length, 'x', 99);
    longer[length + 99] = '\0';
    free(text);
    return longer;
}
