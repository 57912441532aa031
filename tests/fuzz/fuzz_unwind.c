/* fuzz_unwind.c - any registers over any stack: this process has the code and the tables. */
#include "elf/unwind.h"
#include "sound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

struct head {
    uint8_t flags;    /* is_live, high, hook_frame; where words that look like code are put */
    uint8_t known[3]; /* of the registers */
    uint64_t values[PH_REGISTERS];
};

#define STACK_LOW 0x7ff000000000

/* A word with this in its upper half is an address of this program's code, and one with the next an address of the stack: a fuzzer
 * does not find them by itself. */
#define CODE_MARK  0xc0de
#define STACK_MARK 0x57ac

static uint64_t made_real(uint64_t word)
{
    if (word >> 48 == CODE_MARK)
        return (uint64_t)(uintptr_t)LLVMFuzzerTestOneInput + (uint64_t)(int64_t)(int32_t)(word & 0xfffff) - 0x80000;
    if (word >> 48 == STACK_MARK)
        return STACK_LOW + (word & 0xffff);
    return word;
}

static void make_all_real(uint8_t *bytes, size_t size_bytes)
{
    for (size_t i = 0; i + sizeof(uint64_t) <= size_bytes; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof(word));
        word = made_real(word);
        memcpy(bytes + i, &word, sizeof(word));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    static struct ph_unwinder *unwinder;
    struct ph_error error = {0};
    struct head head;
    struct ph_registers registers = {.known = 0};
    uint64_t frames[PH_UNWIND_FRAMES_MAX];
    enum ph_unwind_end end = (enum ph_unwind_end) - 1;
    if (size_bytes < sizeof(head))
        return 0;
    if (!unwinder)
        require(ph_unwinder_new(&unwinder, &error) == 0, "unwinder", error.text);
    memcpy(&head, data, sizeof(head));
    size_t stack_bytes = size_bytes - sizeof(head);
    uint8_t *bytes = malloc(stack_bytes + 1);
    memcpy(bytes, data + sizeof(head), stack_bytes);
    make_all_real(bytes, stack_bytes);
    for (size_t i = 0; i < PH_REGISTERS; i++)
        registers.values[i] = made_real(head.values[i]);
    registers.known = (uint64_t)head.known[0] | (uint64_t)head.known[1] << 8 | (uint64_t)head.known[2] << 16;
    registers.known |= UINT64_C(1) << PH_REGISTER_SP | UINT64_C(1) << PH_REGISTER_PC;
    struct ph_stack stack = {.low = STACK_LOW, .bytes = bytes, .size_bytes = stack_bytes};
    stack.is_live = head.flags & 1;
    stack.high = head.flags & 2 ? STACK_LOW + stack_bytes : 0;
    stack.hook_frame = head.flags & 4 ? STACK_LOW + 8 * (head.flags >> 3) : 0;
    size_t capacity = head.flags & 0x80 ? 1 : PH_UNWIND_FRAMES_MAX;
    size_t count = ph_unwinder_run(unwinder, &registers, &stack, frames, capacity, &end);
    require(count >= 1 && count <= capacity, "unwind", "a number of frames that cannot be");
    require(end <= PH_UNWIND_BAD, "unwind", "no reason");
    free(bytes);
    return 0;
}
