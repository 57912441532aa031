#include "collect/heap.h"

#include "base/clock.h"
#include "base/mark.h"
#include "collect/dump.h"
#include "collect/heap_mappings.h"
#include "collect/jemalloc.h"
#include "elf/loaded.h"
#include "elf/modules.h"
#include "elf/symbolize.h"
#include "model/heap_types.h"
#include "model/jeheap_read.h"
#include "model/labels.h"
#include "model/merge.h"
#include "model/scale.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum form {
    FORM_PUBLIC,
    FORM_BARE,      /* with the mappings of the whole process */
    FORM_BARE_USED, /* with those that are used */
};

/* A profile in the making. */
struct collection {
    const struct ph_probe *probe;
    enum form form;
    struct ph_profile *profile;
    struct ph_modules modules; /* what it is named by, or is to be; none for FORM_BARE_USED */
};

/* What is asked about each address and each stack of a dump. */
struct reading {
    const struct ph_probe *probe;
    struct ph_profile *profile;
    uint32_t allocator_file; /* string; 0 if the allocator has no object of its own */
    bool bare;
    uint64_t last_origin; /* most stacks have that of the stack before */
    struct ph_label origin_pid;
};

/* An allocator that is a library is stripped by mapping. One inside the host's executable cannot be: its mapping is
 * the host's own code. */
static enum ph_frame_rule strip_frame(void *context, uint64_t address, uint32_t mapping)
{
    const struct reading *reading = context;
    if (address >= reading->probe->text_low && address < reading->probe->text_high)
        return PH_FRAME_DROP;
    bool is_allocator = mapping > 1 && reading->allocator_file &&
                        reading->profile->mappings[mapping - 1].file == reading->allocator_file;
    return is_allocator ? PH_FRAME_DROP : PH_FRAME_KEEP;
}

static struct ph_label text_label(struct ph_profile *profile, const char *key, const char *text)
{
    return (struct ph_label){.key = ph_profile_string(profile, key), .text = ph_profile_string(profile, text)};
}

static struct ph_label origin_label(struct reading *reading, uint64_t origin)
{
    char text[24];
    if (reading->origin_pid.key == 0 || reading->last_origin != origin) {
        snprintf(text, sizeof(text), "%" PRIu64, origin);
        reading->origin_pid = text_label(reading->profile, PH_LABEL_ORIGIN_PID, text);
        reading->last_origin = origin;
    }
    return reading->origin_pid;
}

/* What the thread that took the sample said it worked on (porthole_label_set()). */
static uint32_t add_set(const struct reading *reading, uint64_t number, struct ph_label *ret_labels)
{
    const struct ph_label_set *set = reading->probe->label_set((uint32_t)number);
    for (uint32_t i = 0; i < set->count; i++)
        ret_labels[i] = text_label(reading->profile, set->labels[i].key, set->labels[i].value);
    return set->count;
}

/* The founder of a family marks nothing: origin 0. What has another origin than this process was here when it was forked. */
static uint32_t label_stack(void *context, const uint64_t *marks, uint32_t mark_count, struct ph_label *ret_labels)
{
    struct reading *reading = context;
    uint64_t origin = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < mark_count; i++) {
        if (ph_mark_is(marks[i], PH_MARK_ORIGIN))
            origin = ph_mark_payload(marks[i]);
        else if (ph_mark_is(marks[i], PH_MARK_LABELS) && count == 0)
            count = add_set(reading, ph_mark_payload(marks[i]), ret_labels);
    }
    if (origin != (uint64_t)reading->probe->origin)
        ret_labels[count++] = text_label(reading->profile, PH_LABEL_ORIGIN, PH_LABEL_INHERITED);
    if (reading->bare)
        ret_labels[count++] = origin_label(reading, origin);
    return count;
}

static int read_dump(const struct ph_probe *probe, bool bare, const struct ph_dump *dump,
                     struct ph_profile *profile, struct ph_error *error)
{
    struct reading reading = {.probe = probe, .profile = profile, .bare = bare};
    if (probe->allocator == PH_ALLOCATOR_JEMALLOC)
        reading.allocator_file = ph_profile_string(profile, probe->allocator_file);
    struct ph_jeheap_options options = {strip_frame, label_stack, &reading};
    return ph_jeheap_read(profile, dump->text, dump->size_bytes, &options, error);
}

static void describe(const struct ph_probe *probe, enum form form, struct ph_profile *profile, int64_t time_ns)
{
    char line[64];
    snprintf(line, sizeof(line), "porthole %s", probe->version);
    ph_profile_add_comment(profile, line);
    /* Tells processes apart whose files lie at the same addresses: a restart without ASLR, a forked child. */
    snprintf(line, sizeof(line), PH_HEAP_PROCESS_COMMENT "%d, started %" PRId64, (int)getpid(), probe->started_ns);
    ph_profile_add_comment(profile, line);
    if (form != FORM_BARE_USED) /* the one who asks has the same allocator */
        ph_jemalloc_describe(probe, profile);
    if (__atomic_load_n(&probe->degraded, __ATOMIC_RELAXED) & PH_DEGRADED_ALLOCS)
        ph_profile_add_comment(profile, "alloc_objects and alloc_space are not counted any more: the program makes "
                                        "threads without end (/debug/ tells)");
    profile->time_ns = time_ns;
}

static int out_of_memory(struct ph_error *error)
{
    return ph_error_set(error, -ENOMEM, "no memory for the heap profile");
}

/* Modules are taken after the dump: every address in the dump was mapped before it. */
static int fill(struct collection *collection, const struct ph_dump *dump, struct ph_error *error)
{
    struct ph_profile *profile = collection->profile;
    struct ph_modules *modules = &collection->modules;
    bool bare = collection->form != FORM_PUBLIC;
    int result = ph_modules_self(modules, error);
    if (result == 0)
        result = bare ? ph_heap_mappings_named(modules, profile) : ph_modules_into_profile(modules, profile, NULL);
    if (result == 0)
        result = read_dump(collection->probe, bare, dump, profile, error);
    return result < 0 || bare ? result : ph_symbolize(profile, modules);
}

static int read_loaded(const struct ph_probe *probe, struct ph_loaded *ret_loaded)
{
    probe->hold_forks(); /* a child must not find the loader's list locked */
    int result = ph_loaded_read(ret_loaded);
    probe->release_forks();
    return result;
}

static int use_maps(struct ph_profile *profile, struct ph_error *error)
{
    struct ph_buf maps = PH_BUF_INIT;
    int result = ph_modules_text(&maps);
    if (result < 0)
        ph_error_set(error, result, "cannot read /proc/self/maps: %s", strerrordesc_np(-result));
    else
        result = ph_heap_mappings_instead(ph_scan_over(maps.data, maps.size_bytes), profile, error);
    ph_buf_fini(&maps);
    return result;
}

static int fill_loaded(struct collection *collection, const struct ph_dump *dump, struct ph_error *error)
{
    struct ph_loaded loaded;
    struct ph_profile *profile = collection->profile;
    int result = read_loaded(collection->probe, &loaded);
    if (result < 0)
        return result;
    result = ph_heap_mappings_loaded(&loaded, profile);
    if (result == 0)
        result = read_dump(collection->probe, true, dump, profile, error);
    if (result == 0)
        result = ph_heap_mappings_loaded_used(&loaded, profile);
    ph_loaded_fini(&loaded);
    return result == -ENOENT ? use_maps(profile, error) : result;
}

/* The dump of a host's jemalloc holds the maps; anonymous code is left out when they are read. */
static int fill_used(struct collection *collection, const struct ph_dump *dump, struct ph_error *error)
{
    struct ph_scan maps = ph_jeheap_maps(dump->text, dump->size_bytes);
    if (collection->probe->allocator == PH_ALLOCATOR_OWN)
        return fill_loaded(collection, dump, error);
    if (ph_scan_done(&maps))
        return fill(collection, dump, error);
    int result = read_dump(collection->probe, true, dump, collection->profile, error);
    return result < 0 ? result : ph_heap_mappings_used(maps, collection->profile, error);
}

/* @collection: what is to be released is released by the caller, whatever comes of it. */
static int take(struct collection *collection, bool gc, struct ph_error *error)
{
    struct ph_dump dump;
    const struct ph_probe *probe = collection->probe;
    int result = ph_jemalloc_samples(probe, error);
    if (result < 0)
        return result;
    if (gc)
        ph_jemalloc_purge(probe);
    int64_t time_ns = ph_clock_realtime_ns();
    result = ph_dump_take(probe, &dump, error);
    if (result < 0)
        return result;
    collection->profile = ph_profile_new();
    result = -ENOMEM;
    if (collection->profile)
        result = (collection->form == FORM_BARE_USED ? fill_used : fill)(collection, &dump, error);
    ph_dump_release(&dump);
    if (result < 0)
        return result;
    describe(probe, collection->form, collection->profile, time_ns);
    return ph_profile_status(collection->profile);
}

/* @ret_modules: may be NULL. */
static int collect(const struct ph_probe *probe, bool gc, enum form form, struct ph_modules *ret_modules,
                   struct ph_profile **ret_profile, struct ph_error *error)
{
    struct collection collection = {.probe = probe, .form = form, .modules = PH_MODULES_INIT};
    int result = take(&collection, gc, error);
    if (result == 0 && ret_modules)
        *ret_modules = collection.modules;
    else
        ph_modules_fini(&collection.modules);
    if (result == 0)
        *ret_profile = collection.profile;
    else
        ph_profile_free(collection.profile);
    return result == -ENOMEM ? out_of_memory(error) : result;
}

int ph_heap_collect(const struct ph_probe *probe, bool gc, struct ph_profile **ret_profile, struct ph_error *error)
{
    return collect(probe, gc, FORM_PUBLIC, NULL, ret_profile, error);
}

int ph_heap_collect_bare(const struct ph_probe *probe, bool gc, struct ph_modules *ret_modules,
                         struct ph_profile **ret_profile, struct ph_error *error)
{
    return collect(probe, gc, ret_modules ? FORM_BARE : FORM_BARE_USED, ret_modules, ret_profile, error);
}

int ph_heap_delta(const struct ph_profile *earlier, const struct ph_profile *later, int64_t duration_ns,
                  struct ph_profile **ret_delta, struct ph_error *error)
{
    struct ph_profile *minus = NULL;
    struct ph_profile *delta = NULL;
    int result = ph_profile_merge(&earlier, 1, &minus, error); /* a copy */
    if (result < 0)
        return result;
    ph_profile_negate(minus);
    const struct ph_profile *both[] = {minus, later};
    result = ph_profile_merge(both, 2, &delta, error);
    ph_profile_free(minus);
    if (result < 0)
        return result;
    delta->time_ns = later->time_ns;
    delta->duration_ns = duration_ns;
    *ret_delta = delta;
    return 0;
}

void ph_heap_forked(void)
{
    ph_dump_forked();
}

struct ph_heap_state ph_heap_state(const struct ph_probe *probe)
{
    struct ph_heap_state state = {.allocated_bytes = ph_jemalloc_allocated_bytes(probe)};
    if (ph_jemalloc_samples(probe, &state.unsampled) == 0)
        state.sample_bytes = ph_jemalloc_sample_bytes(probe);
    return state;
}

/* jemalloc writes pieces of lines; each line gets "# " before it, so that parsers of the text skip it. */
struct comment_lines {
    struct ph_buf *out;
    bool inside_line;
};

static void write_comment(void *context, const char *text)
{
    struct comment_lines *lines = context;
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (!lines->inside_line)
            ph_buf_text(lines->out, length ? "# " : "#");
        ph_buf_append(lines->out, text, length);
        lines->inside_line = text[length] == '\0';
        text += length;
        if (*text == '\n') {
            ph_buf_char(lines->out, '\n');
            text++;
        }
    }
}

void ph_heap_statistics(const struct ph_probe *probe, struct ph_buf *out)
{
    struct comment_lines lines = {out, false};
    if (probe->malloc_stats_print)
        probe->malloc_stats_print(write_comment, &lines, "dablxeh"); /* totals; no arenas, bins, mutexes, extents */
    if (lines.inside_line)
        ph_buf_char(out, '\n');
}
