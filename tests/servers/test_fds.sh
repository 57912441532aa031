#!/bin/bash
# Hosts that close every descriptor, or put a file onto every number: they succeed as ever, and the endpoint lives on.
. "$(dirname "$0")/../lib.sh"
build_host host_lines

commands=(close-all close-range closefrom dup2-all close-all next-fd)

# Each command's answer, on one connection.
run_commands() {
    local command
    open_line "$HOST_PORT"
    for command in "${commands[@]}"; do
        echo "$command: $(say_line "$command")"
        [ "$1" = without ] || echo "  endpoint: $(status_of /debug/pprof/heap)" >>"$WORK/endpoint"
    done
    exec {LINE}>&-
}

# own_numbers - the descriptors of the host that are Porthole's: those it does not have without it.
numbers() {
    find "/proc/$HOST_PID/fd" -mindepth 1 -printf '%f\n' | sort -n
}

build_host host_denied

# start_pair NAME COMMAND-BEFORE-THE-HOST... - the answers without Porthole in $expected; the host with it is left
# running, our descriptors in its table in $own.
start_pair() {
    local name=$1
    shift
    LIMITS=("$@")
    : >"$WORK/endpoint"
    start_lines without "plain-$name"
    numbers >"$WORK/numbers.without"
    expected=$(run_commands without)
    stop_host
    start_lines with "fds-$name"
    check "$name: the endpoint answers first" test "$(status_of /debug/pprof/heap)" = 200
    list_own
}

# list_own - our descriptors in the host's table now, in $own.
list_own() {
    numbers >"$WORK/numbers.with"
    own=$(comm -13 <(sort "$WORK/numbers.without") <(sort "$WORK/numbers.with") | sort -n)
}

# stop_pair NAME - what must hold however the host treated its descriptors.
stop_pair() {
    is "$1: the endpoint answers after each" "$(sort "$WORK/endpoint" | uniq -c | tr -s ' ')" \
        " ${#commands[@]} endpoint: 200"
    is "$1: the host serves on" "$(ask "$HOST_PORT" "echo on")" on
    stop_host
}

for limit in 1024 64; do
    start_pair "limit $limit" prlimit "--nofile=$limit:$limit"
    is "limit $limit: none of our descriptors is in the host's table" "$own" ""
    is "limit $limit: every call answers as without Porthole" "$(run_commands with)" "$expected"
    stop_pair "limit $limit"

    start_pair "forks, limit $limit" prlimit "--nofile=$limit:$limit"
    is "limit $limit: it can fork" "$(ask "$HOST_PORT" fork)" 42
    list_own
    is "limit $limit: from its first fork on it has one, what is kept for children" "$(wc -w <<<"$own")" 1
    check "limit $limit: it lies high, at $own" test "$own" -ge $((limit / 2))
    is "limit $limit: it is a socket" "$(readlink "/proc/$HOST_PID/fd/$own" | cut -d: -f1)" socket
    is "limit $limit: then every call answers as without Porthole, too" "$(run_commands with)" "$expected"
    stop_pair "forks, limit $limit"
done

# Where a filter denies us a table of our own we stay in the host's.
for limit in 1024 64; do
    start_pair "shared, limit $limit" prlimit "--nofile=$limit:$limit" "$WORK/host_denied" unshare_files EPERM
    check "shared, limit $limit: our descriptors lie high, from $(head -n 1 <<<"$own")" \
        test "$(head -n 1 <<<"$own")" -ge $((limit / 2))
    answers=$(run_commands with)
    is "shared, limit $limit: every call but dup2() answers as without Porthole" "$(grep -v dup2 <<<"$answers")" \
        "$(grep -v dup2 <<<"$expected")"
    # dup2() onto one of ours answers EBUSY (doc/limits.md), but for what is kept for children: that makes room. Onto every
    # other number it works.
    replaced=$(($(sed -n 's/^dup2-all: \([0-9]*\) .*/\1/p' <<<"$expected") - $(wc -l <<<"$own") + 1))
    is "shared, limit $limit: dup2() works on every number that is not ours" "$(grep dup2 <<<"$answers")" \
        "dup2-all: $replaced replaced, $replaced closed"
    stop_pair "shared, limit $limit"
done
like "the host did replace descriptors" "$expected" 'dup2-all: [1-9][0-9]* replaced, [1-9][0-9]* closed'

# Nobody who waits for the end of the host's stderr waits for us: once it is closed, it is at its end.
LIMITS=()
HOST_PORT=$(free_port)
start_host with stderr "$WORK/host_lines" "$HOST_PORT"
wait_for_port "$ENDPOINT_PORT"
copies=$(find /proc/"$HOST_PID"/task/*/fd -lname "$HOST_ERR" 2>/dev/null | grep -vc "/task/$HOST_PID/")
is "our threads hold no copy of the host's stderr" "$copies" 0
stop_host

# CLOEXEC: what the host starts sees none of ours.
listing='popen ls /proc/self/fd | tr "\n" " "'
start_lines without plain
expected=$(ask "$HOST_PORT" "$listing")
stop_host
start_lines with inherit
is "a program started by the host inherits none of our descriptors" "$(ask "$HOST_PORT" "$listing")" "$expected"
stop_host
finish
