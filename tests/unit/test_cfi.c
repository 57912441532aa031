/* Unwinding tables made by hand: each operation, each form of entry and header, and what is left to libgcc. */
#include "cfi_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct ph_cfi_rule ended = {.kind = PH_CFI_END}, left = {.kind = PH_CFI_OTHER};

static struct ph_cfi_rule from_sp(int32_t cfa_offset)
{
    return (struct ph_cfi_rule){.kind = PH_CFI_FROM_SP, .cfa_offset = cfa_offset};
}

/* ---- operations ---------------------------------------------------------------------------------------------- */

/* Put behind an operation, these two tell whether all of it was read, and no more. */
#define END_40 "\x0e\x28" /* the frame's end is RSP + 40 */
#define BP_16  "\x86\x02" /* RBP is saved 16 below the frame's end */
#define REALIGNED                                                                                                  \
    "\x0f\x03\x76\x78\x06"                                                                                         \
    "\x10\x06\x02\x76" /* and the offset */
#define REMEMBER_4 "\x0a\x0a\x0a\x0a"

/* At the start of a function: RSP + 8, and RBP in its register. */
static const struct operation {
    const char *name;
    struct cfi_code code;
    struct ph_cfi_rule rule;
} operations[] = {
    {"nothing", CFI_CODE(""), {8, 0, PH_CFI_FROM_SP}},
    {"nop", CFI_CODE("\x00" END_40), {40, 0, PH_CFI_FROM_SP}},
    {"set_loc", CFI_CODE("\x01" END_40), {0, 0, PH_CFI_OTHER}},
    {"offset", CFI_CODE("\x86\x02" END_40), {40, -16, PH_CFI_FROM_SP}},
    {"offset of RBX", CFI_CODE("\x83\x03" END_40), {40, 0, PH_CFI_FROM_SP}},
    {"offset of RSP", CFI_CODE("\x87\x02" END_40), {0, 0, PH_CFI_OTHER}},
    {"offset of the return address", CFI_CODE("\x90\x02" END_40), {0, 0, PH_CFI_OTHER}},
    {"offset_extended", CFI_CODE("\x05\x06\x83\x00" END_40), {40, -24, PH_CFI_FROM_SP}},
    {"offset_extended of R40", CFI_CODE("\x05\x28\x03" END_40), {40, 0, PH_CFI_FROM_SP}},
    {"restore", CFI_CODE("\x86\x02\xc6" END_40), {40, 0, PH_CFI_FROM_SP}},
    {"restore of RBX", CFI_CODE("\x86\x02\xc3" END_40), {40, -16, PH_CFI_FROM_SP}},
    {"restore_extended", CFI_CODE("\x86\x02\x06\x86\x00" END_40), {40, 0, PH_CFI_FROM_SP}},
    {"undefined RBP", CFI_CODE("\x86\x02\x07\x06" END_40), {40, 0, PH_CFI_FROM_SP}},
    {"undefined return address", CFI_CODE("\x07\x10" END_40), {0, 0, PH_CFI_END}},
    {"same_value", CFI_CODE("\x86\x02\x08\x06" END_40), {40, 0, PH_CFI_FROM_SP}},
    {"same_value of RBX", CFI_CODE("\x08\x03" BP_16 END_40), {40, -16, PH_CFI_FROM_SP}},
    {"register of RBX", CFI_CODE("\x09\x03\x0c" END_40), {40, 0, PH_CFI_FROM_SP}},
    {"register of RBP", CFI_CODE("\x09\x06\x0c" END_40), {0, 0, PH_CFI_OTHER}},
    {"register of the return address", CFI_CODE("\x09\x10\x0c" END_40), {0, 0, PH_CFI_OTHER}},
    {"remember_state, restore_state", CFI_CODE("\x0a" END_40 BP_16 "\x0b"), {8, 0, PH_CFI_FROM_SP}},
    {"two of them", CFI_CODE("\x0a" END_40 "\x0a\x0e\x50" BP_16 "\x0b"), {40, 0, PH_CFI_FROM_SP}},
    {"eight of them", CFI_CODE(REMEMBER_4 REMEMBER_4 END_40), {40, 0, PH_CFI_FROM_SP}},
    {"nine of them", CFI_CODE(REMEMBER_4 REMEMBER_4 "\x0a" END_40), {0, 0, PH_CFI_OTHER}},
    {"restore_state alone", CFI_CODE("\x0b" END_40), {0, 0, PH_CFI_OTHER}},
    {"def_cfa", CFI_CODE("\x0c\x06\x10" BP_16), {16, -16, PH_CFI_FROM_BP}},
    {"def_cfa with RBX", CFI_CODE("\x0c\x03\x10" BP_16), {0, 0, PH_CFI_OTHER}},
    {"def_cfa_register", CFI_CODE(END_40 "\x0d\x06" BP_16), {40, -16, PH_CFI_FROM_BP}},
    {"def_cfa_offset", CFI_CODE("\x0e\x90\x01" BP_16), {144, -16, PH_CFI_FROM_SP}},
    {"def_cfa_offset of 2^31 - 1", CFI_CODE("\x0e\xff\xff\xff\xff\x07" BP_16), {INT32_MAX, -16, PH_CFI_FROM_SP}},
    {"def_cfa_offset of 2^31", CFI_CODE("\x0e\x80\x80\x80\x80\x08"), {0, 0, PH_CFI_OTHER}},
    {"def_cfa_expression", CFI_CODE(REALIGNED "\x00"), {-8, 0, PH_CFI_BEHIND_BP}},
    {"… with RBP below", CFI_CODE(REALIGNED "\x70\x83\x03"), {-8, -16, PH_CFI_BEHIND_BP}},
    {"… with RBP above", CFI_CODE(REALIGNED "\x18\x83\x03"), {-8, 24, PH_CFI_BEHIND_BP}},
    {"… with RBP too far below",
     CFI_CODE("\x0f\x03\x76\x78\x06\x10\x06\x04\x76\xc0\xc7\x7d"),
     {0, 0, PH_CFI_OTHER}},
    {"… and back", CFI_CODE(REALIGNED "\x00\x0c\x07\x08\xc6"), {8, 0, PH_CFI_FROM_SP}},
    {"… with RBP's rule forgotten", CFI_CODE(REALIGNED "\x00\x0c\x07\x08"), {0, 0, PH_CFI_OTHER}},
    {"… and an offset, which means nothing then", CFI_CODE(REALIGNED "\x00" END_40), {0, 0, PH_CFI_OTHER}},
    {"… and a register", CFI_CODE(REALIGNED "\x00\x0d\x06"), {0, 0, PH_CFI_OTHER}},
    {"… with RBP in its register", CFI_CODE("\x0f\x03\x76\x78\x06"), {0, 0, PH_CFI_OTHER}},
    {"… with RBP saved below the frame's end", CFI_CODE("\x0f\x03\x76\x78\x06" BP_16), {0, 0, PH_CFI_OTHER}},
    {"… with RSP", CFI_CODE("\x0f\x03\x77\x08\x06"), {0, 0, PH_CFI_OTHER}},
    {"… that only adds",
     CFI_CODE("\x0f\x02\x76\x78"
              "\x10\x06\x02\x76\x00"),
     {0, 0, PH_CFI_OTHER}},
    {"… that goes on",
     CFI_CODE("\x0f\x05\x76\x78\x06\x23\x08"
              "\x10\x06\x02\x76\x00"),
     {0, 0, PH_CFI_OTHER}},
    {"… empty", CFI_CODE("\x0f\x00" BP_16), {0, 0, PH_CFI_OTHER}},
    {"… of a PLT", CFI_CODE("\x0f\x0b\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22"), {0, 0, PH_CFI_OTHER}},
    {"… unknown, then def_cfa", CFI_CODE("\x0f\x02\x77\x08\x0c\x07\x10"), {16, 0, PH_CFI_FROM_SP}},
    {"… unknown, then a register", CFI_CODE("\x0f\x02\x76\x08\x0d\x07"), {0, 0, PH_CFI_OTHER}},
    {"expression of RBX", CFI_CODE("\x10\x03\x02\x76\x78" END_40), {40, 0, PH_CFI_FROM_SP}},
    {"expression of RBP", CFI_CODE("\x10\x06\x02\x76\x00" END_40), {0, 0, PH_CFI_OTHER}},
    {"expression of RBP that goes on",
     CFI_CODE("\x0f\x03\x76\x78\x06"
              "\x10\x06\x03\x76\x00\x06"),
     {0, 0, PH_CFI_OTHER}},
    {"expression of the return address", CFI_CODE("\x10\x10\x02\x76\x08"), {0, 0, PH_CFI_OTHER}},
    {"offset_extended_sf", CFI_CODE("\x11\x06\x04" END_40), {40, -32, PH_CFI_FROM_SP}},
    {"… above the frame's end", CFI_CODE("\x11\x06\x7e" END_40), {0, 0, PH_CFI_OTHER}},
    {"… of -32768", CFI_CODE("\x11\x06\x80\x20" END_40), {40, -32768, PH_CFI_FROM_SP}},
    {"… of -32776", CFI_CODE("\x11\x06\x81\x20" END_40), {0, 0, PH_CFI_OTHER}},
    {"def_cfa_sf", CFI_CODE("\x12\x06\x7e" BP_16), {16, -16, PH_CFI_FROM_BP}},
    {"def_cfa_offset_sf", CFI_CODE("\x13\x7d" BP_16), {24, -16, PH_CFI_FROM_SP}},
    {"val_offset of RBX", CFI_CODE("\x14\x03\x02" END_40), {40, 0, PH_CFI_FROM_SP}},
    {"val_offset of RBP", CFI_CODE("\x14\x06\x02" END_40), {0, 0, PH_CFI_OTHER}},
    {"val_offset of RSP", CFI_CODE("\x14\x07\x00" END_40), {0, 0, PH_CFI_OTHER}},
    {"val_offset_sf of RBX", CFI_CODE("\x15\x03\x7e" END_40), {40, 0, PH_CFI_FROM_SP}},
    {"val_offset_sf of RBP", CFI_CODE("\x15\x06\x7e" END_40), {0, 0, PH_CFI_OTHER}},
    {"val_expression of RBX", CFI_CODE("\x16\x03\x02\x77\x00" END_40), {40, 0, PH_CFI_FROM_SP}},
    {"val_expression of RBP", CFI_CODE("\x16\x06\x02\x77\x00" END_40), {0, 0, PH_CFI_OTHER}},
    {"GNU_args_size", CFI_CODE("\x2e\x90\x01" END_40), {40, 0, PH_CFI_FROM_SP}},
    {"GNU_window_save", CFI_CODE("\x2d" END_40), {0, 0, PH_CFI_OTHER}},
    {"GNU_negative_offset_extended", CFI_CODE("\x2f\x06\x02" END_40), {0, 0, PH_CFI_OTHER}},
    {"one that nobody knows", CFI_CODE("\x1c" END_40), {0, 0, PH_CFI_OTHER}},
    {"the last of the long ones", CFI_CODE("\x3f" END_40), {0, 0, PH_CFI_OTHER}},
};

static void each_operation_is_obeyed_or_left_to_libgcc(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(operations); i++) {
        struct cfi_function function = {0, 16, operations[i].code};
        struct cfi_plan plan = cfi_plan(&function, 1);
        struct ph_cfi_rule rule = cfi_find(&plan, 5);
        if (rule.kind != operations[i].rule.kind)
            print_message("%s: kind %d\n", operations[i].name, rule.kind);
        cfi_expect(&plan, 5, operations[i].rule);
    }
}

static void what_a_common_entry_says_holds_and_is_restored(void **state)
{
    (void)state;
    struct cfi_function function = {0, 16,
                                    CFI_CODE("\x86\x03"
                                             "\x41"
                                             "\xc6"
                                             "\x41"
                                             "\x86\x04"
                                             "\x41"
                                             "\x06\x06")};
    struct cfi_plan plan = cfi_plan(&function, 1);
    plan.common_code = (struct cfi_code)CFI_CODE("\x0c\x07\x18\x90\x01" BP_16);
    static const int16_t bp_offsets[] = {-24, -16, -32, -16};
    for (int i = 0; i < 4; i++)
        cfi_expect(&plan, i, (struct ph_cfi_rule){24, bp_offsets[i], PH_CFI_FROM_SP});
}

/* ---- places -------------------------------------------------------------------------------------------------- */

static void an_operation_holds_from_the_place_it_is_for(void **state)
{
    (void)state;
    static const struct {
        struct cfi_code code;
        uint32_t from;
    } advances[] = {
        {CFI_CODE("\x41" END_40), 1},
        {CFI_CODE("\x7f" END_40), 63},
        {CFI_CODE("\x02\xc8" END_40), 200},
        {CFI_CODE("\x03\x30\x75" END_40), 30000},
        {CFI_CODE("\x04\x70\x11\x01\x00" END_40), 70000},
        {CFI_CODE("\x41\x02\x05\x44\x03\x0a\x00" END_40), 20},
    };
    for (size_t i = 0; i < COUNT_OF(advances); i++) {
        for (uint32_t factor = 1; factor <= 4; factor += 3) {
            struct cfi_function function = {0, 4 * 80000, advances[i].code};
            struct cfi_plan plan = cfi_plan(&function, 1);
            plan.code_factor = (uint8_t)factor;
            cfi_expect(&plan, advances[i].from * factor - 1, from_sp(8));
            cfi_expect(&plan, advances[i].from * factor, from_sp(40));
            cfi_expect(&plan, function.length - 1, from_sp(40));
        }
    }
}

static void operations_behind_the_place_are_not_looked_at(void **state)
{
    (void)state;
    struct cfi_function function = {0, 16, CFI_CODE("\x48" END_40 "\x41\x1c")};
    struct cfi_plan plan = cfi_plan(&function, 1);
    cfi_expect(&plan, 7, from_sp(8));
    cfi_expect(&plan, 8, from_sp(40));
    cfi_expect(&plan, 9, left);
}

static void a_function_reaches_from_its_first_to_its_last_byte(void **state)
{
    (void)state;
    struct cfi_function functions[] = {
        {100, 10, CFI_CODE("\x0e\x10")}, {110, 1, CFI_CODE("\x0e\x18")}, {200, 50, CFI_CODE("\x0e\x20")}};
    struct cfi_plan plan = cfi_plan(functions, COUNT_OF(functions));
    cfi_expect(&plan, -1000, ended);
    cfi_expect(&plan, 99, ended);
    cfi_expect(&plan, 100, from_sp(16));
    cfi_expect(&plan, 109, from_sp(16));
    cfi_expect(&plan, 110, from_sp(24));
    cfi_expect(&plan, 111, ended);
    cfi_expect(&plan, 199, ended);
    cfi_expect(&plan, 200, from_sp(32));
    cfi_expect(&plan, 249, from_sp(32));
    cfi_expect(&plan, 250, ended);
    cfi_expect(&plan, INT64_C(1) << 40, ended);
    cfi_expect(&plan, -(INT64_C(1) << 40), ended);
}

static void each_of_many_functions_is_found(void **state)
{
    (void)state;
    char codes[100][2];
    struct cfi_function functions[100];
    for (uint32_t i = 0; i < COUNT_OF(functions); i++) {
        codes[i][0] = 0x0e;
        codes[i][1] = (char)(i + 1);
        functions[i] = (struct cfi_function){i * 10, 9, {codes[i], 2}};
    }
    for (size_t count = 0; count <= COUNT_OF(functions); count += count < 5 ? 1 : 19) {
        struct cfi_plan plan = cfi_plan(functions, count);
        for (uint32_t i = 0; i < COUNT_OF(functions); i++) {
            cfi_expect(&plan, functions[i].start, i < count ? from_sp((int32_t)i + 1) : ended);
            cfi_expect(&plan, functions[i].start + 8, i < count ? from_sp((int32_t)i + 1) : ended);
            cfi_expect(&plan, functions[i].start + 9, ended);
        }
    }
}

/* ---- forms --------------------------------------------------------------------------------------------------- */

static const struct cfi_function one = {0, 16, CFI_CODE(END_40)};

static void augmentations_are_known_or_left_to_libgcc(void **state)
{
    (void)state;
    static const struct {
        const char *letters;
        struct cfi_code data;
        uint8_t encoding;
        struct ph_cfi_rule rule;
    } cases[] = {
        {"", CFI_CODE(""), 0x00, {40, 0, PH_CFI_FROM_SP}},
        {"z", CFI_CODE(""), 0x00, {40, 0, PH_CFI_FROM_SP}},
        {"zR", CFI_CODE("\x1b"), 0x1b, {40, 0, PH_CFI_FROM_SP}},
        {"zRL", CFI_CODE("\x1b\x1b"), 0x1b, {40, 0, PH_CFI_FROM_SP}},
        {"zLR", CFI_CODE("\x00\x1b"), 0x1b, {40, 0, PH_CFI_FROM_SP}},
        {"zPLR", CFI_CODE("\x9b\x01\x02\x03\x04\x1b\x1b"), 0x1b, {40, 0, PH_CFI_FROM_SP}},
        {"zPLR", CFI_CODE("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x1b\x1b"), 0x1b, {40, 0, PH_CFI_FROM_SP}},
        {"zRPL", CFI_CODE("\x1b\x03\x01\x02\x03\x04\x03"), 0x1b, {40, 0, PH_CFI_FROM_SP}},
        {"zR", CFI_CODE("\x1b\x00\x00\x00"), 0x1b, {40, 0, PH_CFI_FROM_SP}},
        {"zPR", CFI_CODE("\x01\x01\x1b"), 0x1b, {0, 0, PH_CFI_OTHER}},                             /* uleb128 */
        {"zPR", CFI_CODE("\x50\x01\x02\x03\x04\x05\x06\x07\x08\x1b"), 0x1b, {0, 0, PH_CFI_OTHER}}, /* aligned */
        {"zRS", CFI_CODE("\x1b"), 0x1b, {0, 0, PH_CFI_OTHER}}, /* a signal frame */
        {"zSR", CFI_CODE("\x1b"), 0x1b, {0, 0, PH_CFI_OTHER}},
        {"zRB", CFI_CODE("\x1b"), 0x1b, {0, 0, PH_CFI_OTHER}},
        {"zRx", CFI_CODE("\x1b"), 0x1b, {0, 0, PH_CFI_OTHER}},
        {"R", CFI_CODE("\x1b"), 0x1b, {0, 0, PH_CFI_OTHER}},
        {"eh", CFI_CODE(""), 0x00, {0, 0, PH_CFI_OTHER}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cfi_plan plan = cfi_plan(&one, 1);
        plan.augmentation = cases[i].letters;
        plan.augmentation_data = cases[i].data;
        plan.encoding = cases[i].encoding;
        cfi_expect(&plan, 3, cases[i].rule);
    }
}

static void addresses_are_read_in_each_encoding_or_left_to_libgcc(void **state)
{
    (void)state;
    static const uint8_t known[] = {0x00, 0x03, 0x04, 0x0b, 0x0c, 0x10, 0x12, 0x13, 0x14, 0x1a, 0x1b, 0x1c};
    /* variable in size, not given, indirect, relative to text, data, function; aligned */
    static const uint8_t unknown[] = {0x01, 0x11, 0x09, 0xff, 0x9b, 0x80, 0x2b, 0x3b, 0x4b, 0x50, 0x0f};
    for (size_t i = 0; i < COUNT_OF(known) + COUNT_OF(unknown); i++) {
        uint8_t encoding = i < COUNT_OF(known) ? known[i] : unknown[i - COUNT_OF(known)];
        struct cfi_plan plan = cfi_plan(&one, 1);
        plan.augmentation_data = (struct cfi_code){(const char *)&encoding, 1};
        plan.encoding = encoding;
        cfi_expect(&plan, 15, i < COUNT_OF(known) ? from_sp(40) : left);
        if (i < COUNT_OF(known))
            cfi_expect(&plan, 16, ended);
    }
}

static void lengths_of_64_bits_are_left_to_libgcc(void **state)
{
    (void)state;
    struct cfi_plan plan = cfi_plan(&one, 1);
    plan.has_long_common = true;
    cfi_expect(&plan, 3, left);
    plan = cfi_plan(&one, 1);
    plan.has_long_functions = true;
    cfi_expect(&plan, 3, left);
}

static void common_entries_of_other_versions_are_left_to_libgcc(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 6; version++) {
        struct cfi_plan plan = cfi_plan(&one, 1);
        plan.common_version = (uint8_t)version;
        cfi_expect(&plan, 3, version == 1 || version == 3 ? from_sp(40) : left);
        plan.return_register = 8; /* not x86-64's */
        cfi_expect(&plan, 3, left);
    }
}

static void headers_of_another_form_are_left_to_libgcc(void **state)
{
    (void)state;
    struct cfi_plan plan = cfi_plan(&one, 1);
    plan.header_encoding = 0x1c; /* eight bytes */
    cfi_expect(&plan, 3, from_sp(40));
    plan.header_encoding = 0x01;
    cfi_expect(&plan, 3, left);
    plan = cfi_plan(&one, 1);
    plan.header_version = 2;
    cfi_expect(&plan, 3, left);
    plan = cfi_plan(&one, 1);
    plan.count_encoding = 0xff; /* no table */
    cfi_expect(&plan, 3, left);
    plan = cfi_plan(&one, 1);
    plan.table_encoding = 0x3c;
    cfi_expect(&plan, 3, left);
}

static void code_without_tables_is_the_end(void **state)
{
    (void)state;
    assert_int_equal(ph_cfi_find(NULL, (uintptr_t)&ended).kind, PH_CFI_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation_is_obeyed_or_left_to_libgcc),
        cmocka_unit_test(what_a_common_entry_says_holds_and_is_restored),
        cmocka_unit_test(an_operation_holds_from_the_place_it_is_for),
        cmocka_unit_test(operations_behind_the_place_are_not_looked_at),
        cmocka_unit_test(a_function_reaches_from_its_first_to_its_last_byte),
        cmocka_unit_test(each_of_many_functions_is_found),
        cmocka_unit_test(augmentations_are_known_or_left_to_libgcc),
        cmocka_unit_test(addresses_are_read_in_each_encoding_or_left_to_libgcc),
        cmocka_unit_test(lengths_of_64_bits_are_left_to_libgcc),
        cmocka_unit_test(common_entries_of_other_versions_are_left_to_libgcc),
        cmocka_unit_test(headers_of_another_form_are_left_to_libgcc),
        cmocka_unit_test(code_without_tables_is_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
