/* cmd_watch.c - what grows in a running program, since when and where: `porthole diff`, live. */
#include "base/clock.h"
#include "tools/args.h"
#include "tools/command.h"
#include "tools/diff_options.h"
#include "tools/diff_words.h"
#include "tools/duration.h"
#include "tools/live.h"
#include "tools/screen.h"
#include "tools/signals.h"
#include "tools/watch_view.h"
#include "tools/watcher.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define EVERY_DEFAULT_NS (10 * PH_NS_PER_S)
#define EVERY_LEAST_NS   (100 * PH_NS_PER_MS)
#define PATIENCE_NS      (60 * PH_NS_PER_S)
#define COUNT_MAX        1000000000

enum { EVERY = PH_DIFF_KEY_END, COUNT, GC, PATIENCE };

static const struct ph_flag flags[] = {
    {EVERY, "every", "DURATION", "take one profile every so often: 500ms, 10s, 2m, 1h [10s]"},
    {COUNT, "count", "N", "end after N profiles, with exit status 3 if something grew"},
    {GC, "gc", NULL, "flush the allocator's caches before each, so that what is free is seen as free"},
    {PATIENCE, "patience", "DURATION", "take the program for gone when it was silent for so long [1m]"},
    PH_DIFF_FLAGS,
    {0},
};

struct watch {
    struct ph_diff_options options;
    struct ph_live live;
    struct ph_watcher watcher;
    struct ph_watch_view view;
    uint64_t count; /* 0 for no end */
    bool is_drawn;  /* on a screen; else a block for each profile */
    bool has_quit;  /* by key */
    struct ph_error last_words;
};

static struct watch *watched; /* by keys_say_stop() */

static int take(const struct ph_command *command, void *context, int key, const char *value)
{
    struct watch *watch = context;
    switch (key) {
    case EVERY:
        return ph_take_duration(command, "every", value, EVERY_LEAST_NS, &watch->live.every_ns);
    case PATIENCE:
        return ph_take_duration(command, "patience", value, PH_NS_PER_MS, &watch->live.patience_ns);
    case COUNT:
        return ph_take_count(command, "count", value, COUNT_MAX, &watch->count);
    case GC:
        watch->live.collect_first = true;
        return PH_EXIT_DONE;
    default:
        return ph_diff_options_take(command, &watch->options, key, value);
    }
}

/* ---- The screen ---- */

static void open_screen(struct watch *watch)
{
    ph_signals_note(SIGWINCH);
    ph_signals_note(SIGTSTP);
    ph_signals_note(SIGCONT);
    ph_screen_open();
    watch->is_drawn = true;
}

/* True if something has to be drawn again. */
static bool take_keys(struct watch *watch)
{
    enum ph_key key;
    bool is_changed = false;
    while (watch->is_drawn && !watch->has_quit && (key = ph_screen_key()) != PH_SCREEN_NO_KEY) {
        watch->has_quit = key == PH_SCREEN_QUIT;
        ph_watch_view_scroll(&watch->view, key);
        is_changed = true;
    }
    return is_changed;
}

/* Ctrl-Z: the shell gets its terminal as it was. It says SIGCONT when we are back; the terminal may be another now, and
 * after a SIGSTOP from elsewhere in any state. */
static void take_signals(void)
{
    ph_signals_take(SIGWINCH);
    if (ph_signals_take(SIGTSTP)) {
        ph_screen_close();
        raise(SIGSTOP);
    }
    if (ph_signals_take(SIGCONT)) {
        ph_screen_close();
        ph_screen_open();
    }
}

static bool is_over(const struct watch *watch)
{
    return ph_signals_ended() || watch->has_quit;
}

/* Asked while we wait for an answer, which may take long: keys count then, too. */
static bool keys_say_stop(void)
{
    take_keys(watched);
    return is_over(watched);
}

static void wait_for_tick(struct watch *watch)
{
    int64_t due_ns = watch->live.pace.due_ns, now_ns;
    while (!is_over(watch) && (now_ns = ph_clock_monotonic_ns()) < due_ns) {
        int64_t second_ns = now_ns + PH_NS_PER_S;
        if (watch->is_drawn)
            ph_watch_view_draw(&watch->view);
        ph_signals_wait(watch->is_drawn && second_ns < due_ns ? second_ns : due_ns,
                        watch->is_drawn ? ph_screen_keys() : -1);
        if (watch->is_drawn)
            take_signals();
        take_keys(watch);
    }
}

/* ---- Profiles ---- */

/* Below the report, where there is a screen. */
static void say(struct watch *watch, const char *text)
{
    if (watch->is_drawn)
        ph_error_set(&watch->view.notice, -EAGAIN, "%s", text);
    else
        ph_complain("%s", text);
}

static void say_silent(struct watch *watch, uint32_t silent_before, const struct ph_error *error)
{
    char text[2 * PH_ERROR_TEXT_MAX];
    snprintf(text, sizeof(text), "%s; asking again every %s", error->text,
             ph_duration_text(watch->live.every_ns).text);
    if (watch->is_drawn || silent_before == 0)
        say(watch, text);
}

static int show(struct watch *watch, const struct ph_profile *profile, bool is_restarted)
{
    watch->view.notice.code = 0;
    if (ph_watcher_add(&watch->watcher, profile, &watch->last_words) < 0)
        return PH_EXIT_FAILURE;
    if (is_restarted)
        say(watch, "the program was restarted");
    if (!watch->is_drawn && ph_screen_is_possible())
        open_screen(watch);
    if (!watch->is_drawn)
        ph_watch_view_print(&watch->view);
    return PH_EXIT_DONE;
}

/* Nobody is there, or somebody else. */
static int end(struct watch *watch, enum ph_live_event event, const struct ph_error *error)
{
    bool was_seen = watch->watcher.number > 0;
    bool has_ended = was_seen && event == PH_LIVE_GONE && watch->live.target.kind == PH_TARGET_PID;
    ph_error_set(&watch->last_words, error->code, "%s", has_ended ? "the process has ended" : error->text);
    return was_seen ? PH_EXIT_DONE : PH_EXIT_FAILURE;
}

/* False if it was the last tick; the exit status then in @ret_status. */
static bool tick(struct watch *watch, int *ret_status)
{
    struct ph_error error = {0};
    struct ph_profile *profile = NULL;
    uint32_t silent_before;
    enum ph_live_event event = ph_live_ask(&watch->live, &profile, &silent_before, &error);
    switch (event) {
    case PH_LIVE_PROFILE:
    case PH_LIVE_RESTARTED:
        break;
    case PH_LIVE_SILENT:
        say_silent(watch, silent_before, &error);
        return true;
    case PH_LIVE_GIVEN_UP:
        return true;
    default:
        *ret_status = end(watch, event, &error);
        return false;
    }
    *ret_status = show(watch, profile, event == PH_LIVE_RESTARTED);
    ph_profile_free(profile);
    return *ret_status == PH_EXIT_DONE;
}

/* As diff without --fail-on. */
static int judge(const struct ph_growth_report *report)
{
    return report && ph_diff_has_grown(report, PH_GROWTH_PLATEAU) ? PH_EXIT_GREW : PH_EXIT_DONE;
}

static int watch_on(struct watch *watch)
{
    int status = PH_EXIT_DONE;
    watched = watch;
    ph_signals_end();
    ph_live_start(&watch->live);
    for (;;) {
        wait_for_tick(watch);
        if (is_over(watch) || !tick(watch, &status))
            break;
        if (watch->count && watch->watcher.number >= watch->count) {
            status = judge(watch->watcher.report);
            break;
        }
    }
    ph_screen_close();
    if (watch->is_drawn && watch->watcher.report)
        ph_watch_view_print(&watch->view); /* the screen took it along */
    if (watch->last_words.code)
        ph_complain("%s", watch->last_words.text);
    return status;
}

static int run(const struct ph_command *command, int argc, char **argv)
{
    struct watch watch = {
        .options = PH_DIFF_OPTIONS_INIT,
        .live = {.every_ns = EVERY_DEFAULT_NS, .patience_ns = PATIENCE_NS, .is_given_up = keys_say_stop},
    };
    struct ph_target target;
    struct ph_error error;
    int exit_status;
    if (!ph_args_read(command, argc, argv, take, &watch, &exit_status))
        return exit_status;
    if ((exit_status = ph_diff_options_finish(command, &watch.options)) != PH_EXIT_DONE)
        return exit_status;
    if ((exit_status = ph_take_live_target(command, argc, argv, &target)) != PH_EXIT_DONE)
        return exit_status;
    if (ph_watcher_init(&watch.watcher, &watch.options.growth, &error) < 0)
        return ph_usage_error(command, "%s", error.text);
    watch.live.target = target;
    watch.live.token_file = watch.options.token_file;
    watch.live.decode = &watch.options.decode;
    watch.view = (struct ph_watch_view){.options = &watch.options, .live = &watch.live, .watcher = &watch.watcher};
    exit_status = watch_on(&watch);
    ph_watcher_fini(&watch.watcher);
    return exit_status;
}

const struct ph_command ph_cmd_watch = {
    .name = "watch",
    .operands = "PID|NAME|URL",
    .summary = "see what grows in a running program, live",
    .about =
        "Takes a heap profile from a process (by its id, or by the name that `porthole ps` shows) or an endpoint "
        "(http://127.0.0.1:6060, unix:/path) at "
        "every tick and shows what `porthole diff` would tell of all of them. On a terminal the screen is drawn "
        "again each time; q or Ctrl-C ends. Elsewhere each profile adds a block of lines.\n"
        "After 200 profiles, every second one of the older half is left out, and so on: the first stays, and the "
        "further back, the longer the intervals. `porthole record` keeps them all.",
    .flags = flags,
    .run = run,
};
