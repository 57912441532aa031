#include "hostile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void hostile_init(struct hostile *hostile, size_t max_bytes)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t room_bytes = (max_bytes + page_bytes - 1) / page_bytes * page_bytes;
    hostile->size_bytes = room_bytes + page_bytes;
    hostile->pages = mmap(NULL, hostile->size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(hostile->pages, MAP_FAILED);
    hostile->end = hostile->pages + room_bytes;
    assert_int_equal(mprotect(hostile->end, page_bytes, PROT_NONE), 0);
}

const char *hostile_put(struct hostile *hostile, const void *bytes, size_t size_bytes)
{
    char *start = hostile->end - size_bytes;
    assert_true(start >= hostile->pages);
    memcpy(start, bytes, size_bytes);
    return start;
}

void hostile_fini(struct hostile *hostile)
{
    munmap(hostile->pages, hostile->size_bytes);
}

size_t hostile_cut(hostile_parser *parse, const void *bytes, size_t size_bytes)
{
    struct hostile hostile;
    size_t refused_count = 0;
    hostile_init(&hostile, size_bytes);
    for (size_t cut = 0; cut <= size_bytes; cut++) {
        struct ph_error error = {0};
        int status = parse(hostile_put(&hostile, bytes, cut), cut, &error);
        if (status < 0) {
            assert_int_equal(error.code, status);
            assert_true(error.text[0] != '\0');
            refused_count++;
        }
        if (cut == size_bytes && status < 0)
            fail_msg("the whole input: %s", error.text);
    }
    hostile_fini(&hostile);
    return refused_count;
}

void hostile_refuse(hostile_parser *parse, const void *bytes, size_t size_bytes, int status, const char *text)
{
    struct hostile hostile;
    struct ph_error error = {0};
    hostile_init(&hostile, size_bytes);
    int answer = parse(hostile_put(&hostile, bytes, size_bytes), size_bytes, &error);
    hostile_fini(&hostile);
    assert_string_equal(error.text, text);
    assert_int_equal(answer, status);
    assert_int_equal(error.code, status);
}

char *hostile_read_golden(const char *name, size_t *ret_size_bytes)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", PH_GOLDEN_DIR, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = malloc(1 << 20);
    *ret_size_bytes = fread(bytes, 1, 1 << 20, file);
    assert_true(*ret_size_bytes < 1 << 20);
    fclose(file);
    return bytes;
}
