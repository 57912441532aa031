/* fuzz_growth.c - a profile of unknown origin, as a series: it, what is left when half of it shrank, and it again. */
#include "growth/analysis.h"
#include "model/folded.h"
#include "sound.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static int read_any(const char *bytes, size_t size_bytes, struct ph_profile **ret_profile)
{
    struct ph_error error = {0};
    int status = ph_pprof_read(bytes, size_bytes, ret_profile, &error);
    return status < 0 ? ph_folded_read(bytes, size_bytes, "inuse_space", "bytes", ret_profile, &error) : status;
}

static void add(struct ph_growth *growth, const struct ph_profile *profile)
{
    struct ph_error error = {0};
    int status = ph_growth_add(growth, profile, "input", &error);
    if (status < 0)
        require_refusal(status, &error);
}

static void require_site(const struct ph_growth_report *report, const struct ph_growth_site *site)
{
    require(site->verdict.growth_p >= 0 && site->verdict.growth_p <= 1, "site", "growth_p is no chance");
    require(site->verdict.shrink_p >= 0 && site->verdict.shrink_p <= 1, "site", "shrink_p is no chance");
    require(site->verdict.q >= 0 && site->verdict.q <= 1, "site", "q is no share");
    require(site->verdict.label < PH_GROWTH_LABEL_COUNT, "site", "no label");
    for (uint32_t i = 0; i < site->frame_count; i++)
        require(site->frames[i] < report->frame_count, "site", "no frame");
    for (size_t i = 0; i < report->profile_count; i++)
        require(isfinite(site->values[i]), "site", "a value is no number");
}

static void require_report(const struct ph_growth_report *report)
{
    uint32_t labelled = 0;
    for (size_t i = 0; i < report->site_count; i++)
        require_site(report, &report->sites[i]);
    for (size_t i = 0; i < PH_GROWTH_LABEL_COUNT; i++)
        labelled += report->summary.label_counts[i];
    require(labelled == report->site_count, "summary", "not every site has a label");
    for (size_t i = 1; i < report->profile_count; i++)
        require(report->profiles[i].seconds > report->profiles[i - 1].seconds, "profiles", "times do not rise");
    for (size_t i = 0; i < report->inflection_count; i++) {
        const struct ph_growth_inflection *place = &report->inflections[i];
        require(place->frame_count && place->growth > 0, "inflection", "nothing grew there");
        for (uint32_t k = 0; k < place->frame_count; k++)
            require(place->frames[k] < report->frame_count, "inflection", "no frame");
    }
}

static void analyse(struct ph_profile *profile, const struct ph_growth_options *options, unsigned more)
{
    struct ph_growth *growth = NULL;
    struct ph_growth_report *report = NULL;
    struct ph_error error = {0};
    require(ph_growth_new(options, &growth, &error) == 0, "new", error.text);
    for (unsigned i = 0; i < 2 + more; i++) {
        add(growth, profile);
        for (uint32_t sample = i; sample < profile->sample_count; sample += 2)
            for (uint32_t type = 0; type < profile->type_count; type++)
                ph_profile_values(profile, sample)[type] /= i % 3 == 0 ? 2 : -2;
        profile->time_ns += (int64_t)(i % 3) * 1000000000 * (profile->time_ns < INT64_MAX / 2);
    }
    int status = ph_growth_report(growth, &report, &error);
    if (status < 0)
        require_refusal(status, &error);
    else
        require_report(report);
    ph_growth_report_free(report);
    ph_growth_free(growth);
}

/* The last byte says how to look at the others. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct ph_profile *profile = NULL;
    uint8_t how = size_bytes ? data[size_bytes - 1] : 0;
    const struct ph_growth_options options = {
        .metric = (enum ph_heap_type)(how % PH_HEAP_TYPE_COUNT),
        .by = (enum ph_growth_by)(how / 4 % PH_BY_COUNT),
        .ignore = how & 16 ? "a.c|x" : NULL,
        .hide = how & 32 ? "^m" : NULL,
        .is_strict = how & 64,
        .min_change = how & 128 ? -1 : 0,
    };
    if (size_bytes == 0 || read_any((const char *)data, size_bytes - 1, &profile) < 0)
        return 0;
    analyse(profile, &options, how & 128 ? how % 16 : 0);
    ph_profile_free(profile);
    return 0;
}
