#include "family/remote_names.h"

#include "base/scan.h"
#include "elf/symbolize.h"
#include "model/grow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOL_TARGET  "/debug/pprof/symbol"
#define BATCH_MAX      32768 /* addresses of at most 19 bytes: below what a request body may have */
#define NAME_BYTES_MAX 4096

struct ph_remote_part {
    struct ph_member member;
    uint32_t first_mapping, last_mapping; /* numbers */
};

int ph_remote_names_add(struct ph_remote_names *names, const struct ph_member *member, uint32_t mapping_count)
{
    uint32_t before = names->part_count ? names->parts[names->part_count - 1].last_mapping : 0;
    if (names->part_count && mapping_count == before)
        return 0;
    int status = ph_grow(&names->parts, sizeof(*names->parts), names->part_count, 1);
    if (status == 0)
        names->parts[names->part_count++] = (struct ph_remote_part){*member, before + 1, mapping_count};
    return status;
}

void ph_remote_names_fini(struct ph_remote_names *names)
{
    free(names->parts);
    names->parts = NULL;
    names->part_count = 0;
}

/* ---- asking for a batch ---- */

struct batch {
    uint32_t *locations;
    size_t count;
};

static void write_addresses(const struct ph_profile *profile, const struct batch *batch, struct ph_buf *out)
{
    for (size_t i = 0; i < batch->count; i++)
        ph_buf_printf(out, "%s0x%" PRIx64, i ? "+" : "",
                      ph_profile_location(profile, batch->locations[i])->address);
}

/* "0xADDR<TAB>name": in the order in which they were asked for, without those that have no name. */
static int read_names(struct ph_profile *profile, const struct batch *batch, const struct ph_answer *answer)
{
    struct ph_scan text = ph_scan_over(ph_answer_body(answer), answer->body_bytes);
    size_t next = 0;
    int status = 0;
    ph_scan_line(&text); /* num_symbols */
    while (!ph_scan_done(&text) && status == 0) {
        char name[NAME_BYTES_MAX];
        uint64_t address;
        struct ph_scan line = ph_scan_line(&text);
        if (!ph_scan_text(&line, "0x") || !ph_scan_hex(&line, &address) || !ph_scan_char(&line, '\t'))
            break;
        while (next < batch->count && ph_profile_location(profile, batch->locations[next])->address != address)
            next++;
        size_t length = (size_t)(line.end - line.next);
        if (next == batch->count || length == 0 || length >= sizeof(name))
            continue;
        memcpy(name, line.next, length);
        name[length] = '\0';
        status = ph_symbolize_name(profile, batch->locations[next++], name);
    }
    return status;
}

static int ask_batch(const struct ph_remote_names *names, const struct ph_remote_part *part,
                     struct ph_profile *profile, const struct batch *batch, int64_t deadline_ns,
                     const struct ph_ask_cancel *cancel, struct ph_error *error)
{
    struct ph_buf body = PH_BUF_INIT;
    struct ph_asked asked = {0};
    write_addresses(profile, batch, &body);
    struct ph_question question = {
        .probe = names->probe,
        .segment = names->segment,
        .method = "POST",
        .target = SYMBOL_TARGET,
        .body = body.data,
        .body_bytes = body.size_bytes,
    };
    int status = ph_buf_status(&body);
    if (status == 0)
        status = ph_ask_one(&question, &part->member, deadline_ns, cancel, &asked, error);
    if (status == 0 && asked.is_answered && asked.answer.status == 200)
        status = read_names(profile, batch, &asked.answer);
    ph_answer_fini(&asked.answer);
    ph_buf_fini(&body);
    return status;
}

static bool is_wanted(const struct ph_profile *profile, uint32_t location, const struct ph_remote_part *part)
{
    const struct ph_location *entry = ph_profile_location(profile, location);
    return entry->line_count == 0 && entry->address && entry->mapping >= part->first_mapping &&
           entry->mapping <= part->last_mapping;
}

static int name_part(const struct ph_remote_names *names, const struct ph_remote_part *part,
                     struct ph_profile *profile, struct batch *batch, int64_t deadline_ns,
                     const struct ph_ask_cancel *cancel, struct ph_error *error)
{
    int status = 0;
    uint32_t location = 1;
    while (location <= profile->location_count && status == 0) {
        for (batch->count = 0; location <= profile->location_count && batch->count < BATCH_MAX; location++)
            if (is_wanted(profile, location, part))
                batch->locations[batch->count++] = location;
        if (batch->count)
            status = ask_batch(names, part, profile, batch, deadline_ns, cancel, error);
    }
    for (uint32_t i = part->first_mapping; i <= part->last_mapping; i++)
        profile->mappings[i - 1].has_functions = true;
    return status;
}

int ph_remote_names_own(struct ph_remote_names *names, struct ph_profile *profile)
{
    if (names->part_count == 0)
        return 0;
    uint32_t count = profile->location_count;
    int status = ph_symbolize_first(profile, names->own_modules, names->parts[0].last_mapping, names->done_count);
    names->done_count = count;
    return status;
}

int ph_remote_names_find(const struct ph_remote_names *names, struct ph_profile *profile, int64_t deadline_ns,
                         const struct ph_ask_cancel *cancel, struct ph_error *error)
{
    struct batch batch = {malloc(BATCH_MAX * sizeof(*batch.locations)), 0};
    int status = batch.locations ? 0 : -ENOMEM;
    for (uint32_t i = 1; i < names->part_count && status == 0; i++)
        status = name_part(names, &names->parts[i], profile, &batch, deadline_ns, cancel, error);
    free(batch.locations);
    return status;
}
