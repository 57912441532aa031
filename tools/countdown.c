#include "tools/countdown.h"

#include "base/clock.h"
#include "base/human.h"
#include "tools/signals.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DRAW_EVERY_NS (PH_NS_PER_S / 4)

static struct {
    const char *subject;
    long seconds;
    int64_t start_ns, drawn_ns; /* monotonic; drawn_ns: 0 if it is not there */
    int width;                  /* of the terminal; 0: stderr is none */
} line;

static int width_of_stderr(void)
{
    struct winsize size = {0};
    if (!isatty(STDERR_FILENO) || ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col ? size.ws_col : 80;
}

static void draw(int64_t now_ns)
{
    char text[200];
    double passed = (double)(now_ns - line.start_ns) / (double)PH_NS_PER_S;
    const char *state = passed > (double)line.seconds ? "; waiting for the answer" : "; Ctrl-C ends it";
    if (passed > (double)line.seconds)
        passed = (double)line.seconds;
    snprintf(text, sizeof(text), "profiling %.60s: %s of %s%s", line.subject,
             ph_human_duration((double)(int64_t)passed).text, ph_human_duration((double)line.seconds).text, state);
    fprintf(stderr, "\r%.*s\033[K", line.width - 1, text);
    line.drawn_ns = now_ns;
}

void ph_countdown_start(const char *subject, long seconds)
{
    line.subject = subject;
    line.seconds = seconds;
    line.start_ns = ph_clock_monotonic_ns();
    line.drawn_ns = 0;
    line.width = width_of_stderr();
    ph_signals_end();
    ph_countdown_is_over();
}

bool ph_countdown_is_over(void)
{
    int64_t now_ns = ph_clock_monotonic_ns();
    if (line.width && now_ns - line.drawn_ns >= DRAW_EVERY_NS)
        draw(now_ns);
    return ph_signals_ended();
}

double ph_countdown_end(void)
{
    if (line.drawn_ns)
        fputs("\r\033[K", stderr);
    line.drawn_ns = 0;
    return (double)(ph_clock_monotonic_ns() - line.start_ns) / (double)PH_NS_PER_S;
}
