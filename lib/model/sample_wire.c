#include "model/sample_wire.h"

#include "model/profile.pb-c.h"

/* Wire format: protobuf encoding guide. A tag is the field's number and its kind; 2 is "length, then bytes". */
#define TAG(field) ((uint8_t)((field) << 3 | 2))

#define PROFILE_SAMPLE   2 /* field numbers of profile.proto */
#define SAMPLE_LOCATION  1
#define SAMPLE_VALUE     2
#define SAMPLE_LABEL     3
#define TAG_BYTES        1
#define VARINT_MAX_BYTES 10

static size_t varint_size(uint64_t value)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    return (bits + 6) / 7;
}

static uint8_t *put_varint(uint8_t *next, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *next++ = (uint8_t)(value | 0x80);
    *next++ = (uint8_t)value;
    return next;
}

static uint8_t *put_head(uint8_t *next, unsigned field, size_t size_bytes)
{
    *next++ = TAG(field);
    return put_varint(next, size_bytes);
}

static size_t field_size(size_t size_bytes)
{
    return TAG_BYTES + varint_size(size_bytes) + size_bytes;
}

static Perftools__Profiles__Label label_message(const struct ph_label *label)
{
    Perftools__Profiles__Label message = PERFTOOLS__PROFILES__LABEL__INIT;
    message.key = label->key;
    message.str = label->text;
    message.num = label->text ? 0 : label->number;
    message.num_unit = label->text ? 0 : label->unit;
    return message;
}

static size_t labels_size(const struct ph_profile *profile, const struct ph_sample *sample)
{
    size_t size_bytes = 0;
    for (uint32_t i = 0; i < sample->label_count; i++) {
        Perftools__Profiles__Label message = label_message(&profile->labels[sample->first_label + i]);
        size_bytes += field_size(perftools__profiles__label__get_packed_size(&message));
    }
    return size_bytes;
}

static uint8_t *put_labels(uint8_t *next, const struct ph_profile *profile, const struct ph_sample *sample)
{
    for (uint32_t i = 0; i < sample->label_count; i++) {
        Perftools__Profiles__Label message = label_message(&profile->labels[sample->first_label + i]);
        next = put_head(next, SAMPLE_LABEL, perftools__profiles__label__get_packed_size(&message));
        next += perftools__profiles__label__pack(&message, next);
    }
    return next;
}

void ph_sample_pack(const struct ph_profile *profile, uint32_t sample, struct ph_buf *out)
{
    const struct ph_sample *from = &profile->samples[sample];
    const uint32_t *frames = from->frame_count ? profile->frames + from->first_frame : NULL;
    const int64_t *values = ph_profile_values(profile, sample);
    size_t frames_bytes = 0, values_bytes = 0;
    for (uint32_t i = 0; i < from->frame_count; i++)
        frames_bytes += varint_size(frames[i]);
    for (uint32_t i = 0; i < profile->type_count; i++)
        values_bytes += varint_size((uint64_t)values[i]);

    size_t size_bytes = field_size(values_bytes) + labels_size(profile, from);
    if (frames_bytes)
        size_bytes += field_size(frames_bytes);
    if (ph_buf_reserve(out, size_bytes + TAG_BYTES + VARINT_MAX_BYTES) < 0)
        return;
    uint8_t *start = (uint8_t *)out->data + out->size_bytes;
    uint8_t *next = put_head(start, PROFILE_SAMPLE, size_bytes);
    if (frames_bytes)
        next = put_head(next, SAMPLE_LOCATION, frames_bytes);
    for (uint32_t i = 0; i < from->frame_count; i++)
        next = put_varint(next, frames[i]);
    next = put_head(next, SAMPLE_VALUE, values_bytes);
    for (uint32_t i = 0; i < profile->type_count; i++)
        next = put_varint(next, (uint64_t)values[i]);
    next = put_labels(next, profile, from);
    out->size_bytes += (size_t)(next - start);
}
