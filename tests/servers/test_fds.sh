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

for limit in 1024 64; do
    LIMITS=(prlimit "--nofile=$limit:$limit")
    : >"$WORK/endpoint"
    start_lines without "plain-$limit"
    numbers >"$WORK/numbers.without"
    expected=$(run_commands without)
    replaced=$(sed -n 's/^dup2-all: \([0-9]*\) .*/\1/p' <<<"$expected")
    stop_host
    start_lines with "fds-$limit"
    check "limit $limit: the endpoint answers first" test "$(status_of /debug/pprof/heap)" = 200
    numbers >"$WORK/numbers.with"
    own=$(comm -13 <(sort "$WORK/numbers.without") <(sort "$WORK/numbers.with") | sort -n)
    check "limit $limit: our descriptors lie high, from $(head -n 1 <<<"$own")" \
        test "$(head -n 1 <<<"$own")" -ge $((limit / 2))
    answers=$(run_commands with)
    is "limit $limit: every call but dup2() answers as without Porthole" "$(grep -v dup2 <<<"$answers")" \
        "$(grep -v dup2 <<<"$expected")"
    # dup2() onto one of ours answers EBUSY (doc/limits.md); onto every other number it works.
    is "limit $limit: dup2() works on every number that is not ours" "$(grep dup2 <<<"$answers")" \
        "dup2-all: $((replaced - $(wc -l <<<"$own"))) replaced, $((replaced - $(wc -l <<<"$own"))) closed"
    is "limit $limit: the endpoint answers after each" "$(sort "$WORK/endpoint" | uniq -c | tr -s ' ')" \
        " ${#commands[@]} endpoint: 200"
    is "limit $limit: the host serves on" "$(ask "$HOST_PORT" "echo on")" on
    stop_host
done
like "the host did replace descriptors" "$expected" 'dup2-all: [1-9][0-9]* replaced, [1-9][0-9]* closed'

# CLOEXEC: what the host starts sees none of ours.
LIMITS=()
listing='popen ls /proc/self/fd | tr "\n" " "'
start_lines without plain
expected=$(ask "$HOST_PORT" "$listing")
stop_host
start_lines with inherit
is "a program started by the host inherits none of our descriptors" "$(ask "$HOST_PORT" "$listing")" "$expected"
stop_host
finish
