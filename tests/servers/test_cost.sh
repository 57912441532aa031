#!/bin/bash
# What a process pays that only inherits the preload, and what an idle server pays.
. "$(dirname "$0")/../lib.sh"
build_host host_lines

# traced MODE - the system calls of /bin/true, one a line.
traced() {
    local environment=()
    [ "$1" = without ] || environment=("${PRELOAD[@]}")
    strace -f -qq -o "$WORK/trace.$1" env "${environment[@]}" sh -c 'exec /bin/true'
    # from the exec of /bin/true on
    sed -n '/execve("\/bin\/true"/,$p' "$WORK/trace.$1" | sed -E 's/^[0-9]+ +//'
}

opened() {
    grep -oE '^open(at)?\(.*' | grep -v ENOENT | grep -oE '"[^"]*"' | tr -d '"' | sort -u
}

if strace -o /dev/null true 2>/dev/null; then
    traced without >"$WORK/calls.without"
    traced with >"$WORK/calls.with"
    like "the probe is loaded" "$(opened <"$WORK/calls.with")" 'libporthole\.so'
    # Beside the objects that the loader maps, the allocator looks at two settings of the kernel (pages_boot() in
    # jemalloc's src/pages.c).
    is "nothing is opened but by the loader and the allocator" "$(opened <"$WORK/calls.with" |
        grep -vE '/(libporthole|libgcc_s|libm|libc|ld\.so)[^/]*$|/proc/sys/vm/overcommit_memory|transparent_hugepage/enabled')" ""
    is "no thread, process or socket is made" "$(grep -E '^(clone|clone3|fork|vfork|socket|bind|listen|memfd_create|epoll_create1?|eventfd2?)\(' "$WORK/calls.with")" ""
    is "every descriptor is closed again" "$(grep -cE '^open(at)?\(.*= [0-9]+$' "$WORK/calls.with")" \
        "$(grep -cE '^close\(([3-9]|[0-9]{2,})\)' "$WORK/calls.with")"
    is "the signal state is left alone" "$(grep -E '^(rt_sigaction|rt_sigprocmask|sigaltstack|setitimer|timer_create)\(' "$WORK/calls.with")" ""
    is "it ends with the same status" "$(tail -n 1 "$WORK/calls.with")" "$(tail -n 1 "$WORK/calls.without")"
else
    skip "what /bin/true does with the preload" "strace may not trace here"
fi

# ---- Idle: none of our threads wakes up ------------------------------------------------------------------------------

# switches - thread names and how often each has run, of our threads; all counts must stand still.
switches() {
    local task
    for task in /proc/"$HOST_PID"/task/*; do
        echo "$(cat "$task/comm") $(awk '/ctxt_switches/ { printf "%s ", $2 }' "$task/status")"
    done | sort
}

settled() {
    local before
    before=$(switches)
    sleep 0.5
    [ "$(switches)" = "$before" ]
}

start_lines with idle
status_of /debug/pprof/heap >/dev/null
like "the endpoint has threads of its own" "$(switches)" '^porthole/'
check "they come to rest after a request" wait_until 15 settled
before=$(switches)
sleep 5
is "no thread of an idle server wakes up" "$(switches)" "$before"
is "and it answers after the rest" "$(status_of /debug/pprof/heap)" 200
check_not "the count tells a request from rest" test "$(switches)" = "$before"
stop_host
finish
