/*
 * test_conformance.c - every hook does what the function behind it does.
 *
 * Built from symbols.def: a HOOK without a CALL() in conformance_<family>.c does not link. Each call is made twice, through
 * the hook and through libc, with good and with bad arguments, and result and errno must agree: in main(), before the
 * constructor of the probe, in a vfork child, in a forked child, in a second thread, and after main() has returned.
 */
#include "conformance.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HOOK(family, type, name, parameters) struct outcome call_##name(any_function *f, enum way way);
#include "probe/symbols.def"
#undef HOOK

/* ---- the list ------------------------------------------------------------------------------------------------- */

struct hook {
    const char *name;
    struct outcome (*call)(any_function *f, enum way way);
    int allowed_in_vfork; /* no threads, no loader there, and no change of user, which glibc tells all threads */
};

static const struct hook hooks[] = {
#define IN_VFORK_thread                      0
#define IN_VFORK_dl                          0
#define IN_VFORK_frames                      0
#define IN_VFORK_process                     0
#define IN_VFORK_socket                      1
#define IN_VFORK_fd                          1
#define IN_VFORK_exec                        1
#define IN_VFORK_filter                      1
#define IN_VFORK_wait                        1
#define IN_VFORK_poll                        1
#define IN_VFORK_receive                     1
#define IN_VFORK_sleep                       1
#define IN_VFORK_sigwait                     1
#define IN_VFORK_signal                      1
#define HOOK(family, type, name, parameters) {#name, call_##name, IN_VFORK_##family},
#include "probe/symbols.def"
#undef HOOK
};

#define HOOK_COUNT (sizeof(hooks) / sizeof(hooks[0]))

static any_function *hooked[HOOK_COUNT], *real[HOOK_COUNT];

static void look_up(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD),
         *libgcc = dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_NOLOAD);
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        *(void **)&hooked[i] = dlsym(RTLD_DEFAULT, hooks[i].name);
        *(void **)&real[i] = dlsym(libc, hooks[i].name);
        if (!real[i])
            *(void **)&real[i] = dlsym(libgcc, hooks[i].name);
    }
}

static int agree(size_t i, enum way way)
{
    errno = 0;
    struct outcome ours = hooks[i].call(hooked[i], way);
    errno = 0;
    struct outcome theirs = hooks[i].call(real[i], way);
    return ours.value == theirs.value && ours.error == theirs.error;
}

/* 1 + its index, which fits into an exit status; 0: all agree. */
static int first_disagreement(int in_vfork)
{
    for (size_t i = 0; i < HOOK_COUNT; i++)
        for (enum way way = BAD; way <= GOOD; way++)
            if ((!in_vfork || hooks[i].allowed_in_vfork) && !agree(i, way))
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
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        Dl_info info;
        assert_true(dladdr((void *)hooked[i], &info));
        if (!strstr(info.dli_fname, "libporthole.so") || hooked[i] == real[i])
            fail_msg("%s is %s's", hooks[i].name, info.dli_fname);
    }
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

static void *run_in_thread(void *ret_disagreement)
{
    *(int *)ret_disagreement = first_disagreement(0);
    return NULL;
}

static void hooks_agree_with_libc_in_a_second_thread(void **state)
{
    (void)state;
    pthread_t thread;
    int disagreement = -1;
    assert_int_equal(pthread_create(&thread, NULL, run_in_thread, &disagreement), 0);
    pthread_join(thread, NULL);
    assert_none(disagreement);
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
        cmocka_unit_test(hooks_agree_with_libc_in_a_second_thread),
        cmocka_unit_test(hooks_keep_errno_when_they_succeed),
        cmocka_unit_test(hooks_take_no_note_of_what_fails),
    };
    return last_status = cmocka_run_group_tests(tests, NULL, NULL);
}
