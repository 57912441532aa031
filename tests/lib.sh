# lib.sh - what every shell test shares: TAP output, ports, hosts with and without Porthole, HTTP.
#
#   tests/servers/test_nginx.sh [BUILDDIR]     BUILDDIR: the build tree to test, by default the current folder
#
# A test sources this file, calls check/is/like/skip and ends with finish. Everything it starts is killed by its own
# pid and everything it writes is below $WORK, which is removed at the end (kept with PORTHOLE_TEST_KEEP=1).
# PORTHOLE_TEST_NO_PRELOAD=1 leaves the preload out of hosts that should have it: tests must then fail (run.sh tries it).
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2120  # the tests use the variables, and pass the arguments

set -u
export LC_ALL=C

SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$(cd "${1:-${PORTHOLE_BUILD:-.}}" && pwd)
PROBE=$BUILD/lib/.libs/libporthole.so
WORK=$(mktemp -d "${TMPDIR:-/tmp}/porthole-test.XXXXXX")

HOST_PIDS=()      # alive as far as we know; killed at exit
PORTHOLE_ENV=()   # more environment for hosts with Porthole, such as PORTHOLE_HEAP_SAMPLE=4KiB
PRELOAD=("LD_PRELOAD=$PROBE")
[ -z "${PORTHOLE_TEST_NO_PRELOAD-}" ] || PRELOAD=()
LIMITS=()         # a command in front of hosts, such as (prlimit --nofile=20)
TAP_COUNT=0
TAP_FAILED=0
TAP_DONE=

# The user's own settings must not leak into hosts and clients.
unset LD_PRELOAD MALLOC_CONF PORTHOLE_START PORTHOLE_LISTEN PORTHOLE_TOKEN_FILE PORTHOLE_HEAP_SAMPLE \
    PORTHOLE_AGENT PORTHOLE_LOG http_proxy HTTP_PROXY
export PPROF_TMPDIR=$WORK/pprof PPROF_BINARY_PATH=$WORK/none NO_PROXY='*'

# ---- TAP ------------------------------------------------------------------------------------------------------------

pass() {
    TAP_COUNT=$((TAP_COUNT + 1))
    echo "ok $TAP_COUNT - $1"
}

# fail WHAT [DETAILS] - the details follow as comment lines.
fail() {
    TAP_COUNT=$((TAP_COUNT + 1))
    TAP_FAILED=$((TAP_FAILED + 1))
    echo "not ok $TAP_COUNT - $1"
    [ -z "${2-}" ] || sed 's/^/#   /' <<<"$2"
}

# skip WHAT WHY - for what this machine or user cannot do.
skip() {
    TAP_COUNT=$((TAP_COUNT + 1))
    echo "ok $TAP_COUNT - $1 # SKIP $2"
}

# check WHAT COMMAND... - the command succeeds.
check() {
    local what=$1
    shift
    if "$@" >"$WORK/check.log" 2>&1; then
        pass "$what"
    else
        fail "$what" "$* failed
$(tail -n 20 "$WORK/check.log")"
    fi
}

# check_not WHAT COMMAND... - the command fails.
check_not() {
    local what=$1
    shift
    if "$@" >"$WORK/check.log" 2>&1; then
        fail "$what" "$* succeeded
$(tail -n 20 "$WORK/check.log")"
    else
        pass "$what"
    fi
}

# is WHAT GOT EXPECTED
is() {
    if [ "$2" = "$3" ]; then
        pass "$1"
    else
        fail "$1" "$(diff -U 2 --label expected --label got <(printf '%s\n' "$3") <(printf '%s\n' "$2") | head -n 30)"
    fi
}

# like WHAT GOT PATTERN - an extended regular expression matches some line.
like() {
    if grep -qE -- "$3" <<<"$2"; then
        pass "$1"
    else
        fail "$1" "nothing matches $3 in:
$(head -n 30 <<<"$2")"
    fi
}

# unlike WHAT GOT PATTERN
unlike() {
    if grep -qE -- "$3" <<<"$2"; then
        fail "$1" "$3 matches:
$(grep -E -- "$3" <<<"$2" | head -n 10)"
    else
        pass "$1"
    fi
}

finish() {
    TAP_DONE=1
    echo "1..$TAP_COUNT"
    [ "$TAP_FAILED" -eq 0 ]
    exit
}

clean_up() {
    local status=$? pid
    for pid in "${HOST_PIDS[@]}"; do
        kill -KILL "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    [ -n "$TAP_DONE" ] || echo "# ended early, status $status"
    [ -n "${PORTHOLE_TEST_KEEP-}" ] && echo "# kept $WORK" || rm -rf "$WORK"
    [ -n "$TAP_DONE" ] || exit 1
}
trap clean_up EXIT
trap 'exit 143' TERM INT HUP

# ---- Waiting and ports ----------------------------------------------------------------------------------------------

# wait_until SECONDS COMMAND... - until the command succeeds; fails after SECONDS.
wait_until() {
    local end=$((SECONDS + $1 + 1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.02
    done
}

# free_port [COUNT] - the first of COUNT free ports in a row on 127.0.0.1, below the range the kernel hands out itself.
free_port() {
    python3 - "${1:-1}" <<'PYTHON'
import random, socket, sys

def free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False

count = int(sys.argv[1])
while True:
    first = random.randrange(10000, 32000)
    if all(free(first + i) for i in range(count)):
        print(first)
        break
PYTHON
}

port_answers() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# wait_for_port PORT [SECONDS]
wait_for_port() {
    wait_until "${2:-10}" port_answers "$1"
}

# ---- Hosts ----------------------------------------------------------------------------------------------------------

# build_host NAME [FLAGS...] - tests/servers/NAME.c or .cc, built as its author would, to $WORK/NAME.
build_host() {
    local name=$1 source=$SRC/tests/servers/$1
    shift
    if [ -f "$source.cc" ]; then
        g++ -O2 -g -Wall -Wextra -Werror -o "$WORK/$name" "$source.cc" -ldl -pthread "$@"
    else
        gcc -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -o "$WORK/$name" "$source.c" -pthread "$@"
    fi || {
        echo "Bail out! cannot build $name"
        exit 1
    }
}

# start_host with|without NAME COMMAND... - sets HOST_PID, HOST_OUT, HOST_ERR and HOST_URL (the endpoint it is given).
# The host dies with this script, whatever happens to it. Not to be called in a subshell.
start_host() {
    local mode=$1 name=$2
    local -a environment=()
    shift 2
    HOST_OUT=$WORK/$name.$mode.out HOST_ERR=$WORK/$name.$mode.err
    if [ "$mode" = with ]; then
        ENDPOINT_PORT=$(free_port)
        HOST_URL=http://127.0.0.1:$ENDPOINT_PORT
        environment=(PORTHOLE_LISTEN="127.0.0.1:$ENDPOINT_PORT" "${PRELOAD[@]}" "${PORTHOLE_ENV[@]}")
    fi
    setpriv --pdeathsig KILL "${LIMITS[@]}" env "${environment[@]}" "$@" >"$HOST_OUT" 2>"$HOST_ERR" </dev/null &
    HOST_PID=$!
    HOST_PIDS+=("$HOST_PID")
}

forget_pid() {
    local pid kept=()
    for pid in "${HOST_PIDS[@]}"; do
        [ "$pid" = "$1" ] || kept+=("$pid")
    done
    HOST_PIDS=("${kept[@]}")
}

is_gone() {
    local state
    state=$(cut -d ' ' -f 3 "/proc/$1/stat" 2>/dev/null) || return 0
    [ "$state" = Z ]
}

# stop_host [SIGNAL] - and wait; HOST_STATUS is its exit status, "hung" if only SIGKILL helped.
stop_host() {
    kill -"${1:-TERM}" "$HOST_PID" 2>/dev/null
    wait_host
}

# wait_host [SECONDS] - for a host that ends by itself.
wait_host() {
    local hung="" status
    wait_until "${1:-15}" is_gone "$HOST_PID" || {
        hung=hung
        kill -KILL "$HOST_PID" 2>/dev/null
    }
    wait "$HOST_PID" 2>/dev/null
    status=$?
    HOST_STATUS=${hung:-$status}
    forget_pid "$HOST_PID"
}

# host_lives - it is there and no zombie.
host_lives() {
    ! is_gone "$HOST_PID"
}

# ask PORT LINE - one command for a host of lines.c; prints its answer.
ask() {
    local fd answer=
    exec {fd}<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf '%s\n' "$2" >&"$fd"
    IFS= read -r -t 30 answer <&"$fd"
    exec {fd}>&-
    printf '%s\n' "$answer"
}

# open_line PORT - a connection that stays, on descriptor $LINE, for say_line COMMAND, which prints the answer.
open_line() {
    exec {LINE}<>"/dev/tcp/127.0.0.1/$1"
}

say_line() {
    local answer=
    printf '%s\n' "$1" >&"$LINE"
    IFS= read -r -t 30 answer <&"$LINE"
    printf '%s\n' "$answer"
}

# start_lines with|without NAME [ARGUMENTS...] - host_lines on HOST_PORT, ready to be asked.
start_lines() {
    local mode=$1 name=$2
    shift 2
    HOST_PORT=$(free_port)
    start_host "$mode" "$name" "$WORK/host_lines" "$HOST_PORT" "$@"
    wait_for_port "$HOST_PORT"
    [ "$mode" = without ] || wait_for_port "$ENDPOINT_PORT"
}

# ---- HTTP -----------------------------------------------------------------------------------------------------------

# status_of PATH [CURL OPTIONS...] - of the endpoint: the status code; body in $WORK/body, headers in $WORK/headers.
status_of() {
    local path=$1
    shift
    curl -s --max-time 30 -o "$WORK/body" -D "$WORK/headers" -w '%{http_code}' "$@" "$HOST_URL$path"
}

# is_clear_error STATUS - after status_of: an error as pprof wants it, with a text that says something.
is_clear_error() {
    [[ $1 == [45]?? ]] && grep -qi '^content-type: text/plain' "$WORK/headers" &&
        grep -qi '^x-go-pprof: 1' "$WORK/headers" && grep -qE '[a-z]{3}.* [a-z]{2}' "$WORK/body"
}

# served_or_clear STATUS - a profile, or a clear error.
served_or_clear() {
    [ "$1" = 200 ] || is_clear_error "$1" || {
        echo "status $1: $(head -c 300 "$WORK/body")"
        return 1
    }
}

# describe URL [CURL OPTIONS...] - an answer in one line, without what changes from one second to the next.
describe() {
    local url=$1
    shift
    curl -s --max-time 30 -o "$WORK/answer" -w '%{http_code} %{content_type} %{size_download} ' "$@" "$url" ||
        printf 'curl failed: %s ' "$?"
    grep -av '^Date: ' "$WORK/answer" | sha256sum # with -I the answer is the head
    rm -f "$WORK/answer"
}

# ---- Profiles -------------------------------------------------------------------------------------------------------

# start_long PATH OTHER - a profile of an hour at PATH until end_long; meanwhile OTHER, a short one, is refused. Where such a one
# was quicker and PATH was refused, PATH is asked for again.
start_long() {
    local i
    for ((i = 0; i < 10; i++)); do
        curl -s -o "$WORK/long" "$HOST_URL$1?seconds=3600" &
        LONG_PID=$!
        sleep 0.5
        [ "$(status_of "$2")" != 409 ] || return 0
        end_long
    done
    return 1
}
end_long() {
    kill "$LONG_PID"
    wait "$LONG_PID" 2>/dev/null
}

# top FILE|URL [PPROF OPTIONS...] - go tool pprof's table, every row, in bytes.
top() {
    local source=$1
    shift
    timeout 60 go tool pprof -top -unit=b -nodefraction=0 -edgefraction=0 -nodecount=100000 "$@" "$source" \
        2>"$WORK/pprof.err"
}

# flat_bytes FILE FUNCTION [INDEX] - what one function holds; 0 if it has no row.
flat_bytes() {
    top "$1" -sample_index="${3:-inuse_space}" |
        awk -v name="$2" '$6 == name { sub(/B$/, "", $1); sum += $1 } END { printf "%d\n", sum }'
}

# tags FILE KEY - "value bytes" lines of one label.
tags() {
    timeout 60 go tool pprof -tags -unit=b "$1" 2>/dev/null | awk -v key="$2" '
        $2 == "Total" { sub(/:$/, "", $1); at = $1 }
        at == key && $2 ~ /%/ { sub(/B$/, "", $1); print $NF, $1 }
        at == key && $2 ~ /^\(/ && $3 ~ /%/ { sub(/B$/, "", $1); print $NF, $1 }'
}

# ---- The same host without and with Porthole ------------------------------------------------------------------------

# own_lines FILE - what Porthole said on the host's stderr; other_lines: what the host said. NORMALISE filters out of
# the host's output what differs from run to run, such as times and pids.
own_lines() {
    grep '^porthole: ' "$1"
}
NORMALISE="cat"
other_lines() {
    grep -v '^porthole: ' "$1" | "$NORMALISE"
}

# run_once MODE NAME REQUESTS COMMAND... - answers in $WORK/NAME.MODE.answers; sets HOST_STATUS.
run_once() {
    local mode=$1 name=$2 requests=$3
    shift 3
    start_host "$mode" "$name" "$@"
    wait_for_port "$HOST_PORT" || echo "# $name does not answer: $(tail -n 5 "$HOST_ERR")"
    "$requests" >"$WORK/$name.$mode.answers" 2>&1
    [ "$mode" = without ] || ENDPOINT_STATUS=$(wait_for_port "$ENDPOINT_PORT" 5; status_of /debug/pprof/)
    stop_host
}

# compare_host NAME REQUESTS COMMAND... - HOST_PORT is where the host listens; REQUESTS is a function that asks it things
# and prints what it answers.
compare_host() {
    local name=$1 requests=$2 plain_status plain
    shift 2
    run_once without "$name" "$requests" "$@"
    plain_status=$HOST_STATUS
    plain=$(cat "$WORK/$name.without.answers")
    like "$name answers without Porthole" "$plain" .

    run_once with "$name" "$requests" "$@"
    is "$name: the endpoint answers" "$ENDPOINT_STATUS" 200
    is "$name answers the same with Porthole" "$(cat "$WORK/$name.with.answers")" "$plain"
    is "$name ends with the same status on SIGTERM" "$HOST_STATUS" "$plain_status"
    is "$name writes the same on stdout" "$("$NORMALISE" <"$HOST_OUT")" \
        "$("$NORMALISE" <"$WORK/$name.without.out")"
    is "$name writes the same on stderr" "$(other_lines "$HOST_ERR")" "$(other_lines "$WORK/$name.without.err")"
    like "$name: the start line tells the URL" "$(own_lines "$HOST_ERR")" "$HOST_URL"
    is "$name: Porthole writes one line" "$(own_lines "$HOST_ERR" | wc -l)" 1

    PORTHOLE_ENV+=(PORTHOLE_LOG=quiet)
    run_once with "$name" "$requests" "$@"
    unset 'PORTHOLE_ENV[-1]'
    is "$name: with PORTHOLE_LOG=quiet the endpoint answers" "$ENDPOINT_STATUS" 200
    is "$name: with PORTHOLE_LOG=quiet Porthole writes nothing" "$(own_lines "$HOST_ERR")" ""
}

# check_names NAME PATTERN [INDEX] - pprof, asking the running host, shows functions of it.
check_names() {
    like "$1: go tool pprof shows names of the host" "$(top "$HOST_URL/debug/pprof/heap" \
        -sample_index="${3:-alloc_space}"; cat "$WORK/pprof.err")" "B +[0-9.]+% +(${2})"
}

# check_load NAME COMMAND... - the endpoint answers while the host works, and the work succeeds.
check_load() {
    local name=$1 load statuses=
    shift
    "$@" >"$WORK/load.log" 2>&1 &
    load=$!
    for _ in 1 2 3 4 5; do
        statuses+="$(status_of /debug/pprof/heap) "
        sleep 0.1
    done
    is "$name: the endpoint answers under load" "$statuses" "200 200 200 200 200 "
    wait "$load"
    is "$name serves the load" "$? $(tail -n 20 "$WORK/load.log" | grep -iE 'error|fail' | grep -vE ' 0 (failed|errored|errors)')" "0 "
}
