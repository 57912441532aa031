/* routes_gperftools.c - what gperftools' clients ask for: symbols, the command line, the heap as text. */
#include "base/scan.h"
#include "collect/heap.h"
#include "collect/process.h"
#include "elf/modules.h"
#include "elf/symbols.h"
#include "model/legacy_write.h"
#include "model/maps.h"
#include "server/pprof_query.h"
#include "server/router.h"
#include "server/scope.h"
#include "server/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ph_route_cmdline(struct ph_request *request, struct ph_reply *reply)
{
    ph_reply_begin(reply, PH_TEXT_PLAIN);
    int status = ph_process_cmdline('\0', &reply->body);
    if (status < 0)
        ph_reply_failure(request, reply, status, NULL);
}

struct addresses {
    struct ph_symbol *symbols;
    size_t count;
};

/* At most one address for every three bytes ("0x1"); whatever else stands there separates. */
static int parse_addresses(const char *text, size_t size_bytes, struct addresses *ret_addresses)
{
    struct addresses found = {calloc(size_bytes / 3 + 1, sizeof(struct ph_symbol)), 0};
    struct ph_scan scan = ph_scan_over(text, size_bytes);
    if (!found.symbols)
        return -ENOMEM;
    while (!ph_scan_done(&scan)) {
        uint64_t address;
        if (!ph_scan_text(&scan, "0x") && !ph_scan_text(&scan, "0X"))
            scan.next++;
        else if (ph_scan_hex(&scan, &address))
            found.symbols[found.count++].address = address;
    }
    *ret_addresses = found;
    return 0;
}

static int find_names(const struct addresses *addresses, struct ph_arena *names, struct ph_error *error)
{
    struct ph_modules modules;
    if (addresses->count == 0)
        return 0;
    int status = ph_modules_self(&modules, error);
    if (status < 0)
        return status;
    status = ph_symbols_find(&modules, addresses->symbols, addresses->count, names);
    ph_modules_fini(&modules);
    return status;
}

/* The number says that there are symbols, not how many (gperftools, "pprof server"). */
static void write_names(const struct addresses *addresses, struct ph_buf *out)
{
    ph_buf_text(out, "num_symbols: 1\n");
    for (size_t i = 0; i < addresses->count; i++)
        if (addresses->symbols[i].name)
            ph_buf_printf(out, "0x%" PRIx64 "\t%s\n", addresses->symbols[i].address, addresses->symbols[i].name);
}

void ph_route_symbol(struct ph_request *request, struct ph_reply *reply)
{
    struct ph_error error = {0, ""};
    struct ph_arena names = PH_ARENA_INIT;
    struct addresses addresses = {NULL, 0};
    bool posted = request->method == PH_METHOD_POST;
    const char *text = !posted ? request->query : request->body.data ? request->body.data : "";
    if (!request->is_family && ph_scope_of(request, reply, 0) == PH_SCOPE_ANSWERED)
        return;
    int status = parse_addresses(text, posted ? request->body.size_bytes : strlen(text), &addresses);
    if (status == 0)
        status = find_names(&addresses, &names, &error);
    ph_reply_begin(reply, PH_TEXT_PLAIN);
    if (status == 0)
        write_names(&addresses, &reply->body);
    else
        ph_reply_failure(request, reply, status, &error);
    ph_scope_sign(request, reply);
    free(addresses.symbols);
    ph_arena_fini(&names);
}

/* As it is: jeprof finds the offsets of libraries in it. */
static int append_maps(struct ph_buf *out)
{
    char block[4096];
    ssize_t count;
    int fd = open("/proc/thread-self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    while ((count = read(fd, block, sizeof(block))) > 0)
        ph_buf_append(out, block, (size_t)count);
    int status = count < 0 ? -errno : 0;
    close(fd);
    return status;
}

static int collect_heap(const struct ph_request *request, bool gc, struct ph_profile **ret_profile,
                        struct ph_error *error)
{
    return ph_heap_collect(request->site->probe, gc, ret_profile, error);
}

static int collect_heap_bare(const struct ph_request *request, bool gc, struct ph_modules *ret_modules,
                             struct ph_profile **ret_profile, struct ph_error *error)
{
    return ph_heap_collect_bare(request->site->probe, gc, ret_modules, ret_profile, error);
}

/* Of a family there are the mappings of all, each at an address of its own; jeprof knows no labels. */
static int write_heap(struct ph_profile *profile, enum ph_scope scope, struct ph_buf *out)
{
    if (scope == PH_SCOPE_FAMILY)
        ph_maps_part(profile);
    int status = ph_legacy_write(profile, false, out);
    if (status < 0 || scope == PH_SCOPE_FAMILY)
        return status;
    ph_buf_text(out, "\nMAPPED_LIBRARIES:\n");
    return append_maps(out);
}

/* The other members are asked at the route for pprof: the internal form is the same. */
void ph_route_heap_text(struct ph_request *request, struct ph_reply *reply)
{
    static const struct ph_snapshot_kind heap = {
        .collect = collect_heap, .bare = collect_heap_bare, .counted_as = PH_PROFILE_HEAP};
    static const struct ph_pprof_query now = {0};
    struct ph_error error = {0, ""};
    struct ph_profile *profile = NULL;
    enum ph_scope scope = ph_scope_of(request, reply, 0);
    if (scope == PH_SCOPE_ANSWERED)
        return;
    ph_reply_begin(reply, PH_TEXT_PLAIN);
    int status = ph_snapshot(&heap, request, scope, &now, "/debug/pprof/heap", &profile, &error);
    if (status == 0)
        status = write_heap(profile, scope, &reply->body);
    if (status < 0)
        ph_reply_failure(request, reply, status, &error);
    ph_scope_sign(request, reply);
    ph_profile_free(profile);
}
