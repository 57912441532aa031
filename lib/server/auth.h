/* auth.h - who may ask: the Host header (DNS rebinding) and the token. Any thread. */
#ifndef PH_SERVER_AUTH_H
#define PH_SERVER_AUTH_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define PH_TOKEN_MIN_BYTES 16
#define PH_TOKEN_MAX_BYTES 512

struct ph_token {
    char text[PH_TOKEN_MAX_BYTES + 1];
    size_t size_bytes; /* 0: no token is asked for */
};

/**
 * ph_token_read() - the first line of the file at @path.
 *
 * The file must be a regular one that users other than owner and group cannot read; the line 16 to 512 visible ASCII
 * characters. 0; -errno of opening it; -EPERM for its mode; -EINVAL for its content; @error says what to do.
 */
int ph_token_read(const char *path, struct ph_token *ret_token, struct ph_error *error);

/** ph_token_matches() - is @authorization (the header, may be NULL) "Bearer TOKEN"? The time taken does not depend
 * on where the two differ. */
bool ph_token_matches(const struct ph_token *token, const char *authorization);

/** ph_key_matches() - is @given @key? The time taken does not depend on where the two differ. */
bool ph_key_matches(const char *key, const char *given);

/** ph_host_allowed() - is @host (the header) an IP address or "localhost", with or without port? A name would let a
 * web page whose name was just pointed at 127.0.0.1 read the answers as its own. */
bool ph_host_allowed(const char *host);

#endif
