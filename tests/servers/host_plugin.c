/*
 * host_plugin.c - opens plugins the way that breaks when dlopen() is interposed carelessly.
 *
 *   host_plugin PORT LIBRARY PLUGIN
 *
 *   relative   LIBRARY opens "libinner.so" by its bare name; only LIBRARY's RUNPATH $ORIGIN/inner finds it, so the
 *              loader must still see LIBRARY as the caller
 *   deep       PLUGIN is opened with RTLD_DEEPBIND and frees what the host allocated, and the other way round
 */
#include "lines.c"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *library_path, *plugin_path;

static void relative(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    void *library = dlopen(library_path, RTLD_NOW | RTLD_LOCAL);
    const char *(*open_inner)(void) = library ? (const char *(*)(void))dlsym(library, "open_inner") : NULL;
    snprintf(answer, LINES_MAX, "%s", open_inner ? open_inner() : dlerror());
}

static void deep(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    (void)argument;
    void *plugin = dlopen(plugin_path, RTLD_NOW | RTLD_DEEPBIND);
    char *(*grow)(char *) = plugin ? (char *(*)(char *))dlsym(plugin, "plugin_grow") : NULL;
    if (!grow) {
        snprintf(answer, LINES_MAX, "%s", dlerror());
        return;
    }
    char *text = strdup("host");
    for (int i = 0; i < 200; i++)
        text = grow(text);
    snprintf(answer, LINES_MAX, "%zu bytes", strlen(text));
    free(text);
}

static const struct lines_command commands[] = {{"relative", relative}, {"deep", deep}, {NULL, NULL}};

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    library_path = argv[2];
    plugin_path = argv[3];
    struct lines_server server = {.listener = lines_listen(atoi(argv[1]))};
    lines_serve(&server, commands);
}
