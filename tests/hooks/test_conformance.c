/*
 * test_conformance.c - every hook does what the function behind it does.
 *
 * Built from symbols.def: a HOOK without a call_<name>() here does not compile. Each call is made twice, through the
 * hook and through libc, with good and with bad arguments, and result and errno must agree: in main(), before the
 * constructor of the probe, in a vfork child, in a forked child, and after main() has returned.
 */
#include "probe/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HIGH_FD 900 /* nobody uses it here */

struct outcome {
    long value;
    int error;
};

static struct outcome outcome(long value)
{
    return (struct outcome){value, errno};
}

/* ---- one pair of calls for each hook: what works, and what does not ---------------------------------------------- */

static int bound_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX}; /* no name: the kernel picks an abstract one */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t));
    return fd;
}

static int connected_listener(int *ret_client)
{
    struct sockaddr_un address;
    socklen_t size = sizeof(address);
    int fd = bound_socket();
    getsockname(fd, (struct sockaddr *)&address, &size);
    syscall(SYS_listen, fd, 1);
    *ret_client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(*ret_client, (struct sockaddr *)&address, size);
    return fd;
}

static void discard(int fd)
{
    syscall(SYS_close, fd);
}

static struct outcome call_listen(const struct ph_real *f, int good)
{
    int fd = good ? bound_socket() : -1;
    struct outcome seen = outcome(f->listen(fd, 3));
    discard(fd);
    return seen;
}

static struct outcome accept_with(const struct ph_real *f, int good, int flags)
{
    int client = -1;
    int fd = good ? connected_listener(&client) : -1;
    int made = flags < 0 ? f->accept(fd, NULL, NULL) : f->accept4(fd, NULL, NULL, flags);
    struct outcome seen = outcome(made >= 0);
    discard(made);
    discard(client);
    discard(fd);
    return seen;
}

static struct outcome call_accept(const struct ph_real *f, int good)
{
    return accept_with(f, good, -1);
}

static struct outcome call_accept4(const struct ph_real *f, int good)
{
    return accept_with(f, good, SOCK_CLOEXEC);
}

static struct outcome call_close(const struct ph_real *f, int good)
{
    return outcome(f->close(good ? dup(STDIN_FILENO) : -1));
}

static struct outcome call_close_range(const struct ph_real *f, int good)
{
    syscall(SYS_dup3, STDIN_FILENO, HIGH_FD, 0);
    struct outcome seen = outcome(f->close_range(HIGH_FD, good ? HIGH_FD + 1 : HIGH_FD - 1, 0));
    seen.value += fcntl(HIGH_FD, F_GETFD) < 0 ? 100 : 0;
    discard(HIGH_FD);
    return seen;
}

static struct outcome call_closefrom(const struct ph_real *f, int good)
{
    syscall(SYS_dup3, STDIN_FILENO, HIGH_FD, 0);
    f->closefrom(good ? HIGH_FD : INT32_MAX);
    struct outcome seen = {fcntl(HIGH_FD, F_GETFD) < 0, 0};
    discard(HIGH_FD);
    return seen;
}

static struct outcome call_dup2(const struct ph_real *f, int good)
{
    struct outcome seen = outcome(f->dup2(good ? STDIN_FILENO : -1, HIGH_FD));
    discard(HIGH_FD);
    return seen;
}

static struct outcome call_dup3(const struct ph_real *f, int good)
{
    struct outcome seen = outcome(f->dup3(STDIN_FILENO, good ? HIGH_FD : STDIN_FILENO, O_CLOEXEC));
    discard(HIGH_FD);
    return seen;
}

static struct outcome call_epoll_create1(const struct ph_real *f, int good)
{
    int fd = f->epoll_create1(good ? EPOLL_CLOEXEC : -1);
    struct outcome seen = outcome(fd >= 0);
    discard(fd);
    return seen;
}

static struct outcome call_eventfd(const struct ph_real *f, int good)
{
    int fd = f->eventfd(7, good ? 0 : -1);
    struct outcome seen = outcome(fd >= 0);
    discard(fd);
    return seen;
}

static void *return_argument(void *argument)
{
    return argument;
}

static struct outcome call_pthread_create(const struct ph_real *f, int good)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *result = NULL;
    pthread_attr_init(&attributes);
    if (!good)
        pthread_attr_setstacksize(&attributes, (size_t)1 << 46); /* EAGAIN: no such room */
    errno = 0;
    struct outcome seen = outcome(f->pthread_create(&thread, &attributes, return_argument, (void *)77));
    if (seen.value == 0) {
        pthread_join(thread, &result);
        seen.value += (long)result;
    }
    pthread_attr_destroy(&attributes);
    return seen;
}

static struct outcome call_dlopen(const struct ph_real *f, int good)
{
    void *handle = f->dlopen(good ? "libm.so.6" : "/none.so", RTLD_NOW);
    struct outcome seen = {handle != NULL, 0};
    if (handle)
        dlclose(handle);
    return seen;
}

static struct outcome call_dlclose(const struct ph_real *f, int good)
{
    void *handle = dlopen(good ? "libm.so.6" : "libcmocka.so.0", RTLD_NOW);
    int result = f->dlclose(handle);
    for (int i = 0; !good && result == 0 && i < 9; i++)
        result = f->dlclose(handle); /* the program needs it, so it stays; but it is open no more */
    return (struct outcome){result, 0};
}

static struct outcome call_chroot(const struct ph_real *f, int good)
{
    return outcome(f->chroot(good ? "/" : "/no/such/folder")); /* EPERM if we are not root: in both */
}

static struct outcome call_setuid(const struct ph_real *f, int good)
{
    return outcome(f->setuid(good ? getuid() : (uid_t)-1));
}

static struct outcome call_setreuid(const struct ph_real *f, int good)
{
    return outcome(f->setreuid(getuid(), good ? (uid_t)-1 : geteuid()));
}

static struct outcome call_setresuid(const struct ph_real *f, int good)
{
    return outcome(f->setresuid((uid_t)-1, good ? geteuid() : (uid_t)-1, (uid_t)-1));
}

static struct outcome call_seteuid(const struct ph_real *f, int good)
{
    return outcome(f->seteuid(good ? geteuid() : (uid_t)-1));
}

static struct outcome call_setgid(const struct ph_real *f, int good)
{
    return outcome(f->setgid(good ? getgid() : (gid_t)-1));
}

static struct outcome call_setegid(const struct ph_real *f, int good)
{
    return outcome(f->setegid(good ? getegid() : (gid_t)-1));
}

static struct outcome call_setregid(const struct ph_real *f, int good)
{
    return outcome(f->setregid(getgid(), good ? (gid_t)-1 : getegid()));
}

static struct outcome call_setresgid(const struct ph_real *f, int good)
{
    return outcome(f->setresgid((gid_t)-1, good ? getegid() : (gid_t)-1, (gid_t)-1));
}

static struct outcome call_setgroups(const struct ph_real *f, int good)
{
    gid_t groups[256];
    int count = getgroups(256, groups);
    return outcome(f->setgroups(good && count >= 0 ? (size_t)count : SIZE_MAX, groups));
}

static struct outcome call_initgroups(const struct ph_real *f, int good)
{
    gid_t groups[256];
    int count = getgroups(256, groups);
    struct outcome seen = outcome(f->initgroups(good ? "root" : "no such user", getgid()));
    if (seen.value == 0)
        setgroups((size_t)count, groups);
    return seen;
}

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

static const void *some_frames(int good)
{
    static const uint32_t none; /* an empty table is not registered at all */
    return good ? (const void *)&frames : &none;
}

static void *frame_table[] = {&frames, NULL};

static struct outcome call___register_frame(const struct ph_real *f, int good)
{
    f->__register_frame((void *)some_frames(good));
    return take_back(some_frames(good));
}

static struct outcome call___register_frame_info(const struct ph_real *f, int good)
{
    f->__register_frame_info(some_frames(good), frame_object);
    return take_back(some_frames(good));
}

static struct outcome call___register_frame_info_bases(const struct ph_real *f, int good)
{
    f->__register_frame_info_bases(some_frames(good), frame_object, NULL, NULL);
    return take_back(some_frames(good));
}

static struct outcome call___register_frame_table(const struct ph_real *f, int good)
{
    (void)good; /* an empty one could not be taken back */
    f->__register_frame_table(frame_table);
    return take_back(frame_table);
}

static struct outcome call___register_frame_info_table(const struct ph_real *f, int good)
{
    (void)good;
    f->__register_frame_info_table(frame_table, frame_object);
    return take_back(frame_table);
}

static struct outcome call___register_frame_info_table_bases(const struct ph_real *f, int good)
{
    (void)good;
    f->__register_frame_info_table_bases(frame_table, frame_object, NULL, NULL);
    return take_back(frame_table);
}

/* ---- the list ------------------------------------------------------------------------------------------------- */

struct hook {
    const char *name;
    struct outcome (*call)(const struct ph_real *functions, int good);
    int allowed_in_vfork; /* no threads, no loader there, and no change of user, which glibc tells all threads */
};

static const struct hook hooks[] = {
#define IN_VFORK_thread                      0
#define IN_VFORK_dl                          0
#define IN_VFORK_frames                      0
#define IN_VFORK_socket                      1
#define IN_VFORK_process                     0
#define IN_VFORK_fd                          1
#define HOOK(family, type, name, parameters) {#name, call_##name, IN_VFORK_##family},
#include "probe/symbols.def"
#undef HOOK
};

#define HOOK_COUNT (sizeof(hooks) / sizeof(hooks[0]))

static struct ph_real hooked, real;

static void look_up(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD),
         *libgcc = dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_NOLOAD);
#define HOOK(family, type, name, parameters)                                                                       \
    *(void **)&hooked.name = dlsym(RTLD_DEFAULT, #name);                                                           \
    *(void **)&real.name = dlsym(libc, #name);                                                                     \
    if (!real.name)                                                                                                \
        *(void **)&real.name = dlsym(libgcc, #name);
#include "probe/symbols.def"
#undef HOOK
}

static int agree(const struct hook *hook, int good)
{
    errno = 0;
    struct outcome ours = hook->call(&hooked, good);
    errno = 0;
    struct outcome theirs = hook->call(&real, good);
    return ours.value == theirs.value && ours.error == theirs.error;
}

/* A bit for each hook that disagrees: fits into an exit status only as "which one first". */
static int first_disagreement(int in_vfork)
{
    for (size_t i = 0; i < HOOK_COUNT; i++)
        for (int good = 0; good <= 1; good++)
            if ((!in_vfork || hooks[i].allowed_in_vfork) && !agree(&hooks[i], good))
                return (int)i + 1;
    return 0;
}

static void assert_none(int disagreement)
{
    if (disagreement)
        fail_msg("%s differs from libc",
                 disagreement <= (int)HOOK_COUNT ? hooks[disagreement - 1].name : "(crash)");
}

/* ---- before the constructor ------------------------------------------------------------------------------------ */

static int before_constructor = -1;

static void run_before_constructors(void)
{
    look_up();
    before_constructor = first_disagreement(0);
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit)(void) = run_before_constructors;

/* ---- tests ---------------------------------------------------------------------------------------------------- */

static void every_hook_is_reached_by_name(void **state)
{
    (void)state;
#define HOOK(family, type, name, parameters)                                                                       \
    {                                                                                                              \
        Dl_info info;                                                                                              \
        assert_true(dladdr((void *)hooked.name, &info));                                                           \
        assert_non_null(strstr(info.dli_fname, "libporthole.so"));                                                 \
        assert_true((void *)hooked.name != (void *)real.name);                                                     \
    }
#include "probe/symbols.def"
#undef HOOK
}

static void hooks_agree_with_libc_in_main(void **state)
{
    (void)state;
    assert_none(first_disagreement(0));
}

static void hooks_agree_with_libc_before_the_constructor(void **state)
{
    (void)state;
    assert_true(before_constructor >= 0);
    assert_none(before_constructor);
}

static int exit_status(pid_t pid)
{
    int status = -1;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void hooks_agree_with_libc_in_a_forked_child(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(first_disagreement(0));
    assert_none(exit_status(pid));
}

static void hooks_agree_with_libc_in_a_vfork_child(void **state)
{
    (void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    pid_t pid = vfork();
#pragma GCC diagnostic pop
    if (pid == 0)
        _exit(first_disagreement(1));
    assert_none(exit_status(pid));
}

static void hooks_keep_errno_when_they_succeed(void **state)
{
    (void)state;
    int fd = bound_socket();
    errno = 4711;
    assert_int_equal(listen(fd, 3), 0);
    assert_int_equal(errno, 4711);
    close(fd);
}

static void hooks_take_no_note_of_what_fails(void **state)
{
    (void)state;
    assert_int_equal(listen(-1, 3), -1);
    assert_int_equal(errno, EBADF);
}

/* ---- after main() ---------------------------------------------------------------------------------------------- */

static int last_status;

__attribute__((destructor)) static void run_after_exit(void)
{
    int disagreement = first_disagreement(0);
    if (disagreement && last_status == 0) {
        fprintf(stderr, "after main(): %s differs from libc\n", hooks[disagreement - 1].name);
        _exit(1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_hook_is_reached_by_name),
        cmocka_unit_test(hooks_agree_with_libc_in_main),
        cmocka_unit_test(hooks_agree_with_libc_before_the_constructor),
        cmocka_unit_test(hooks_agree_with_libc_in_a_forked_child),
        cmocka_unit_test(hooks_agree_with_libc_in_a_vfork_child),
        cmocka_unit_test(hooks_keep_errno_when_they_succeed),
        cmocka_unit_test(hooks_take_no_note_of_what_fails),
    };
    return last_status = cmocka_run_group_tests(tests, NULL, NULL);
}
