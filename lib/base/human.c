#include "base/human.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

struct ph_human ph_human_bytes(int64_t bytes)
{
    struct ph_human human;
    double value = (double)bytes;
    size_t unit = 0;
    /* 1023.95 KiB would be printed as 1024.0 KiB. */
    while (fabs(value) >= (unit ? 1023.95 : 1024) && unit + 1 < UNIT_COUNT) {
        value /= 1024;
        unit++;
    }
    snprintf(human.text, sizeof(human.text), "%.*f %s", unit ? 1 : 0, value, units[unit]);
    return human;
}

struct ph_human ph_human_size(uint64_t bytes)
{
    struct ph_human human;
    size_t unit = 0;
    while (bytes && bytes % 1024 == 0 && unit + 1 < UNIT_COUNT) {
        bytes /= 1024;
        unit++;
    }
    snprintf(human.text, sizeof(human.text), "%" PRIu64 " %s", bytes, units[unit]);
    return human;
}

struct ph_human ph_human_count(int64_t count)
{
    char digits[24];
    uint64_t magnitude = count < 0 ? -(uint64_t)count : (uint64_t)count;
    size_t digit_count = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, magnitude);
    struct ph_human human;
    char *next = human.text;
    if (count < 0)
        *next++ = '-';
    for (size_t i = 0; i < digit_count; i++) {
        if (i > 0 && (digit_count - i) % 3 == 0)
            *next++ = ',';
        *next++ = digits[i];
    }
    *next = '\0';
    return human;
}

struct ph_human ph_human_duration(double seconds)
{
    struct ph_human human = {"?"};
    if (!(seconds >= 0 && seconds < 1e15))
        return human;
    uint64_t whole = (uint64_t)seconds;
    if (seconds < 10)
        snprintf(human.text, sizeof(human.text), "%.1fs", floor(seconds * 10) / 10);
    else if (whole < 60)
        snprintf(human.text, sizeof(human.text), "%" PRIu64 "s", whole);
    else if (whole < 3600)
        snprintf(human.text, sizeof(human.text), "%" PRIu64 "m %02" PRIu64 "s", whole / 60, whole % 60);
    else if (whole < 86400)
        snprintf(human.text, sizeof(human.text), "%" PRIu64 "h %02" PRIu64 "m", whole / 3600, whole / 60 % 60);
    else
        snprintf(human.text, sizeof(human.text), "%" PRIu64 "d %02" PRIu64 "h", whole / 86400, whole / 3600 % 24);
    return human;
}

/* Three digits; 999.5 of a unit would be printed with four. */
static struct ph_human print_time(double value, const char *unit)
{
    struct ph_human human;
    snprintf(human.text, sizeof(human.text), "%.*f%s", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value, unit);
    return human;
}

static struct ph_human time_text(double ns)
{
    if (ns >= 59.95e9)
        return ph_human_duration(ns / 1e9);
    if (ns >= 999.5e6)
        return print_time(ns / 1e9, "s");
    if (ns >= 999.5e3)
        return print_time(ns / 1e6, "ms");
    if (ns >= 1000)
        return print_time(ns / 1e3, "us");
    struct ph_human human;
    snprintf(human.text, sizeof(human.text), "%.0f%s", ns, ns >= 1 ? "ns" : "s");
    return human;
}

struct ph_human ph_human_time(int64_t ns)
{
    struct ph_human human = time_text(fabs((double)ns));
    if (ns < 0) {
        memmove(human.text + 1, human.text, sizeof(human.text) - 1);
        human.text[0] = '-';
    }
    return human;
}

struct ph_human ph_human_percent(int64_t part, int64_t whole)
{
    struct ph_human human = {"-"};
    if (whole != 0)
        snprintf(human.text, sizeof(human.text), "%.1f%%", 100.0 * (double)part / fabs((double)whole));
    return human;
}
