/* fuzz_decode.c - any bytes as a profile of whatever format they look like, and what convert makes of it. */
#include "elf/image.h"
#include "model/folded.h"
#include "sound.h"
#include "tools/cpu_view.h"
#include "tools/decode.h"
#include "tools/flame_svg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* Profiles name files. One small file is there for them (run.sh links with --wrap): the C library of this machine with its
 * DWARF would take most of the time. */
int __real_ph_image_open(struct ph_image *ret_image, const char *path);
int __wrap_ph_image_open(struct ph_image *ret_image, const char *path);

int __wrap_ph_image_open(struct ph_image *ret_image, const char *path)
{
    return strcmp(path, "/bin/true") == 0 ? __real_ph_image_open(ret_image, path) : -ENOENT;
}

/* Whatever names hold, the graph is text without control characters, and its elements are closed. */
static void require_drawable(struct ph_profile *profile)
{
    struct ph_buf out = PH_BUF_INIT;
    struct ph_flame_options options = {.title = ph_profile_text(profile, profile->string_count - 1)};
    size_t opened = 0, closed = 0;
    require(ph_flame_svg_write(profile, &options, &out) == 0, "flame graph", "failed");
    for (size_t i = 0; i < out.size_bytes; i++)
        require((unsigned char)out.data[i] >= ' ' || out.data[i] == '\n', "flame graph", "control character");
    for (const char *at = out.data; (at = strstr(at, "<g ")) != NULL; at++)
        opened++;
    for (const char *at = out.data; (at = strstr(at, "</g>")) != NULL; at++)
        closed++;
    require(opened == closed, "flame graph", "elements are left open");
    ph_buf_fini(&out);
}

/* Nor is there one in a table of times. */
static void require_tables(const struct ph_profile *profile)
{
    int type = ph_cpu_type(profile);
    for (enum ph_cpu_by by = PH_CPU_BY_FUNCTION; type >= 0 && by <= PH_CPU_BY_PID; by++) {
        struct ph_buf out = PH_BUF_INIT;
        struct ph_cpu_view view = {profile, (uint32_t)type, "it", NULL, by, 10, 60};
        int status = ph_cpu_view_write(&view, &out);
        require(status == 0 || status == -ENODATA, "table of times", "failed");
        for (size_t i = 0; i < out.size_bytes; i++)
            require((unsigned char)out.data[i] >= ' ' || out.data[i] == '\n', "table of times",
                    "control character");
        ph_buf_fini(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct ph_profile *profile = NULL;
    struct ph_error error = {0};
    struct ph_buf folded = PH_BUF_INIT;
    enum ph_format format;
    int status = ph_decode((const char *)data, size_bytes, NULL, &format, &profile, &error);
    if (status < 0) {
        require_refusal(status, &error);
        require(!strchr(error.text, '\n'), "refused in more than one line", error.text);
        return 0;
    }
    require(ph_folded_write(profile, 0, &folded) == 0, "write folded", "failed");
    ph_buf_fini(&folded);
    require_tables(profile);
    require_drawable(profile);
    require_sound(profile);
    return 0;
}
