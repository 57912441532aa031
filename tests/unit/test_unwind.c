/* The stack as ph_unwind() tells it, against libgcc. The probe is linked into this program. */
#include "unwind_fixture.h"

#include "probe/unwind.h"

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS     4
#define STACK_BYTES (4 << 20)
#define SEED        UINT64_C(0x243f6a8885a308d3)

/* ---- one thread ---------------------------------------------------------------------------------------------- */

static void every_stack_is_the_one_of_libgcc(void **state)
{
    (void)state;
    struct journey journey = {.random = SEED};
    struct sigaction action = {.sa_handler = unwind_handle, .sa_flags = SA_NODEFER};
    sigaction(SIGUSR1, &action, NULL);
    unwind_travel(&journey, 5000, false);
    print_message("same %lu, left to libgcc %lu\n", journey.same, journey.left);
    assert_int_equal(journey.wrong, 0);
    assert_true(journey.same > 5000);
    assert_true(journey.left > 500); /* below a signal handler */
}

static enum look seen[8];
static size_t seen_count;

static void note_look(void)
{
    seen[seen_count++ % 8] = unwind_look();
}

static ucontext_t outside, inside;

static void run_inside(void)
{
    note_look();
    struct journey journey = {.random = SEED};
    unwind_travel(&journey, 20, true);
    seen[seen_count++] = journey.wrong ? LOOK_DIFFERENT : LOOK_SAME;
    swapcontext(&inside, &outside);
    note_look();
}

static void run_coroutine(void (*run)(void), void *stack, size_t stack_bytes)
{
    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = stack_bytes;
    inside.uc_link = &outside;
    makecontext(&inside, run, 1, note_look);
    swapcontext(&outside, &inside);
}

static void a_coroutine_has_the_stack_it_runs_on(void **state)
{
    (void)state;
    void *memory = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    seen_count = 0;
    run_coroutine(run_inside, memory, STACK_BYTES);
    note_look();
    swapcontext(&outside, &inside);
    assert_int_equal(seen_count, 4);
    for (size_t i = 0; i < seen_count; i++)
        assert_int_equal(seen[i], LOOK_SAME);
    munmap(memory, STACK_BYTES);
}

static char *stacks; /* two, of which the first is below the other */

static void go_up(void)
{
    note_look();
    unwind_on_stack(stacks + STACK_BYTES, note_look);
}

static void a_caller_on_a_stack_below_is_left_to_libgcc(void **state)
{
    (void)state;
    stacks = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    seen_count = 0;
    unwind_on_stack(stacks + STACK_BYTES / 2, go_up);
    assert_int_equal(seen_count, 2);
    assert_int_equal(seen[0], LOOK_SAME);
    assert_int_equal(seen[1], LOOK_LEFT_TO_LIBGCC);
    munmap(stacks, STACK_BYTES);
}

static void what_a_wrong_rule_points_at_is_not_read(void **state)
{
    (void)state;
    /* What lies 32000 bytes below is not there. */
    char *memory = mmap(NULL, 2 * 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(mprotect(memory + 65536, 65536, PROT_READ | PROT_WRITE), 0);
    seen_count = 0;
    run_coroutine((void (*)(void))unwind_liar, memory + 65536, 31000);
    assert_int_equal(seen_count, 1);
    assert_int_equal(seen[0], LOOK_LEFT_TO_LIBGCC);
    munmap(memory, 2 * 65536);
}

static void no_more_frames_are_told_than_there_is_room_for(void **state)
{
    (void)state;
    struct stack all, some;
    stack_of_libgcc(&all, 0, 0);
    assert_true(all.count > 3);
    size_t count = 4711;
    assert_false(ph_unwind(some.frames, 0, 0, 0, &count));
    assert_int_equal(count, 4711);
    for (size_t capacity = 1; capacity <= all.count + 1; capacity++) {
        memset(some.frames, 0xee, sizeof(some.frames));
        void *untouched = some.frames[0];
        assert_true(ph_unwind(some.frames, capacity, 0, 0, &count));
        assert_int_equal(count, capacity < all.count ? capacity : all.count);
        assert_memory_equal(some.frames + 1, all.frames + 1, (count - 1) * sizeof(void *));
        assert_ptr_equal(some.frames[count], untouched);
    }
}

/* ---- modules ------------------------------------------------------------------------------------------------- */

struct library {
    void *handle;
    void (*call)(void (*call)(void));
};

static struct library load(const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", PH_UNWIND_DIR, name);
    struct library library = {.handle = dlopen(path, RTLD_NOW)};
    assert_non_null(library.handle);
    *(void **)&library.call = dlsym(library.handle, "unwind_call");
    assert_non_null(library.call);
    return library;
}

static uintptr_t left_out_low, left_out_high;

static void look_past_what_is_left_out(void)
{
    struct stack all, theirs, ours;
    stack_of_libgcc(&all, 0, 0);
    stack_of_libgcc(&theirs, left_out_low, left_out_high);
    seen[0] = LOOK_DIFFERENT;
    if (theirs.count + 1 == all.count &&
        ph_unwind(ours.frames, FRAMES_MAX, left_out_low, left_out_high, &ours.count) &&
        ours.count == theirs.count &&
        memcmp(ours.frames + 1, theirs.frames + 1, (ours.count - 1) * sizeof(void *)) == 0)
        seen[0] = LOOK_SAME;
}

static void frames_in_the_range_are_left_out(void **state)
{
    (void)state;
    struct dl_find_object object;
    struct library library = load("unwind_small.so");
    assert_int_equal(_dl_find_object((void *)library.call, &object), 0);
    left_out_low = (uintptr_t)object.dlfo_map_start;
    left_out_high = (uintptr_t)object.dlfo_map_end;
    library.call(look_past_what_is_left_out);
    assert_int_equal(seen[0], LOOK_SAME);
    dlclose(library.handle);
}

/* Small and large take each other's place; and look once more while they go. */
static unsigned take_turns(unsigned count)
{
    void *place = NULL;
    unsigned in_place = 0;
    for (unsigned i = 0; i < count; i++) {
        struct library library = load(i % 2 ? "unwind_large.so" : "unwind_small.so");
        in_place += place == (void *)library.call;
        place = (void *)library.call;
        seen_count = 0;
        void (**at_end)(void) = (void (**)(void))dlsym(library.handle, "unwind_at_end");
        *at_end = note_look;
        library.call(note_look);
        dlclose(library.handle);
        assert_int_equal(seen_count, 2);
        assert_int_equal(seen[0], LOOK_SAME);
        assert_int_equal(seen[1], LOOK_LEFT_TO_LIBGCC);
    }
    return in_place;
}

static void rules_do_not_outlive_their_module(void **state)
{
    (void)state;
    assert_true(take_turns(40) > 10); /* else the loader gave each another place, and nothing was tried */
}

static void look_at(const char *name, enum look expected)
{
    struct library library = load(name);
    seen_count = 0;
    library.call(note_look);
    assert_int_equal(seen[0], expected);
    assert_int_equal(((int (*)(void *))dlsym(RTLD_NEXT, "dlclose"))(library.handle), 0);
}

/* Past the hook, as if another thread loaded code before a dlclose() has returned. */
static void while_modules_go_libgcc_does_it(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        ph_unwind_unload_begin();
        ph_unwind_unload_begin();
        look_at("unwind_small.so", LOOK_LEFT_TO_LIBGCC);
        ph_unwind_unload_end();
        look_at("unwind_large.so", LOOK_LEFT_TO_LIBGCC);
        ph_unwind_unload_end();
        look_at(i % 2 ? "unwind_small.so" : "unwind_large.so", LOOK_SAME);
        ph_unwind_unload_begin();
        ph_unwind_unload_end();
    }
}

/* The code of @library, without its tables, in its place. */
static void look_at_bare_code(struct library library)
{
    struct dl_find_object object;
    char code[64];
    assert_int_equal(_dl_find_object((void *)library.call, &object), 0);
    size_t size_bytes = (size_t)((char *)object.dlfo_map_end - (char *)object.dlfo_map_start);
    memcpy(code, (void *)library.call, sizeof(code));
    dlclose(library.handle);
    assert_ptr_equal(mmap(object.dlfo_map_start, size_bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
                     object.dlfo_map_start);
    memcpy((void *)library.call, code, sizeof(code));
    assert_int_equal(mprotect(object.dlfo_map_start, size_bytes, PROT_READ | PROT_EXEC), 0);
    seen_count = 0;
    library.call(note_look);
    assert_int_equal(seen[0], LOOK_SAME);
    munmap(object.dlfo_map_start, size_bytes);
}

static void code_made_at_run_time_leaves_no_rule_behind(void **state)
{
    (void)state;
    unsigned in_place = 0;
    for (int i = 0; i < 10; i++) {
        struct library library = load("unwind_small.so");
        look_at_bare_code(library);
        struct library next = load("unwind_small.so");
        in_place += next.call == library.call;
        seen_count = 0;
        next.call(note_look);
        assert_int_equal(seen[0], LOOK_SAME);
        dlclose(next.handle);
    }
    assert_true(in_place > 5);
}

/* ---- many threads -------------------------------------------------------------------------------------------- */

static unsigned travel_count;

static void *travel(void *argument)
{
    unwind_travel(argument, travel_count, true);
    return NULL;
}

static struct journey journeys[THREADS];
static pthread_t threads[THREADS];

static void start_threads(unsigned count, bool may_be_left)
{
    travel_count = count;
    for (int i = 0; i < THREADS; i++) {
        journeys[i] = (struct journey){.random = SEED + (uint64_t)i, .may_be_left = may_be_left};
        assert_int_equal(pthread_create(&threads[i], NULL, travel, &journeys[i]), 0);
    }
}

static void join_threads(void)
{
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(journeys[i].wrong, 0);
        assert_true(journeys[i].same + journeys[i].left > 3000);
    }
}

static void threads_do_not_get_each_others_rules(void **state)
{
    (void)state;
    start_threads(20000, false); /* half-written rules are rare */
    join_threads();
}

static void threads_get_the_right_rules_while_modules_come_and_go(void **state)
{
    (void)state;
    start_threads(3000, true);
    take_turns(200);
    join_threads();
}

static void a_child_of_a_busy_process_gets_the_right_rules(void **state)
{
    (void)state;
    start_threads(3000, false);
    for (int i = 0; i < 20; i++) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0) {
            struct journey journey = {.random = SEED + (uint64_t)i};
            unwind_travel(&journey, 20, true);
            _exit(journey.wrong || !journey.same);
        }
        waitpid(pid, &status, 0);
        assert_int_equal(status, 0);
    }
    join_threads();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stack_is_the_one_of_libgcc),
        cmocka_unit_test(a_coroutine_has_the_stack_it_runs_on),
        cmocka_unit_test(a_caller_on_a_stack_below_is_left_to_libgcc),
        cmocka_unit_test(what_a_wrong_rule_points_at_is_not_read),
        cmocka_unit_test(no_more_frames_are_told_than_there_is_room_for),
        cmocka_unit_test(frames_in_the_range_are_left_out),
        cmocka_unit_test(rules_do_not_outlive_their_module),
        cmocka_unit_test(while_modules_go_libgcc_does_it),
        cmocka_unit_test(code_made_at_run_time_leaves_no_rule_behind),
        cmocka_unit_test(threads_do_not_get_each_others_rules),
        cmocka_unit_test(threads_get_the_right_rules_while_modules_come_and_go),
        cmocka_unit_test(a_child_of_a_busy_process_gets_the_right_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
