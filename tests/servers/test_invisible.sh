#!/bin/bash
# Forked children that are awake: whatever they do with descriptors, signals, threads, users, roots and limits comes out as
# without Porthole, however they end; and they are served meanwhile, or one line says what is missing.
. "$(dirname "$0")/../lib.sh"
build_host host_child
build_host host_denied

# start_child with|without NAME - host_child under LIMITS, and on $LINE a child of it, $CHILD; with Porthole, it is awake.
start_child() {
    HOST_PORT=$(free_port)
    start_host "$1" "$2" "$WORK/host_child" "$HOST_PORT"
    wait_for_port "$HOST_PORT"
    [ "$1" = without ] || wait_for_port "$ENDPOINT_PORT" 5
    connect_child "$1"
}

connect_child() {
    open_line "$HOST_PORT"
    CHILD=$(say_line pid)
    [ "$1" = without ] || wait_until 10 serves "$CHILD" || echo "# $CHILD does not wake"
}

end_child() {
    exec {LINE}>&-
    stop_host
}

# serves PID - it has a window of its own.
serves() {
    curl -sf --max-time 5 --abstract-unix-socket "porthole/$1" -o /dev/null http://localhost/debug/pprof/
}

child_heap() {
    status_of "/debug/pprof/heap?pid=$CHILD"
}

# tell COMMAND... - of the child; each with its answer.
tell() {
    local command
    for command in "$@"; do
        echo "$command: $(say_line "$command")"
    done
}

# Both answers to the same, each from a child of its own; with Porthole the child lives on, to be asked more.
compare_children() {
    local name=$1 expected
    shift
    start_child without "$name"
    expected=$(tell "$@")
    end_child
    start_child with "$name"
    is "$name: the child answers as without Porthole" "$(tell "$@")" "$expected"
    is "$name: the host says nothing" "$(other_lines "$HOST_ERR")" ""
}

# ---- Descriptors -------------------------------------------------------------------------------------------------------

# After all were closed, a child of that child still finds the port: it serves it when all others are gone.
for way in close-each close-listed close-ranges closefrom replace-each; do
    compare_children "$way" next-number "$way" next-number signals "$way" "echo on"
    is "$way: the child is served" "$(child_heap)" 200
    last=$(say_line offspring)
    HOST_PIDS+=("$last")
    check "$way: a child of it wakes and is served" wait_until 10 serves "$last"
    kill -KILL "$CHILD" "$HOST_PID"
    wait "$HOST_PID" 2>/dev/null
    check "$way: it takes the port over when all others are killed" wait_until 5 eval \
        '[ "$(status_of /debug/pprof/heap)" = 200 ]'
    kill -KILL "$last"
    forget_pid "$last"
    exec {LINE}>&-
done

# Without the standard descriptors, what Porthole opens first must not get their numbers, or lose them again.
compare_children "no standard descriptors" close-standard next-number
last=$(say_line offspring)
HOST_PIDS+=("$last")
check "no standard descriptors: a child that wakes without them is served" wait_until 10 serves "$last"
is "no standard descriptors: its next number is as ever" "$(say_line next-number)" 0
kill -KILL "$last"
forget_pid "$last"
end_child
HOST_PORT=$(free_port)
start_host with "no-standard" bash -c 'exec "$@" <&- >&- 2>&-' bash "$WORK/host_child" "$HOST_PORT"
check "no standard descriptors from the start: the endpoint answers" wait_until 10 eval \
    '[ "$(status_of /debug/pprof/heap)" = 200 ]'
stop_host

# ---- Signals and threads -------------------------------------------------------------------------------------------------

compare_children "signals" signals signalfd signals sigwait handler signals
is "signals: the child is served" "$(child_heap)" 200
end_child
compare_children "threads" quiet-offspring
like "threads: a child has one until it waits" "$(say_line quiet-offspring)" '^7$'
end_child

# ---- Ends, while everybody is asked for profiles ----------------------------------------------------------------------

touch "$WORK/asking"
start_child without ends
ways=("ends exit" "ends _exit" "ends abort" "ends crash" "ends dally" "ends last-thread" "ends exec")
expected=$(tell "${ways[@]}" "${ways[@]}" "${ways[@]}")
end_child
start_child with ends
while [ -e "$WORK/asking" ]; do
    curl -s --max-time 20 -o /dev/null -w '%{http_code}\n' "$HOST_URL/debug/pprof/heap" >>"$WORK/asked"
done &
asking=$!
is "children that are awake and asked end as without Porthole" "$(tell "${ways[@]}" "${ways[@]}" "${ways[@]}")" "$expected"
rm "$WORK/asking"
wait $asking
like "they do end in different ways" "$expected" '0x300$'
is "every request was served" "$(grep -vx 200 "$WORK/asked" | head -n 5)" ""
end_child

# ---- Users, roots, limits that change in the child ------------------------------------------------------------------------

# check_served NAME - the child and the family have a profile or a clear error, and the page tells.
check_served() {
    check "$1: the child's heap, or a clear error" served_or_clear "$(child_heap)"
    check "$1: the family's heap, or a clear error" served_or_clear "$(status_of /debug/pprof/heap)"
    is "$1: the page" "$(status_of /debug/)" 200
    check "$1: /metrics" test "$(status_of /metrics)" = 200
}

if [ "$(id -u)" -eq 0 ]; then
    compare_children "another user" "setuid 65534" "keep 100000" "ends exit" signals quiet-offspring
    check_served "another user"
    is "another user: the child's heap and the family's" "$(child_heap) $(status_of /debug/pprof/heap)" "200 200"
    end_child
    mkdir "$WORK/empty"
    compare_children "another root" "chroot $WORK/empty" "keep 100000" "ends exit" "ends dally" quiet-offspring
    check_served "another root"
    is "another root: the child's heap and the family's" "$(child_heap) $(status_of /debug/pprof/heap)" "200 200"
    last=$(say_line offspring)
    HOST_PIDS+=("$last")
    check "another root: a child that wakes there is served" wait_until 10 serves "$last"
    check "another root: its heap, or a clear error" served_or_clear "$(status_of "/debug/pprof/heap?pid=$last")"
    kill -KILL "$last"
    forget_pid "$last"
    end_child
else
    skip "another user, another root" "not root"
fi
compare_children "no file may grow" "fsize 0" "keep 100000" "ends exit" signals
check_served "no file may grow"
check "no file may grow: the child lives" serves "$CHILD"
end_child

# ---- Where the whole host is confined ---------------------------------------------------------------------------------------

# confined NAME NOTICE COMMAND... - the host under COMMAND; NOTICE is a pattern for what /metrics says is missing, or "".
confined() {
    local name=$1 notice=$2
    shift 2
    LIMITS=("$@")
    compare_children "$name" "keep 100000" next-number signals signalfd "ends exit" "ends dally" "ends last-thread" \
        quiet-offspring "echo on"
    if ! port_answers "$ENDPOINT_PORT"; then
        is "$name: the window is closed, and one line says why" "$(own_lines "$HOST_ERR" | wc -l)" 1
    else
        check_served "$name"
        local degraded
        degraded=$(curl -s --max-time 10 "$HOST_URL/metrics" | grep -E '^porthole_degraded\{.*\} 1')
        if [ -n "$notice" ]; then
            like "$name: /metrics says what is missing" "$degraded" "$notice"
        else
            is "$name: nothing is missing" "$degraded" ""
            is "$name: the child's heap and the family's" "$(child_heap) $(status_of /debug/pprof/heap)" "200 200"
        fi
    fi
    end_child
    LIMITS=()
}

confined "no limits" ""
confined "few descriptors" "" prlimit --nofile=24:24
confined "little address space" "" prlimit "--as=$((500 << 20))"
confined "no table of descriptors of our own" 'descriptors' "$WORK/host_denied" unshare_files EPERM
confined "Docker's filter" 'root' "$WORK/host_denied" docker EPERM
if unshare -m true 2>/dev/null; then
    printf '%s\n' 'umount -l /proc && exec "$@"' >"$WORK/no-proc.sh"
    printf '%s\n' 'mount -o remount,bind,ro / 2>/dev/null || mount --bind / / && mount -o remount,bind,ro / || exit 1' \
        'exec "$@"' >"$WORK/read-only.sh"
    if unshare -m sh "$WORK/no-proc.sh" true 2>/dev/null; then
        confined "no proc" 'proc' unshare -m sh "$WORK/no-proc.sh"
    else
        skip "no /proc" "it cannot be unmounted here"
    fi
    if unshare -m sh "$WORK/read-only.sh" true 2>/dev/null; then
        confined "a read-only root" "" unshare -m sh "$WORK/read-only.sh"
    else
        skip "a read-only root" "it cannot be made here"
    fi
else
    skip "no /proc, a read-only root" "this user may not mount"
fi
finish
