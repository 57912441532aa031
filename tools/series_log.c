#include "tools/series_log.h"

#include "base/clock.h"
#include "model/grow.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT 1

void ph_series_log_fini(struct ph_series_log *log)
{
    free(log->processes);
    *log = (struct ph_series_log)PH_SERIES_LOG_INIT;
}

int ph_series_log_add(struct ph_series_log *log, const char *first_file, const struct ph_origin *origin)
{
    if (ph_grow(&log->processes, sizeof(*log->processes), log->process_count, 1) < 0)
        return -ENOMEM;
    struct ph_series_process *process = &log->processes[log->process_count++];
    process->origin = *origin;
    snprintf(process->first_file, sizeof(process->first_file), "%s", first_file);
    return 0;
}

const struct ph_origin *ph_series_log_last(const struct ph_series_log *log)
{
    return log->process_count ? &log->processes[log->process_count - 1].origin : NULL;
}

void ph_series_log_follow(struct ph_series_log *log, const struct ph_origin *origin)
{
    if (log->process_count == 0 || origin->family_count == 0)
        return;
    struct ph_origin *last = &log->processes[log->process_count - 1].origin;
    memcpy(last->family, origin->family, sizeof(last->family));
    last->family_count = origin->family_count;
}

struct ph_series_time ph_series_time(int64_t time_ns, const char *format)
{
    struct ph_series_time out = {""};
    time_t seconds = time_ns / PH_NS_PER_S;
    struct tm parts;
    if (!gmtime_r(&seconds, &parts) || strftime(out.text, sizeof(out.text), format, &parts) == 0)
        out.text[0] = '\0';
    return out;
}

static void write_process(const struct ph_series_process *process, struct ph_buf *out)
{
    const struct ph_origin *origin = &process->origin;
    ph_buf_text(out, "    {\"first_file\": ");
    ph_buf_json(out, process->first_file);
    if (origin->pid)
        ph_buf_printf(out, ", \"pid\": %" PRId64, origin->pid);
    if (origin->start_ns)
        ph_buf_printf(out, ", \"start_time\": \"%s\"",
                      ph_series_time(origin->start_ns, PH_SERIES_TIME_FORMAT).text);
    if (origin->build_id[0]) {
        ph_buf_text(out, ", \"build_id\": ");
        ph_buf_json(out, origin->build_id);
    }
    if (origin->base_address)
        ph_buf_printf(out, ", \"base_address\": \"0x%" PRIx64 "\"", origin->base_address);
    ph_buf_char(out, '}');
}

int ph_series_log_write(const struct ph_series_log *log, struct ph_buf *out)
{
    const struct ph_origin *last = ph_series_log_last(log);
    ph_buf_printf(out, "{\n  \"format\": %d,\n  \"target\": ", FORMAT);
    ph_buf_json(out, log->target);
    if (last && last->program[0]) {
        ph_buf_text(out, ",\n  \"program\": ");
        ph_buf_json(out, last->program);
    }
    ph_buf_printf(out, ",\n  \"every_seconds\": %.15g,\n  \"processes\": [", (double)log->every_ns / PH_NS_PER_S);
    for (uint32_t i = 0; i < log->process_count; i++) {
        ph_buf_text(out, i ? ",\n" : "\n");
        write_process(&log->processes[i], out);
    }
    ph_buf_text(out, log->process_count ? "\n  ]\n}\n" : "]\n}\n");
    return ph_buf_status(out);
}

/* A text member into @ret_text, cut to its size; "" if it is missing. */
static void take_text(json_t *object, const char *name, char *ret_text, size_t size)
{
    const char *text = json_string_value(json_object_get(object, name));
    snprintf(ret_text, size, "%s", text ? text : "");
}

static int64_t parse_time(const char *text)
{
    struct tm parts = {0};
    const char *end = strptime(text, PH_SERIES_TIME_FORMAT, &parts);
    return end && !*end ? (int64_t)timegm(&parts) * PH_NS_PER_S : 0;
}

static int take_process(json_t *process, const char *program, struct ph_series_log *log)
{
    struct ph_origin origin = {0};
    char first_file[sizeof(log->processes->first_file)], number[32];
    take_text(process, "first_file", first_file, sizeof(first_file));
    snprintf(origin.program, sizeof(origin.program), "%s", program);
    take_text(process, "build_id", origin.build_id, sizeof(origin.build_id));
    take_text(process, "start_time", number, sizeof(number));
    origin.start_ns = parse_time(number);
    take_text(process, "base_address", number, sizeof(number));
    origin.base_address = strtoull(number, NULL, 16);
    origin.pid = json_integer_value(json_object_get(process, "pid"));
    return ph_series_log_add(log, first_file, &origin);
}

static int take(json_t *file, struct ph_series_log *log)
{
    char program[PH_ORIGIN_TEXT_MAX];
    json_t *process;
    size_t i;
    int failed = 0;
    take_text(file, "target", log->target, sizeof(log->target));
    take_text(file, "program", program, sizeof(program));
    double every_seconds = json_number_value(json_object_get(file, "every_seconds"));
    log->every_ns = every_seconds > 0 && every_seconds < 1e9 ? (int64_t)(every_seconds * PH_NS_PER_S) : 0;
    json_array_foreach(json_object_get(file, "processes"), i, process)
    {
        if (failed == 0)
            failed = take_process(process, program, log);
    }
    return failed;
}

int ph_series_log_parse(const char *text, size_t size_bytes, struct ph_series_log *ret_log, struct ph_error *error)
{
    struct ph_series_log log = PH_SERIES_LOG_INIT;
    json_error_t reason;
    json_t *file = json_loadb(text ? text : "", size_bytes, 0, &reason);
    if (!file)
        return ph_error_set(error, -EINVAL, "line %d, column %d: %s", reason.line, reason.column, reason.text);
    int failed = 0;
    if (json_integer_value(json_object_get(file, "format")) != FORMAT)
        failed = ph_error_set(error, -EINVAL, "expected an object with \"format\": %d", FORMAT);
    else if (take(file, &log) < 0)
        failed = ph_error_set(error, -ENOMEM, "out of memory");
    json_decref(file);
    if (failed)
        ph_series_log_fini(&log);
    else
        *ret_log = log;
    return failed;
}
