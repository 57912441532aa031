/*
 * commands.h - lines a person can paste into a shell, for the way the request came: host and port as the client
 * knows them, the socket's path, the token.
 */
#ifndef PH_SERVER_COMMANDS_H
#define PH_SERVER_COMMANDS_H

#include "base/buf.h"
#include "server/request.h"

/** ph_command_pprof() - append the line that opens @target ("/debug/pprof/heap?seconds=30") in pprof. @file: what the
 * profile is saved as where pprof cannot fetch it by itself, because of a token or a Unix socket. */
void ph_command_pprof(const struct ph_request *request, const char *target, const char *file, struct ph_buf *out);

/** ph_command_curl() - append the line that prints @target. */
void ph_command_curl(const struct ph_request *request, const char *target, struct ph_buf *out);

/** ph_shell_quote() - append @text as one word of a POSIX shell. */
void ph_shell_quote(const char *text, struct ph_buf *out);

#endif
