#include "tools/decode.h"

#include "base/scan.h"
#include "model/jeheap_read.h"
#include "model/legacy_read.h"
#include "model/pprof_read.h"

#include <errno.h>

static int read_jemalloc(const char *bytes, size_t size_bytes, struct ph_profile **ret_profile,
                         struct ph_error *error)
{
    struct ph_profile *profile = ph_profile_new();
    int failed = profile ? ph_jeheap_read(profile, bytes, size_bytes, NULL, error)
                         : ph_error_set(error, -ENOMEM, "out of memory");
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

int ph_decode(const char *bytes, size_t size_bytes, enum ph_format *ret_format, struct ph_profile **ret_profile,
              struct ph_error *error)
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
