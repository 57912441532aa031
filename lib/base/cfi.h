/*
 * cfi.h - how to get from one frame to its caller, read from a module's .eh_frame.
 *
 * Formats: Linux Standard Base 5.0, Core Generic, 10.6 (.eh_frame, .eh_frame_hdr); DWARF 5, 6.4 (call frames). Two forms:
 * a short rule, which is all that most code of compilers needs, and what the tables say of every register.
 */
#ifndef PH_BASE_CFI_H
#define PH_BASE_CFI_H

#include "base/cfi_machine.h"

#include <stdbool.h>
#include <stdint.h>

enum ph_cfi_kind {
    PH_CFI_FROM_SP,   /* the frame's end is stack pointer + cfa_offset */
    PH_CFI_FROM_BP,   /* … RBP + cfa_offset */
    PH_CFI_BEHIND_BP, /* … what memory holds at RBP + cfa_offset, and the caller's RBP is at RBP + bp_offset */
    PH_CFI_END,       /* the outermost frame, or code without unwinding tables */
    PH_CFI_OTHER,     /* a signal frame, an expression, another register: for libgcc */
};

/* The return address is right below the frame's end, RBP kept or saved in the frame. */
struct ph_cfi_rule {
    int32_t cfa_offset;
    int16_t bp_offset; /* where the caller's RBP is, from the frame's end; 0: still in the register */
    uint8_t kind;      /* enum ph_cfi_kind */
};

/**
 * ph_cfi_find() - the rule at @pc, an address inside the instruction that is being executed or called from. x86-64.
 * @header: .eh_frame_hdr of the module that holds it, as _dl_find_object() tells; NULL for none.
 *
 * Trusts the module as the unwinder of libgcc does. Allocates nothing, takes no lock; async-signal-safe.
 */
struct ph_cfi_rule ph_cfi_find(const uint8_t *header, uintptr_t pc);

/* Tables as bytes that are not trusted: a copy of .eh_frame_hdr and .eh_frame, in the order and distance of the module's. */
struct ph_cfi_tables {
    uintptr_t low, high; /* the copy; nothing outside is read */
    uintptr_t header;    /* .eh_frame_hdr in it */
    uint64_t delta;      /* where a byte was copied from, less where it is */
};

enum ph_cfi_found {
    PH_CFI_FOUND,
    PH_CFI_NOTHING, /* the tables do not speak of this code */
    PH_CFI_UNKNOWN, /* a form that is not understood, or damaged */
};

struct ph_cfi_frame {
    struct ph_cfi_state state; /* blocks: by their distance from tables->header */
    uint64_t start, length;    /* of the function, or the part of it, that holds the address */
    bool is_signal;            /* its caller was interrupted: it did not call */
};

/** ph_cfi_read() - all that @tables say of @pc. @ret_frame is written only if found. */
enum ph_cfi_found ph_cfi_read(const struct ph_cfi_tables *tables, uint64_t pc, struct ph_cfi_frame *ret_frame);

/** ph_cfi_rule_of() - the short form; PH_CFI_OTHER if there is none. x86-64. @base: see struct ph_cfi_machine. */
struct ph_cfi_rule ph_cfi_rule_of(const struct ph_cfi_state *state, uintptr_t base);

/** ph_cfi_header() - where .eh_frame begins, and the sorted table of the header at @cursor: how many rows, from where on.
 * False if it has another form than linkers give it. */
bool ph_cfi_header(struct ph_cfi_cursor *cursor, uint64_t *ret_frames, uint64_t *ret_count);

/* A row of that table: distances from the header. */
struct ph_cfi_row {
    int32_t start, entry;
};

#endif
