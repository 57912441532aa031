#include "base/scan.h"
#include "hostile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

static struct hostile hostile;

static int set_up(void **state)
{
    hostile_init(&hostile, 4096);
    return 0;
}

static int tear_down(void **state)
{
    hostile_fini(&hostile);
    return 0;
}

/* No NUL behind it, and no memory. */
static struct ph_scan scan_over(const char *text)
{
    return ph_scan_over(hostile_put(&hostile, text, strlen(text)), strlen(text));
}

static void steps_are_taken_only_over_what_is_expected(void **state)
{
    struct ph_scan scan = scan_over("@ 0x");
    assert_false(ph_scan_char(&scan, ' '));
    assert_false(ph_scan_text(&scan, "@ 0x1"));
    assert_ptr_equal(scan.next, scan.start);
    assert_true(ph_scan_char(&scan, '@'));
    assert_true(ph_scan_text(&scan, " 0x"));
    assert_true(ph_scan_done(&scan));
    assert_false(ph_scan_char(&scan, '\0'));
    assert_true(ph_scan_text(&scan, ""));
}

static void no_text_at_all_is_a_text(void **state)
{
    struct ph_scan scan = ph_scan_over(NULL, 0);
    uint64_t value;
    assert_true(ph_scan_done(&scan));
    assert_false(ph_scan_char(&scan, 'a'));
    assert_false(ph_scan_decimal(&scan, &value));
    assert_false(ph_scan_utf8(&scan));
    struct ph_scan line = ph_scan_line(&scan);
    assert_true(ph_scan_done(&line));
}

static void blanks_end_at_the_line(void **state)
{
    struct ph_scan scan = scan_over(" \t\n ");
    ph_scan_blanks(&scan);
    assert_int_equal(scan.next - scan.start, 2);
    scan.next++;
    ph_scan_blanks(&scan);
    assert_true(ph_scan_done(&scan));
}

static void lines_come_without_their_ends(void **state)
{
    static const char *const lines[] = {"one", "", "two\r three", "four"};
    struct ph_scan scan = scan_over("one\n\ntwo\r three\r\nfour");
    for (size_t i = 0; i < 4; i++) {
        struct ph_scan line = ph_scan_line(&scan);
        assert_int_equal(line.end - line.next, strlen(lines[i]));
        assert_memory_equal(line.next, lines[i], strlen(lines[i]));
    }
    assert_true(ph_scan_done(&scan));
}

struct number {
    const char *text;
    uint64_t value;
    size_t length; /* 0: none */
};

static void expect_number(bool (*scan_number)(struct ph_scan *, uint64_t *), const struct number *number)
{
    struct ph_scan scan = scan_over(number->text);
    uint64_t value = 12345;
    assert_int_equal(scan_number(&scan, &value), number->length > 0);
    assert_int_equal(scan.next - scan.start, number->length);
    assert_true(value == (number->length ? number->value : 12345));
}

static void decimals_hold_64_bits_and_not_one_more(void **state)
{
    static const struct number numbers[] = {
        {"0", 0, 1},
        {"007x", 7, 3},
        {"18446744073709551615", UINT64_MAX, 20},
        {"18446744073709551616", 0, 0},
        {"99999999999999999999", 0, 0},
        {"00000000000000000000000001", 1, 26},
        {"", 0, 0},
        {"-1", 0, 0},
        {"+1", 0, 0},
        {"a", 0, 0},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        expect_number(ph_scan_decimal, &numbers[i]);
}

static void hexadecimals_hold_64_bits_and_not_one_more(void **state)
{
    static const struct number numbers[] = {
        {"0", 0, 1},
        {"abc", 0xabc, 3},
        {"ABCDEF01", 0xabcdef01, 8},
        {"9876543210fedcba ", 0x9876543210fedcba, 16},
        {"ffffffffffffffff", UINT64_MAX, 16},
        {"10000000000000000", 0, 0},
        {"fffffffffffffffff", 0, 0},
        {"0000000000000000000012345g", 0x12345, 25},
        {"", 0, 0},
        {"g", 0, 0},
        {"x1", 0, 0},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        expect_number(ph_scan_hex, &numbers[i]);
}

static void characters_of_utf8_are_stepped_over_whole(void **state)
{
    static const struct {
        const char *text;
        size_t length; /* 0: none */
    } rows[] = {
        {"a", 1},
        {"\x7f", 1},
        {"\xc2\x80", 2},
        {"\xdf\xbfz", 2},
        {"\xe0\xa0\x80", 3},
        {"\xed\x9f\xbf", 3},
        {"\xee\x80\x80", 3},
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\x80", 0},     /* no beginning */
        {"\xc1\xbf", 0}, /* overlong */
        {"\xe0\x9f\xbf", 0},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xed\xa0\x80", 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 0}, /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", 0},
        {"\xe2\x82", 0}, /* cut */
        {"\xe2\x82z", 0},
        {"\xf0\x90\x80", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ph_scan scan = scan_over(rows[i].text);
        assert_int_equal(ph_scan_utf8(&scan), rows[i].length > 0);
        assert_int_equal(scan.next - scan.start, rows[i].length);
    }
}

static void places_are_counted_from_one(void **state)
{
    static const size_t places[][2] = {{1, 1}, {1, 2}, {2, 1}, {3, 1}, {3, 2}};
    struct ph_scan scan = scan_over("a\n\nb");
    for (size_t i = 0; i < 5; i++, scan.next++) {
        struct ph_scan_place place = ph_scan_where(&scan);
        assert_int_equal(place.line, places[i][0]);
        assert_int_equal(place.column, places[i][1]);
    }
}

static void sizes_have_binary_and_decimal_units(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
        int status;
    } rows[] = {
        {"0", 0, 0},
        {"4096", 4096, 0},
        {"1B", 1, 0},
        {"1K", 1024, 0},
        {"512KiB", 512 << 10, 0},
        {"2M", 2 << 20, 0},
        {"2MiB", 2 << 20, 0},
        {"1G", 1 << 30, 0},
        {"1GiB", 1 << 30, 0},
        {"1T", UINT64_C(1) << 40, 0},
        {"1TiB", UINT64_C(1) << 40, 0},
        {"3kB", 3000, 0},
        {"3KB", 3000, 0},
        {"3MB", 3000000, 0},
        {"3GB", UINT64_C(3000000000), 0},
        {"3TB", UINT64_C(3000000000000), 0},
        {"18446744073709551615", UINT64_MAX, 0},
        {"18446744073709551616", 0, -ERANGE},
        {"16777216T", 0, -ERANGE},
        {"18446744073709552kB", 0, -ERANGE},
        {"", 0, -EINVAL},
        {"KiB", 0, -EINVAL},
        {"-1", 0, -EINVAL},
        {"1 K", 0, -EINVAL},
        {"1k", 0, -EINVAL},
        {"1KiBx", 0, -EINVAL},
        {"0x10", 0, -EINVAL},
        {"1.5M", 0, -EINVAL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t bytes = 77;
        assert_int_equal(ph_parse_size(rows[i].text, &bytes), rows[i].status);
        assert_true(bytes == (rows[i].status ? 77 : rows[i].bytes));
    }
}

static void counts_are_digits_up_to_their_maximum(void **state)
{
    uint64_t count = 77;
    assert_int_equal(ph_parse_count("65535", 65535, &count), 0);
    assert_int_equal(count, 65535);
    assert_int_equal(ph_parse_count("65536", 65535, &count), -ERANGE);
    assert_int_equal(ph_parse_count("18446744073709551616", UINT64_MAX, &count), -ERANGE);
    static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "0x1", "1K"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(ph_parse_count(bad[i], 65535, &count), -EINVAL);
    assert_int_equal(count, 65535);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_taken_only_over_what_is_expected),
        cmocka_unit_test(no_text_at_all_is_a_text),
        cmocka_unit_test(blanks_end_at_the_line),
        cmocka_unit_test(lines_come_without_their_ends),
        cmocka_unit_test(decimals_hold_64_bits_and_not_one_more),
        cmocka_unit_test(hexadecimals_hold_64_bits_and_not_one_more),
        cmocka_unit_test(characters_of_utf8_are_stepped_over_whole),
        cmocka_unit_test(places_are_counted_from_one),
        cmocka_unit_test(sizes_have_binary_and_decimal_units),
        cmocka_unit_test(counts_are_digits_up_to_their_maximum),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
