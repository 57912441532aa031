/*
 * lib_unwind.c - a module whose one function calls back from a frame of UNWIND_FRAME_BYTES. Whatever the size, code
 * and tables are of the same length: another build of it fits in the same place. At its end it calls
 * unwind_at_end().
 */
#define TEXT(number)  TEXT_(number)
#define TEXT_(number) #number

void unwind_call(void (*call)(void));
extern void (*unwind_at_end)(void);

void (*unwind_at_end)(void);

__asm__(
    ".text\n"
    ".globl unwind_call\n"
    ".type unwind_call, @function\n"
    "unwind_call:\n"
    ".cfi_startproc\n"
    "subq $" TEXT(
        UNWIND_FRAME_BYTES) ", %rsp\n"
                            ".cfi_adjust_cfa_offset " TEXT(
                                UNWIND_FRAME_BYTES) "\n"
                                                    "call *%rdi\n"
                                                    "addq $" TEXT(
                                                        UNWIND_FRAME_BYTES) ", %rsp\n"
                                                                            ".cfi_adjust_cfa_offset -" TEXT(
                                                                                UNWIND_FRAME_BYTES) "\n"
                                                                                                    "ret\n"
                                                                                                    ".cfi_endproc\n"
                                                                                                    ".size "
                                                                                                    "unwind_call, "
                                                                                                    ". - "
                                                                                                    "unwind_"
                                                                                                    "call\n");

__attribute__((destructor)) static void finish(void)
{
    if (unwind_at_end)
        unwind_call(unwind_at_end);
}
