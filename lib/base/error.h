/*
 * error.h - one error, with a sentence a person can act on.
 *
 * Functions return a negative errno and, where a caller passes one, fill a struct ph_error: what is wrong,
 * where (line, column, byte), and what was expected. Any thread; a ph_error belongs to its caller.
 */
#ifndef PH_BASE_ERROR_H
#define PH_BASE_ERROR_H

#include <stdarg.h>

#define PH_ERROR_TEXT_MAX 256

struct ph_error {
    int code;                     /* negative errno, 0 while nothing went wrong */
    char text[PH_ERROR_TEXT_MAX]; /* one line without a full stop; "" while code is 0 */
};

/**
 * ph_error_set() - fill @error (may be NULL) and hand back @code, so that `return ph_error_set(…)` reads well.
 * @code: a negative errno.
 *
 * Cuts the text at PH_ERROR_TEXT_MAX - 1 bytes. Allocates nothing; keeps errno.
 */
int ph_error_set(struct ph_error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
