#include "server/openapi.h"

/* Bytes, not a string literal: compilers need not take one of more than 4095 characters (C11, 5.2.4.1). */
static const char text[] = {
#include "server/openapi_yaml.h" /* made by the Makefile */
    0,
};

const char *ph_openapi_text(size_t *ret_size)
{
    *ret_size = sizeof(text) - 1;
    return text;
}
