/* elf_fixture.h - files and libraries for the tests of lib/elf. One that cannot do its job fails the test. */
#ifndef TESTS_UNIT_ELF_FIXTURE_H
#define TESTS_UNIT_ELF_FIXTURE_H

#include "elf/modules.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

/* What make_debugdata.sh made; the build passes the folder. */
#define SYMBOLS_LIBRARY(name) PH_SYMBOLS_DIR "/" name

#define FIXTURE_PATH_MAX 1024 /* $TMPDIR may be deep */

/** A folder that everybody may enter, removed with its files by fixture_teardown(). cmocka setup and teardown. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/** fixture_path() - of a file in the folder, in a buffer that the next but seven calls overwrite. */
const char *fixture_path(const char *name);

/** fixture_copy() - copy a file into the folder as @name, replacing what is there by rename(). Its new path. */
const char *fixture_copy(const char *from, const char *name);

/** fixture_write() - the same from memory. */
const char *fixture_write(const char *name, const void *bytes, size_t size_bytes);

/** fixture_read() - a whole file, on the heap. */
unsigned char *fixture_read(const char *path, size_t *ret_size);

size_t fixture_open_descriptors(void);

/** fixture_limit_descriptors() - set RLIMIT_NOFILE; the limit before. */
rlim_t fixture_limit_descriptors(rlim_t count);

/** fixture_in_child() - run @test in a forked child, which must return 0. */
void fixture_in_child(int (*test)(const void *), const void *argument);

/** fixture_become_nobody() - if we are root; in a child. */
void fixture_become_nobody(void);

/** fixture_snapshot() - of this process. */
struct ph_modules fixture_snapshot(void);

/** fixture_parse() - a snapshot of a made-up process that has only @path mapped, as code, from @start to @limit. */
struct ph_modules fixture_parse(const char *path, unsigned long start, unsigned long limit);

/* A found name, kept beyond its snapshot: "name+offset", "" for none. */
struct fixture_found {
    char text[128];
};

#define FIXTURE_NO_DEBUG "/nonexistent" /* a debug_root */

struct fixture_found fixture_find(const struct ph_modules *modules, uintptr_t address, const char *debug_root);

/* One of the libraries, loaded. */
struct fixture_library {
    void *handle;
    const char *exported, *alias;
    const void *const *places; /* of symbols_static, symbols_unsized, symbols_label */
};

struct fixture_library fixture_load(const char *path);

/** fixture_expect() - the exported functions have their names, and two bytes behind the places are @place_names. */
void fixture_expect(const struct fixture_library *library, const char *debug_root,
                    const char *const place_names[3]);

#endif
