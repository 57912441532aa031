/*
 * offline.h - names for the addresses of a profile that was taken elsewhere or earlier: functions, files, lines and
 * inlined calls from DWARF, else functions from symbol tables, of local files. For the tools. One thread at a time.
 */
#ifndef PH_ELF_OFFLINE_H
#define PH_ELF_OFFLINE_H

#include "elf/debug_file.h"
#include "elf/modules.h"
#include "model/profile.h"

/**
 * ph_offline_symbolize() - give each location without lines its lines; with @sources->wants_lines also those that have a
 * function and no more.
 * @modules: of the maps text the profile came with, for its inodes; NULL if there was none.
 *
 * The main program is the first mapping. Addresses of a profile without mappings belong to @sources->binary, which is
 * then taken as not relocated. Each file is opened once, its addresses are looked up in rising order. Mappings get the
 * build id of the file that was used, and the flags for what was found there: functions, files, lines, inlined calls.
 * A @sources->binary that is of no use is told to @sources->warn, also if nothing lacks a name.
 * 0; -ENOMEM, -EOVERFLOW of the profile.
 */
int ph_offline_symbolize(struct ph_profile *profile, const struct ph_modules *modules,
                         const struct ph_symbol_sources *sources);

#endif
