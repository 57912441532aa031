/* Names for profiles from elsewhere: libraries and programs of tests/unit/make_offline.sh. */
#include "elf/offline.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PAGE        ((uint64_t)4096)
#define BIAS        ((uint64_t)0x7f1200000000)
#define BUILT(name) PH_OFFLINE_DIR "/" name
#define NOWHERE     "/opt/nosuch/folder/libthing.so"

struct fixture {
    struct ph_profile *profile;
    struct ph_buf warnings;
    struct ph_symbol_sources sources;
};

static void note_warning(void *context, const char *text)
{
    ph_buf_text(context, text);
    ph_buf_char(context, '\n');
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->profile = ph_profile_new();
    fixture->sources = (struct ph_symbol_sources){.warn = note_warning, .context = &fixture->warnings};
    ph_profile_add_type(fixture->profile, "inuse_space", "bytes");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    ph_profile_free(fixture->profile);
    ph_buf_fini(&fixture->warnings);
    free(fixture);
    return 0;
}

/* The line of lib_offline.c with this mark. */
static int64_t line_of(const char *mark)
{
    char text[256], wanted[64];
    int64_t line = 0, found = 0;
    FILE *source = fopen(PH_OFFLINE_SOURCE, "r");
    assert_non_null(source);
    snprintf(wanted, sizeof(wanted), "/* mark: %s */", mark);
    while (fgets(text, sizeof(text), source) && found == 0)
        found = ++line * (strstr(text, wanted) != NULL);
    fclose(source);
    assert_true(found > 0);
    return found;
}

/* As nm has it. */
static void find_symbol(const char *table, const char *symbol, uint64_t *ret_address, uint64_t *ret_bytes)
{
    char line[256], name[128], type;
    bool is_found = false;
    FILE *file = fopen(table, "r");
    assert_non_null(file);
    while (!is_found && fgets(line, sizeof(line), file))
        is_found = sscanf(line, "%" SCNx64 " %" SCNx64 " %c %127s", ret_address, ret_bytes, &type, name) == 4 &&
                   strcmp(name, symbol) == 0;
    fclose(file);
    assert_true(is_found);
}

/* The mapping of the code of @file, moved by @bias, as if its name were @path. Returns its number. */
static uint32_t add_mapping(struct fixture *fixture, const char *file, const char *path, bool has_build_id,
                            uint64_t bias)
{
    struct ph_image image;
    struct ph_mapping mapping = {.start = 0};
    assert_int_equal(ph_image_open(&image, file), 0);
    for (size_t i = 0; i < image.segment_count; i++) {
        const struct ph_segment *segment = &image.segments[i];
        if (!segment->is_code)
            continue;
        mapping.start = bias + (segment->address & ~(PAGE - 1));
        mapping.limit = bias + ((segment->address + segment->memory_bytes + PAGE - 1) & ~(PAGE - 1));
        mapping.offset = segment->offset & ~(PAGE - 1);
    }
    mapping.file = ph_profile_string(fixture->profile, path);
    mapping.build_id = ph_profile_string(fixture->profile, has_build_id ? image.tables.build_id : "");
    ph_image_close(&image);
    return ph_profile_add_mapping(fixture->profile, &mapping);
}

/* A location for each byte of offline_outer(), by the table of @built. */
static void add_outer(struct fixture *fixture, const char *table, uint32_t mapping, uint64_t bias)
{
    uint64_t address, bytes;
    find_symbol(table, "offline_outer", &address, &bytes);
    for (uint64_t at = 0; at < bytes; at++)
        assert_true(ph_profile_add_location(fixture->profile, mapping, bias + address + at, false, NULL, 0) > 0);
}

static void symbolize(struct fixture *fixture)
{
    assert_int_equal(ph_offline_symbolize(fixture->profile, NULL, &fixture->sources), 0);
}

static const char *line_name(const struct fixture *fixture, const struct ph_line *line)
{
    return ph_profile_text(fixture->profile, fixture->profile->functions[line->function - 1].name);
}

static const char *line_file(const struct fixture *fixture, const struct ph_line *line)
{
    return ph_profile_text(fixture->profile, fixture->profile->functions[line->function - 1].file);
}

static bool is_chain(const struct fixture *fixture, const struct ph_location *location)
{
    static const char *const names[] = {"offline_inner", "offline_middle", "offline_outer"};
    const int64_t lines[] = {line_of("in inner"), line_of("in middle"), line_of("inlined")};
    const struct ph_line *line = &fixture->profile->lines[location->first_line];
    bool is_right = location->line_count == 3;
    for (size_t i = 0; is_right && i < 3; i++)
        is_right = strcmp(line_name(fixture, &line[i]), names[i]) == 0 && line[i].line == lines[i] &&
                   strstr(line_file(fixture, &line[i]), "lib_offline.c");
    return is_right;
}

/* Every location is offline_outer() in the end, with a line, and some are of the calls that were inlined. */
static void expect_inlined_calls(const struct fixture *fixture)
{
    const struct ph_profile *profile = fixture->profile;
    size_t chains = 0, outer = 0;
    for (uint32_t i = 0; i < profile->location_count; i++) {
        const struct ph_location *location = &profile->locations[i];
        assert_true(location->line_count > 0);
        const struct ph_line *last = &profile->lines[location->first_line + location->line_count - 1];
        assert_string_equal(line_name(fixture, last), "offline_outer");
        assert_true(last->line >= line_of("in outer") - 2 && last->line <= line_of("inlined") + 1);
        chains += is_chain(fixture, location);
        outer += location->line_count == 1 && last->line == line_of("in outer");
    }
    assert_true(chains > 0);
    assert_true(outer > 0);
    assert_null(fixture->warnings.data);
}

/* Names only, of the table of symbols. */
static void expect_names(const struct fixture *fixture)
{
    for (uint32_t i = 0; i < fixture->profile->location_count; i++) {
        const struct ph_location *location = &fixture->profile->locations[i];
        assert_int_equal(location->line_count, 1);
        const struct ph_line *line = &fixture->profile->lines[location->first_line];
        assert_string_equal(line_name(fixture, line), "offline_outer");
        assert_int_equal(line->line, 0);
    }
}

static void expect_nothing(const struct fixture *fixture)
{
    for (uint32_t i = 0; i < fixture->profile->location_count; i++)
        assert_int_equal(fixture->profile->locations[i].line_count, 0);
}

static void expect_warning(const struct fixture *fixture, const char *part)
{
    assert_non_null(fixture->warnings.data);
    assert_non_null(strstr(fixture->warnings.data, part));
    assert_ptr_equal(strchr(fixture->warnings.data, '\n') + 1,
                     fixture->warnings.data + fixture->warnings.size_bytes); /* one line */
}

static void calls_that_were_inlined_are_lines_of_their_location(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), BUILT("full.so"), true, BIAS);
    add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS);
    symbolize(fixture);
    expect_inlined_calls(fixture);
    const struct ph_mapping *marked = &fixture->profile->mappings[0];
    assert_true(marked->has_functions && marked->has_filenames && marked->has_line_numbers &&
                marked->has_inline_frames);
}

static void a_location_with_lines_keeps_them(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), BUILT("full.so"), true, BIAS);
    uint64_t address, bytes;
    find_symbol(BUILT("full.so.txt"), "offline_outer", &address, &bytes);
    struct ph_function function = {.name = ph_profile_string(fixture->profile, "given")};
    struct ph_line line = {.function = ph_profile_add_function(fixture->profile, &function)};
    ph_profile_add_location(fixture->profile, mapping, BIAS + address, false, &line, 1);
    symbolize(fixture);
    assert_string_equal(line_name(fixture, &fixture->profile->lines[0]), "given");
}

static uint32_t add_named(struct fixture *fixture, uint32_t mapping, uint64_t address)
{
    struct ph_function function = {.name = ph_profile_string(fixture->profile, "given")};
    struct ph_line line = {.function = ph_profile_add_function(fixture->profile, &function)};
    return ph_profile_add_location(fixture->profile, mapping, address, false, &line, 1);
}

/* As in a profile from a running program. */
static void where_lines_are_wanted_a_function_alone_is_not_enough(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), BUILT("full.so"), true, BIAS);
    uint64_t address, bytes;
    find_symbol(BUILT("full.so.txt"), "offline_outer", &address, &bytes);
    uint32_t known = add_named(fixture, mapping, BIAS + address);
    uint32_t unknown = add_named(fixture, mapping, BIAS + 1);
    fixture->sources.wants_lines = true;
    symbolize(fixture);
    const struct ph_location *location = ph_profile_location(fixture->profile, known);
    const struct ph_line *last = &fixture->profile->lines[location->first_line + location->line_count - 1];
    assert_string_equal(line_name(fixture, last), "offline_outer");
    assert_true(last->line > 0);
    location = ph_profile_location(fixture->profile, unknown);
    assert_int_equal(location->line_count, 1); /* what nobody knows a line of keeps its function */
    assert_string_equal(line_name(fixture, &fixture->profile->lines[location->first_line]), "given");
}

static void lines_are_not_taken_from_a_file_without_build_id(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), BUILT("full.so"), false, BIAS);
    uint64_t address, bytes;
    find_symbol(BUILT("full.so.txt"), "offline_outer", &address, &bytes);
    uint32_t known = add_named(fixture, mapping, BIAS + address);
    fixture->sources.wants_lines = true;
    symbolize(fixture);
    const struct ph_location *location = ph_profile_location(fixture->profile, known);
    assert_string_equal(line_name(fixture, &fixture->profile->lines[location->first_line]), "given");
}

static void a_debug_file_is_found_by_build_id(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("stripped.so"), BUILT("stripped.so"), true, BIAS);
    add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS);
    fixture->sources.debug_dir = BUILT("debug");
    symbolize(fixture);
    expect_inlined_calls(fixture);
}

static void a_debug_file_serves_where_the_code_is_missing(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("stripped.so"), NOWHERE, true, BIAS);
    add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS);
    fixture->sources.debug_dir = BUILT("debug");
    symbolize(fixture);
    expect_inlined_calls(fixture);
}

static void a_debug_file_is_found_by_the_link_in_the_code(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("linked.so"), BUILT("linked.so"), false, BIAS);
    add_outer(fixture, BUILT("linked.so.txt"), mapping, BIAS);
    fixture->sources.binary = BUILT("linked.so");
    fixture->sources.debug_dir = BUILT("named");
    symbolize(fixture);
    expect_inlined_calls(fixture);
}

static void a_stripped_file_without_its_debug_file_names_what_it_exports(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("stripped.so"), BUILT("stripped.so"), true, BIAS);
    add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS);
    symbolize(fixture);
    expect_names(fixture);
    assert_true(fixture->profile->mappings[0].has_functions);
    assert_false(fixture->profile->mappings[0].has_line_numbers);
}

static void without_dwarf_symbol_tables_give_the_names(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("table.so"), BUILT("table.so"), true, BIAS);
    add_outer(fixture, BUILT("table.so.txt"), mapping, BIAS);
    symbolize(fixture);
    expect_names(fixture);
}

static void a_file_of_another_build_is_refused(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), BUILT("other.so"), true, BIAS);
    add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS);
    symbolize(fixture);
    expect_nothing(fixture);
    expect_warning(fixture, "other.so is another build (build id ");
    assert_false(fixture->profile->mappings[0].has_functions);
}

static void a_binary_of_another_build_is_refused_too(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), NOWHERE, true, BIAS);
    add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS);
    fixture->sources.binary = BUILT("other.so");
    symbolize(fixture);
    expect_nothing(fixture);
    expect_warning(fixture, "other.so is another build (build id ");
}

static void a_binary_of_another_build_is_told_where_all_have_names(void **state)
{
    struct fixture *fixture = *state;
    add_mapping(fixture, BUILT("full.so"), NOWHERE, true, BIAS);
    fixture->sources.binary = BUILT("full.so");
    symbolize(fixture);
    assert_null(fixture->warnings.data);
    fixture->sources.binary = BUILT("other.so");
    symbolize(fixture);
    expect_warning(fixture, "other.so is another build (build id ");
}

static void a_binary_of_another_build_is_told_where_the_right_one_was_found(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), BUILT("full.so"), true, BIAS);
    add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS);
    fixture->sources.binary = BUILT("other.so");
    symbolize(fixture);
    expect_warning(fixture, "other.so is another build (build id ");
    ph_buf_fini(&fixture->warnings);
    expect_inlined_calls(fixture);
}

static void a_binary_that_names_no_address_is_told(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), NOWHERE, false, BIAS);
    ph_profile_add_location(fixture->profile, mapping, BIAS, false, NULL, 0);
    fixture->sources.binary = BUILT("full.so");
    symbolize(fixture);
    expect_nothing(fixture);
    expect_warning(fixture, "full.so names no address of the profile");
}

static void a_binary_for_a_profile_without_addresses_is_told(void **state)
{
    struct fixture *fixture = *state;
    fixture->sources.binary = BUILT("full.so");
    symbolize(fixture);
    expect_warning(fixture, "full.so names no address of the profile");
    ph_buf_fini(&fixture->warnings);
    fixture->sources.binary = PH_OFFLINE_SOURCE;
    symbolize(fixture);
    expect_warning(fixture, "is no ELF file");
}

static void a_debug_file_of_another_build_is_refused(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("stripped.so"), BUILT("stripped.so"), true, BIAS);
    add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS);
    fixture->sources.debug_dir = BUILT("wrong");
    symbolize(fixture);
    expect_names(fixture);
    expect_warning(fixture, "wrong/stripped.so.debug belongs to another build");
}

static void a_file_that_cannot_be_told_is_refused_unless_a_person_named_it(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), BUILT("full.so"), false, BIAS);
    add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS);
    symbolize(fixture);
    expect_nothing(fixture);
    expect_warning(fixture, "the profile has no build id");
    ph_buf_fini(&fixture->warnings);

    fixture->sources.binary = BUILT("full.so");
    symbolize(fixture);
    expect_inlined_calls(fixture);
    assert_int_equal(strlen(ph_profile_text(fixture->profile, fixture->profile->mappings[0].build_id)), 40);
}

static void many_files_of_other_builds_are_summed_up(void **state)
{
    struct fixture *fixture = *state;
    size_t lines = 0;
    for (uint64_t i = 0; i < 9; i++) {
        char build_id[] = "1234567890abcde0";
        uint64_t bias = BIAS + (i << 24);
        uint32_t mapping = add_mapping(fixture, BUILT("full.so"), BUILT("full.so"), false, bias);
        build_id[sizeof(build_id) - 2] = (char)('0' + i);
        fixture->profile->mappings[mapping - 1].build_id = ph_profile_string(fixture->profile, build_id);
        add_outer(fixture, BUILT("full.so.txt"), mapping, bias);
    }
    symbolize(fixture);
    expect_nothing(fixture);
    for (const char *c = fixture->warnings.data; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 5);
    assert_non_null(strstr(fixture->warnings.data, "5 more files do not match the profile and are not used\n"));
}

static void files_are_found_below_the_debug_folder_by_path_and_by_name(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), "/opt/nosuch/full.so", false, BIAS);
    add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS);
    fixture->sources.debug_dir = PH_OFFLINE_DIR;
    symbolize(fixture);
    expect_inlined_calls(fixture);
}

/* What a maps text tells of @path. */
static void parse_modules(const struct fixture *fixture, const char *path, int other_inode,
                          struct ph_modules *ret_modules)
{
    char text[4096];
    struct stat status;
    const struct ph_mapping *mapping = &fixture->profile->mappings[0];
    assert_int_equal(stat(path, &status), 0);
    snprintf(text, sizeof(text), "%" PRIx64 "-%" PRIx64 " r-xp %08" PRIx64 " %02x:%02x %" PRIu64 " %s\n",
             mapping->start, mapping->limit, mapping->offset, major(status.st_dev), minor(status.st_dev),
             (uint64_t)status.st_ino + (uint64_t)other_inode, path);
    assert_int_equal(ph_modules_parse(text, strlen(text), ret_modules, NULL), 0);
}

static void the_inode_tells_a_file_without_build_id(void **state)
{
    struct fixture *fixture = *state;
    struct ph_modules modules;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), BUILT("full.so"), false, BIAS);
    add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS);
    parse_modules(fixture, BUILT("full.so"), 1, &modules);
    assert_int_equal(ph_offline_symbolize(fixture->profile, &modules, &fixture->sources), 0);
    ph_modules_fini(&modules);
    expect_nothing(fixture);
    expect_warning(fixture, "its inode is another");
    ph_buf_fini(&fixture->warnings);

    parse_modules(fixture, BUILT("full.so"), 0, &modules);
    assert_int_equal(ph_offline_symbolize(fixture->profile, &modules, &fixture->sources), 0);
    ph_modules_fini(&modules);
    expect_inlined_calls(fixture);
}

static void programs_are_named_wherever_they_were_loaded(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("pie"), NOWHERE, true, 0x555555554000);
    add_outer(fixture, BUILT("pie.txt"), mapping, 0x555555554000);
    fixture->sources.binary = BUILT("pie");
    symbolize(fixture);
    expect_inlined_calls(fixture);
}

static void programs_that_are_not_relocated_are_named(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("fixed"), NOWHERE, true, 0);
    add_outer(fixture, BUILT("fixed.txt"), mapping, 0);
    fixture->sources.binary = BUILT("fixed");
    symbolize(fixture);
    expect_inlined_calls(fixture);
}

static void without_mappings_addresses_are_those_of_the_binary(void **state)
{
    struct fixture *fixture = *state;
    add_outer(fixture, BUILT("fixed.txt"), 0, 0);
    fixture->sources.binary = BUILT("fixed");
    symbolize(fixture);
    expect_inlined_calls(fixture);
}

static void a_mapping_may_begin_before_the_code(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), BUILT("full.so"), true, BIAS);
    struct ph_mapping *joined = &fixture->profile->mappings[mapping - 1];
    joined->start = BIAS;
    joined->offset = 0;
    add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS);
    symbolize(fixture);
    expect_inlined_calls(fixture);
}

static void a_mapping_that_no_loader_made_gives_no_names(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), BUILT("full.so"), true, BIAS + 8);
    add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS + 8);
    symbolize(fixture);
    expect_nothing(fixture);
}

static void debug_files_fit_code_that_was_prelinked(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("moved.so"), BUILT("moved.so"), true, BIAS);
    add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS + 0x10000000);
    fixture->sources.debug_dir = BUILT("debug");
    symbolize(fixture);
    expect_inlined_calls(fixture);
}

static void addresses_outside_the_code_stay_nameless(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), BUILT("full.so"), true, BIAS);
    ph_profile_add_location(fixture->profile, mapping, 1, false, NULL, 0);
    ph_profile_add_location(fixture->profile, mapping, BIAS, false, NULL, 0);
    ph_profile_add_location(fixture->profile, mapping, UINT64_MAX, false, NULL, 0);
    ph_profile_add_location(fixture->profile, 0, 4096, false, NULL, 0);
    symbolize(fixture);
    expect_nothing(fixture);
}

static void sources_that_are_not_there_are_told(void **state)
{
    struct ph_error error = {0};
    struct ph_symbol_sources none = {0}, no_binary = {.binary = NOWHERE}, folder = {.binary = PH_OFFLINE_DIR},
                             no_folder = {.debug_dir = NOWHERE}, file = {.debug_dir = BUILT("full.so")};
    assert_int_equal(ph_symbol_sources_check(&none, &error), 0);
    assert_true(ph_symbol_sources_check(&no_binary, &error) < 0);
    assert_non_null(strstr(error.text, "--binary " NOWHERE));
    assert_true(ph_symbol_sources_check(&folder, &error) < 0);
    assert_true(ph_symbol_sources_check(&no_folder, &error) < 0);
    assert_non_null(strstr(error.text, "--debug-dir " NOWHERE));
    assert_true(ph_symbol_sources_check(&file, &error) < 0);
}

/* Copies @from with one damage: cut at @at, or bytes turned there. */
static void damage(const char *from, const char *to, size_t at, bool is_cut)
{
    static char bytes[1 << 20];
    FILE *file = fopen(from, "rb");
    assert_non_null(file);
    size_t size_bytes = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    assert_true(size_bytes > 0 && size_bytes < sizeof(bytes));
    at %= size_bytes;
    for (size_t i = at; i < size_bytes && i < at + 8; i++)
        bytes[i] = (char)(bytes[i] ^ (char)(0x55 + at));
    file = fopen(to, "wb");
    assert_non_null(file);
    size_t kept = is_cut ? at : size_bytes;
    assert_int_equal(fwrite(bytes, 1, kept, file), kept);
    assert_int_equal(fclose(file), 0);
}

static void damaged_files_give_what_can_be_read(void **state)
{
    struct fixture *fixture = *state;
    uint32_t mapping = add_mapping(fixture, BUILT("full.so"), NOWHERE, false, BIAS);
    fixture->sources.binary = BUILT("damaged.so");
    fixture->sources.warn = NULL;
    for (size_t i = 0; i < 400; i++) {
        struct ph_profile *profile = fixture->profile;
        damage(BUILT("full.so"), BUILT("damaged.so"), i * 7919, i % 4 == 0);
        for (uint32_t location = 0; location < profile->location_count; location++)
            profile->locations[location].line_count = 0;
        if (i == 0)
            add_outer(fixture, BUILT("full.so.txt"), mapping, BIAS);
        symbolize(fixture);
    }
    unlink(BUILT("damaged.so"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(calls_that_were_inlined_are_lines_of_their_location),
        TEST(a_location_with_lines_keeps_them),
        TEST(where_lines_are_wanted_a_function_alone_is_not_enough),
        TEST(lines_are_not_taken_from_a_file_without_build_id),
        TEST(a_debug_file_is_found_by_build_id),
        TEST(a_debug_file_serves_where_the_code_is_missing),
        TEST(a_debug_file_is_found_by_the_link_in_the_code),
        TEST(a_stripped_file_without_its_debug_file_names_what_it_exports),
        TEST(without_dwarf_symbol_tables_give_the_names),
        TEST(a_file_of_another_build_is_refused),
        TEST(a_binary_of_another_build_is_refused_too),
        TEST(a_binary_of_another_build_is_told_where_all_have_names),
        TEST(a_binary_of_another_build_is_told_where_the_right_one_was_found),
        TEST(a_binary_that_names_no_address_is_told),
        TEST(a_binary_for_a_profile_without_addresses_is_told),
        TEST(a_debug_file_of_another_build_is_refused),
        TEST(a_file_that_cannot_be_told_is_refused_unless_a_person_named_it),
        TEST(many_files_of_other_builds_are_summed_up),
        TEST(files_are_found_below_the_debug_folder_by_path_and_by_name),
        TEST(the_inode_tells_a_file_without_build_id),
        TEST(programs_are_named_wherever_they_were_loaded),
        TEST(programs_that_are_not_relocated_are_named),
        TEST(without_mappings_addresses_are_those_of_the_binary),
        TEST(a_mapping_may_begin_before_the_code),
        TEST(a_mapping_that_no_loader_made_gives_no_names),
        TEST(debug_files_fit_code_that_was_prelinked),
        TEST(addresses_outside_the_code_stay_nameless),
        TEST(sources_that_are_not_there_are_told),
        TEST(damaged_files_give_what_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
