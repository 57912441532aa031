#include "tools/diff_inputs.h"

#include "model/scale.h"
#include "tools/series_dir.h"
#include "tools/target_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int add(struct ph_diff_inputs *inputs, const struct ph_target *target, char *take_path,
               struct ph_error *error)
{
    struct ph_diff_input *items = reallocarray(inputs->items, inputs->count + 1, sizeof(*items));
    if (!items) {
        free(take_path);
        return ph_error_set(error, -ENOMEM, "out of memory");
    }
    inputs->items = items;
    items[inputs->count++] = (struct ph_diff_input){.target = *target, .path = take_path};
    return 0;
}

static int add_folder(struct ph_diff_inputs *inputs, const char *folder, struct ph_error *error)
{
    char **paths;
    size_t count;
    int failed = ph_series_dir_list(folder, &paths, &count, error);
    if (failed)
        return failed;
    for (size_t i = 0; i < count && failed == 0; i++) {
        char *path = strdup(paths[i]);
        struct ph_target target = {.kind = PH_TARGET_FILE, .text = path};
        failed = path ? add(inputs, &target, path, error) : ph_error_set(error, -ENOMEM, "out of memory");
    }
    ph_series_dir_free(paths, count);
    return failed;
}

int ph_diff_inputs_add(struct ph_diff_inputs *inputs, const char *word, struct ph_error *error)
{
    struct ph_target target;
    struct stat status;
    int failed = ph_target_find(word, &target, error);
    if (failed)
        return failed;
    bool is_folder = target.kind == PH_TARGET_FILE && stat(word, &status) == 0 && S_ISDIR(status.st_mode);
    return is_folder ? add_folder(inputs, word, error) : add(inputs, &target, NULL, error);
}

void ph_diff_inputs_fini(struct ph_diff_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        free(inputs->items[i].path);
        ph_profile_free(inputs->items[i].kept);
    }
    free(inputs->items);
    inputs->items = NULL;
    inputs->count = 0;
}

/* A process has moved on, and a pipe is empty. */
static bool can_be_read_again(const struct ph_target *target)
{
    struct stat status;
    return target->kind == PH_TARGET_FILE && stat(target->text, &status) == 0 && S_ISREG(status.st_mode);
}

/* What the report calls it, as it is: outputs escape. 0 or -ENOMEM. */
static int name_of(const struct ph_target *target, struct ph_buf *ret_name)
{
    if (target->kind == PH_TARGET_PID)
        ph_buf_printf(ret_name, "process %d", (int)target->pid);
    else
        ph_buf_printf(ret_name, "%s%s", target->kind == PH_TARGET_SOCKET ? "unix:" : "", target->text);
    return ph_buf_status(ret_name);
}

static int read_in_bytes(const struct ph_diff_inputs *inputs, const struct ph_diff_input *input,
                         struct ph_profile **ret_profile, struct ph_error *error)
{
    struct ph_profile *profile;
    enum ph_format format;
    int failed = ph_source_read(&input->target, &inputs->source, &format, &profile, error);
    if (failed)
        return failed;
    ph_profile_scale_to_bytes(profile);
    failed = ph_profile_status(profile);
    if (failed) {
        ph_profile_free(profile);
        return ph_error_set(error, failed, "out of memory");
    }
    *ret_profile = profile;
    return 0;
}

static int read_one(struct ph_diff_inputs *inputs, struct ph_diff_input *input, struct ph_growth *growth,
                    struct ph_error *error)
{
    struct ph_profile *profile;
    struct ph_buf name = PH_BUF_INIT;
    int failed = read_in_bytes(inputs, input, &profile, error);
    if (failed)
        return failed;
    failed = name_of(&input->target, &name);
    failed =
        failed ? ph_error_set(error, failed, "out of memory") : ph_growth_add(growth, profile, name.data, error);
    ph_buf_fini(&name);
    if (failed == 0 && inputs->keeps_ends && !can_be_read_again(&input->target))
        input->kept = profile;
    else
        ph_profile_free(profile);
    return failed;
}

int ph_diff_inputs_read(struct ph_diff_inputs *inputs, struct ph_growth *growth, struct ph_error *error)
{
    int failed = 0;
    for (size_t i = 0; i < inputs->count && failed == 0; i++)
        failed = read_one(inputs, &inputs->items[i], growth, error);
    return failed;
}

static bool is_called(const struct ph_diff_input *input, const char *name)
{
    struct ph_buf subject = PH_BUF_INIT;
    bool is = name_of(&input->target, &subject) == 0 && strcmp(subject.data, name) == 0;
    ph_buf_fini(&subject);
    return is;
}

int ph_diff_inputs_take(struct ph_diff_inputs *inputs, const char *name, bool is_last,
                        struct ph_profile **ret_profile, struct ph_error *error)
{
    for (size_t i = 0; i < inputs->count; i++) {
        struct ph_diff_input *input = &inputs->items[is_last ? inputs->count - 1 - i : i];
        if (!is_called(input, name))
            continue;
        if (!input->kept)
            return read_in_bytes(inputs, input, ret_profile, error);
        *ret_profile = input->kept;
        input->kept = NULL;
        return 0;
    }
    return ph_error_set(error, -ENOENT, "%.120s: not among what was read", name);
}
