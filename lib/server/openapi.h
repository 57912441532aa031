/* openapi.h - doc/openapi.yaml, compiled in. */
#ifndef PH_SERVER_OPENAPI_H
#define PH_SERVER_OPENAPI_H

#include <stddef.h>

/** ph_openapi_text() - the bytes of the file, with a NUL behind them that @ret_size does not count. Static. */
const char *ph_openapi_text(size_t *ret_size);

#endif
