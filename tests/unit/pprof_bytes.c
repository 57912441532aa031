#include "pprof_bytes.h"

#include <string.h>

static void put_varint(struct ph_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        ph_buf_char(out, (char)(value | 0x80));
    ph_buf_char(out, (char)value);
}

void put_number(struct ph_buf *out, unsigned field, uint64_t value)
{
    put_varint(out, field << 3);
    put_varint(out, value);
}

void put_bytes(struct ph_buf *out, unsigned field, const char *bytes, size_t size_bytes)
{
    put_varint(out, field << 3 | 2);
    put_varint(out, size_bytes);
    ph_buf_append(out, bytes, size_bytes);
}

static void put_message(struct ph_buf *out, unsigned field, struct ph_buf *take_message)
{
    put_bytes(out, field, take_message->data, take_message->size_bytes);
    ph_buf_fini(take_message);
}

const struct plan plan_sound = {
    .mapping_id = 50,
    .function_id = UINT64_MAX,
    .location_id = 1000000,
    .in_mapping = 50,
    .in_function = UINT64_MAX,
    .through_location = 1000000,
    .type_string = 1,
    .mapping_file = 2,
    .function_name = 3,
    .label_key = 3,
    .comment = 3,
    .default_type = 1,
    .value_count = 1,
    .mapping_count = 1,
    .location_count = 1,
    .type_count = 1,
    .string_0 = "",
};

static void put_location(struct ph_buf *out, const struct plan *plan)
{
    struct ph_buf location = PH_BUF_INIT, line = PH_BUF_INIT;
    put_number(&line, 1, plan->in_function);
    put_number(&location, 1, plan->location_id);
    put_number(&location, 2, plan->in_mapping);
    put_number(&location, 3, 0x1234);
    put_message(&location, 4, &line);
    put_message(out, 4, &location);
}

void put_sample(struct ph_buf *out, const struct plan *plan)
{
    struct ph_buf sample = PH_BUF_INIT, label = PH_BUF_INIT;
    put_number(&sample, 1, plan->through_location);
    for (unsigned i = 0; i < plan->value_count; i++)
        put_number(&sample, 2, 7);
    put_number(&label, 1, plan->label_key);
    put_number(&label, 3, 8);
    put_message(&sample, 3, &label);
    put_message(out, 2, &sample);
}

static void put_tables(struct ph_buf *out, const struct plan *plan)
{
    struct ph_buf part = PH_BUF_INIT;
    for (unsigned i = 0; i < plan->mapping_count; i++) {
        put_number(&part, 1, plan->mapping_id);
        put_number(&part, 5, plan->mapping_file);
        put_message(out, 3, &part);
    }
    put_number(&part, 1, plan->function_id);
    put_number(&part, 2, plan->function_name);
    put_message(out, 5, &part);
    for (unsigned i = 0; i < plan->type_count; i++) {
        put_number(&part, 1, plan->type_string);
        put_message(out, 1, &part);
    }
}

/* In another order than writers choose: what is referred to comes last. */
struct ph_buf wire_of(const struct plan *plan)
{
    struct ph_buf out = PH_BUF_INIT;
    static const char *const strings[] = {"space", "/bin/main", "main"};
    put_number(&out, 13, plan->comment);
    put_number(&out, 14, plan->default_type);
    put_sample(&out, plan);
    for (unsigned i = 0; i < plan->location_count; i++)
        put_location(&out, plan);
    put_tables(&out, plan);
    put_bytes(&out, 6, plan->string_0, strlen(plan->string_0));
    for (size_t i = 0; i < 3; i++)
        put_bytes(&out, 6, strings[i], strlen(strings[i]));
    return out;
}
