#include "tools/decode.h"

#include "base/scan.h"
#include "elf/modules.h"
#include "elf/symbolize.h"
#include "model/jeheap_read.h"
#include "model/legacy_read.h"
#include "model/pprof_read.h"

#include <errno.h>
#include <string.h>

#define MAPPED_FILES "\nMAPPED_LIBRARIES:"

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

/* Names for a dump come from the files that it says were mapped, if they are still the same files (device and inode).
 * Without the list of mapped files there are none, and that is no failure. */
static int add_names(const char *bytes, size_t size_bytes, struct ph_profile *profile, struct ph_error *error)
{
    struct ph_modules modules;
    const char *list = memmem(bytes, size_bytes, MAPPED_FILES, strlen(MAPPED_FILES));
    if (!list)
        return 0;
    int failed = ph_modules_parse(list, (size_t)(bytes + size_bytes - list), &modules, error);
    if (failed)
        return failed;
    failed = ph_symbolize(profile, &modules);
    ph_modules_fini(&modules);
    return failed ? ph_error_set(error, failed, "out of memory") : 0;
}

static int read_jemalloc(const char *bytes, size_t size_bytes, struct ph_profile **ret_profile,
                         struct ph_error *error)
{
    struct ph_profile *profile = ph_profile_new();
    struct ph_jeheap_options options = {.rule = drop_allocator, .context = profile};
    if (!profile)
        return ph_error_set(error, -ENOMEM, "out of memory");
    int failed = ph_jeheap_read(profile, bytes, size_bytes, &options, error);
    if (failed == 0)
        failed = add_names(bytes, size_bytes, profile, error);
    if (failed == 0)
        *ret_profile = profile;
    else
        ph_profile_free(profile);
    return failed;
}

/* Error pages are saved as profiles often enough to deserve a word of their own. */
static bool is_markup(const char *bytes, size_t size_bytes)
{
    struct ph_scan scan = ph_scan_over(bytes, size_bytes);
    ph_scan_blanks(&scan);
    return ph_scan_text(&scan, "<!") || ph_scan_text(&scan, "<h") || ph_scan_text(&scan, "<H") ||
           ph_scan_text(&scan, "{\"");
}

int ph_decode(const char *bytes, size_t size_bytes, const struct ph_decode_options *options,
              enum ph_format *ret_format, struct ph_profile **ret_profile, struct ph_error *error)
{
    if (size_bytes == 0)
        return ph_error_set(error, -EINVAL, "empty: expected a heap profile");
    if (is_markup(bytes, size_bytes))
        return ph_error_set(error, -EINVAL, "HTML or JSON: expected a heap profile");
    if (ph_jeheap_is(bytes, size_bytes)) {
        *ret_format = PH_FORMAT_JEMALLOC;
        return read_jemalloc(bytes, size_bytes, ret_profile, error);
    }
    if (ph_legacy_is(bytes, size_bytes)) {
        *ret_format = PH_FORMAT_LEGACY;
        return ph_legacy_read(bytes, size_bytes, ret_profile, error);
    }
    *ret_format = PH_FORMAT_PPROF;
    return ph_pprof_read(bytes, size_bytes, ret_profile, error);
}
