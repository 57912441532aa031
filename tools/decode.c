#include "tools/decode.h"

#include "base/scan.h"
#include "elf/modules.h"
#include "elf/offline.h"
#include "model/folded.h"
#include "model/gzip.h"
#include "model/jeheap_read.h"
#include "model/legacy_read.h"
#include "model/pprof_read.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EXPECTED        "a profile: pprof, jemalloc heap_v2, heap text or folded stacks with a count"
#define TEXT_LOOK_BYTES 256

struct input {
    const char *bytes;
    size_t size_bytes;
    const struct ph_decode_options *options; /* never NULL */
};

/* ---- jemalloc ---- */

/* The allocator's own frames would be the leaf of every stack. */
static enum ph_frame_rule drop_allocator(void *context, uint64_t address, uint32_t mapping)
{
    static const char *const allocators[] = {"libjemalloc.so", "libporthole.so"};
    const struct ph_profile *profile = context;
    const char *file = mapping ? ph_profile_text(profile, profile->mappings[mapping - 1].file) : "";
    const char *slash = strrchr(file, '/');
    for (size_t i = 0; i < sizeof(allocators) / sizeof(allocators[0]); i++)
        if (strncmp(slash ? slash + 1 : file, allocators[i], strlen(allocators[i])) == 0)
            return PH_FRAME_DROP;
    return PH_FRAME_KEEP;
}

static bool is_jemalloc(const struct input *input)
{
    return ph_jeheap_is(input->bytes, input->size_bytes);
}

static int read_jemalloc(const struct input *input, struct ph_profile **ret_profile, struct ph_error *error)
{
    struct ph_profile *profile = ph_profile_new();
    struct ph_jeheap_options options = {.rule = drop_allocator, .context = profile};
    if (!profile)
        return ph_error_set(error, -ENOMEM, "out of memory");
    int failed = ph_jeheap_read(profile, input->bytes, input->size_bytes, &options, error);
    if (failed == 0)
        *ret_profile = profile;
    else
        ph_profile_free(profile);
    return failed;
}

/* ---- the heap text of gperftools and Go ---- */

static bool is_legacy(const struct input *input)
{
    return ph_legacy_is(input->bytes, input->size_bytes);
}

static int read_legacy(const struct input *input, struct ph_profile **ret_profile, struct ph_error *error)
{
    return ph_legacy_read(input->bytes, input->size_bytes, ret_profile, error);
}

/* ---- folded stacks ---- */

/* Is the last field of the line a number, with something before it? How large it is, the reader judges. */
static bool ends_with_count(struct ph_scan line)
{
    while (line.end > line.next && (line.end[-1] == ' ' || line.end[-1] == '\t'))
        line.end--;
    const char *number = line.end;
    while (number > line.next && isdigit((unsigned char)number[-1]))
        number--;
    bool has_digits = number < line.end;
    if (number > line.next && number[-1] == '-')
        number--;
    return has_digits && number > line.next && (number[-1] == ' ' || number[-1] == '\t');
}

/* By the first line that is not empty. The protobuf of pprof begins with a byte that looks like the end of a line, and
 * a length behind it that is a control character. */
static bool is_folded(const struct input *input)
{
    struct ph_scan scan = ph_scan_over(input->bytes, input->size_bytes);
    while (!ph_scan_done(&scan) && strchr(" \t\r\n", *scan.next) && *scan.next)
        scan.next++;
    if (ph_scan_done(&scan) || (unsigned char)*scan.next < ' ')
        return false;
    struct ph_scan line = ph_scan_line(&scan);
    return !memchr(line.next, '\0', (size_t)(line.end - line.next)) && ends_with_count(line);
}

static int read_folded(const struct input *input, struct ph_profile **ret_profile, struct ph_error *error)
{
    const char *metric = input->options->metric ? input->options->metric : "inuse_space";
    const char *unit = strstr(metric, "space") ? "bytes" : "count";
    return ph_folded_read(input->bytes, input->size_bytes, metric, unit, ret_profile, error);
}

/* ---- pprof ---- */

/* By the first byte: a field number from 1 to 15 and the kind of an integer or of bytes. */
static bool is_pprof(const struct input *input)
{
    unsigned char tag = (unsigned char)input->bytes[0];
    return tag < 0x80 && tag >> 3 != 0 && ((tag & 7) == 0 || (tag & 7) == 2);
}

static int read_pprof(const struct input *input, struct ph_profile **ret_profile, struct ph_error *error)
{
    return ph_pprof_read(input->bytes, input->size_bytes, ret_profile, error);
}

/* ---- what is none of them ---- */

/* Other things are saved as heap profiles often enough to deserve a word of their own. */
static const struct {
    const char *begin, *what;
} others[] = {
    {"<!", "HTML or JSON"},
    {"<html>", "HTML or JSON"}, /* not "<h": <hashbrown::HashMap>::insert is a function */
    {"<html ", "HTML or JSON"},
    {"<HTML", "HTML or JSON"},
    {"<head>", "HTML or JSON"},
    {"<?", "XML"},
    {"{\"", "HTML or JSON"},
    {"{\n", "HTML or JSON"},
    {"[{", "HTML or JSON"},
    {"goroutine profile:", "a profile of goroutines"},
    {"threadcreate profile:", "a profile of threads"},
    {"--- contention", "a profile of contention"},
    {"--- mutex", "a profile of contention"},
    {"--- symbol", "a profile with symbols by jeprof --raw"},
    {"\x7f"
     "ELF",
     "a program"},
};

static const char *name_other(const struct input *input)
{
    struct ph_scan scan = ph_scan_over(input->bytes, input->size_bytes);
    ph_scan_blanks(&scan);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (ph_scan_text(&scan, others[i].begin))
            return others[i].what;
    return NULL;
}

static bool is_text(const struct input *input)
{
    size_t looked = input->size_bytes < TEXT_LOOK_BYTES ? input->size_bytes : TEXT_LOOK_BYTES;
    struct ph_scan scan = ph_scan_over(input->bytes, looked);
    while (scan.end - scan.next > 3 || looked == input->size_bytes) { /* a character may be cut at the end */
        if (ph_scan_done(&scan))
            return true;
        char c = *scan.next;
        if (!ph_scan_utf8(&scan) || c == '\0' || ((unsigned char)c < ' ' && !strchr("\t\n\r\f\x1b", c)))
            return false;
    }
    return true;
}

static int refuse(const struct input *input, struct ph_error *error)
{
    const char *what = name_other(input);
    if (what)
        return ph_error_set(error, -EINVAL, "byte 0: %s, expected a profile", what);
    return ph_error_set(error, -EINVAL, "%s: expected " EXPECTED, is_text(input) ? "line 1, column 1" : "byte 0");
}

/* ---- the whole ---- */

static const struct {
    enum ph_format format;
    bool (*is)(const struct input *input);
    int (*read)(const struct input *input, struct ph_profile **ret_profile, struct ph_error *error);
} formats[] = {
    {PH_FORMAT_JEMALLOC, is_jemalloc, read_jemalloc},
    {PH_FORMAT_LEGACY, is_legacy, read_legacy},
    {PH_FORMAT_FOLDED, is_folded, read_folded},
    {PH_FORMAT_PPROF, is_pprof, read_pprof}, /* last: of text, few first letters would not do */
};

/* Names for addresses come from the files that the profile says were mapped. */
static int add_names(const struct input *input, struct ph_profile *profile, struct ph_error *error)
{
    static const char *const titles[] = {"\nMAPPED_LIBRARIES:", "\n--- Memory map: ---"};
    struct ph_modules modules = PH_MODULES_INIT;
    const char *list = NULL;
    int failed = 0;
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]) && !list; i++)
        list = memmem(input->bytes, input->size_bytes, titles[i], strlen(titles[i]));
    if (list)
        failed = ph_modules_parse(list, (size_t)(input->bytes + input->size_bytes - list), &modules, error);
    if (failed)
        return failed;
    failed = ph_offline_symbolize(profile, list ? &modules : NULL, &input->options->symbols);
    ph_modules_fini(&modules);
    return failed ? ph_error_set(error, failed, "out of memory") : 0;
}

static int read_as(const struct input *input, size_t row, enum ph_format *ret_format,
                   struct ph_profile **ret_profile, struct ph_error *error)
{
    struct ph_profile *profile = NULL;
    int failed = formats[row].read(input, &profile, error);
    if (failed == 0)
        failed = add_names(input, profile, error);
    if (failed) {
        ph_profile_free(profile);
        return failed;
    }
    *ret_format = formats[row].format;
    *ret_profile = profile;
    return 0;
}

static int read_plain(const struct input *input, enum ph_format *ret_format, struct ph_profile **ret_profile,
                      struct ph_error *error)
{
    if (input->size_bytes == 0)
        return ph_error_set(error, -EINVAL, "byte 0: empty, expected a profile");
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]) && !name_other(input); i++) {
        bool is_prose = formats[i].format == PH_FORMAT_PPROF && is_text(input);
        if (!is_prose && formats[i].is(input))
            return read_as(input, i, ret_format, ret_profile, error);
    }
    return refuse(input, error);
}

/* Positions in an error are those of what was inside. */
static int read_gzip(const struct input *packed, enum ph_format *ret_format, struct ph_profile **ret_profile,
                     struct ph_error *error)
{
    struct ph_buf inflated = PH_BUF_INIT;
    struct ph_error cause = {0};
    int failed = ph_gzip_read(packed->bytes, packed->size_bytes, PH_PPROF_INFLATED_MAX_BYTES, &inflated, error);
    if (failed == 0 && ph_gzip_is(inflated.data, inflated.size_bytes)) {
        failed = ph_error_set(error, -EINVAL, "gzip inside gzip: expected a profile in it");
    } else if (failed == 0) {
        struct input input = {inflated.data, inflated.size_bytes, packed->options};
        failed = read_plain(&input, ret_format, ret_profile, &cause);
        if (failed)
            ph_error_set(error, failed, "decompressed, %.230s", cause.text);
    }
    ph_buf_fini(&inflated);
    return failed;
}

int ph_decode(const char *bytes, size_t size_bytes, const struct ph_decode_options *options,
              enum ph_format *ret_format, struct ph_profile **ret_profile, struct ph_error *error)
{
    static const struct ph_decode_options none;
    struct input input = {bytes, size_bytes, options ? options : &none};
    int failed = ph_symbol_sources_check(&input.options->symbols, error);
    if (failed)
        return failed;
    unsetenv("DEBUGINFOD_URLS"); /* libdw would ask servers */
    return ph_gzip_is(bytes, size_bytes) ? read_gzip(&input, ret_format, ret_profile, error)
                                         : read_plain(&input, ret_format, ret_profile, error);
}
