/* token.h - the token that an endpoint outside loopback asks for. */
#ifndef PH_TOOLS_TOKEN_H
#define PH_TOOLS_TOKEN_H

#include "base/error.h"

#define PH_TOKEN_MAX 1024

/**
 * ph_token_read() - the first line of the file at @path, without the blanks around it.
 * @ret_token: PH_TOKEN_MAX bytes.
 * 0; -errno of reading; -EINVAL if the line is empty, too long or has characters that no header may hold.
 */
int ph_token_read(const char *path, char *ret_token, struct ph_error *error);

#endif
