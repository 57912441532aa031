#!/bin/bash
# Who owns malloc(): the probe, or the host. In the second case everything but the heap must work, and the heap routes
# must name the owner; a jemalloc of the host that samples is used as it is.
. "$(dirname "$0")/../lib.sh"
build_host host_lines
build_host host_malloc
JEMALLOC=(-Wl,--whole-archive -l:libjemalloc_pic.a -Wl,--no-whole-archive -Wl,--export-dynamic -lm -ldl)
gcc -std=gnu11 -D_GNU_SOURCE -O2 -g -o "$WORK/host_jemalloc" "$SRC/tests/servers/host_lines.c" -pthread \
    "${JEMALLOC[@]}" -lstdc++

# start_as COMMAND - with Porthole, ready.
start_as() {
    HOST_PORT=$(free_port)
    start_host with "$(basename "$1")" "$@" "$HOST_PORT"
    wait_for_port "$HOST_PORT" && wait_for_port "$ENDPOINT_PORT"
}

# check_no_heap WHAT OWNER - 501 with the owner's name on every heap route; the others serve.
check_no_heap() {
    local route
    for route in /debug/pprof/heap /debug/pprof/allocs '/debug/pprof/heap?debug=1' '/debug/pprof/heap?seconds=1' \
        /pprof/heap; do
        is "$1: $route is not implemented" "$(status_of "$route")" 501
        like "$1: $route names the owner" "$(cat "$WORK/body")" "$2"
    done
    for route in /debug/ /debug/pprof/ /debug/pprof/cmdline /debug/pprof/threadcreate /debug/processes; do
        is "$1: $route is served" "$(status_of "$route")" 200
    done
}

# ---- Settings of the probe's own ---------------------------------------------------------------------------------------

rate_of() {
    timeout 60 go tool pprof -raw "$HOST_URL/debug/pprof/heap" 2>/dev/null | sed -n 's/^Period: //p'
}

start_as "$WORK/host_lines"
is "the default is a sample every 512 KiB" "$(rate_of)" 524288
stop_host
PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=64KiB)
start_as "$WORK/host_lines"
is "PORTHOLE_HEAP_SAMPLE sets the rate" "$(rate_of)" 65536
stop_host
PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=64KiB MALLOC_CONF=lg_prof_sample:13)
start_as "$WORK/host_lines"
is "the host's MALLOC_CONF wins" "$(rate_of)" 8192
like "and is told in the comments" "$(timeout 60 go tool pprof -comments "$HOST_URL/debug/pprof/heap" 2>&1)" \
    'lg_prof_sample:13'
stop_host
PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=off)
start_as "$WORK/host_lines"
status=$(status_of /debug/pprof/heap)
check "PORTHOLE_HEAP_SAMPLE=off: a clear error" is_clear_error "$status"
like "PORTHOLE_HEAP_SAMPLE=off: which tells the way out" "$(cat "$WORK/body")" PORTHOLE_HEAP_SAMPLE
is "PORTHOLE_HEAP_SAMPLE=off: the host answers" "$(ask "$HOST_PORT" "keep 1000000")" kept
stop_host
PORTHOLE_ENV=(MALLOC_CONF=prof:false)
start_as "$WORK/host_lines"
status=$(status_of /debug/pprof/heap)
check "MALLOC_CONF=prof:false: a clear error" is_clear_error "$status"
like "MALLOC_CONF=prof:false: which tells why" "$(cat "$WORK/body")" MALLOC_CONF
stop_host

# ---- malloc() in the executable ----------------------------------------------------------------------------------------

PORTHOLE_ENV=()
start_as "$WORK/host_malloc"
is "own malloc: the host keeps its own" "$(ask "$HOST_PORT" "keep 1000000")" "kept in its own arena"
check_no_heap "own malloc" "the executable"
stop_host
is "own malloc: it ends on SIGTERM as ever" "$HOST_STATUS" 143

# ---- A static jemalloc --------------------------------------------------------------------------------------------------

start_as "$WORK/host_jemalloc"
check_no_heap "jemalloc that does not sample" "the executable.*prof:true"
is "jemalloc that does not sample: the host answers" "$(ask "$HOST_PORT" fork)" 42
stop_host

PORTHOLE_ENV=(MALLOC_CONF=prof:true,lg_prof_sample:14)
start_as "$WORK/host_jemalloc"
for _ in 1 2 3 4 5; do ask "$HOST_PORT" "keep 4194304" >/dev/null; done
check "jemalloc that samples: the profile is served" test "$(status_of /debug/pprof/heap)" = 200
held=$(top "$HOST_URL/debug/pprof/heap" -cum | awk '$6 == "keep_memory" { sub(/B$/, "", $4); print $4 }')
check "jemalloc that samples: with what the host holds (20,971,520: ${held:-none})" \
    test "${held:-0}" -gt 19000000 -a "${held:-0}" -lt 23000000
is "jemalloc that samples: the host answers" "$(ask "$HOST_PORT" fork)" 42
stop_host

# ---- Another allocator preloaded before us ------------------------------------------------------------------------------

tcmalloc=$(ldconfig -p | sed -n 's/.*libtcmalloc_minimal\.so\.4 .*=> //p' | head -n 1)
if [ -n "$tcmalloc" ] && [ ${#PRELOAD[@]} -gt 0 ]; then
    PORTHOLE_ENV=("LD_PRELOAD=$tcmalloc:$PROBE")
    start_as "$WORK/host_lines"
    check_no_heap "tcmalloc before us" libtcmalloc
    is "tcmalloc before us: the host answers" "$(ask "$HOST_PORT" "keep 1000000"; ask "$HOST_PORT" "threads 5"
        ask "$HOST_PORT" fork)" "kept
5 joined
42"
    stop_host
else
    skip "tcmalloc before us" "libtcmalloc_minimal is not installed"
fi
finish
