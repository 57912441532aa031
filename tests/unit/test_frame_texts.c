/* Frames of many threads as text: the same as if each were written by itself. */
#include "server/frame_texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>
#include <string.h>

#define THREADS 3000 /* the text grows, and moves, many times */

static unsigned written;

static void write_frame(const struct ph_shown_frame *frame, struct ph_buf *out)
{
    written++;
    ph_buf_printf(out, "%s at 0x%" PRIx64 "\n", frame->function, frame->address);
}

static uint32_t add_location(struct ph_profile *dump, uint64_t address, const char *name)
{
    struct ph_function function = {.name = ph_profile_string(dump, name)};
    struct ph_line line = {.function = ph_profile_add_function(dump, &function)};
    return ph_profile_add_location(dump, 0, address, false, &line, 1);
}

/* Threads by turns in read() called by work(), and in work() itself. */
static struct ph_profile *make_dump(void)
{
    struct ph_profile *dump = ph_profile_new();
    const uint32_t frames[] = {add_location(dump, 0x1000, "read\303\244"), add_location(dump, 0x2000, "work"),
                               add_location(dump, 0x3000, "main")};
    for (int64_t i = 0; i < THREADS; i++) {
        struct ph_label label = {.key = ph_profile_string(dump, "tid"), .number = i};
        ph_profile_add_sample(dump, frames + i % 2, (uint32_t)(3 - i % 2), &label, 1, NULL);
    }
    assert_int_equal(ph_profile_status(dump), 0);
    return dump;
}

static void write_all(struct ph_frame_texts *texts, const struct ph_profile *dump)
{
    for (uint32_t i = 0; i < dump->sample_count; i++) {
        struct ph_thread_row row = {.sample = &dump->samples[i]};
        for (uint32_t j = 0; j < row.sample->frame_count; j++)
            ph_frame_texts_add(texts, &row, j);
    }
}

static void expect_pairs(const char *text)
{
    static const char pair[] = "read\303\244 at 0x1000\nwork at 0x2001\nmain at 0x3001\n"
                               "work at 0x2000\nmain at 0x3001\n";
    for (int i = 0; i < THREADS / 2; i++, text += strlen(pair))
        assert_memory_equal(text, pair, strlen(pair));
    assert_string_equal(text, "");
}

static void a_frame_is_made_once_as_leaf_and_once_as_caller(void **state)
{
    struct ph_profile *dump = make_dump();
    struct ph_buf out = PH_BUF_INIT;
    struct ph_frame_texts texts;
    written = 0;
    ph_frame_texts_init(&texts, dump, write_frame, &out);
    write_all(&texts, dump);
    expect_pairs(out.data);
    assert_int_equal(written, 4);
    ph_frame_texts_fini(&texts);
    ph_buf_fini(&out);
    ph_profile_free(dump);
}

static void without_memory_for_places_each_is_made_anew(void **state)
{
    struct ph_profile *dump = make_dump();
    struct ph_buf out = PH_BUF_INIT;
    struct ph_frame_texts texts = {.dump = dump, .write = write_frame, .out = &out};
    write_all(&texts, dump);
    expect_pairs(out.data);
    ph_buf_fini(&out);
    ph_profile_free(dump);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_made_once_as_leaf_and_once_as_caller),
        cmocka_unit_test(without_memory_for_places_each_is_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
