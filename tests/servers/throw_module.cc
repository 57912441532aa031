#include "throw_module.h"

#include <vector>

namespace
{
struct counter {
    int *count;
    std::vector<std::string> memory;
    explicit counter(int *where) : count(where), memory(10, std::string(100, 'x'))
    {
    }
    ~counter()
    {
        ++*count;
    }
};
} // namespace

extern "C" __attribute__((visibility("default"))) int module_enter(void (*callback)(int), int depth, int *cleanups)
{
    counter cleaned(cleanups);
    if (depth > 0)
        return 1 + module_enter(callback, depth - 1, cleanups);
    try {
        callback(depth);
    } catch (const std::logic_error &e) {
        throw module_error(std::string("from the module: ") + e.what());
    }
    return 1;
}
