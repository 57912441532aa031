/* Labels of threads: what the public functions do to the set that a thread carries, and how sets are kept. The probe is linked
 * into this program. */
#include "porthole/porthole.h"

#include "probe/counters.h"
#include "probe/guard.h"
#include "probe/labels.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NO_UTF8 "caf\xe9"

/* The labels of the calling thread as "key=value key=value". */
static const char *carried(void)
{
    static __thread char text[PH_LABELS_MAX * 200];
    const struct ph_label_set *set = ph_label_set(ph_tls.label_set);
    size_t size = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < set->count; i++)
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%s=%s", i ? " " : "", set->labels[i].key,
                                 set->labels[i].value);
    return text;
}

static int clear_all(void **state)
{
    (void)state;
    porthole_label_clear(NULL);
    return 0;
}

/* What @body returns in a forked child: what it does to the table is not seen here. */
static int in_child(int (*body)(void))
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(body());
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_thread_has_the_labels_it_has_set_sorted_by_key(void **state)
{
    (void)state;
    assert_string_equal(carried(), "");
    assert_int_equal(porthole_label_set("handler", "/thumbnail"), 0);
    assert_string_equal(carried(), "handler=/thumbnail");
    assert_int_equal(porthole_label_set("a", "1"), 0);
    assert_int_equal(porthole_label_set("z", "2"), 0);
    assert_string_equal(carried(), "a=1 handler=/thumbnail z=2");
}

static void the_same_key_replaces_its_value(void **state)
{
    (void)state;
    assert_int_equal(porthole_label_set("stage", "parse"), 0);
    assert_int_equal(porthole_label_set("handler", "/x"), 0);
    assert_int_equal(porthole_label_set("stage", "render"), 0);
    assert_string_equal(carried(), "handler=/x stage=render");
}

static void clearing_takes_one_label_or_all(void **state)
{
    (void)state;
    porthole_label_set("a", "1");
    porthole_label_set("b", "2");
    porthole_label_set("c", "3");
    porthole_label_clear("b");
    assert_string_equal(carried(), "a=1 c=3");
    porthole_label_clear("nobody");
    porthole_label_clear("");
    assert_string_equal(carried(), "a=1 c=3");
    porthole_label_clear("a");
    porthole_label_clear("c");
    assert_string_equal(carried(), "");
    porthole_label_set("a", "1");
    porthole_label_clear(NULL);
    assert_string_equal(carried(), "");
}

static void texts_are_copied(void **state)
{
    (void)state;
    char key[] = "key", value[] = "value";
    assert_int_equal(porthole_label_set(key, value), 0);
    memset(key, 'x', 3);
    memset(value, 'x', 5);
    assert_string_equal(carried(), "key=value");
}

static void what_is_no_label_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    char long_key[PH_LABEL_KEY_BYTES_MAX + 2] = "", long_value[PH_LABEL_VALUE_BYTES_MAX + 2] = "";
    memset(long_key, 'k', sizeof(long_key) - 1);
    memset(long_value, 'v', sizeof(long_value) - 1);
    porthole_label_set("a", "1");
    uint64_t refused = ph_counters.labels_refused;
    assert_int_equal(porthole_label_set("", "1"), -EINVAL);
    assert_int_equal(porthole_label_set("b", ""), -EINVAL);
    assert_int_equal(porthole_label_set(NULL, "1"), -EINVAL);
    assert_int_equal(porthole_label_set("b", NULL), -EINVAL);
    assert_int_equal(porthole_label_set(NO_UTF8, "1"), -EINVAL);
    assert_int_equal(porthole_label_set("b", NO_UTF8), -EINVAL);
    assert_int_equal(porthole_label_set("a", NO_UTF8), -EINVAL);
    assert_int_equal(ph_counters.labels_refused, refused);
    assert_int_equal(porthole_label_set(long_key, "1"), -EINVAL);
    assert_int_equal(porthole_label_set("b", long_value), -EINVAL);
    assert_int_equal(ph_counters.labels_refused, refused + 2);
    assert_string_equal(carried(), "a=1");
    assert_int_equal(porthole_label_set(long_key + 1, long_value + 1), 0); /* the longest that there are */
    assert_int_equal(porthole_label_set("ü", "é"), 0);
}

/* The header says which they are: one that comes to it must come to the list, too. */
static void keys_of_porthole_are_refused(void **state)
{
    (void)state;
    char line[256], name[64], key[64];
    unsigned count = 0;
    FILE *header = fopen(PH_LABELS_HEADER, "r");
    assert_non_null(header);
    while (fgets(line, sizeof(line), header)) {
        if (sscanf(line, "#define PH_LABEL_%63s \"%63[^\"]\"", name, key) != 2 || strcmp(name, "INHERITED") == 0)
            continue; /* that one is a value */
        count++;
        if (porthole_label_set(key, "1") != -EINVAL)
            fail_msg("%s is not refused", key);
    }
    fclose(header);
    assert_true(count >= 16);
    assert_string_equal(carried(), "");
}

static void the_ninth_label_is_refused_and_counted(void **state)
{
    (void)state;
    const char *eight = "a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1";
    char key[] = "a";
    for (; key[0] <= 'h'; key[0]++)
        assert_int_equal(porthole_label_set(key, "1"), 0);
    uint64_t refused = ph_counters.labels_refused;
    assert_int_equal(porthole_label_set("i", "1"), -ENOSPC);
    assert_string_equal(carried(), eight);
    assert_int_equal(ph_counters.labels_refused, refused + 1);
    assert_int_equal(porthole_label_set("h", "2"), 0);
    assert_string_equal(carried(), "a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=2");
}

/* ---- scopes ---- */

static int scope_left_by_return(void)
{
    PORTHOLE_LABEL("handler", "/inner");
    assert_string_equal(carried(), "handler=/inner");
    return 7;
}

static void a_scope_gives_the_value_back_also_after_return(void **state)
{
    (void)state;
    porthole_label_set("handler", "/outer");
    assert_int_equal(scope_left_by_return(), 7);
    assert_string_equal(carried(), "handler=/outer");
    {
        PORTHOLE_LABEL("stage", "parse");
        PORTHOLE_LABEL("handler", "/x");
        assert_string_equal(carried(), "handler=/x stage=parse");
        for (int i = 0; i < 3; i++) {
            PORTHOLE_LABEL("stage", "render");
            assert_string_equal(carried(), "handler=/x stage=render");
        }
        assert_string_equal(carried(), "handler=/x stage=parse");
    }
    assert_string_equal(carried(), "handler=/outer");
}

static void a_scope_leaves_other_labels_as_they_are(void **state)
{
    (void)state;
    {
        PORTHOLE_LABEL("stage", "parse");
        porthole_label_set("user", "me");
    }
    assert_string_equal(carried(), "user=me");
    {
        PORTHOLE_LABEL("user", "me"); /* nothing new, until it changes inside */
        porthole_label_set("user", "you");
        porthole_label_set("a", "1");
    }
    assert_string_equal(carried(), "a=1 user=me");
    {
        PORTHOLE_LABEL("user", "you");
        porthole_label_clear(NULL);
    }
    assert_string_equal(carried(), "user=me");
}

static void a_scope_outlives_the_text_of_its_key(void **state)
{
    (void)state;
    {
        char key[] = "stage";
        PORTHOLE_LABEL(key, "parse");
        porthole_label_set("a", "1");
        memset(key, 'x', 5);
    }
    assert_string_equal(carried(), "a=1");
}

static void a_scope_that_is_refused_changes_nothing(void **state)
{
    (void)state;
    porthole_label_set("a", "1");
    {
        PORTHOLE_LABEL("tid", "1");
        PORTHOLE_LABEL("b", "");
        assert_string_equal(carried(), "a=1");
        porthole_label_set("a", "2");
    }
    assert_string_equal(carried(), "a=2");
}

/* ---- threads and processes ---- */

static void *carries_nothing(void *nothing)
{
    assert_string_equal(carried(), "");
    porthole_label_set("a", "2");
    return nothing;
}

static void a_new_thread_has_no_labels_and_its_own_are_not_ours(void **state)
{
    (void)state;
    pthread_t thread;
    porthole_label_set("a", "1");
    assert_int_equal(pthread_create(&thread, NULL, carries_nothing, NULL), 0);
    pthread_join(thread, NULL);
    assert_string_equal(carried(), "a=1");
}

static int child_goes_on(void)
{
    bool kept = strcmp(carried(), "a=1") == 0;
    uint32_t parents = ph_tls.label_set;
    porthole_label_set("of", "child");
    bool grew = strcmp(carried(), "a=1 of=child") == 0;
    porthole_label_clear("of");
    return kept && grew && ph_tls.label_set == parents ? 0 : 1;
}

static void a_forked_child_keeps_the_labels_and_their_numbers(void **state)
{
    (void)state;
    porthole_label_set("a", "1");
    assert_int_equal(in_child(child_goes_on), 0);
    assert_string_equal(carried(), "a=1");
}

/* ---- how sets are kept ---- */

static void equal_sets_have_one_number_however_they_came_to_be(void **state)
{
    (void)state;
    porthole_label_set("a", "1");
    porthole_label_set("b", "2");
    uint32_t number = ph_tls.label_set;
    porthole_label_clear(NULL);
    porthole_label_set("b", "2");
    porthole_label_set("a", "3");
    porthole_label_set("c", "1");
    porthole_label_set("a", "1");
    assert_int_not_equal(ph_tls.label_set, number);
    porthole_label_clear("c");
    assert_int_equal(ph_tls.label_set, number);
    porthole_label_clear(NULL);
    porthole_label_set("a", "2"); /* other pairs of the same texts */
    porthole_label_set("b", "1");
    assert_int_not_equal(ph_tls.label_set, number);
}

static void a_number_that_was_never_given_is_an_empty_set(void **state)
{
    (void)state;
    assert_int_equal(ph_label_set(0)->count, 0);
    assert_int_equal(ph_label_set(PH_LABEL_SETS_MAX)->count, 0);
    assert_int_equal(ph_label_set(PH_LABEL_SETS_MAX + 1)->count, 0);
    assert_int_equal(ph_label_set(UINT32_MAX)->count, 0);
}

#define CHECK(condition)                                                                                           \
    if (!(condition))                                                                                              \
    return __LINE__ % 250 + 1

/* In a child: the table is full from here on. */
static int fill_the_table(void)
{
    char value[16];
    int status = 0, last = 0;
    uint32_t last_set = 0;
    uint64_t refused = ph_counters.labels_refused;
    for (int i = 0; i <= PH_LABEL_SETS_MAX && status == 0; i++) {
        snprintf(value, sizeof(value), "%d", i);
        status = porthole_label_set("request", value);
        last = status == 0 ? i : last;
        last_set = ph_tls.label_set > last_set ? ph_tls.label_set : last_set;
    }
    CHECK(last_set == PH_LABEL_SETS_MAX);
    snprintf(value, sizeof(value), "request=%d", last);
    CHECK(status == -ENOSPC && ph_counters.labels_refused == refused + 1);
    CHECK(strcmp(carried(), value) == 0);           /* as it was */
    CHECK(porthole_label_set("request", "7") == 0); /* what is known, can be used */
    CHECK(porthole_label_set("more", "1") == -ENOSPC);
    CHECK(strcmp(carried(), "request=7") == 0);
    {
        PORTHOLE_LABEL("request", "8");
        PORTHOLE_LABEL("more", "1");
        CHECK(strcmp(carried(), "request=8") == 0);
    }
    CHECK(strcmp(carried(), "request=7") == 0);
    porthole_label_clear("request");
    CHECK(strcmp(carried(), "") == 0);
    CHECK(ph_counters.labels_refused == refused + 3);
    return 0;
}

static void when_there_is_no_room_labels_stay_as_they_were_and_it_is_counted(void **state)
{
    (void)state;
    assert_int_equal(in_child(fill_the_table), 0);
}

static int clear_in_a_full_table(void)
{
    porthole_label_set("a", "1");
    porthole_label_set("b", "1");
    porthole_label_set("c", "1");
    CHECK(fill_the_table() != 0); /* what it says of three labels is not asked here */
    porthole_label_clear(NULL);
    porthole_label_set("a", "1");
    porthole_label_set("b", "1");
    porthole_label_set("c", "1");
    CHECK(strcmp(carried(), "a=1 b=1 c=1") == 0);
    porthole_label_clear("b"); /* a=1 c=1 was never there */
    CHECK(strcmp(carried(), "") == 0);
    return 0;
}

static void clearing_without_room_for_what_is_left_clears_all(void **state)
{
    (void)state;
    assert_int_equal(in_child(clear_in_a_full_table), 0);
}

/* ---- many threads at once: equal sets get one number, and each number stands for what was set ---- */

#define THREADS 8
#define SETS    200

static uint32_t given[THREADS][SETS];
static pthread_barrier_t together;

static void *intern_all(void *argument)
{
    long thread = (long)argument;
    char value[32], own[32], text[96];
    snprintf(own, sizeof(own), "thread-%ld", thread);
    for (int i = 0; i < SETS; i++) {
        snprintf(value, sizeof(value), "value-%d", i);
        if (i % 20 == 0)
            pthread_barrier_wait(&together);
        porthole_label_set("same", value);
        given[thread][i] = ph_tls.label_set;
        porthole_label_set("own", own);
        snprintf(text, sizeof(text), "own=%s same=%s", own, value);
        assert_string_equal(carried(), text);
        porthole_label_clear("own");
        assert_int_equal(ph_tls.label_set, given[thread][i]);
    }
    return NULL;
}

static int intern_on_many_threads(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&together, NULL, THREADS);
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, intern_all, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i < THREADS; i++)
        CHECK(memcmp(given[0], given[i], sizeof(given[0])) == 0);
    return 0;
}

static void many_threads_at_once_agree_on_the_numbers(void **state)
{
    (void)state;
    assert_int_equal(in_child(intern_on_many_threads), 0);
}

/* ---- at random, against a list that is searched ---- */

struct model {
    char values['h' - 'a' + 1][4]; /* "" for a key that is not set */
};

static const char *model_text(const struct model *model)
{
    static char text[128];
    size_t size = 0;
    text[0] = '\0';
    for (char key = 'a'; key <= 'h'; key++)
        if (model->values[key - 'a'][0])
            size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%c=%s", size ? " " : "", key,
                                     model->values[key - 'a']);
    return text;
}

static void step_at_random(struct model *model, unsigned *seed)
{
    char key[] = {(char)('a' + rand_r(seed) % 8), '\0'}, value[4];
    snprintf(value, sizeof(value), "%d", rand_r(seed) % 2);
    switch (rand_r(seed) % 8) {
    case 0:
        porthole_label_clear(NULL);
        memset(model, 0, sizeof(*model));
        break;
    case 1:
    case 2:
        porthole_label_clear(key);
        model->values[key[0] - 'a'][0] = '\0';
        break;
    default:
        if (porthole_label_set(key, value) == 0)
            strcpy(model->values[key[0] - 'a'], value);
    }
}

/* 3^8 sets are possible, and 4,096 have room: both sides of the end are met. */
static int act_at_random(void)
{
    static char texts[PH_LABEL_SETS_MAX + 1][128];
    struct model model = {0};
    unsigned seed = 1;
    for (int step = 0; step < 60000; step++) {
        uint64_t refused = ph_counters.labels_refused;
        step_at_random(&model, &seed);
        if (ph_counters.labels_refused > refused && ph_tls.label_set == 0)
            memset(&model, 0, sizeof(model)); /* a label that could not be taken away */
        CHECK(strcmp(carried(), model_text(&model)) == 0);
        char *text = texts[ph_tls.label_set];
        CHECK(!text[0] || strcmp(text, carried()) == 0); /* a number stands for one set for ever */
        strcpy(text, carried());
    }
    CHECK(ph_counters.labels_refused > 0);
    return 0;
}

static void at_random_a_thread_has_what_a_simple_list_has(void **state)
{
    (void)state;
    assert_int_equal(in_child(act_at_random), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_thread_has_the_labels_it_has_set_sorted_by_key, clear_all),
        cmocka_unit_test_setup(the_same_key_replaces_its_value, clear_all),
        cmocka_unit_test_setup(clearing_takes_one_label_or_all, clear_all),
        cmocka_unit_test_setup(texts_are_copied, clear_all),
        cmocka_unit_test_setup(what_is_no_label_is_refused_and_changes_nothing, clear_all),
        cmocka_unit_test_setup(keys_of_porthole_are_refused, clear_all),
        cmocka_unit_test_setup(the_ninth_label_is_refused_and_counted, clear_all),
        cmocka_unit_test_setup(a_scope_gives_the_value_back_also_after_return, clear_all),
        cmocka_unit_test_setup(a_scope_leaves_other_labels_as_they_are, clear_all),
        cmocka_unit_test_setup(a_scope_outlives_the_text_of_its_key, clear_all),
        cmocka_unit_test_setup(a_scope_that_is_refused_changes_nothing, clear_all),
        cmocka_unit_test_setup(a_new_thread_has_no_labels_and_its_own_are_not_ours, clear_all),
        cmocka_unit_test_setup(a_forked_child_keeps_the_labels_and_their_numbers, clear_all),
        cmocka_unit_test_setup(equal_sets_have_one_number_however_they_came_to_be, clear_all),
        cmocka_unit_test_setup(a_number_that_was_never_given_is_an_empty_set, clear_all),
        cmocka_unit_test_setup(when_there_is_no_room_labels_stay_as_they_were_and_it_is_counted, clear_all),
        cmocka_unit_test_setup(clearing_without_room_for_what_is_left_clears_all, clear_all),
        cmocka_unit_test_setup(many_threads_at_once_agree_on_the_numbers, clear_all),
        cmocka_unit_test_setup(at_random_a_thread_has_what_a_simple_list_has, clear_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
