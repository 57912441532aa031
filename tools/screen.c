#include "tools/screen.h"

#include "base/buf.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Control sequences of xterm (XTerm Control Sequences, "CSI ? Pm h"), which every terminal in use knows: 1049 the other
 * screen, 25 the cursor, 7 wrapping of long lines. */
#define TAKE "\033[?1049h\033[?25l\033[?7l"
#define GIVE "\033[?7h\033[?25h\033[?1049l"

#define ROWS_DEFAULT 24

static volatile sig_atomic_t is_open;
static struct termios before; /* the keyboard's; valid if has_keys */
static volatile sig_atomic_t has_keys;

bool ph_screen_is_possible(void)
{
    const char *kind = getenv("TERM");
    return isatty(STDOUT_FILENO) && kind && *kind && strcmp(kind, "dumb") != 0;
}

static void put_sig(const char *bytes, size_t size_bytes)
{
    while (size_bytes > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, size_bytes);
        if (written < 0 && errno != EINTR)
            return;
        if (written > 0) {
            bytes += written;
            size_bytes -= (size_t)written;
        }
    }
}

/* POSIX lists write() and tcsetattr() among what a signal handler may call (signal-safety(7)). */
void ph_screen_close(void)
{
    int saved_errno = errno;
    if (!is_open)
        return;
    is_open = 0;
    put_sig(GIVE, strlen(GIVE));
    if (has_keys)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    errno = saved_errno;
}

static void crash_sig(int signal)
{
    ph_screen_close();
    raise(signal); /* its action is the default again: SA_RESETHAND */
}

static void watch_crashes(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGQUIT};
    struct sigaction action = {.sa_handler = crash_sig, .sa_flags = SA_RESETHAND | SA_NODEFER};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
}

/* Ctrl-C, Ctrl-Z and Ctrl-\ stay signals. */
static void take_keys(void)
{
    struct termios raw;
    has_keys = 0;
    /* A command in the background would be stopped for it. */
    if (tcgetpgrp(STDIN_FILENO) != getpgrp() || tcgetattr(STDIN_FILENO, &before) < 0)
        return;
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    has_keys = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void ph_screen_open(void)
{
    static bool is_prepared;
    if (!is_prepared) {
        atexit(ph_screen_close);
        watch_crashes();
        is_prepared = true;
    }
    fflush(stdout);
    take_keys();
    is_open = 1;
    put_sig(TAKE, strlen(TAKE));
}

int ph_screen_keys(void)
{
    return has_keys ? STDIN_FILENO : -1;
}

/* How many bytes the key has that begins here: of an escape sequence up to its last (ECMA-48, 5.4). */
static size_t key_length(const char *bytes, size_t size_bytes)
{
    size_t length = 2;
    if (size_bytes < 2 || bytes[0] != '\033')
        return 1;
    if (bytes[1] == 'O')
        return size_bytes < 3 ? size_bytes : 3;
    if (bytes[1] != '[')
        return 1; /* Escape, and then another key */
    while (length < size_bytes && bytes[length] >= 0x20 && bytes[length] < 0x40)
        length++;
    return length < size_bytes ? length + 1 : size_bytes;
}

enum ph_key ph_screen_parse_key(const char *bytes, size_t size_bytes, size_t *ret_length)
{
    static const struct {
        const char *bytes;
        enum ph_key key;
    } rows[] = {
        {"q", PH_SCREEN_QUIT},
        {"Q", PH_SCREEN_QUIT},
        {"k", PH_SCREEN_UP},
        {"\033[A", PH_SCREEN_UP},
        {"\033OA", PH_SCREEN_UP},
        {"j", PH_SCREEN_DOWN},
        {"\033[B", PH_SCREEN_DOWN},
        {"\033OB", PH_SCREEN_DOWN},
        {"\n", PH_SCREEN_DOWN},
        {"b", PH_SCREEN_PAGE_UP},
        {"\033[5~", PH_SCREEN_PAGE_UP},
        {" ", PH_SCREEN_PAGE_DOWN},
        {"\033[6~", PH_SCREEN_PAGE_DOWN},
        {"g", PH_SCREEN_TOP},
        {"\033[H", PH_SCREEN_TOP},
        {"\033[1~", PH_SCREEN_TOP},
        {"G", PH_SCREEN_BOTTOM},
        {"\033[F", PH_SCREEN_BOTTOM},
        {"\033[4~", PH_SCREEN_BOTTOM},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t length = strlen(rows[i].bytes);
        if (length <= size_bytes && memcmp(rows[i].bytes, bytes, length) == 0) {
            *ret_length = length;
            return rows[i].key;
        }
    }
    *ret_length = key_length(bytes, size_bytes);
    return PH_SCREEN_NO_KEY;
}

enum ph_key ph_screen_key(void)
{
    static char bytes[64]; /* what was read and not looked at yet */
    static size_t size_bytes;
    enum ph_key key = PH_SCREEN_NO_KEY;
    struct pollfd keyboard = {.fd = ph_screen_keys(), .events = POLLIN};
    if (size_bytes == 0 && poll(&keyboard, 1, 0) == 1) {
        ssize_t count = read(keyboard.fd, bytes, sizeof(bytes));
        if (count <= 0 && !(count < 0 && errno == EINTR))
            return PH_SCREEN_QUIT; /* the terminal was closed */
        size_bytes = count > 0 ? (size_t)count : 0;
    }
    while (size_bytes > 0 && key == PH_SCREEN_NO_KEY) {
        size_t length;
        key = ph_screen_parse_key(bytes, size_bytes, &length);
        size_bytes -= length;
        memmove(bytes, bytes + length, size_bytes);
    }
    return key;
}

static size_t row_count(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row : ROWS_DEFAULT;
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text; text = next_line(text))
        count++;
    return count;
}

/* What stood on the line before goes; so do colours that a line leaves on. */
static void append_line(struct ph_buf *out, const char *line, size_t length, bool is_last)
{
    ph_buf_append(out, line, length);
    ph_buf_text(out, is_last ? "\033[m\033[K" : "\033[m\033[K\r\n");
}

size_t ph_screen_draw(const struct ph_frame *frame, size_t *ret_page_lines)
{
    struct ph_buf out = PH_BUF_INIT;
    size_t rows = row_count(), page = rows > 3 ? rows - 2 : 1, lines = count_lines(frame->text);
    size_t first = lines > page ? lines - page : 0;
    if (frame->first_line < first)
        first = frame->first_line;
    const char *line = frame->text;
    for (size_t i = 0; i < first; i++)
        line = next_line(line);
    ph_buf_text(&out, "\033[H");
    append_line(&out, frame->head, strlen(frame->head), false);
    for (size_t i = 0; i < page; i++, line = next_line(line))
        append_line(&out, line, strcspn(line, "\n"), false);
    append_line(&out, frame->foot, strlen(frame->foot), true);
    ph_buf_text(&out, "\033[J");
    if (is_open && ph_buf_status(&out) == 0)
        put_sig(out.data, out.size_bytes);
    ph_buf_fini(&out);
    *ret_page_lines = page;
    return first;
}
