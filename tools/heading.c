#include "tools/heading.h"

#include "base/clock.h"
#include "base/human.h"
#include "base/visible.h"
#include "model/heap_types.h"

#include <string.h>
#include <time.h>

/* The file of the first mapping is the program, but a program may be known by another name: Debian's redis-server is a link
 * to redis-check-rdb. */
static const char *program_of(const struct ph_profile *profile)
{
    if (profile->mapping_count == 0)
        return "";
    const char *file = ph_profile_text(profile, profile->mappings[0].file);
    const char *slash = strrchr(file, '/');
    return slash ? slash + 1 : file;
}

void ph_heading_begin(const struct ph_profile *profile, const char *subject, const char *program,
                      struct ph_buf *out)
{
    if (!program)
        program = program_of(profile);
    ph_buf_text(out, subject);
    if (*program) {
        ph_buf_text(out, " (");
        ph_visible(out, program);
        ph_buf_char(out, ')');
    }
    ph_buf_text(out, ": ");
}

void ph_heading_time(const struct ph_profile *profile, struct ph_buf *out)
{
    char text[32];
    struct tm local;
    time_t seconds = (time_t)(profile->time_ns / PH_NS_PER_S);
    if (profile->time_ns > 0 && localtime_r(&seconds, &local) &&
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local))
        ph_buf_printf(out, "taken %s; ", text);
}

void ph_heading_count(struct ph_buf *out, int64_t count, const char *noun)
{
    ph_buf_printf(out, "%s %s%s", ph_human_count(count).text, noun, count == 1 ? "" : "s");
}

uint32_t ph_heading_stacks(const struct ph_profile *profile, uint32_t type)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < profile->sample_count; i++)
        count += ph_profile_values(profile, i)[type] != 0;
    return count;
}

static bool is_note(const char *comment)
{
    int64_t pid, start_ns;
    bool is_version = strncmp(comment, "porthole ", 9) == 0 && comment[9] >= '0' && comment[9] <= '9';
    return *comment && !is_version && !ph_heap_process_parse(comment, &pid, &start_ns);
}

static void write_line(const char *what, const char *text, struct ph_buf *out)
{
    ph_buf_text(out, what);
    ph_visible(out, text);
    ph_buf_char(out, '\n');
}

void ph_heading_comment(const char *comment, size_t *note_count, struct ph_buf *out)
{
    if (ph_heap_process_is_absent(comment))
        write_line("Missing: ", comment, out);
    else if (is_note(comment) && (*note_count)++ < PH_HEADING_NOTES_MAX)
        write_line("Note: ", comment, out);
}

void ph_heading_rest(size_t note_count, struct ph_buf *out)
{
    if (note_count > PH_HEADING_NOTES_MAX)
        ph_buf_printf(out, "Note: and %zu more such\n", note_count - PH_HEADING_NOTES_MAX);
}

void ph_heading_missing(const struct ph_profile *profile, struct ph_buf *out)
{
    for (uint32_t i = 0; i < profile->comment_count; i++) {
        const char *comment = ph_profile_text(profile, profile->comments[i]);
        if (ph_heap_process_is_absent(comment))
            write_line("Missing: ", comment, out);
    }
}
