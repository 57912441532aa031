#!/bin/bash
# Hosts at the edge: much thread-local storage, Porthole behind libc in the order of search, no thread to be had and
# a stderr that nobody reads.
. "$(dirname "$0")/../lib.sh"

# ---- Thread-local storage larger than the stacks of our threads ---------------------------------------------------------

cat >"$WORK/tls.c" <<'C'
#include <string.h>
static __thread char large[4 << 20];
#include "lines.c"
#include <stdlib.h>
static void echo(struct lines_server *server, const char *argument, char *answer)
{
    (void)server;
    strcpy(large + sizeof(large) / 2, argument);
    strcpy(answer, large + sizeof(large) / 2);
}
int main(int argc, char **argv)
{
    static const struct lines_command commands[] = {{"echo", echo}, {NULL, NULL}};
    struct lines_server server = {lines_listen(argc > 1 ? atoi(argv[1]) : 0), -1, false};
    lines_serve(&server, commands);
}
C
gcc -D_GNU_SOURCE -O2 -Wall -I"$SRC/tests/servers" -o "$WORK/tls" "$WORK/tls.c" || exit 1
HOST_PORT=$(free_port)
start_host with tls "$WORK/tls" "$HOST_PORT"
wait_for_port "$HOST_PORT"
check "4 MiB of thread-local storage: the window opens" wait_for_port "$ENDPOINT_PORT"
is "4 MiB of thread-local storage: the heap is served" "$(status_of /debug/pprof/heap)" 200
is "4 MiB of thread-local storage: the host answers" "$(ask "$HOST_PORT" "echo on")" on
stop_host

# ---- A library of the host needs Porthole, the host does not: libc comes first ------------------------------------------

cat >"$WORK/inner.c" <<'C'
#include <porthole/porthole.h>
int inner_open(void)
{
    static const struct porthole_options options = {.listen = "off", .log = "quiet"};
    return porthole_init(&options);
}
C
cat >"$WORK/outer.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int inner_open(void);
int main(void)
{
    int opened = inner_open();
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    void *memory = malloc(100);
    free(memory);
    printf("opened %d\n", opened);
    return 0;
}
C
gcc -shared -fPIC -I"$SRC/include" -o "$WORK/libinner.so" "$WORK/inner.c" -L"$BUILD/lib/.libs" -lporthole \
    "-Wl,-rpath,$BUILD/lib/.libs" &&
    gcc -o "$WORK/outer" "$WORK/outer.c" -L"$WORK" -linner "-Wl,-rpath,$WORK" \
        "-Wl,-rpath-link,$BUILD/lib/.libs" || exit 1
start_host without outer "$WORK/outer"
wait_host
is "behind libc: porthole_init() opens the window" "$(cat "$HOST_OUT")" "opened 0"
is "behind libc: the program ends as ever" "$HOST_STATUS" 0

# ---- A library that forks while it is being opened, and Porthole's own waits for the loader ------------------------------

cat >"$WORK/forks.c" <<'C'
#include <sys/wait.h>
#include <unistd.h>
__attribute__((constructor)) static void fork_often(void)
{
    for (int i = 0; i < 8; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
    }
}
C
cat >"$WORK/opener.c" <<'C'
#include <dlfcn.h>
#include <stdio.h>
#include <sys/socket.h>
int main(int argc, char **argv)
{
    listen(socket(AF_INET, SOCK_STREAM, 0), 1);
    puts(argc > 1 && dlopen(argv[1], RTLD_NOW) ? "opened" : dlerror());
    return 0;
}
C
gcc -shared -fPIC -o "$WORK/forks.so" "$WORK/forks.c" && gcc -o "$WORK/opener" "$WORK/opener.c" || exit 1
start_host with opener timeout 12 "$WORK/opener" "$WORK/forks.so" # eight forks, of which one waits for two seconds
wait_host
is "a library that forks while it is opened: is not held up again and again" "$(cat "$HOST_OUT") $HOST_STATUS" "opened 0"

# ---- No thread to be had, and a line that cannot be written -------------------------------------------------------------

# By a filter, as RLIMIT_NPROC does not hold for root.
build_host host_lines
build_host host_denied
LIMITS=("$WORK/host_denied" threads EAGAIN)
for kind in closed full; do
    HOST_PORT=$(free_port)
    mkfifo "$WORK/fifo-$kind"
    sleep 100 <>"$WORK/fifo-$kind" & # somebody has it open for reading and writing: opening does not wait
    holder=$!
    HOST_PIDS+=("$holder")
    exec {pipe}>"$WORK/fifo-$kind"
    if [ $kind = full ]; then
        timeout 2 dd if=/dev/zero of="$WORK/fifo-$kind" bs=4096 oflag=nonblock 2>/dev/null
    else
        kill -KILL $holder
        wait $holder 2>/dev/null
    fi
    env "PORTHOLE_LISTEN=127.0.0.1:$(free_port)" "${PRELOAD[@]}" "${LIMITS[@]}" "$WORK/host_lines" "$HOST_PORT" 2>&$pipe &
    HOST_PID=$!
    HOST_PIDS+=("$HOST_PID")
    wait_for_port "$HOST_PORT"
    is "no thread and a $kind stderr: the host answers" "$(ask "$HOST_PORT" "echo on")" on
    stop_host
    is "no thread and a $kind stderr: it ends on SIGTERM as ever" "$HOST_STATUS" 143
    exec {pipe}>&-
    kill -KILL $holder 2>/dev/null && wait $holder 2>/dev/null
done
HOST_PORT=$(free_port)
start_host with no-thread "$WORK/host_lines" "$HOST_PORT"
wait_for_port "$HOST_PORT"
is "no thread: the host answers" "$(ask "$HOST_PORT" "echo on")" on
like "no thread: Porthole says why it stays closed" "$(cat "$HOST_ERR")" '^porthole: no thread for the endpoint'
stop_host
finish
