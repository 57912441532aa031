#!/bin/bash
# Programs that are hard to profile, all of them at 1,000 Hz, with thread dumps and wall profiles: none is harmed.
#
# host_harm has a mode for each; it looks by itself at what it must not notice, and ends with a verdict. Each mode is profiled for some
# seconds; with PORTHOLE_TEST_LONG=1 for 30.
. "$(dirname "$0")/../lib.sh"

SECONDS_CPU=2 SECONDS_WALL=1 SECONDS_PATIENCE=20 AT_A_TIME=3
[ -z "${PORTHOLE_TEST_LONG-}" ] || SECONDS_CPU=30 SECONDS_WALL=10 AT_A_TIME=2

build_harm() {
    g++ -O2 -g -Wall -Wextra -Werror -o "$WORK/host_harm" "$SRC"/tests/servers/harm/*.cc -ldl -pthread &&
        g++ -shared -fPIC -O2 -o "$WORK/throw_module.so" "$SRC/tests/servers/throw_module.cc" || {
        echo "Bail out! cannot build host_harm"
        exit 1
    }
}

# MODE, what its CPU profile answers, threads that it shows, how many times less may be done while it is taken.
# 0: what is done is not limited by the processor, or is mostly what Porthole's library costs each program that is executed.
#   sampled   a profile, with samples of these threads
#   served    a profile, which may have ended early
#   refused   an error that says why
#   unseen    a profile that says why it does not show these threads
MODES="
masked         unseen    masked-burn       3
replaced       served    -                 0
replaced-raw   served    -                 0
all-signals    refused   -                 3
jump           sampled   jump              0
no-queue       unseen    no-queue          3
tiny           sampled   tiny,autodisarm   3
coroutines     sampled   coroutine,narrow  0
fork           sampled   state,errno       0
setuid         sampled   burn              0
threads        sampled   busy-of-many      0
leaderless     sampled   burn-on           3
cancel         sampled   cancel-compute    4
throw          sampled   throw             3
dlopen         sampled   load-module       4
"

declare -A PORT URL PID STATUS

# begin with|without MODE
begin() {
    PORT[$2]=$NEXT_PORT
    NEXT_PORT=$((NEXT_PORT + 1))
    start_host "$1" "$2" "$WORK/host_harm" "$2" "${PORT[$2]}" "$WORK/throw_module.so"
    PID[$2]=$HOST_PID
    [ "$1" = without ] || URL[$2]=$HOST_URL
}

# wait_for with|without MODE - until it answers, with Porthole its endpoint, too.
wait_for() {
    wait_for_port "${PORT[$2]}" 20 || echo "# $2 $1 does not answer: $(tail -n 3 "$WORK/$2.$1.err")"
    [ "$1" = without ] || wait_for_port "${URL[$2]##*:}" 20
}

# end MODES... - all are told before the first is waited for.
end() {
    local mode
    for mode in "$@"; do
        (printf s >"/dev/tcp/127.0.0.1/${PORT[$mode]}") 2>/dev/null
    done
    for mode in "$@"; do
        HOST_PID=${PID[$mode]}
        wait_host 60
        STATUS[$mode]=$HOST_STATUS
    done
}

# ask_for MODE NAME PATH SECONDS - the answer to $WORK/MODE.NAME, and its status behind the others in $WORK/MODE.NAME.statuses.
ask_for() {
    curl -s --max-time $(($4 + 60)) -o "$WORK/$1.$2" -w '%{http_code}\n' "${URL[$1]}$3" >>"$WORK/$1.$2.statuses"
}

# dump_until MODE FILE - thread dumps, one after the other, as long as the file is not there. The largest is kept as $WORK/MODE.largest: a
# program does not begin with all of its threads.
dump_until() {
    local bytes most=-1
    until [ -e "$2" ]; do
        ask_for "$1" threads /debug/threads 0
        bytes=$(stat -c %s "$WORK/$1.threads" 2>/dev/null || echo 0)
        [ "$bytes" -le "$most" ] || { most=$bytes && cp "$WORK/$1.threads" "$WORK/$1.largest"; }
        sleep 0.1
    done
}

# has_samples MODE THREADS - of each of them, in its last CPU profile.
has_samples() {
    local thread
    timeout 60 go tool pprof -raw "$WORK/$1.cpu" >"$WORK/$1.raw" 2>/dev/null
    for thread in ${2//,/ }; do
        [ "$(samples_of "$1" "$thread")" -gt 0 ] || return
    done
}

# observe MODE WANTED THREADS FACTOR - profiles of CPU time for some seconds, however soon each one ends, and until there are samples; then
# one of wall time. All the while thread dumps.
observe() {
    local until=$((SECONDS + SECONDS_CPU))
    dump_until "$1" "$WORK/$1.observed" &
    while :; do
        ask_for "$1" cpu "/debug/pprof/profile?seconds=$SECONDS_CPU&hz=1000" "$SECONDS_CPU"
        if [ "$SECONDS" -ge "$until" ]; then
            [ "$2" = sampled ] || break
            has_samples "$1" "$3" && break
            [ "$SECONDS" -lt $((until + SECONDS_PATIENCE)) ] || break
        fi
        sleep 0.2
    done
    ask_for "$1" wall "/debug/pprof/wall?seconds=$SECONDS_WALL&hz=1000" "$SECONDS_WALL"
    touch "$WORK/$1.observed"
    wait
}

# ---- What the answers say --------------------------------------------------------------------------------------------

statuses() {
    sort -u "$WORK/$1.$2.statuses" | tr '\n' ' '
}

# samples_of MODE THREAD - how many its last CPU profile has; after has_samples.
samples_of() {
    awk -v label="thread:[$2]" '
        $2 ~ /^[0-9]+:$/ { count = $1 }
        index($0, label) { sum += count }
        END { print sum + 0 }' "$WORK/$1.raw"
}

comments_of() {
    timeout 60 go tool pprof -comments "$WORK/$1.cpu" 2>/dev/null
}

# done_per_cpu MODE with|without - what a second of CPU time is good for.
done_per_cpu() {
    sed -nE 's|.*kept: ([0-9]+) done in [0-9.]+ s, ([0-9.]+) s of CPU|\1 \2|p' "$WORK/$1.$2.out" |
        awk '$2 > 0 { printf "%.1f\n", $1 / $2 }'
}

check_profile() {
    local mode=$1 wanted=$2 thread
    case $wanted in
    sampled)
        is "$mode: each CPU profile is served" "$(statuses "$mode" cpu)" "200 "
        for thread in ${3//,/ }; do
            check "$mode: it has samples of $thread" test "$(samples_of "$mode" "$thread")" -gt 0
        done
        ;;
    served)
        unlike "$mode: each CPU profile is served, or refused for a reason" "$(statuses "$mode" cpu)" '[^ 2035]'
        ;;
    refused)
        is "$mode: CPU profiles are refused" "$(statuses "$mode" cpu)" "503 "
        like "$mode: which says why" "$(cat "$WORK/$mode.cpu")" 'no signal is free'
        ;;
    unseen)
        is "$mode: each CPU profile is served" "$(statuses "$mode" cpu)" "200 "
        has_samples "$mode" "$3"
        is "$mode: it has no samples of $3" "$(samples_of "$mode" "$3")" 0
        ;;
    esac
}

# dump_has MODE THREAD FUNCTION COUNT - so many threads of that name, with that function in their stacks.
dump_has() {
    python3 - "$WORK/$1.largest" "$2" "$3" "$4" <<'PYTHON'
import json, sys

file, name, function, wanted = sys.argv[1:]
stacks = [t["stack"] for t in json.load(open(file))["threads"] if t["name"] == name]
found = sum(any(function in (frame["function"] or "") for frame in stack) for stack in stacks)
print(f"{found} of {len(stacks)}")
sys.exit(found < int(wanted))
PYTHON
}

# check_many - ten thousand threads, or as many as the kernel allows.
check_many() {
    local count
    count=$(sed -n 's/^threads at a time: //p' "$WORK/threads.with.out")
    if [ "${count:-0}" -lt 1000 ]; then
        skip "threads: a dump has them all" "a limit allows ${count:-0} threads only"
    else
        check "threads: a dump has the stacks of $count" dump_has threads one-of-many be_one_of_many $((count * 8 / 10))
    fi
}

check_mode() {
    local mode=$1 factor=$4 plain profiled
    sed "s/^/# $mode: /" "$WORK/$mode.with.out"
    is "$mode: it ends with 0, and has nothing to complain of" \
        "${STATUS[$mode]} $(other_lines "$WORK/$mode.with.err")" "0 "
    like "$mode: all promises were kept" "$(cat "$WORK/$mode.with.out")" '^all promises were kept'
    check_profile "$mode" "$2" "$3"
    is "$mode: each wall profile is served" "$(statuses "$mode" wall)" "200 "
    is "$mode: each thread dump is served ($(wc -l <"$WORK/$mode.threads.statuses"))" "$(statuses "$mode" threads)" "200 "
    [ "$factor" != 0 ] || return
    plain=$(done_per_cpu "$mode" without) profiled=$(done_per_cpu "$mode" with)
    check "$mode: as much is done ($profiled of $plain in a second of CPU)" \
        awk -v plain="${plain:-0}" -v got="${profiled:-0}" -v factor="$factor" 'BEGIN { exit !(plain > 0 && got * factor >= plain) }'
}

# ---- Some modes at a time --------------------------------------------------------------------------------------------

# measure_plain MODES... - what is compared with: what they do by themselves.
measure_plain() {
    local mode
    for mode in "$@"; do begin without "$mode"; done
    for mode in "$@"; do wait_for without "$mode"; done
    sleep 0.5
    end "$@"
    for mode in "$@"; do
        is "$mode: without Porthole all promises are kept" \
            "${STATUS[$mode]} $(other_lines "$WORK/$mode.without.err")" "0 "
    done
}

# profile MODES...
profile() {
    local mode observers=()
    for mode in "$@"; do begin with "$mode"; done
    for mode in "$@"; do wait_for with "$mode"; done
    for mode in "$@"; do
        # shellcheck disable=SC2046
        observe $(grep "^$mode " <<<"$MODES") &
        observers+=($!)
    done
    wait "${observers[@]}"
    end "$@"
    for mode in "$@"; do
        # shellcheck disable=SC2046
        check_mode $(grep "^$mode " <<<"$MODES")
    done
}

# chosen [limited] - the modes, or those that PORTHOLE_TEST_MODES names; only those whose last column has a limit.
chosen() {
    awk -v only=" ${PORTHOLE_TEST_MODES-} " -v limited="${1-}" \
        'NF && (only == "  " || index(only, " " $1 " ")) && (!limited || $4 != 0) { print $1 }' <<<"$MODES"
}

build_harm
NEXT_PORT=$(free_port 30)
mapfile -t names < <(chosen)
mapfile -t compared < <(chosen limited)
measure_plain "${compared[@]}"
for ((i = 0; i < ${#names[@]}; i += AT_A_TIME)); do
    profile "${names[@]:i:AT_A_TIME}"
done
for mode in "${names[@]}"; do
    case $mode in
    masked) check "masked: a dump has the stacks of threads that block everything" dump_has masked masked-wait masked_wait 2 ;;
    threads) check_many ;;
    leaderless) like "leaderless: stacks have names" "$(timeout 60 go tool pprof -top "$WORK/leaderless.cpu" 2>/dev/null)" ' burn$' ;;
    no-queue) like "no-queue: the profile says why it shows nothing" "$(comments_of no-queue)" 'RLIMIT_SIGPENDING' ;;
    esac
done
finish
