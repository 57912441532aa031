#include "tools/source.h"

#include "model/pprof_read.h"
#include "tools/http.h"
#include "tools/instances.h"
#include "tools/read_file.h"
#include "tools/token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MS  60000L /* a dump of 100,000 stacks takes half a second on an idle machine */
#define LIMIT_BYTES PH_PPROF_INFLATED_MAX_BYTES

static int explain_process(const struct ph_target *target, const struct ph_error *cause, struct ph_error *error)
{
    char path[32];
    int pid = (int)target->pid, code = cause->code;
    snprintf(path, sizeof(path), "/proc/%d", pid);
    if (code == -ECONNREFUSED && access(path, F_OK) < 0)
        return ph_error_set(error, -ESRCH, "no process %d; `porthole ps` lists those with Porthole", pid);
    if (code == -ECONNREFUSED)
        return ph_error_set(error, code, "no Porthole in process %d; start it with: porthole run -- COMMAND", pid);
    if (ph_instance_is_foreign(target->pid))
        return ph_error_set(error, -EACCES, "process %d answers only its own user and root: ask as one of them",
                            pid);
    return ph_error_set(error, code, "process %d: %s", pid, cause->text);
}

static const char *advice(const struct ph_http_answer *answer)
{
    if (answer->status == 401 || answer->status == 403)
        return "; the token is given with --token-file";
    if (answer->error.code == -ECONNREFUSED)
        return "; is the program running, and this its port? `porthole ps` tells";
    return "";
}

static int explain(const struct ph_target *target, const struct ph_http_answer *answer, struct ph_error *error)
{
    if (target->kind == PH_TARGET_PID)
        return explain_process(target, &answer->error, error);
    return ph_error_set(error, answer->error.code, "%s%.90s: %.90s%s",
                        target->kind == PH_TARGET_SOCKET ? "unix:" : "", target->text, answer->error.text,
                        advice(answer));
}

static int choose_token(const struct ph_target *target, const char *token_file, char *ret_token,
                        struct ph_error *error)
{
    if (!token_file)
        token_file = getenv("PORTHOLE_TOKEN_FILE");
    ret_token[0] = '\0';
    if (target->kind == PH_TARGET_PID || !token_file || !*token_file)
        return 0;
    return ph_token_read(token_file, ret_token, error);
}

int ph_source_fetch(const struct ph_target *target, const struct ph_source_options *options, struct ph_buf *out,
                    struct ph_error *error)
{
    char token[PH_TOKEN_MAX], socket_name[PH_INSTANCE_SOCKET_MAX];
    struct ph_buf url = PH_BUF_INIT;
    int failed = choose_token(target, options->token_file, token, error);
    if (failed)
        return failed;
    if (ph_target_url(target, options->route, options->query, &url) < 0)
        return ph_error_set(error, -ENOMEM, "out of memory");
    ph_instance_socket(target->pid, socket_name);
    struct ph_http_request request = {
        .url = url.data,
        .socket_path = target->kind == PH_TARGET_SOCKET ? target->text : NULL,
        .abstract_socket = target->kind == PH_TARGET_PID ? socket_name : NULL,
        .token = token[0] ? token : NULL,
        .timeout_ms = (options->timeout_ms ? options->timeout_ms : TIMEOUT_MS) + options->seconds * 1000,
        .limit_bytes = options->limit_bytes ? options->limit_bytes : LIMIT_BYTES,
        .is_given_up = options->is_given_up,
    };
    struct ph_http_answer answer;
    ph_http_get(&request, 1, &answer);
    ph_buf_fini(&url);
    if (answer.error.code == 0)
        *out = answer.body; /* taken */
    else
        ph_http_fini(&answer);
    return answer.error.code ? explain(target, &answer, error) : 0;
}

int ph_source_read(const struct ph_target *target, const struct ph_source_options *options,
                   enum ph_format *ret_format, struct ph_profile **ret_profile, struct ph_error *error)
{
    struct ph_buf bytes = PH_BUF_INIT;
    struct ph_error cause = {0};
    int failed = target->kind == PH_TARGET_FILE ? ph_read_file(target->text, LIMIT_BYTES, &bytes, error)
                                                : ph_source_fetch(target, options, &bytes, error);
    if (failed == 0) {
        failed = ph_decode(bytes.data, bytes.size_bytes, options->decode, ret_format, ret_profile, &cause);
        if (failed)
            ph_error_set(error, failed, "%.90s: %s", target->text, cause.text);
    }
    ph_buf_fini(&bytes);
    return failed;
}
