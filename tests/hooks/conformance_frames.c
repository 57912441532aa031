/* Tables of frames that a host registers itself, as one that makes code does. */
#include "conformance.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

extern void __register_frame(void *begin);
extern void __register_frame_info(const void *begin, void *object);
extern void __register_frame_info_bases(const void *begin, void *object, void *text, void *data);
extern void __register_frame_table(void *begin);
extern void __register_frame_info_table(void *begin, void *object);
extern void __register_frame_info_table_bases(void *begin, void *object, void *text, void *data);

/* A table of one function, at an address where no code is; DWARF 5, section 6.4.1. */
static struct {
    uint32_t common[5]; /* size, id, then: version 1, augmentation "", factors 1 and -8, return register 16, CFA */
    uint32_t size_bytes, distance;
    uint64_t start, length;
    uint32_t end;
} __attribute__((packed)) frames = {{16, 0, 0x78010001, 0x08070c10, 0x00000190}, 20, 24, 0x1000, 0x1000, 0};

extern const void *_Unwind_Find_FDE(void *pc, void *ret_bases);
extern void *__deregister_frame_info(const void *begin);
static void *frame_object[16];

/* Whether the unwinder finds them now; then they are taken back. libgcc allocates the object if it is given none. */
static struct outcome take_back(const void *begin)
{
    void *bases[3];
    long found = _Unwind_Find_FDE((void *)0x1800, bases) != NULL;
    void *object = __deregister_frame_info(begin);
    if (object != frame_object)
        free(object);
    return (struct outcome){found + (object ? 10 : 0), 0};
}

static const void *some_frames(enum way way)
{
    static const uint32_t none; /* an empty table is not registered at all */
    return way == GOOD ? (const void *)&frames : &none;
}

static void *frame_table[] = {&frames, NULL};

CALL(__register_frame)
{
    f((void *)some_frames(way));
    return take_back(some_frames(way));
}

CALL(__register_frame_info)
{
    f(some_frames(way), frame_object);
    return take_back(some_frames(way));
}

CALL(__register_frame_info_bases)
{
    f(some_frames(way), frame_object, NULL, NULL);
    return take_back(some_frames(way));
}

CALL(__register_frame_table)
{
    (void)way; /* an empty one could not be taken back */
    f(frame_table);
    return take_back(frame_table);
}

CALL(__register_frame_info_table)
{
    (void)way;
    f(frame_table, frame_object);
    return take_back(frame_table);
}

CALL(__register_frame_info_table_bases)
{
    (void)way;
    f(frame_table, frame_object, NULL, NULL);
    return take_back(frame_table);
}
