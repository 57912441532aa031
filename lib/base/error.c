#include "base/error.h"

#include <errno.h>
#include <stdio.h>

int ph_error_set(struct ph_error *error, int code, const char *format, ...)
{
    if (!error)
        return code;
    int saved_errno = errno;
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    error->code = code;
    errno = saved_errno;
    return code;
}
