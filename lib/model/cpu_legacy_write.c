#include "model/cpu_legacy_write.h"

#include "model/maps.h"

#define NS_PER_US 1000

static void add_words(struct ph_buf *out, const uint64_t *words, size_t count)
{
    ph_buf_append(out, words, count * sizeof(*words));
}

/* Addresses are those after the call, but for the leaf's: readers take one off again. */
static void add_sample(const struct ph_profile *profile, uint32_t number, struct ph_buf *out)
{
    const struct ph_sample *sample = &profile->samples[number];
    int64_t count = ph_profile_values(profile, number)[0];
    if (count <= 0 || sample->frame_count == 0)
        return;
    add_words(out, (const uint64_t[]){(uint64_t)count, sample->frame_count}, 2);
    for (uint32_t i = 0; i < sample->frame_count; i++) {
        uint32_t location = profile->frames[sample->first_frame + i];
        uint64_t address = ph_profile_location(profile, location)->address + (i > 0);
        add_words(out, &address, 1);
    }
}

void ph_cpu_legacy_write(const struct ph_profile *profile, struct ph_buf *out)
{
    const uint64_t period_us = profile->period > NS_PER_US ? (uint64_t)profile->period / NS_PER_US : 1;
    add_words(out, (const uint64_t[]){0, 3, 0, period_us, 0},
              5); /* words of the header that follow, version, period */
    for (uint32_t i = 0; i < profile->sample_count; i++)
        add_sample(profile, i, out);
    add_words(out, (const uint64_t[]){0, 1, 0}, 3);
    ph_maps_write(profile, out);
}
