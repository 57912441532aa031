/*
 * host_throw.cc - throws C++ exceptions through modules opened with dlopen(), on many threads, while modules come and
 * go. An unwinder that takes over _Unwind_* breaks this (libunwind#759).
 *
 *   host_throw PORT MODULE     commands: throw ROUNDS
 */
#include "lines.c"

#include "throw_module.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <exception>
#include <new>
#include <thread>
#include <vector>

static const char *module_path;
static std::atomic<int> caught, cleaned, bad_allocs, carried;

static void throw_logic(int)
{
    throw std::logic_error("callback");
}

static void throw_int(int)
{
    throw 42;
}

static void throw_through(module_call *enter, int depth)
{
    int cleanups = 0;
    try {
        enter(throw_logic, depth, &cleanups);
    } catch (const module_error &e) {
        caught += std::string(e.what()) == "from the module: callback";
    }
    try {
        enter(throw_int, depth, &cleanups);
    } catch (int number) {
        caught += number == 42;
    }
    cleaned += cleanups;
}

static void throw_bad_alloc()
{
    volatile std::size_t huge = SIZE_MAX / 4;
    try {
        char *volatile memory = new char[huge];
        delete[] memory;
    } catch (const std::bad_alloc &) {
        ++bad_allocs;
    }
}

/* An exception that leaves its thread and is thrown again in another. */
static void carry()
{
    std::exception_ptr held;
    std::thread thrower([&held] {
        try {
            throw module_error("carried");
        } catch (...) {
            held = std::current_exception();
        }
    });
    thrower.join();
    try {
        std::rethrow_exception(held);
    } catch (const module_error &) {
        ++carried;
    }
}

static void run_round()
{
    void *module = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
    if (!module) {
        std::fprintf(stderr, "%s\n", dlerror());
        std::exit(1);
    }
    auto enter = reinterpret_cast<module_call *>(dlsym(module, "module_enter"));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back([enter, i] {
            for (int depth = 0; depth < 20; depth++)
                throw_through(enter, depth + i);
            throw_bad_alloc();
        });
    for (auto &thread : threads)
        thread.join();
    carry();
    dlclose(module);
}

static void throw_rounds(lines_server *, const char *argument, char *answer)
{
    caught = cleaned = bad_allocs = carried = 0;
    for (int i = 0; i < std::atoi(argument); i++)
        run_round();
    std::snprintf(answer, LINES_MAX, "%d caught, %d cleaned, %d bad_alloc, %d carried", caught.load(),
                  cleaned.load(), bad_allocs.load(), carried.load());
}

static const lines_command commands[] = {{"throw", throw_rounds}, {nullptr, nullptr}};

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    module_path = argv[2];
    lines_server server = {};
    server.listener = lines_listen(std::atoi(argv[1]));
    lines_serve(&server, commands);
}
