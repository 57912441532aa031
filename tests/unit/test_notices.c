#include "collect/notices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Everything amiss at once. */
static const struct ph_notice_facts all_amiss = {
    .degraded =
        PH_DEGRADED_DESCRIPTORS | PH_DEGRADED_ROOT | PH_DEGRADED_HEIR | PH_DEGRADED_SPARES | PH_DEGRADED_ALLOCS,
    .counters = {.threads_unrecorded = 3, .descriptors_unprotected = 2, .labels_refused = 8},
    .losses = {.captured = 90, .dropped_full = 10, .unarmed = 2, .tiny_stacks = 1, .lost_signal = 1},
    .unsampled = {-ENOTSUP, "heap sampling is off"},
    .member_count = 12,
    .hidden_count = 5,
    .asked_count = 11,
    .unanswered_count = 4,
};

static const struct ph_notice *find(const char *name)
{
    size_t count;
    const struct ph_notice *notices = ph_notices(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(notices[i].name, name) == 0)
            return &notices[i];
    fail_msg("there is no notice %s", name);
    return NULL;
}

static size_t count_held(const struct ph_notice_facts *facts)
{
    size_t count, held = 0;
    const struct ph_notice *notices = ph_notices(&count);
    for (size_t i = 0; i < count; i++)
        held += ph_notice_holds(&notices[i], facts);
    return held;
}

static void expect_line(const char *name, const struct ph_notice_facts *facts, const char *wanted)
{
    struct ph_buf line = PH_BUF_INIT;
    ph_notice_what(find(name), facts, &line);
    ph_buf_text(&line, ": ");
    ph_notice_why(find(name), facts, &line);
    assert_non_null(line.data);
    if (!strstr(line.data, wanted))
        fail_msg("%s: \"%s\" does not say \"%s\"", name, line.data, wanted);
    ph_buf_fini(&line);
}

static void where_nothing_is_amiss_no_notice_holds(void **state)
{
    struct ph_notice_facts facts = {.member_count = 12, .asked_count = 11, .counters = {.forks = 7, .wakes = 1}};
    assert_int_equal(count_held(&facts), 0);
}

static void every_degraded_bit_has_a_notice_of_its_own(void **state)
{
    for (unsigned bit = 1; bit <= PH_DEGRADED_ALLOCS; bit *= 2) {
        struct ph_notice_facts facts = {.degraded = bit};
        assert_int_equal(count_held(&facts), 1);
    }
    assert_true(ph_notice_holds(find("root"), &(struct ph_notice_facts){.degraded = PH_DEGRADED_ROOT}));
    assert_true(ph_notice_holds(find("heir"), &(struct ph_notice_facts){.degraded = PH_DEGRADED_HEIR}));
}

static void the_lines_have_their_numbers_and_reasons(void **state)
{
    expect_line("heap", &all_amiss, "No heap profiles: heap sampling is off");
    expect_line("hidden_processes", &all_amiss, "known of 5 of 12 processes");
    expect_line("unanswered", &all_amiss, "4 of 11 processes are missing");
    expect_line("thread_records", &all_amiss, "lacks 3 threads");
    expect_line("descriptor_guard", &all_amiss, "close 2 descriptors");
}

static void without_proc_that_is_said_once(void **state)
{
    struct ph_notice_facts facts = all_amiss;
    facts.proc = (struct ph_error){-ENOENT, "cannot read /proc/self/stat: No such file or directory"};
    assert_true(ph_notice_holds(find("hidden_processes"), &all_amiss));
    assert_false(ph_notice_holds(find("hidden_processes"), &facts));
    expect_line("proc", &facts, "may fail: cannot read /proc/self/stat: No such file or directory; mount /proc");
}

/* Names are label values that people put into alerts; lines stand on a page and on a terminal. */
static void names_are_plain_words_and_lines_have_no_full_stop(void **state)
{
    size_t count;
    const struct ph_notice *notices = ph_notices(&count);
    for (size_t i = 0; i < count; i++) {
        struct ph_buf line = PH_BUF_INIT;
        assert_int_equal(strspn(notices[i].name, "abcdefghijklmnopqrstuvwxyz_"), strlen(notices[i].name));
        assert_ptr_equal(find(notices[i].name), &notices[i]); /* no name has two rows */
        ph_notice_what(&notices[i], &all_amiss, &line);
        assert_true(isupper((unsigned char)line.data[0]) || isdigit((unsigned char)line.data[0]));
        ph_notice_why(&notices[i], &all_amiss, &line);
        assert_null(strchr(line.data, '%'));
        assert_null(strchr(line.data, '\n'));
        assert_true(line.data[line.size_bytes - 1] != '.');
        ph_buf_fini(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_nothing_is_amiss_no_notice_holds),
        cmocka_unit_test(every_degraded_bit_has_a_notice_of_its_own),
        cmocka_unit_test(the_lines_have_their_numbers_and_reasons),
        cmocka_unit_test(without_proc_that_is_said_once),
        cmocka_unit_test(names_are_plain_words_and_lines_have_no_full_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
