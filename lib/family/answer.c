#include "family/answer.h"

#include "base/scan.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define HEAD_END "\r\n\r\n"

static struct ph_scan head_of(const struct ph_answer *answer)
{
    return ph_scan_over(answer->bytes.data, answer->head_bytes);
}

/* "HTTP/1.1 200 OK" */
static bool read_status(struct ph_scan *head, unsigned *ret_status)
{
    uint64_t status;
    bool fine = (ph_scan_text(head, "HTTP/1.1 ") || ph_scan_text(head, "HTTP/1.0 ")) &&
                ph_scan_decimal(head, &status) && status >= 200 && status <= 599;
    if (fine)
        *ret_status = (unsigned)status;
    return fine;
}

/* The value of the next line if its name is @name; else empty with next NULL. */
static struct ph_scan value_of(struct ph_scan *head, const char *name)
{
    struct ph_scan line = ph_scan_line(head);
    size_t name_bytes = strlen(name);
    if ((size_t)(line.end - line.next) <= name_bytes || line.next[name_bytes] != ':' ||
        strncasecmp(line.next, name, name_bytes) != 0)
        return (struct ph_scan){NULL, NULL, NULL};
    line.next += name_bytes + 1;
    ph_scan_blanks(&line);
    return line;
}

static struct ph_scan find_header(const struct ph_answer *answer, const char *name)
{
    struct ph_scan head = head_of(answer), value = {NULL, NULL, NULL};
    ph_scan_line(&head);
    while (!value.next && !ph_scan_done(&head))
        value = value_of(&head, name);
    return value;
}

static int read_head(struct ph_answer *answer)
{
    uint64_t length;
    struct ph_scan head = head_of(answer);
    if (!read_status(&head, &answer->status))
        return -EPROTO;
    struct ph_scan value = find_header(answer, "Content-Length");
    if (!value.next || !ph_scan_decimal(&value, &length))
        return -EPROTO;
    if (length > answer->body_max_bytes)
        return -EMSGSIZE;
    answer->body_bytes = (size_t)length;
    /* Once, instead of doubling; and one byte beyond shows an answer that is longer than it says. */
    return ph_buf_reserve(&answer->bytes, answer->body_bytes + 1);
}

/* Looks at what is new, and at three bytes before it: the end of the head can come in pieces. */
static int find_head(struct ph_answer *answer, size_t known_bytes)
{
    size_t from = known_bytes < 3 ? 0 : known_bytes - 3;
    const char *end = memmem(answer->bytes.data + from, answer->bytes.size_bytes - from, HEAD_END, 4);
    if (!end)
        return answer->bytes.size_bytes > PH_ANSWER_HEAD_MAX ? -EPROTO : 0;
    answer->head_bytes = (size_t)(end - answer->bytes.data) + 4;
    return read_head(answer);
}

int ph_answer_take(struct ph_answer *answer, const char *bytes, size_t size_bytes)
{
    size_t known_bytes = answer->bytes.size_bytes;
    ph_buf_append(&answer->bytes, bytes, size_bytes);
    int status = ph_buf_status(&answer->bytes);
    if (status == 0 && answer->head_bytes == 0 && answer->bytes.size_bytes)
        status = find_head(answer, known_bytes);
    if (status < 0 || answer->head_bytes == 0)
        return status;
    size_t got_bytes = answer->bytes.size_bytes - answer->head_bytes;
    return got_bytes > answer->body_bytes ? -EPROTO : got_bytes == answer->body_bytes;
}

const char *ph_answer_body(const struct ph_answer *answer)
{
    return answer->bytes.data + answer->head_bytes;
}

bool ph_answer_header(const struct ph_answer *answer, const char *name, char *ret_value, size_t capacity)
{
    struct ph_scan value = find_header(answer, name);
    size_t size_bytes = value.next ? (size_t)(value.end - value.next) : 0;
    if (size_bytes >= capacity)
        size_bytes = capacity - 1;
    if (size_bytes)
        memcpy(ret_value, value.next, size_bytes);
    ret_value[size_bytes] = '\0';
    return value.next != NULL;
}

void ph_answer_fini(struct ph_answer *answer)
{
    ph_buf_fini(&answer->bytes);
    answer->head_bytes = answer->body_bytes = 0;
    answer->status = 0;
}
