#!/bin/bash
# Hosts that fork: the children have no window (yet), and must be unharmed whatever Porthole does at that moment.
. "$(dirname "$0")/../lib.sh"
build_host host_lines

# echo_many COUNT - that many connections, one after the other; prints the answers that are wrong.
echo_many() {
    local i answer
    for ((i = 0; i < $1; i++)); do
        answer=$(ask "$HOST_PORT" "echo $i")
        [ "$answer" = "$i" ] || echo "$i: $answer"
    done
}

start_lines without plain fork
is "a server that forks for each connection answers" "$(echo_many 50)" ""
plain_fork=$(ask "$HOST_PORT" fork) plain_shell=$(ask "$HOST_PORT" "popen echo ok")
like "its children can fork and run a shell" "$plain_fork $plain_shell" '^[0-9]+ ok '
stop_host

PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=4KiB)
start_lines with forking fork
{
    echo_many 500
    touch "$WORK/done"
} >"$WORK/wrong" &
echoing=$!
fetched=0 failed=0
while [ ! -e "$WORK/done" ]; do
    [ "$(status_of '/debug/pprof/heap?gc=1')" = 200 ] && fetched=$((fetched + 1)) || failed=$((failed + 1))
done
wait $echoing
is "500 children answer while the parent is profiled" "$(cat "$WORK/wrong")" ""
check "the parent was profiled meanwhile ($fetched)" test "$fetched" -gt 5
is "every profile was served" "$failed" 0
no_children() {
    [ -z "$(cat /proc/"$HOST_PID"/task/*/children)" ]
}
check "no child is left hanging" wait_until 10 no_children
is "a child can fork, run threads and listen itself, as ever" "$(ask "$HOST_PORT" fork)" "$plain_fork"
is "a child can run a shell, as ever" "$(ask "$HOST_PORT" "popen echo ok")" "$plain_shell"
stop_host
is "it ends on SIGTERM as ever" "$HOST_STATUS" 143

# Right after listen() the agent is being started; a fork at that moment must not inherit a lock.
cat >"$WORK/early.c" <<'C'
#include <dlfcn.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void *nothing(void *argument)
{
    return argument;
}

int main(void)
{
    int good = 0;
    listen(socket(AF_INET, SOCK_STREAM, 0), 1);
    for (int i = 0; i < 30; i++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0) {
            pthread_t thread;
            alarm(10);
            void *memory = malloc(100000);
            free(memory);
            dlclose(dlopen("libm.so.6", RTLD_NOW));
            pthread_create(&thread, NULL, nothing, NULL);
            pthread_join(thread, NULL);
            _exit(9);
        }
        waitpid(child, &status, 0);
        good += WIFEXITED(status) && WEXITSTATUS(status) == 9;
        usleep(1000);
    }
    printf("%d\n", good);
    return 0;
}
C
gcc -O2 -o "$WORK/early" "$WORK/early.c" -ldl -pthread
PORTHOLE_ENV=()
counts=
for _ in 1 2 3 4 5; do
    start_host with early "$WORK/early"
    wait_host 60
    counts+="$(cat "$HOST_OUT") "
done
is "children forked while the agent starts are unharmed" "$counts" "30 30 30 30 30 "
finish
