/* human.h - numbers as people read them. Any thread; nothing is allocated. */
#ifndef PH_BASE_HUMAN_H
#define PH_BASE_HUMAN_H

#include <stdint.h>

/* Returned by value, so that ph_human_bytes(n).text can stand in an argument list. */
struct ph_human {
    char text[32];
};

/** ph_human_bytes() - "512 B", "1.5 KiB", "-203.4 MiB": binary units, one decimal from KiB on. For columns. */
struct ph_human ph_human_bytes(int64_t bytes);

/** ph_human_size() - as one would write it in an option: "512 KiB", "4097 B": the largest unit that divides it. */
struct ph_human ph_human_size(uint64_t bytes);

/** ph_human_count() - "1,234,567". */
struct ph_human ph_human_count(int64_t count);

/** ph_human_duration() - two units at most: "0.4s", "42s", "3m 12s", "5h 07m", "12d 04h". "?" for a negative one. */
struct ph_human ph_human_duration(double seconds);

/** ph_human_time() - of a measurement: "850ns", "12.3us", "4.56ms", "1.23s"; from a minute on as ph_human_duration(). With a sign. */
struct ph_human ph_human_time(int64_t ns);

/** ph_human_percent() - "12.3%" for @part of @whole; "-" if @whole is 0. */
struct ph_human ph_human_percent(int64_t part, int64_t whole);

#endif
