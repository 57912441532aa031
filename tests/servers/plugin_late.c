/* plugin_late.c - a module that one process of a family loads after it was forked. */
#include <stdlib.h>

void plugin_hold(void);
void *plugin_kept[32];

__attribute__((noinline)) static void *hold_in_plugin(void)
{
    void *memory = malloc(32 << 10);
    __asm__ volatile("" : "+r"(memory));
    return memory;
}

void plugin_hold(void)
{
    for (int i = 0; i < 32; i++)
        plugin_kept[i] = hold_in_plugin();
}
