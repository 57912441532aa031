#include "base/clock.h"
#include "collect/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void the_own_process_is_described(void **state)
{
    struct ph_process process;
    assert_int_equal(ph_process_self(&process, NULL), 0);
    assert_int_equal(process.pid, getpid());
    assert_int_equal(process.ppid, getppid());
    assert_int_equal(process.state, 'R');
    assert_true(process.rss_bytes > 100 * 1024);
    assert_true(process.rss_bytes < (uint64_t)1 << 40);
    assert_true(process.rss_bytes % (uint64_t)sysconf(_SC_PAGESIZE) == 0);
}

static void a_name_with_blanks_and_parentheses_does_not_shift_the_fields(void **state)
{
    struct ph_process process;
    assert_int_equal(prctl(PR_SET_NAME, ") S 1 (x) 2"), 0);
    assert_int_equal(ph_process_self(&process, NULL), 0);
    assert_string_equal(process.name, ") S 1 (x) 2");
    assert_int_equal(process.ppid, getppid());
}

/* read() ends no string. */
static void what_was_in_memory_before_is_not_read_as_a_part_of_the_file(void **state)
{
    struct ph_process process;
    char *used = malloc(8192), *behind = malloc(1);
    assert_non_null(used);
    memset(used, ')', 8192);
    free(used);
    assert_int_equal(prctl(PR_SET_NAME, "plain"), 0);
    assert_int_equal(ph_process_self(&process, NULL), 0);
    free(behind);
    assert_string_equal(process.name, "plain");
    assert_int_equal(process.ppid, getppid());
}

static void uptime_runs_with_the_clock(void **state)
{
    struct ph_process before, after;
    int64_t start_ns = ph_clock_monotonic_ns();
    assert_int_equal(ph_process_self(&before, NULL), 0);
    usleep(50000);
    assert_int_equal(ph_process_self(&after, NULL), 0);
    double elapsed_seconds = (double)(ph_clock_monotonic_ns() - start_ns) / PH_NS_PER_S;
    assert_true(after.uptime_seconds - before.uptime_seconds >= 0.049);
    assert_true(after.uptime_seconds - before.uptime_seconds <= elapsed_seconds + 0.001);
}

/* How a program whose arguments are known sees them; the child is this test with other arguments. */
static void child_prints_cmdline(char separator)
{
    struct ph_buf text = PH_BUF_INIT;
    if (ph_process_cmdline(separator, &text) == 0)
        _exit(write(STDOUT_FILENO, text.data, text.size_bytes) == (ssize_t)text.size_bytes ? 0 : 1);
    _exit(2);
}

static size_t cmdline_of_child(char *const *arguments, char *ret_text, size_t capacity)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execv("/proc/self/exe", arguments);
        _exit(3);
    }
    close(ends[1]);
    ssize_t size_bytes = read(ends[0], ret_text, capacity);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(ends[0]);
    assert_true(size_bytes > 0);
    return (size_t)size_bytes;
}

static void arguments_are_joined_by_the_separator_without_one_at_the_end(void **state)
{
    static const char wanted[] = "--print\0with blank\0\0last";
    char *arguments[] = {"--print", "with blank", "", "last", NULL};
    char text[256];
    size_t size_bytes = cmdline_of_child(arguments, text, sizeof(text));
    assert_int_equal(size_bytes, sizeof(wanted) - 1);
    assert_memory_equal(text, wanted, sizeof(wanted) - 1);
}

static void blanks_can_separate_arguments(void **state)
{
    char *arguments[] = {"--print-blank", "one", "two", NULL};
    char text[256];
    size_t size_bytes = cmdline_of_child(arguments, text, sizeof(text));
    assert_int_equal(size_bytes, strlen("--print-blank one two"));
    assert_memory_equal(text, "--print-blank one two", size_bytes);
}

/* Another process with known arguments; its main() runs. */
static pid_t start_other(char *const *arguments)
{
    char byte;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        execv("/proc/self/exe", arguments);
        _exit(3);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return child;
}

static void end_other(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void another_process_is_described_by_its_number(void **state)
{
    struct ph_process self, other;
    char *arguments[] = {"--sleep", "a b", NULL};
    assert_int_equal(ph_process_self(&self, NULL), 0);
    usleep(30000); /* three ticks */
    pid_t child = start_other(arguments);
    assert_int_equal(ph_process_read(child, &other, NULL), 0);
    end_other(child);
    assert_int_equal(other.pid, child);
    assert_int_equal(other.ppid, getpid());
    assert_true(other.start_ticks > self.start_ticks);
    assert_true(other.uptime_seconds < self.uptime_seconds + 1);
    assert_true(other.rss_bytes > 100 * 1024);
}

static void its_arguments_are_cut_at_the_limit(void **state)
{
    struct ph_buf whole = PH_BUF_INIT, cut = PH_BUF_INIT;
    char *arguments[] = {"--sleep", "a b", NULL};
    pid_t child = start_other(arguments);
    assert_int_equal(ph_process_command(child, 4096, &whole), 0);
    assert_int_equal(ph_process_command(child, 9, &cut), 0);
    end_other(child);
    assert_string_equal(whole.data, "--sleep a b");
    assert_string_equal(cut.data, "--sleep a");
    ph_buf_fini(&whole);
    ph_buf_fini(&cut);
}

static void a_process_that_has_ended_is_an_error_that_names_the_file(void **state)
{
    struct ph_process process = {.pid = 7};
    struct ph_error error = {0, ""};
    struct ph_buf text = PH_BUF_INIT;
    char *arguments[] = {"--sleep", NULL};
    pid_t child = start_other(arguments);
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
    end_other(child);
    assert_int_equal(ph_process_read(child, &process, &error), -ENOENT);
    assert_non_null(strstr(error.text, path));
    assert_int_equal(process.pid, 7);
    assert_int_equal(ph_process_command(child, 4096, &text), -ENOENT);
    assert_int_equal(text.size_bytes, 0);
}

/* In a new pid namespace whose /proc is still the old one, process 1 is this one, but /proc/1 is not. */
static int read_across_namespaces(void)
{
    struct ph_process process;
    struct ph_buf text = PH_BUF_INIT;
    pid_t child = fork();
    if (child == 0)
        return pause();
    int status = ph_process_read(child, &process, NULL);
    int command_status = ph_process_command(child, 100, &text);
    int own_status = ph_process_read(getpid(), &process, NULL);
    return getpid() == 1 && status == -EXDEV && command_status == -EXDEV && own_status == 0 ? 0 : 1;
}

static void a_proc_of_another_namespace_tells_nothing_of_others(void **state)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWPID) < 0)
            _exit(77);
        pid_t first = fork();
        if (first == 0)
            _exit(read_across_namespaces());
        waitpid(first, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip(); /* no right to make a namespace */
    assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
    if (strcmp(argv[0], "--sleep") == 0)
        return write(STDOUT_FILENO, "", 1) == 1 ? (int)sleep(60) : 1;
    if (strcmp(argv[0], "--print") == 0)
        child_prints_cmdline('\0');
    if (strcmp(argv[0], "--print-blank") == 0)
        child_prints_cmdline(' ');
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_own_process_is_described),
        cmocka_unit_test(a_name_with_blanks_and_parentheses_does_not_shift_the_fields),
        cmocka_unit_test(what_was_in_memory_before_is_not_read_as_a_part_of_the_file),
        cmocka_unit_test(uptime_runs_with_the_clock),
        cmocka_unit_test(arguments_are_joined_by_the_separator_without_one_at_the_end),
        cmocka_unit_test(blanks_can_separate_arguments),
        cmocka_unit_test(another_process_is_described_by_its_number),
        cmocka_unit_test(its_arguments_are_cut_at_the_limit),
        cmocka_unit_test(a_process_that_has_ended_is_an_error_that_names_the_file),
        cmocka_unit_test(a_proc_of_another_namespace_tells_nothing_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
