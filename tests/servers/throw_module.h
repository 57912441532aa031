/* throw_module.h - what host_throw.cc and its module, which it opens with dlopen(), know of each other. */
#ifndef THROW_MODULE_H
#define THROW_MODULE_H

#include <stdexcept>
#include <string>

struct module_error : std::runtime_error {
    explicit module_error(const std::string &text) : std::runtime_error(text)
    {
    }
};

/* Calls @callback, which throws, through frames that have something to clean up; counts the cleanups. */
typedef int module_call(void (*callback)(int), int depth, int *cleanups);

#endif
