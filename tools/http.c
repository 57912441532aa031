#include "tools/http.h"

#include "base/visible.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 5000L
#define REASON_MAX         160

/* One exchange under way. */
struct exchange {
    const struct ph_http_request *request;
    struct ph_http_answer *answer;
    CURL *easy;
    struct curl_slist *headers;
    CURLcode result;
    char reason[CURL_ERROR_SIZE];
};

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    struct ph_buf *body = &exchange->answer->body;
    if (size * count > exchange->request->limit_bytes - body->size_bytes) {
        ph_error_set(&exchange->answer->error, -EFBIG, "the answer is larger than %zu bytes",
                     exchange->request->limit_bytes);
        return 0; /* anything but the size makes libcurl give up */
    }
    ph_buf_append(body, bytes, size * count);
    return ph_buf_status(body) == 0 ? size * count : 0;
}

/* Anything but 0 makes libcurl give up. */
static int is_given_up(void *context, curl_off_t total, curl_off_t now, curl_off_t upload_total, curl_off_t upload)
{
    const struct ph_http_request *request = context;
    return request->is_given_up();
}

static bool add_token(struct exchange *exchange)
{
    char *header;
    if (!exchange->request->token)
        return true;
    if (asprintf(&header, "Authorization: Bearer %s", exchange->request->token) < 0)
        return false;
    exchange->headers = curl_slist_append(NULL, header);
    free(header);
    return exchange->headers && curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers) == CURLE_OK;
}

static bool prepare(struct exchange *exchange)
{
    const struct ph_http_request *request = exchange->request;
    CURL *easy = exchange->easy = curl_easy_init();
    if (!easy)
        return false;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "porthole/" PACKAGE_VERSION);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->reason);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, request->is_given_up ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, is_given_up);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, request);
    return curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->socket_path) == CURLE_OK &&
           (!request->abstract_socket ||
            curl_easy_setopt(easy, CURLOPT_ABSTRACT_UNIX_SOCKET, request->abstract_socket) == CURLE_OK) &&
           add_token(exchange);
}

static void note_result(const CURLMsg *message)
{
    struct exchange *exchange;
    if (message->msg != CURLMSG_DONE)
        return;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
    exchange->result = message->data.result;
}

/* Every transfer has its own timeout, so this ends. */
static void run_all(CURLM *multi)
{
    int running = 0;
    CURLMcode code;
    do {
        code = curl_multi_perform(multi, &running);
        if (code == CURLM_OK && running)
            code = curl_multi_poll(multi, NULL, 0, 1000, NULL);
    } while (code == CURLM_OK && running);
    int left;
    for (const CURLMsg *message; (message = curl_multi_info_read(multi, &left));)
        note_result(message);
}

/* What a person can do about it depends on the kind of failure; these are told apart, the rest is libcurl's word. */
static int classify(CURLcode result)
{
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return -ENOENT;
    case CURLE_COULDNT_CONNECT:
        return -ECONNREFUSED;
    case CURLE_OPERATION_TIMEDOUT:
        return -ETIMEDOUT;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return -ECONNRESET;
    case CURLE_ABORTED_BY_CALLBACK:
        return -ECANCELED;
    case CURLE_OUT_OF_MEMORY:
        return -ENOMEM;
    default:
        return -EIO;
    }
}

static void explain_failure(struct exchange *exchange)
{
    struct ph_error *error = &exchange->answer->error;
    long os_errno = 0;
    if (error->code)
        return;
    if (ph_buf_status(&exchange->answer->body) < 0) {
        ph_error_set(error, -ENOMEM, "out of memory");
        return;
    }
    int code = classify(exchange->result);
    curl_easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &os_errno);
    /* A peer that accepts and closes at once: libcurl takes it for a failed connect, but there is no errno. */
    if (code == -ECONNREFUSED && os_errno == 0)
        code = -ECONNRESET;
    if (code == -ETIMEDOUT)
        ph_error_set(error, code, "no answer within %.3g s", (double)exchange->request->timeout_ms / 1000);
    else if (code == -ECANCELED)
        ph_error_set(error, code, "given up");
    else if (code == -ECONNRESET && exchange->result != CURLE_PARTIAL_FILE)
        ph_error_set(error, code, "it hung up without an answer");
    else if (code == -ECONNREFUSED)
        ph_error_set(error, os_errno == ENOENT ? -ENOENT : code, "%s", strerror((int)os_errno));
    else
        ph_error_set(error, code, "%s",
                     exchange->reason[0] ? exchange->reason : curl_easy_strerror(exchange->result));
}

static int code_of(long status)
{
    return status == 401 || status == 403 ? -EACCES : status == 409 ? -EBUSY : -EPROTO;
}

/* pprof servers answer errors with a line of text, others with a problem (RFC 9457); anything else is not for a terminal. */
static void read_reason(const struct ph_http_answer *answer, char *ret_reason, size_t size_bytes)
{
    const char *text = answer->body.data ? answer->body.data : "";
    json_t *problem = text[0] == '{' ? json_loadb(text, answer->body.size_bytes, 0, NULL) : NULL;
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    if (detail || text[0] == '<' || text[0] == '{')
        text = detail ? detail : "";
    snprintf(ret_reason, size_bytes, "%.*s", (int)strcspn(text, "\r\n"), text);
    json_decref(problem);
}

static void explain_status(struct ph_http_answer *answer)
{
    struct ph_buf shown = PH_BUF_INIT;
    char line[REASON_MAX];
    read_reason(answer, line, sizeof(line));
    ph_visible(&shown, line);
    if (answer->status == 409 && line[0])
        ph_error_set(&answer->error, -EBUSY, "%s", shown.data ? shown.data : "");
    else
        ph_error_set(&answer->error, code_of(answer->status), "status %ld%s%s", answer->status, line[0] ? ": " : "",
                     shown.data ? shown.data : "");
    ph_buf_fini(&shown);
}

static void finish(struct exchange *exchange)
{
    if (exchange->easy)
        curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &exchange->answer->status);
    if (!exchange->easy || exchange->result != CURLE_OK)
        explain_failure(exchange);
    else if (exchange->answer->status != 200)
        explain_status(exchange->answer);
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->headers);
}

void ph_http_get(const struct ph_http_request *requests, size_t count, struct ph_http_answer *ret_answers)
{
    memset(ret_answers, 0, count * sizeof(*ret_answers));
    struct exchange *exchanges = calloc(count, sizeof(*exchanges));
    CURLM *multi = curl_multi_init();
    for (size_t i = 0; i < count; i++) {
        if (!exchanges || !multi) {
            ph_error_set(&ret_answers[i].error, -ENOMEM, "out of memory");
            continue;
        }
        exchanges[i] = (struct exchange){&requests[i], &ret_answers[i], NULL, NULL, CURLE_OUT_OF_MEMORY, ""};
        if (prepare(&exchanges[i]))
            curl_multi_add_handle(multi, exchanges[i].easy);
    }
    if (exchanges && multi) {
        run_all(multi);
        for (size_t i = 0; i < count; i++) {
            if (exchanges[i].easy)
                curl_multi_remove_handle(multi, exchanges[i].easy);
            finish(&exchanges[i]);
        }
    }
    curl_multi_cleanup(multi);
    free(exchanges);
}

void ph_http_fini(struct ph_http_answer *answer)
{
    ph_buf_fini(&answer->body);
}
