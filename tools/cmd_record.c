/* cmd_record.c - heap profiles of a running program into a folder, one at every tick, for `porthole diff`. */
#include "base/clock.h"
#include "tools/args.h"
#include "tools/command.h"
#include "tools/duration.h"
#include "tools/live.h"
#include "tools/record_dir.h"
#include "tools/record_say.h"
#include "tools/signals.h"
#include "tools/source.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_DEFAULT    30
#define EVERY_DEFAULT_NS (10 * PH_NS_PER_S)
#define EVERY_LEAST_NS   (100 * PH_NS_PER_MS)
#define PATIENCE_NS      (60 * PH_NS_PER_S)

enum { EVERY = PH_KEY_FIRST, COUNT, FOR, PATIENCE, GC, TOKEN_FILE };

static const struct ph_flag flags[] = {
    {EVERY, "every", "DURATION", "take one profile every so often: 500ms, 10s, 2m, 1h [10s]"},
    {COUNT, "count", "N",
     "until the folder holds N profiles, those of earlier runs included [30, or with --for any]"},
    {FOR, "for", "DURATION", "until so much time has passed: 90s, 8h, 1h30m"},
    {'o', "output", "DIR", "the folder; it is made if it is not there, and gone on with if it is"},
    {GC, "gc", NULL, "flush the allocator's caches before each, so that what is free is seen as free"},
    {PATIENCE, "patience", "DURATION", "take the program for gone when it was silent for so long [1m]"},
    {TOKEN_FILE, "token-file", "FILE", PH_TOKEN_FILE_HELP},
    {0},
};

struct request {
    int64_t every_ns, for_ns, patience_ns; /* for_ns: 0 for no end */
    uint64_t count;                        /* 0 for no end */
    bool collect_first;
    const char *token_file, *folder;
};

struct recording {
    struct ph_live live;
    struct ph_record_dir dir;
    struct ph_record_say say;
};

static int take(const struct ph_command *command, void *context, int key, const char *value)
{
    struct request *request = context;
    switch (key) {
    case EVERY:
        return ph_take_duration(command, "every", value, EVERY_LEAST_NS, &request->every_ns);
    case FOR:
        return ph_take_duration(command, "for", value, PH_NS_PER_MS, &request->for_ns);
    case PATIENCE:
        return ph_take_duration(command, "patience", value, PH_NS_PER_MS, &request->patience_ns);
    case COUNT:
        return ph_take_count(command, "count", value, PH_RECORD_MAX, &request->count);
    case GC:
        request->collect_first = true;
        break;
    case 'o':
        request->folder = value;
        break;
    default:
        request->token_file = value;
    }
    return PH_EXIT_DONE;
}

/* False if it is over. */
static bool wait_for_tick(struct recording *recording)
{
    int64_t due_ns = recording->live.pace.due_ns, now_ns;
    if (due_ns > recording->say.end_ns)
        due_ns = recording->say.end_ns;
    while (!ph_signals_ended() && (now_ns = ph_clock_monotonic_ns()) < due_ns) {
        bool is_drawn = recording->say.has_line && now_ns + PH_NS_PER_S < due_ns;
        ph_signals_wait(is_drawn ? now_ns + PH_NS_PER_S : due_ns, -1);
        if (is_drawn)
            ph_record_say_again(&recording->say);
    }
    return !ph_signals_ended() && recording->live.pace.due_ns <= recording->say.end_ns;
}

static int save(struct recording *recording, struct ph_profile *profile)
{
    char name[64];
    struct ph_error error;
    int failed = ph_record_dir_save(&recording->dir, profile, &recording->live.origin, name, &error);
    if (failed) {
        ph_record_say_error(&recording->say, &error);
        return PH_EXIT_FAILURE;
    }
    recording->say.last_bytes = ph_live_bytes(profile);
    if (recording->dir.count == 1)
        recording->say.first_bytes = recording->say.last_bytes;
    recording->say.taken_count++;
    ph_record_say_taken(&recording->say, name);
    return PH_EXIT_DONE;
}

/* One tick. False if it was the last; the exit status then in @ret_status. */
static bool tick(struct recording *recording, int *ret_status)
{
    struct ph_error error = {0};
    struct ph_profile *profile = NULL;
    struct ph_origin before = recording->live.origin;
    uint32_t silent_count;
    enum ph_live_event event = ph_live_ask(&recording->live, &profile, &silent_count, &error);
    switch (event) {
    case PH_LIVE_RESTARTED:
        ph_record_say_restart(&recording->say, &before);
        break;
    case PH_LIVE_PROFILE:
        ph_record_say_answers(&recording->say, silent_count);
        break;
    case PH_LIVE_SILENT:
        ph_record_say_silent(&recording->say, silent_count, &error);
        return true;
    case PH_LIVE_GIVEN_UP:
        return true;
    default:
        ph_record_say_gone(&recording->say, event, &error);
        *ret_status = recording->say.taken_count > 0 ? PH_EXIT_DONE : PH_EXIT_FAILURE;
        return false;
    }
    *ret_status = save(recording, profile);
    ph_profile_free(profile);
    return *ret_status == PH_EXIT_DONE;
}

static int record(struct recording *recording, int64_t for_ns)
{
    int status = PH_EXIT_DONE;
    ph_signals_end();
    signal(SIGXFSZ, SIG_IGN); /* a file that grows too large is then an error of write(), to be told */
    ph_live_start(&recording->live);
    if (for_ns)
        recording->say.end_ns = recording->live.pace.due_ns + for_ns;
    uint64_t enough = recording->say.count ? recording->say.count : PH_RECORD_MAX;
    while (recording->dir.count < enough && wait_for_tick(recording))
        if (!tick(recording, &status))
            break;
    ph_record_say_end(&recording->say);
    return status;
}

/* ---- Going on where an earlier run ended ---- */

static int64_t bytes_of_file(const char *path)
{
    struct ph_target target = {.kind = PH_TARGET_FILE, .text = path};
    struct ph_source_options options = {.query = ""};
    struct ph_error error;
    enum ph_format format;
    struct ph_profile *profile;
    if (!path || ph_source_read(&target, &options, &format, &profile, &error) < 0)
        return -1;
    int64_t bytes = ph_profile_find_type(profile, "inuse_space") < 0 ? -1 : ph_live_bytes(profile);
    ph_profile_free(profile);
    return bytes;
}

static void resume(struct recording *recording)
{
    const struct ph_origin *last = ph_series_log_last(&recording->dir.log);
    if (last) {
        recording->live.origin = *last;
        recording->live.has_origin = true;
    }
    recording->say.first_bytes = bytes_of_file(recording->dir.first_path);
    if (recording->dir.count > 0)
        printf("%" PRIu32 " profile%s in the folder already: going on after %s\n", recording->dir.count,
               recording->dir.count == 1 ? "" : "s", recording->dir.count == 1 ? "it" : "them");
    fflush(stdout);
}

static int open_and_record(const struct ph_target *target, const struct request *request)
{
    struct ph_error error;
    struct recording recording = {
        .live = {.target = *target,
                 .token_file = request->token_file,
                 .collect_first = request->collect_first,
                 .every_ns = request->every_ns,
                 .patience_ns = request->patience_ns,
                 .is_given_up = ph_signals_ended},
        .say = {.count = request->count, .end_ns = INT64_MAX, .first_bytes = -1, .last_bytes = -1},
    };
    recording.say.dir = &recording.dir;
    recording.say.live = &recording.live;
    if (ph_record_dir_open(request->folder, &recording.dir, &error) < 0) {
        ph_complain("%s", error.text);
        return PH_EXIT_FAILURE;
    }
    ph_record_dir_describe(&recording.dir, target->text, request->every_ns);
    int status = PH_EXIT_DONE;
    if (request->count && recording.dir.count >= request->count) {
        ph_record_say_end(&recording.say);
    } else {
        resume(&recording);
        status = record(&recording, request->for_ns);
    }
    ph_record_dir_close(&recording.dir);
    return status;
}

static int check(const struct ph_command *command, struct request *request)
{
    if (!request->folder || !*request->folder)
        return ph_usage_error(command, "into which folder? Add -o DIR");
    if (request->for_ns / request->every_ns > PH_RECORD_MAX)
        return ph_usage_error(command, "--for %s every %s would be more than %d profiles: choose a longer --every",
                              ph_duration_text(request->for_ns).text, ph_duration_text(request->every_ns).text,
                              PH_RECORD_MAX);
    if (request->count == 0 && request->for_ns == 0)
        request->count = COUNT_DEFAULT;
    return PH_EXIT_DONE;
}

static int run(const struct ph_command *command, int argc, char **argv)
{
    struct request request = {.every_ns = EVERY_DEFAULT_NS, .patience_ns = PATIENCE_NS};
    struct ph_target target;
    int exit_status;
    if (!ph_args_read(command, argc, argv, take, &request, &exit_status))
        return exit_status;
    if ((exit_status = ph_take_live_target(command, argc, argv, &target)) != PH_EXIT_DONE)
        return exit_status;
    exit_status = check(command, &request);
    return exit_status == PH_EXIT_DONE ? open_and_record(&target, &request) : exit_status;
}

const struct ph_command ph_cmd_record = {
    .name = "record",
    .operands = "PID|NAME|URL -o DIR",
    .summary = "take heap profiles at intervals into a folder, for diff",
    .about =
        "Takes a heap profile from a process (by its id, or by the name that `porthole ps` shows) or an endpoint "
        "(http://127.0.0.1:6060, unix:/path) at "
        "every tick and writes it to a file of its own: heap-0001-20261123T121500Z.pb.gz, heap-0002-... Any "
        "pprof client reads them; `porthole diff DIR` tells what grew.\n"
        "Ctrl-C ends it; the same command goes on where it ended. The folder's series.json tells what was "
        "recorded, and from which processes: a restart of the program is kept as a break in the series, another "
        "program is refused.",
    .flags = flags,
    .run = run,
};
