#include "model/check.h"
#include "rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void a_rich_profile_is_consistent(void **state)
{
    struct ph_error error = {0};
    struct ph_profile *profile = rich_profile();
    assert_int_equal(ph_profile_check(profile, &error), 0);
    assert_int_equal(error.code, 0);
    ph_profile_free(profile);
}

/* Each breaks one thing and returns what is to be said. */
#define BREAK(name, statement, text)                                                                               \
    static const char *break_##name(struct ph_profile *profile)                                                    \
    {                                                                                                              \
        statement;                                                                                                 \
        return text;                                                                                               \
    }

BREAK(string_0, profile->strings[0] = profile->strings[1], "string 0: expected the empty string")
BREAK(no_strings, profile->string_count = 0, "string 0: expected the empty string")
BREAK(nul, ((char *)profile->strings[1].text)[2] = '\0', "string 1: expected UTF-8 without NUL at byte 2")
BREAK(utf8, ((char *)profile->strings[1].text)[1] = '\xff', "string 1: expected UTF-8 without NUL at byte 1")
BREAK(no_types, profile->type_count = 0, "0 sample types, expected 1 to 16")
BREAK(many_types, profile->type_count = 17, "17 sample types, expected 1 to 16")
BREAK(type, profile->types[1].type = 999, "sample type 1: its name or unit is no string")
BREAK(unit, profile->types[0].unit = 999, "sample type 0: its name or unit is no string")
BREAK(default_type, profile->default_type = 999, "profile 0: default type is 999, expected at most S")
BREAK(period_type, profile->period_type.type = 999, "profile 0: period type is 999, expected at most S")
BREAK(period_unit, profile->period_type.unit = 999, "profile 0: period unit is 999, expected at most S")
BREAK(drop, profile->drop_frames = 999, "profile 0: drop frames is 999, expected at most S")
BREAK(keep, profile->keep_frames = profile->string_count, "profile 0: keep frames is N, expected at most S")
BREAK(comment, profile->comments[1] = 999, "comment 1: string is 999, expected at most S")
BREAK(range, profile->mappings[0].limit = 0x3fffff, "mapping 1: start is 4194304, expected at most 4194303")
BREAK(file, profile->mappings[1].file = 999, "mapping 2: file is 999, expected at most S")
BREAK(build_id, profile->mappings[1].build_id = 999, "mapping 2: build id is 999, expected at most S")
BREAK(name, profile->functions[0].name = 999, "function 1: name is 999, expected at most S")
BREAK(system_name, profile->functions[1].system_name = 999, "function 2: system name is 999, expected at most S")
BREAK(source, profile->functions[2].file = 999, "function 3: file is 999, expected at most S")
BREAK(mapping, profile->locations[3].mapping = 3, "location 4: mapping is 3, expected at most 2")
BREAK(lines, profile->locations[1].line_count = 2, "location 2: last line is 4, expected at most 3")
BREAK(far_line, profile->locations[1].first_line = UINT32_MAX,
      "location 2: last line is 4294967296, expected at most 3")
BREAK(no_function, profile->lines[0].function = 0, "line 0: function is 0, expected 1 to 3")
BREAK(function, profile->lines[2].function = 4, "line 2: function is 4, expected 1 to 3")
BREAK(key, profile->labels[0].key = 999, "label 0: key, text or unit is 999, expected at most S")
BREAK(text, profile->labels[0].text = 999, "label 0: key, text or unit is 999, expected at most S")
BREAK(label_unit, profile->labels[1].unit = 999, "label 1: key, text or unit is 999, expected at most S")
BREAK(frames, profile->samples[3].frame_count = 3, "sample 3: last frame is 15, expected at most 14")
BREAK(far_frame, profile->samples[3].first_frame = UINT32_MAX,
      "sample 3: last frame is 4294967297, expected at most 14")
BREAK(labels, profile->samples[3].label_count = 2, "sample 3: last label is 5, expected at most 4")
BREAK(no_location, profile->frames[2] = 0, "frame 2: location is 0, expected 1 to 4")
BREAK(location, profile->frames[13] = 5, "frame 13: location is 5, expected 1 to 4")
#undef BREAK

static const char *(*const breaks[])(struct ph_profile *) = {
    break_string_0,    break_no_strings,  break_nul,        break_utf8,         break_no_types,
    break_many_types,  break_type,        break_unit,       break_default_type, break_period_type,
    break_period_unit, break_drop,        break_keep,       break_comment,      break_range,
    break_file,        break_build_id,    break_name,       break_system_name,  break_source,
    break_mapping,     break_lines,       break_far_line,   break_no_function,  break_function,
    break_key,         break_text,        break_label_unit, break_frames,       break_far_frame,
    break_labels,      break_no_location, break_location,
};

/* S and N stand for the last string and the one behind it. */
static void put_numbers(char *text, size_t size_bytes, const char *form, uint32_t string_count)
{
    char *out = text;
    for (; *form && out + 12 < text + size_bytes; form++) {
        bool stands_for = (*form == 'S' || *form == 'N') && (form[1] == '\0' || form[1] == ',');
        if (stands_for)
            out += sprintf(out, "%u", *form == 'S' ? string_count - 1 : string_count);
        else
            *out++ = *form;
    }
    *out = '\0';
}

static void each_broken_number_is_named(void **state)
{
    for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
        struct ph_error error = {0};
        struct ph_profile *profile = rich_profile();
        char text[PH_ERROR_TEXT_MAX];
        uint32_t string_count = profile->string_count;
        put_numbers(text, sizeof(text), breaks[i](profile), string_count);
        int status = ph_profile_check(profile, &error);
        assert_string_equal(error.text, text);
        assert_int_equal(status, -EINVAL);
        ph_profile_free(profile);
    }
}

static void a_profile_that_failed_is_never_consistent(void **state)
{
    struct ph_error error = {0};
    struct ph_profile *profile = rich_profile();
    profile->status = -ENOMEM;
    assert_int_equal(ph_profile_check(profile, &error), -ENOMEM);
    assert_string_equal(error.text, "the profile is incomplete: Cannot allocate memory");
    ph_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rich_profile_is_consistent),
        cmocka_unit_test(each_broken_number_is_named),
        cmocka_unit_test(a_profile_that_failed_is_never_consistent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
