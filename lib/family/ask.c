#include "family/ask.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)64 << 10)
#define AGAIN_MS    10 /* until a member whose backlog is full is tried again, and others get their turn */
#define AT_WORK_MIN 8
#define SOON_NS     (250 * PH_NS_PER_MS) /* who has not answered by then is late, not at work */

enum phase {
    PHASE_WAITING, /* not connected yet: its turn comes, or its backlog was full */
    PHASE_SENDING,
    PHASE_READING,
    PHASE_OVER,
};

struct talk {
    struct ph_asked asked;
    enum phase phase;
    int fd; /* -1 if there is none */
    int64_t begun_ns;
    size_t sent_bytes;
};

struct ph_ask {
    struct ph_question question;
    struct ph_buf text; /* the request: the same for all */
    struct talk *talks;
    size_t count;
    size_t left_count;  /* of those who have not come to their end */
    size_t open_count;  /* of descriptors */
    size_t open_max;    /* of these */
    size_t at_work_max; /* of those that were asked only now */
    struct pollfd *polled;
    struct talk **polled_talks;
    char *piece;
    ph_ask_done *done;
    ph_ask_idle *idle; /* NULL: none */
    void *context;
};

static void write_request(struct ph_ask *ask)
{
    const struct ph_question *question = &ask->question;
    ph_buf_printf(&ask->text, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s: %s\r\n",
                  question->method, question->target, PH_FAMILY_HEADER, ph_segment_key(question->segment));
    if (question->accept)
        ph_buf_printf(&ask->text, "Accept: %s\r\n", question->accept);
    if (question->body)
        ph_buf_printf(&ask->text, "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n",
                      question->body_bytes);
    ph_buf_text(&ask->text, "\r\n");
    if (question->body)
        ph_buf_append(&ask->text, question->body, question->body_bytes);
}

/* ---- one member ---- */

static void hang_up(struct ph_ask *ask, struct talk *talk)
{
    if (talk->fd < 0)
        return;
    close(talk->fd);
    talk->fd = -1;
    ask->open_count--;
}

static void end(struct ph_ask *ask, struct talk *talk)
{
    hang_up(ask, talk);
    talk->phase = PHASE_OVER;
    ask->left_count--;
    ask->done(ask->context, &talk->asked);
    ph_answer_fini(&talk->asked.answer);
}

static void fail(struct ph_ask *ask, struct talk *talk, enum ph_unanswered reason)
{
    if (reason == PH_UNANSWERED_GONE)
        ph_segment_forget(ask->question.segment, &talk->asked.member);
    talk->asked.reason = reason;
    end(ask, talk);
}

/* Another program at that name, or none of this family: whatever it says is not meant for us. */
static bool is_of_member(const struct talk *talk)
{
    char text[16], expected[16];
    snprintf(expected, sizeof(expected), "%d", (int)talk->asked.member.pid);
    return ph_answer_header(&talk->asked.answer, PH_FAMILY_MEMBER_HEADER, text, sizeof(text)) &&
           strcmp(text, expected) == 0;
}

/* 403: another key; 404: another program that knows no such profile. */
static void complete(struct ph_ask *ask, struct talk *talk)
{
    unsigned status = talk->asked.answer.status;
    if (status == 403 || status == 404 || (status == 200 && !is_of_member(talk))) {
        fail(ask, talk, PH_UNANSWERED_GONE);
        return;
    }
    talk->asked.is_answered = true;
    end(ask, talk);
}

/* Any user's process can take a name that is free, as that of a member which has just ended: it must not learn the key. */
static bool is_held_by(int fd, pid_t pid)
{
    struct ucred holder;
    socklen_t size_bytes = sizeof(holder);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &holder, &size_bytes) == 0 &&
           (holder.pid == pid || holder.pid == getpid());
}

static int connect_to(const struct ph_question *question, pid_t pid, int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "porthole/%d", (int)pid);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    fd = question->probe->own_fd(fd);
    socklen_t address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    int status = connect(fd, (struct sockaddr *)&address, address_bytes) < 0 ? -errno : 0;
    if (status == 0 && !is_held_by(fd, pid))
        status = -ECONNREFUSED;
    if (status < 0) {
        close(fd);
        return status;
    }
    *ret_fd = fd;
    return 0;
}

/* 0; -ECONNREFUSED and -ENOENT if it is not there; all else (a full backlog, no descriptor to spare) may pass. */
static int begin_talk(struct ph_ask *ask, struct talk *talk)
{
    int status = connect_to(&ask->question, talk->asked.member.pid, &talk->fd);
    if (status < 0)
        return status;
    ask->open_count++;
    talk->begun_ns = ph_clock_monotonic_ns();
    talk->phase = PHASE_SENDING;
    return 0;
}

static void send_more(struct ph_ask *ask, struct talk *talk)
{
    while (talk->sent_bytes < ask->text.size_bytes) {
        ssize_t count = send(talk->fd, ask->text.data + talk->sent_bytes, ask->text.size_bytes - talk->sent_bytes,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0)
            talk->sent_bytes += (size_t)count;
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR) {
            talk->phase = PHASE_READING; /* what it has said before it closed tells why */
            return;
        }
    }
    talk->phase = PHASE_READING;
}

static void read_more(struct ph_ask *ask, struct talk *talk)
{
    while (talk->phase == PHASE_READING) {
        ssize_t count = recv(talk->fd, ask->piece, PIECE_BYTES, MSG_DONTWAIT);
        if (count < 0 && errno == EAGAIN)
            return;
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            /* It ended, or it has no memory for an answer. */
            fail(ask, talk, talk->asked.answer.bytes.size_bytes ? PH_UNANSWERED_BROKEN : PH_UNANSWERED_GONE);
            return;
        }
        int status = ph_answer_take(&talk->asked.answer, ask->piece, (size_t)count);
        if (status < 0)
            fail(ask, talk, PH_UNANSWERED_BROKEN);
        else if (status > 0)
            complete(ask, talk);
    }
}

static void go_on(struct ph_ask *ask, struct talk *talk)
{
    if (talk->phase == PHASE_SENDING)
        send_more(ask, talk);
    if (talk->phase == PHASE_READING)
        read_more(ask, talk);
}

/* ---- all of them ---- */

static size_t count_at_work(const struct ph_ask *ask)
{
    size_t count = 0;
    int64_t late_ns = ph_clock_monotonic_ns() - SOON_NS;
    for (size_t i = 0; i < ask->count; i++)
        count += ask->talks[i].fd >= 0 && ask->talks[i].begun_ns > late_ns;
    return count;
}

/* Connects as many as may be at once. True if some are still to come. @may_fail: tell of those that are not there. */
static bool admit(struct ph_ask *ask, bool may_fail)
{
    bool waiting = false;
    size_t at_work_count = count_at_work(ask);
    for (size_t i = 0; i < ask->count; i++) {
        struct talk *talk = &ask->talks[i];
        if (talk->phase != PHASE_WAITING)
            continue;
        waiting = true;
        if (at_work_count >= ask->at_work_max || ask->open_count >= ask->open_max)
            break;
        int status = begin_talk(ask, talk);
        if (status == 0) {
            at_work_count++;
            send_more(ask, talk);
        } else if (may_fail && (status == -ECONNREFUSED || status == -ENOENT)) {
            fail(ask, talk, PH_UNANSWERED_GONE);
        }
    }
    return waiting;
}

static bool is_cancelled(const struct ph_ask_cancel *cancel)
{
    return cancel && cancel->is_cancelled && cancel->is_cancelled(cancel->context);
}

/* The first entry is the client of ours who waits for all this. */
static size_t fill_polled(struct ph_ask *ask, const struct ph_ask_cancel *cancel)
{
    size_t count = 1;
    ask->polled[0] = (struct pollfd){.fd = cancel ? cancel->client_fd : -1, .events = POLLRDHUP};
    for (size_t i = 0; i < ask->count; i++) {
        struct talk *talk = &ask->talks[i];
        if (talk->fd < 0)
            continue;
        ask->polled_talks[count] = talk;
        ask->polled[count++] =
            (struct pollfd){.fd = talk->fd, .events = talk->phase == PHASE_SENDING ? POLLOUT : POLLIN};
    }
    return count;
}

static int wait_ms(int64_t deadline_ns, bool waiting)
{
    int64_t left_ms = (deadline_ns - ph_clock_monotonic_ns() + PH_NS_PER_MS - 1) / PH_NS_PER_MS;
    left_ms = MAX(0, MIN(left_ms, 60000));
    return (int)(waiting ? MIN(left_ms, AGAIN_MS) : left_ms);
}

static void use_the_wait(struct ph_ask *ask, size_t polled_count)
{
    if (ask->idle && poll(ask->polled, polled_count, 0) == 0)
        ask->idle(ask->context, ask->left_count);
}

/* 1: there is more to do; 0: all are over; -ECANCELED. */
static int turn(struct ph_ask *ask, int64_t deadline_ns, const struct ph_ask_cancel *cancel)
{
    bool waiting = admit(ask, true);
    if (!waiting && ask->open_count == 0)
        return 0;
    if (is_cancelled(cancel))
        return -ECANCELED;
    size_t count = fill_polled(ask, cancel);
    use_the_wait(ask, count);
    if (poll(ask->polled, count, wait_ms(deadline_ns, waiting)) <= 0)
        return 1;
    if (ask->polled[0].revents)
        return -ECANCELED;
    for (size_t i = 1; i < count; i++)
        if (ask->polled[i].revents)
            go_on(ask, ask->polled_talks[i]);
    return 1;
}

int ph_ask_run(struct ph_ask *ask, int64_t deadline_ns, const struct ph_ask_cancel *cancel, ph_ask_done *done,
               ph_ask_idle *idle, void *context)
{
    int status = 1;
    ask->done = done;
    ask->idle = idle;
    ask->context = context;
    do
        status = turn(ask, deadline_ns, cancel);
    while (status > 0 && ph_clock_monotonic_ns() < deadline_ns);
    if (status < 0)
        return status;
    for (size_t i = 0; i < ask->count; i++) {
        if (ask->talks[i].phase == PHASE_READING)
            read_more(ask, &ask->talks[i]); /* what came while others were read */
        if (ask->talks[i].phase != PHASE_OVER)
            fail(ask, &ask->talks[i], PH_UNANSWERED_LATE);
    }
    return 0;
}

/* Twice the processors: some of those at work wait. */
static size_t at_work_max(const struct ph_question *question)
{
    if (question->is_lasting)
        return SIZE_MAX;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return MIN(MAX(2 * processors, AT_WORK_MIN), PH_ASK_AT_ONCE_MAX);
}

static int make_room(struct ph_ask *ask, const struct ph_member *members, size_t count)
{
    ask->talks = calloc(count + 1, sizeof(*ask->talks));
    ask->polled = calloc(ask->open_max + 1, sizeof(*ask->polled));
    ask->polled_talks = calloc(ask->open_max + 1, sizeof(*ask->polled_talks));
    ask->piece = malloc(PIECE_BYTES);
    if (!ask->talks || !ask->polled || !ask->polled_talks || !ask->piece)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        ask->talks[i] = (struct talk){.asked = {.member = members[i]}, .fd = -1};
        ask->talks[i].asked.answer.body_max_bytes = PH_ASK_ANSWER_MAX_BYTES;
    }
    ask->count = ask->left_count = count;
    write_request(ask);
    return ph_buf_status(&ask->text);
}

int ph_ask_begin(const struct ph_question *question, const struct ph_member *members, size_t count,
                 struct ph_ask **ret_ask, struct ph_error *error)
{
    struct ph_ask *ask = calloc(1, sizeof(*ask));
    if (ask)
        *ask = (struct ph_ask){
            .question = *question,
            .open_max = question->is_lasting ? count : MIN(count, PH_ASK_AT_ONCE_MAX),
            .at_work_max = at_work_max(question),
        };
    if (!ask || make_room(ask, members, count) < 0) {
        ph_ask_free(ask);
        return ph_error_set(error, -ENOMEM, "no memory to ask %zu processes", count);
    }
    admit(ask, false); /* there is nobody yet to tell of failures */
    *ret_ask = ask;
    return 0;
}

void ph_ask_free(struct ph_ask *ask)
{
    if (!ask)
        return;
    for (size_t i = 0; i < ask->count; i++) {
        hang_up(ask, &ask->talks[i]);
        ph_answer_fini(&ask->talks[i].asked.answer);
    }
    ph_buf_fini(&ask->text);
    free(ask->talks);
    free(ask->polled);
    free(ask->polled_talks);
    free(ask->piece);
    free(ask);
}

/* ---- one ---- */

static void keep_asked(void *context, struct ph_asked *asked)
{
    struct ph_asked *kept = context;
    *kept = *asked;
    asked->answer.bytes = (struct ph_buf)PH_BUF_INIT;
}

int ph_ask_one(const struct ph_question *question, const struct ph_member *member, int64_t deadline_ns,
               const struct ph_ask_cancel *cancel, struct ph_asked *ret_asked, struct ph_error *error)
{
    struct ph_ask *ask;
    struct ph_asked asked = {0};
    int status = ph_ask_begin(question, member, 1, &ask, error);
    if (status < 0)
        return status;
    status = ph_ask_run(ask, deadline_ns, cancel, keep_asked, NULL, &asked);
    ph_ask_free(ask);
    if (status == 0)
        *ret_asked = asked;
    return status;
}
