/*
 * lib_symbols.c - a library with one symbol of each kind; make_debugdata.sh builds it in several ways.
 *
 * symbols_places() tells the tests where code is that has no exported symbol.
 */
#include <stddef.h>

#ifndef SYMBOLS_BUILD
#define SYMBOLS_BUILD 1
#endif

__attribute__((noinline)) int symbols_exported(int value)
{
    return value * SYMBOLS_BUILD + 1;
}

__attribute__((noinline, used)) static int symbols_static(int value)
{
    return value * 3 + SYMBOLS_BUILD;
}

#if SYMBOLS_BUILD > 1
/* Everything behind this lies elsewhere than in build 1. */
__attribute__((noinline, used)) static int symbols_inserted(int value)
{
    return symbols_static(value) * symbols_exported(value) + value;
}
#endif

__attribute__((noinline)) int __symbols_alias(int value)
{
    return symbols_static(value) - 7;
}

__attribute__((weak, alias("__symbols_alias"))) int symbols_alias(int value);

/* Code as old assembly has it: a function without a size, then a label that is no function. */
__asm__(".text\n"
        ".local symbols_unsized\n"
        ".type symbols_unsized, @function\n"
        "symbols_unsized: nop; nop; nop; ret\n"
        ".local symbols_label\n"
        "symbols_label: nop; nop; nop; ret\n");

extern char symbols_unsized[] __attribute__((visibility("hidden")));
extern char symbols_label[] __attribute__((visibility("hidden")));

const void *const *symbols_places(void);

const void *const *symbols_places(void)
{
    static const void *const places[] = {(const void *)symbols_static, symbols_unsized, symbols_label, NULL};
    return places;
}
