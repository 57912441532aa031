/* control.cc - modes in which control and code go elsewhere: exceptions, and modules that come and go. */
#include "harm.h"

#include "../throw_module.h"

#include <cstring>
#include <dlfcn.h>
#include <stdexcept>
#include <string>
#include <unistd.h>

/* ---- throw: as often as there is time ---- */

static const int BATCH = 100;

struct Cleanup {
    int *count;
    ~Cleanup()
    {
        (*count)++;
    }
};

__attribute__((noinline)) static int throw_from(int depth, int *cleaned)
{
    Cleanup cleanup = {cleaned};
    if (depth == 0)
        throw depth;
    return throw_from(depth - 1, cleaned) + 1;
}

__attribute__((noinline)) static void throw_text(int *cleaned)
{
    Cleanup cleanup = {cleaned};
    throw std::runtime_error("thrown");
}

static void throw_batch()
{
    int cleaned = 0, caught = 0;
    for (int i = 0; i < BATCH; i++) {
        try {
            throw_from(2, &cleaned);
        } catch (int depth) {
            caught += depth == 0;
        }
    }
    expect(caught == BATCH && cleaned == 3 * BATCH, "each exception is caught, and all is destroyed on its way");
    try {
        throw_text(&cleaned);
    } catch (const std::exception &error) {
        caught += strcmp(error.what(), "thrown") == 0;
    }
    expect(caught == BATCH + 1 && cleaned == 3 * BATCH + 1, "an exception has its text");
}

static void throw_often()
{
    unsigned long count = 0;
    int64_t begin_ns = now_ns();
    while (!stop) {
        throw_batch();
        count += BATCH + 1;
        done();
    }
    note("exceptions a second", count * 1000000000 / static_cast<unsigned long>(now_ns() - begin_ns));
}

/* ---- dlopen: in a tight loop, and what was opened runs ---- */

static void throw_logic(int)
{
    burn(2000);
    throw std::logic_error("callback");
}

static void load_often()
{
    while (!stop) {
        int cleaned = 0;
        bool is_caught = false;
        void *module = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
        expect(module, "dlopen");
        module_call *enter = reinterpret_cast<module_call *>(dlsym(module, "module_enter"));
        expect(enter, "dlsym");
        try {
            enter(throw_logic, 3, &cleaned);
        } catch (const module_error &error) {
            is_caught = strcmp(error.what(), "from the module: callback") == 0;
        }
        expect(is_caught && cleaned == 4, "an exception passes a module that goes");
        expect(dlclose(module) == 0, "dlclose");
        done();
    }
}

static void load_library()
{
    while (!stop) {
        void *module = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
        if (module)
            dlclose(module);
        done();
    }
}

std::vector<Mode> control_modes()
{
    return {
        {"throw", prepare_witnesses, both(witnesses(), {{"throw", throw_often, 2}})},
        {"dlopen", prepare_witnesses,
         both(witnesses(), {{"load-module", load_often, 1}, {"load-library", load_library, 2}})},
    };
}
