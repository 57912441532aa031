#include "golden.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_golden(const char *name, const char *mode)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", PH_GOLDEN_DIR, name);
    FILE *file = fopen(path, mode);
    if (!file)
        print_error("cannot open %s\n", path);
    assert_non_null(file);
    return file;
}

char *golden_read(const char *name)
{
    struct ph_buf text = PH_BUF_INIT;
    FILE *file = open_golden(name, "r");
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        ph_buf_char(&text, (char)c);
    fclose(file);
    return ph_buf_take(&text, NULL);
}

void golden_expect(const char *name, const char *text)
{
    if (getenv("PORTHOLE_TEST_GOLDEN")) {
        FILE *file = open_golden(name, "w");
        fputs(text, file);
        fclose(file);
    }
    char *golden = golden_read(name);
    if (strcmp(text, golden) != 0)
        print_error("%s: got\n%s", name, text);
    assert_string_equal(text, golden);
    free(golden);
}
