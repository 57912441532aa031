#!/bin/bash
# Tight limits: few descriptors, little memory, no memfd, a full disk. The host runs on as without Porthole, and the
# client gets a profile or a clear error.
. "$(dirname "$0")/../lib.sh"
build_host host_lines
build_host host_denied

# outcome - what the endpoint makes of it: its first answer, or what Porthole said on stderr.
outcome() {
    wait_for_port "$ENDPOINT_PORT" 5 && status_of /debug/pprof/heap || own_lines "$HOST_ERR"
}

# window_or_reason - open, or closed with one line that says why.
window_or_reason() {
    wait_for_port "$ENDPOINT_PORT" 5 || [ "$(own_lines "$HOST_ERR" | wc -l)" -eq 1 ]
}

# check_host WHAT - the host answers, works and has said nothing itself.
check_host() {
    is "$1: the host answers" "$(ask "$HOST_PORT" "echo on"; ask "$HOST_PORT" "keep 1000000"
        ask "$HOST_PORT" "threads 3"; ask "$HOST_PORT" fork)" "on
kept
3 joined
42"
    is "$1: the host says nothing" "$(other_lines "$HOST_ERR")" ""
}

# start_limited NAME - under LIMITS, not waiting for the endpoint.
start_limited() {
    HOST_PORT=$(free_port)
    start_host with "$1" "$WORK/host_lines" "$HOST_PORT"
    wait_for_port "$HOST_PORT"
}

# ---- Descriptors -----------------------------------------------------------------------------------------------------

LIMITS=(prlimit --nofile=20:20)
start_limited "nofile-20"
check "20 descriptors: the window opens, or Porthole says why not" window_or_reason
check "20 descriptors: a profile or a clear error" served_or_clear "$(status_of /debug/pprof/heap)"
check_host "20 descriptors"
open_line "$HOST_PORT"
like "20 descriptors: the host takes all that are left" "$(say_line fill-fds)" '^[1-9][0-9]* taken'
status_of /debug/pprof/heap --max-time 3 >/dev/null
is "no descriptor left: the host answers" "$(say_line "echo still")" still
# A server that cannot accept must not spin: under half of one processor.
ticks() {
    awk '{ sum += $14 + $15 } END { print sum }' /proc/"$HOST_PID"/task/*/stat
}
before=$(ticks)
sleep 2
spent=$(($(ticks) - before))
check "no descriptor left: no thread spins ($spent ticks in 2 s)" test "$spent" -lt "$(getconf CLK_TCK)"
like "the host gives them back" "$(say_line drop-fds)" dropped
exec {LINE}>&-
check "then the endpoint answers again" wait_until 15 eval '[ "$(status_of /debug/pprof/heap)" = 200 ]'
stop_host
is "20 descriptors: it ends on SIGTERM as ever" "$HOST_STATUS" 143

LIMITS=(prlimit --nofile=5:5)
start_limited "nofile-5"
check "5 descriptors: the window opens, or Porthole says why not" window_or_reason
is "5 descriptors: the host answers" "$(ask "$HOST_PORT" "echo on")" on
stop_host

# ---- Memory ----------------------------------------------------------------------------------------------------------

for megabytes in 40 100 400; do
    LIMITS=(prlimit "--as=$((megabytes << 20))")
    start_limited "as-$megabytes"
    check "$megabytes MB of address space: the window opens, or Porthole says why not" window_or_reason
    check_host "$megabytes MB of address space"
    if port_answers "$ENDPOINT_PORT"; then
        check "$megabytes MB of address space: a profile or a clear error" served_or_clear \
            "$(status_of /debug/pprof/heap)"
        check "$megabytes MB of address space: the host still lives" host_lives
    fi
    [ $megabytes -ne 400 ] || is "400 MB of address space are enough" "$(status_of /debug/pprof/heap)" 200
    stop_host
    is "$megabytes MB of address space: it ends on SIGTERM as ever" "$HOST_STATUS" 143
done

# ---- Nowhere to dump to ----------------------------------------------------------------------------------------------

for error in ENOSYS EPERM; do
    LIMITS=("$WORK/host_denied" memfd_create "$error")
    start_limited "memfd-$error"
    check "memfd_create fails with $error: the window opens" wait_for_port "$ENDPOINT_PORT"
    check "memfd_create fails with $error: a profile or a clear error" served_or_clear "$(status_of /debug/pprof/heap)"
    is "memfd_create fails with $error: other routes answer" "$(status_of /debug/pprof/cmdline)" 200
    check_host "memfd_create fails with $error"
    stop_host
done

# A mount namespace of its own with a full /tmp: nothing is left on this machine.
cat >"$WORK/full.sh" <<'SCRIPT'
mount -t tmpfs -o size=64k none "$1" && dd if=/dev/zero of="$1/full" bs=1k 2>/dev/null
export TMPDIR=$1
cd "$1" && shift && exec "$@"
SCRIPT
mkdir "$WORK/full"
if unshare -m sh "$WORK/full.sh" "$WORK/full" true 2>/dev/null; then
    LIMITS=(unshare -m sh "$WORK/full.sh" "$WORK/full")
    start_limited full
    wait_for_port "$ENDPOINT_PORT"
    is "full disk: the heap is served" "$(status_of /debug/pprof/heap)" 200
    check_host "full disk"
    stop_host
    LIMITS=(unshare -m sh "$WORK/full.sh" "$WORK/full" "$WORK/host_denied" memfd_create ENOSYS)
    start_limited full-no-memfd
    wait_for_port "$ENDPOINT_PORT"
    check "full disk and no memfd: a profile or a clear error" served_or_clear "$(status_of /debug/pprof/heap)"
    check_host "full disk and no memfd"
    stop_host
else
    skip "full disk" "this user may not mount"
fi
finish
