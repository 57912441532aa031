#include "elf_fixture.h"

#include "elf/symbols.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY 65534

static char folder[FIXTURE_PATH_MAX / 2];

int fixture_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/porthole-elf-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(folder));
    return chmod(folder, 0755);
}

int fixture_teardown(void **state)
{
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
    return rmdir(folder);
}

const char *fixture_path(const char *name)
{
    static char paths[8][FIXTURE_PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, FIXTURE_PATH_MAX, "%s/%s", folder, name);
    return path;
}

unsigned char *fixture_read(const char *path, size_t *ret_size)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    unsigned char *bytes = malloc((size_t)status.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, (size_t)status.st_size), status.st_size);
    close(fd);
    *ret_size = (size_t)status.st_size;
    return bytes;
}

const char *fixture_write(const char *name, const void *bytes, size_t size_bytes)
{
    const char *path = fixture_path(name), *fresh = fixture_path("fresh");
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size_bytes), size_bytes);
    assert_int_equal(fchmod(fd, 0755), 0);
    close(fd);
    assert_int_equal(rename(fresh, path), 0);
    return path;
}

const char *fixture_copy(const char *from, const char *name)
{
    size_t size_bytes;
    unsigned char *bytes = fixture_read(from, &size_bytes);
    const char *path = fixture_write(name, bytes, size_bytes);
    free(bytes);
    return path;
}

size_t fixture_open_descriptors(void)
{
    size_t count = 0;
    DIR *entries = opendir("/proc/self/fd");
    assert_non_null(entries);
    while (readdir(entries))
        count++;
    closedir(entries);
    return count;
}

void fixture_become_nobody(void)
{
    if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
        _exit(120);
}

void fixture_in_child(int (*test)(const void *), const void *argument)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(test(argument));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

rlim_t fixture_limit_descriptors(rlim_t count)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = count;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

struct ph_modules fixture_snapshot(void)
{
    struct ph_modules modules;
    struct ph_error error = {0, ""};
    int status = ph_modules_self(&modules, &error);
    assert_string_equal(error.text, "");
    assert_int_equal(status, 0);
    return modules;
}

struct ph_modules fixture_parse(const char *path, unsigned long start, unsigned long limit)
{
    char line[FIXTURE_PATH_MAX + 128];
    struct stat status;
    struct ph_modules modules;
    assert_int_equal(stat(path, &status), 0);
    int length = snprintf(line, sizeof(line), "%lx-%lx r-xp 00000000 %02x:%02x %lu   %s\n", start, limit,
                          major(status.st_dev), minor(status.st_dev), (unsigned long)status.st_ino, path);
    assert_int_equal(ph_modules_parse(line, (size_t)length, &modules, NULL), 0);
    assert_int_equal(modules.count, 1);
    return modules;
}

struct fixture_found fixture_find(const struct ph_modules *modules, uintptr_t address, const char *debug_root)
{
    struct ph_symbol symbol = {.address = address, .name = "untouched", .offset = 77};
    struct ph_arena text = PH_ARENA_INIT;
    struct fixture_found found = {""};
    assert_int_equal(ph_symbols_find_in(modules, &symbol, 1, &text, debug_root), 0);
    if (symbol.name)
        snprintf(found.text, sizeof(found.text), "%s+%llu", symbol.name, (unsigned long long)symbol.offset);
    else
        assert_int_equal(symbol.offset, 0);
    ph_arena_fini(&text);
    return found;
}

struct fixture_library fixture_load(const char *path)
{
    struct fixture_library library = {.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL)};
    const void *const *(*places)(void);
    assert_non_null(library.handle);
    library.exported = dlsym(library.handle, "symbols_exported");
    library.alias = dlsym(library.handle, "symbols_alias");
    *(void **)&places = dlsym(library.handle, "symbols_places");
    library.places = places();
    return library;
}

void fixture_expect(const struct fixture_library *library, const char *debug_root, const char *const place_names[3])
{
    struct ph_modules modules = fixture_snapshot();
    uintptr_t exported = (uintptr_t)library->exported + 1, alias = (uintptr_t)library->alias;
    assert_string_equal(fixture_find(&modules, exported, debug_root).text, "symbols_exported+1");
    assert_string_equal(fixture_find(&modules, alias, debug_root).text, "symbols_alias+0");
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(fixture_find(&modules, (uintptr_t)library->places[i] + 2, debug_root).text,
                            place_names[i]);
    ph_modules_fini(&modules);
}
