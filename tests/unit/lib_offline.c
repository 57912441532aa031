/*
 * lib_offline.c - a function with calls that are inlined, for test_offline.c; make_offline.sh builds it in several ways.
 *
 * The test finds lines by the marks in their comments.
 */
#ifndef OFFLINE_BUILD
#define OFFLINE_BUILD 1
#endif

#if OFFLINE_BUILD > 1
int offline_inserted(int value);

__attribute__((noinline)) int offline_inserted(int value)
{
    return value * 5 + OFFLINE_BUILD;
}
#endif

int offline_sink(int value);
int offline_outer(int value);

__attribute__((noinline)) int offline_sink(int value)
{
    __asm__ volatile("" : "+r"(value));
    return value + OFFLINE_BUILD;
}

static inline __attribute__((always_inline)) int offline_inner(int value)
{
    return offline_sink(value + 1) * 3; /* mark: in inner */
}

static inline __attribute__((always_inline)) int offline_middle(int value)
{
    return offline_inner(value) + 7; /* mark: in middle */
}

__attribute__((noinline)) int offline_outer(int value)
{
    int sum = offline_sink(value);    /* mark: in outer */
    return sum ^ offline_middle(sum); /* mark: inlined */
}

#ifdef OFFLINE_MAIN
int main(int argc, char **argv)
{
    (void)argv;
    return offline_outer(argc) == 0;
}
#endif
