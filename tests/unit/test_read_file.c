#include "tools/read_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/porthole-test.XXXXXX";
static int fd;

static int make_file(void **state)
{
    fd = mkstemp(path);
    return fd < 0 ? -1 : 0;
}

static int remove_file(void **state)
{
    close(fd);
    return unlink(path);
}

static void a_file_is_read_as_a_whole(void **state)
{
    static char bytes[200000];
    struct ph_buf out = PH_BUF_INIT;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7);
    assert_int_equal(pwrite(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
    assert_int_equal(ph_read_file(path, sizeof(bytes), &out, NULL), 0);
    assert_int_equal(out.size_bytes, sizeof(bytes));
    assert_memory_equal(out.data, bytes, sizeof(bytes));
    ph_buf_fini(&out);
}

static void a_file_beyond_the_limit_is_refused_before_it_is_read(void **state)
{
    struct ph_buf out = PH_BUF_INIT;
    struct ph_error error;
    assert_int_equal(ftruncate(fd, (off_t)10 << 30), 0);
    assert_int_equal(ph_read_file(path, 1 << 20, &out, &error), -EFBIG);
    assert_int_equal(out.size_bytes, 0);
    assert_non_null(strstr(error.text, "larger than 1 MiB"));
    ph_buf_fini(&out);
}

static void a_stream_beyond_the_limit_is_refused_while_it_is_read(void **state)
{
    struct ph_buf out = PH_BUF_INIT;
    struct ph_error error;
    assert_int_equal(ph_read_file("/dev/zero", 1 << 20, &out, &error), -EFBIG);
    ph_buf_fini(&out);
}

static void errors_name_the_file_and_the_reason(void **state)
{
    struct ph_buf out = PH_BUF_INIT;
    struct ph_error error;
    assert_int_equal(ph_read_file("/no/such/heap.pb.gz", 1, &out, &error), -ENOENT);
    assert_string_equal(error.text, "cannot open /no/such/heap.pb.gz: No such file or directory");
    assert_int_equal(ph_read_file("/tmp", 1 << 20, &out, &error), -EISDIR);
    assert_string_equal(error.text, "cannot read /tmp: Is a directory");
    ph_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_as_a_whole),
        cmocka_unit_test(a_file_beyond_the_limit_is_refused_before_it_is_read),
        cmocka_unit_test(a_stream_beyond_the_limit_is_refused_while_it_is_read),
        cmocka_unit_test(errors_name_the_file_and_the_reason),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
