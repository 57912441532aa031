/* fuzz_threads.c - any bytes as the answer of /debug/threads, and what `porthole threads` makes of it. */
#include "sound.h"
#include "tools/thread_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* Whatever names hold, a terminal gets text and the escape sequences of the styles. */
static void require_harmless(const struct ph_buf *out)
{
    for (size_t i = 0; i < out->size_bytes; i++) {
        unsigned char c = (unsigned char)out->data[i];
        require(c >= ' ' || c == '\n', "threads", "control character");
    }
}

static void show(const struct ph_thread_answer *answer, enum ph_thread_by by, size_t width)
{
    struct ph_buf out = PH_BUF_INIT;
    struct ph_thread_view view = {
        .answer = answer, .subject = "process 7", .by = by, .width = width, .has_utf8 = true};
    require(ph_thread_view_write(&view, &out) == 0, "threads", "not shown");
    require_harmless(&out);
    ph_buf_fini(&out);
}

static void require_same_again(const struct ph_thread_answer *answer)
{
    struct ph_thread_answer again;
    struct ph_buf json = PH_BUF_INIT;
    struct ph_error error = {0};
    require(ph_thread_answer_json(answer, &json) == 0, "threads", "not written");
    require(ph_thread_answer_parse(json.data, json.size_bytes, &again, &error) == 0, "own JSON refused",
            error.text);
    require(again.row_count == answer->shown_count, "own JSON", "other threads");
    ph_thread_answer_fini(&again);
    ph_buf_fini(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct ph_thread_answer answer;
    struct ph_error error = {0};
    struct ph_thread_filter filter = {.waiting_ns = 1000000000};
    int status = ph_thread_answer_parse((const char *)data, size_bytes, &answer, &error);
    if (status < 0) {
        require(status == -EPROTO && error.code == status && error.text[0], "refused", error.text);
        return 0;
    }
    show(&answer, PH_THREADS_EACH, 0);
    show(&answer, PH_THREADS_BY_STACK, 60);
    show(&answer, PH_THREADS_BY_PID, 10);
    require_same_again(&answer);
    ph_thread_answer_filter(&answer, &filter);
    show(&answer, PH_THREADS_EACH, 1);
    require_same_again(&answer);
    ph_thread_answer_fini(&answer);
    return 0;
}
