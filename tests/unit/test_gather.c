/* Members that are processes, each with a window that says what the test wants; the front is the test. */
#include "base/clock.h"
#include "elf/modules.h"
#include "family/gather.h"
#include "family/tally.h"
#include "member_fixture.h"
#include "model/check.h"
#include "model/heap_types.h"
#include "model/labels.h"
#include "model/pprof_write.h"
#include "processes_fixture.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LATE_MS       300
#define VERY_LATE_MS  2500                /* later than is usual */
#define FOREIGN_START UINT64_C(0x7000000) /* a mapping that only members have */

static struct ph_segment *segment;
static int reports[2];

static __attribute__((noinline)) int known_function(int value)
{
    __asm__ volatile("" : "+r"(value));
    return value * 3;
}

static __attribute__((noinline)) int known_later(int value)
{
    __asm__ volatile("" : "+r"(value));
    return value * 5;
}

static int set_up(void **state)
{
    uint32_t row;
    fixture_pipe(reports);
    return ph_segment_new(&segment, NULL) < 0 ? -1 : ph_segment_join(segment, &row);
}

static int tear_down(void **state)
{
    close(reports[0]);
    close(reports[1]);
    ph_segment_free(segment);
    return 0;
}

/* ---- parts ---- */

enum flavour {
    OWN_ONLY,      /* 10 bytes of its own */
    WITH_FOREIGN,  /* and 5 in a mapping the front has not */
    LATE,          /* and 7 in other code of this program; it takes its time */
    VERY_LATE,     /* as OWN_ONLY */
    WITH_GARBAGE,  /* no profile */
    SILENT,        /* no answer */
    BUSY,          /* 503 */
    OTHER_KEY,     /* 403: another program */
    OTHER_PROFILE, /* of other types */
};

static struct ph_label label(struct ph_profile *profile, const char *key, const char *text)
{
    return (struct ph_label){.key = ph_profile_string(profile, key), .text = ph_profile_string(profile, text)};
}

static void add(struct ph_profile *profile, uint32_t mapping, uint64_t address, pid_t origin, bool is_inherited,
                int64_t bytes)
{
    struct ph_label labels[2];
    char text[16];
    uint32_t count = 0, location = ph_profile_add_location(profile, mapping, address, false, NULL, 0);
    const int64_t values[] = {1, bytes, 1, bytes};
    snprintf(text, sizeof(text), "%d", (int)origin);
    if (is_inherited)
        labels[count++] = label(profile, PH_LABEL_ORIGIN, PH_LABEL_INHERITED);
    labels[count++] = label(profile, PH_LABEL_ORIGIN_PID, text);
    ph_profile_add_sample(profile, &location, 1, labels, count, values);
}

/* The founder's 100 bytes, in code that this program has, and what the process itself has. */
static struct ph_profile *make_part(bool is_founder, enum flavour flavour)
{
    struct ph_profile *profile = rich_heap(1);
    struct ph_modules modules;
    char comment[40];
    uint64_t address = (uint64_t)(uintptr_t)known_function + 1;
    assert_int_equal(ph_modules_self(&modules, NULL), 0);
    assert_int_equal(ph_modules_into_profile(&modules, profile, NULL), 0);
    ph_modules_fini(&modules);
    uint32_t mapping = 1;
    while (address < profile->mappings[mapping - 1].start || address >= profile->mappings[mapping - 1].limit)
        mapping++;
    add(profile, mapping, address, 0, !is_founder, 100);
    if (!is_founder)
        add(profile, mapping, address, getpid(), false, 10);
    if (flavour == LATE)
        add(profile, mapping, (uint64_t)(uintptr_t)known_later + 1, getpid(), false, 7);
    if (flavour == WITH_FOREIGN) {
        struct ph_mapping foreign = {.start = FOREIGN_START, .limit = FOREIGN_START + 0x1000};
        foreign.file = ph_profile_string(profile, "/late.so");
        add(profile, ph_profile_add_mapping(profile, &foreign), FOREIGN_START + 0x10, getpid(), false, 5);
    }
    snprintf(comment, sizeof(comment), "process %d, started 1", (int)getpid());
    ph_profile_add_comment(profile, comment);
    profile->duration_ns = 2 * PH_NS_PER_S;
    return profile;
}

static char *make_answer(enum flavour flavour, size_t *ret_bytes)
{
    struct ph_profile *profile = flavour == OTHER_PROFILE ? rich_profile() : make_part(false, flavour);
    struct ph_buf body = PH_BUF_INIT;
    if (flavour == WITH_GARBAGE)
        ph_buf_text(&body, "\x0a\xff no profile");
    else if (flavour == BUSY)
        ph_buf_text(&body, "32 profiles are being made already; try again\n");
    else if (ph_pprof_write_bare(profile, &body, NULL) < 0)
        _exit(3);
    char *answer = member_answer(getpid(),
                                 flavour == BUSY        ? "503 Service Unavailable"
                                 : flavour == OTHER_KEY ? "403 Forbidden"
                                                        : "200 OK",
                                 body.data, body.size_bytes, ret_bytes);
    ph_buf_fini(&body);
    ph_profile_free(profile);
    return answer;
}

static int be_member(void *argument)
{
    enum flavour flavour = *(enum flavour *)argument;
    struct member_script script = {0};
    uint32_t row;
    static const char names[] = "num_symbols: 1\n0x7000010\tlate_function\n";
    size_t names_bytes;
    if (flavour != SILENT)
        script.answer = make_answer(flavour, &script.answer_bytes);
    if (flavour == LATE)
        script.delay_ms = LATE_MS;
    if (flavour == VERY_LATE)
        script.delay_ms = VERY_LATE_MS;
    script.symbol_answer = member_answer(getpid(), "200 OK", names, sizeof(names) - 1, &names_bytes);
    member_start(getpid(), &script);
    if (ph_segment_join(segment, &row) < 0)
        return 2;
    fixture_tell(reports[1], 'm', 0);
    for (;;)
        pause();
}

static pid_t start(enum flavour flavour)
{
    struct fixture_report report;
    pid_t pid = fixture_child(be_member, &flavour);
    assert_true(fixture_hear(reports[0], 20000, &report));
    return pid;
}

/* ---- asking ---- */

static int own_part(void *context, struct ph_modules *ret_modules, struct ph_profile **ret_profile,
                    struct ph_error *error)
{
    *ret_profile = make_part(true, OWN_ONLY);
    return ph_modules_self(ret_modules, error);
}

static int try_gather(struct ph_gathered *ret_gathered, struct ph_error *error)
{
    struct ph_gathering gathering = {
        .probe = &member_probe,
        .segment = segment,
        .target = "/debug/pprof/heap",
        .own = own_part,
    };
    return ph_gather(&gathering, ret_gathered, error);
}

static struct ph_gathered gather(void)
{
    struct ph_gathered gathered;
    struct ph_error error = {0, ""};
    if (try_gather(&gathered, &error) < 0)
        fail_msg("%s", error.text);
    assert_int_equal(ph_profile_check(gathered.profile, NULL), 0);
    return gathered;
}

static int64_t total(const struct ph_gathered *gathered)
{
    return ph_profile_total(gathered->profile, PH_HEAP_INUSE_SPACE);
}

static bool has_comment(const struct ph_gathered *gathered, const char *format, pid_t pid, const char *part)
{
    char begin[64];
    snprintf(begin, sizeof(begin), format, (int)pid);
    for (uint32_t i = 0; i < gathered->profile->comment_count; i++) {
        const char *text = ph_profile_text(gathered->profile, gathered->profile->comments[i]);
        if (strncmp(text, begin, strlen(begin)) == 0 && strstr(text, part))
            return true;
    }
    return false;
}

static bool has_function(const struct ph_gathered *gathered, const char *name)
{
    for (uint32_t i = 0; i < gathered->profile->function_count; i++)
        if (strcmp(ph_profile_text(gathered->profile, gathered->profile->functions[i].name), name) == 0)
            return true;
    return false;
}

static void the_parts_of_all_become_one_with_names(void **state)
{
    pid_t a = start(OWN_ONLY), b = start(OWN_ONLY);
    struct ph_gathered gathered = gather();
    assert_int_equal(total(&gathered), 100 + 10 + 10);
    assert_int_equal(gathered.profile->sample_count, 3);
    assert_int_equal(gathered.absent_count, 0);
    assert_true(has_function(&gathered, "known_function"));
    assert_true(has_comment(&gathered, "process %d", a, "started"));
    assert_true(has_comment(&gathered, "process %d", b, "started"));
    assert_true(has_comment(&gathered, "process %d", getpid(), "started"));
    assert_int_equal(gathered.profile->duration_ns, 2 * PH_NS_PER_S);
    ph_gathered_fini(&gathered);
    fixture_end(a);
    fixture_end(b);
}

static void over_seconds_each_comment_says_whose_it_is(void **state)
{
    pid_t a = start(OWN_ONLY);
    struct ph_gathered gathered;
    struct ph_gathering gathering = {.probe = &member_probe,
                                     .segment = segment,
                                     .target = "/debug/pprof/wall?seconds=1",
                                     .seconds = 1,
                                     .own = own_part};
    assert_int_equal(ph_gather(&gathering, &gathered, NULL), 0);
    assert_int_equal(total(&gathered), 100 + 10);
    assert_true(has_comment(&gathered, "process %d: process ", a, "started"));
    assert_true(has_comment(&gathered, "process %d: process ", getpid(), "started"));
    ph_gathered_fini(&gathered);
    fixture_end(a);
}

/* What was there before was given its names meanwhile. */
static void who_comes_last_is_merged_and_named_like_all(void **state)
{
    pid_t a = start(OWN_ONLY), b = start(LATE);
    struct ph_gathered gathered = gather();
    assert_int_equal(total(&gathered), 100 + 10 + 10 + 7);
    assert_int_equal(gathered.profile->sample_count, 4);
    assert_int_equal(gathered.profile->location_count, 2);
    assert_int_equal(gathered.profile->function_count, 2);
    assert_true(has_function(&gathered, "known_function"));
    assert_true(has_function(&gathered, "known_later"));
    ph_gathered_fini(&gathered);
    fixture_end(a);
    fixture_end(b);
}

static void who_is_given_more_time_may_take_it(void **state)
{
    pid_t a = start(VERY_LATE);
    struct ph_gathered gathered;
    struct ph_gathering gathering = {.probe = &member_probe,
                                     .segment = segment,
                                     .target = "/debug/pprof/threads",
                                     .patience_seconds = 20,
                                     .own = own_part};
    assert_int_equal(ph_gather(&gathering, &gathered, NULL), 0);
    assert_int_equal(total(&gathered), 100 + 10);
    assert_int_equal(gathered.absent_count, 0);
    ph_gathered_fini(&gathered);
    fixture_end(a);
}

static void alone_it_is_the_own_part(void **state)
{
    struct ph_gathered gathered = gather();
    assert_int_equal(total(&gathered), 100);
    ph_gathered_fini(&gathered);
}

static void what_only_others_have_mapped_they_name(void **state)
{
    pid_t a = start(OWN_ONLY), b = start(WITH_FOREIGN), c = start(WITH_FOREIGN);
    struct ph_gathered gathered = gather();
    const struct ph_mapping *last = &gathered.profile->mappings[gathered.profile->mapping_count - 1];
    assert_int_equal(total(&gathered), 100 + 3 * 10 + 2 * 5);
    assert_true(has_function(&gathered, "late_function"));
    assert_true(has_function(&gathered, "known_function"));
    assert_string_equal(ph_profile_text(gathered.profile, last->file), "/late.so");
    assert_true(last->has_functions); /* or pprof asks the front, which has something else there */
    ph_gathered_fini(&gathered);
    fixture_end(a);
    fixture_end(b);
    fixture_end(c);
}

/* Each reason at once, and one who answers. */
static void who_fails_is_named_and_the_rest_is_served(void **state)
{
    pid_t fine = start(OWN_ONLY), silent = start(SILENT), busy = start(BUSY), garbage = start(WITH_GARBAGE),
          exec = start(OTHER_KEY), other = start(OTHER_PROFILE);
    struct ph_tally before = ph_tally_read(), after;
    struct ph_gathered gathered = gather();
    assert_int_equal(total(&gathered), 110);
    assert_int_equal(gathered.absent_count, 4);
    assert_true(has_comment(&gathered, "process %d (test_gather) did not answer in 2", silent, " s"));
    assert_true(has_comment(&gathered, "process %d (test_gather) answered 503: 32 profiles", busy, "try again"));
    assert_true(has_comment(&gathered, "process %d (test_gather)", garbage, "no whole profile"));
    assert_true(has_comment(&gathered, "process %d (test_gather)", other, "no whole profile"));
    assert_true(has_comment(&gathered, "process %d (test_gather)", exec, "another program"));
    after = ph_tally_read();
    assert_int_equal(after.unanswered_count[PH_UNANSWERED_LATE] - before.unanswered_count[PH_UNANSWERED_LATE], 1);
    assert_int_equal(after.unanswered_count[PH_UNANSWERED_BROKEN] - before.unanswered_count[PH_UNANSWERED_BROKEN],
                     2);
    assert_int_equal(after.last_asked_count, 6);
    assert_int_equal(after.last_unanswered_count, 5);
    ph_gathered_fini(&gathered);
    const pid_t all[] = {fine, silent, busy, garbage, exec, other};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        fixture_end(all[i]);
}

static void who_is_absent_in_one_is_left_out_of_both(void **state)
{
    pid_t a = start(OWN_ONLY), b = start(OWN_ONLY);
    struct ph_gathered earlier = gather(), later;
    fixture_hold(a); /* it does not answer any more */
    later = gather();
    assert_int_equal(total(&earlier), 120);
    assert_int_equal(total(&later), 110);
    assert_int_equal(later.absent_count, 1);
    assert_int_equal(later.absent[0], a);
    ph_gathered_align(&earlier, &later);
    assert_int_equal(total(&earlier), 110);
    assert_int_equal(total(&later), 110);
    ph_gathered_fini(&earlier);
    ph_gathered_fini(&later);
    fixture_end(a);
    fixture_end(b);
}

static int no_part(void *context, struct ph_modules *ret_modules, struct ph_profile **ret_profile,
                   struct ph_error *error)
{
    return ph_error_set(error, -ENOTSUP, "tcmalloc serves malloc()");
}

static void without_an_own_part_there_is_none(void **state)
{
    pid_t a = start(OWN_ONLY);
    struct ph_gathering gathering = {
        .probe = &member_probe, .segment = segment, .target = "/debug/pprof/heap", .own = no_part};
    struct ph_gathered gathered;
    struct ph_error error = {0, ""};
    assert_int_equal(ph_gather(&gathering, &gathered, &error), -ENOTSUP);
    assert_string_equal(error.text, "tcmalloc serves malloc()");
    fixture_end(a);
}

static bool always(void *context)
{
    return true;
}

static void it_ends_when_it_is_cancelled(void **state)
{
    pid_t a = start(SILENT);
    struct ph_ask_cancel cancel = {.client_fd = -1, .is_cancelled = always};
    struct ph_gathering gathering = {.probe = &member_probe,
                                     .segment = segment,
                                     .target = "/debug/pprof/heap",
                                     .own = own_part,
                                     .cancel = &cancel};
    struct ph_gathered gathered;
    assert_int_equal(ph_gather(&gathering, &gathered, NULL), -ECANCELED);
    fixture_end(a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_parts_of_all_become_one_with_names),
        TEST(over_seconds_each_comment_says_whose_it_is),
        TEST(who_comes_last_is_merged_and_named_like_all),
        TEST(who_is_given_more_time_may_take_it),
        TEST(alone_it_is_the_own_part),
        TEST(what_only_others_have_mapped_they_name),
        TEST(who_fails_is_named_and_the_rest_is_served),
        TEST(who_is_absent_in_one_is_left_out_of_both),
        TEST(without_an_own_part_there_is_none),
        TEST(it_ends_when_it_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
