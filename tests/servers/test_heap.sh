#!/bin/bash
# The truth: a host holds 50 MiB in each of four functions. In each of 20 runs every function must show that within
# 3 % + 3 sigma, where the variance of an estimate from samples taken every R bytes is at most R times the bytes held
# (Poisson sampling); the mean over the runs of one rate lies closer, which tells a bias from noise.
. "$(dirname "$0")/../lib.sh"
build_host host_heap

QUARTER=$((50 << 20))
functions="hold_64 hold_1k hold_40k hold_1m"
rates=(4KiB 32KiB 128KiB 512KiB)
RUNS=5

# fetch FILE [QUERY]
fetch() {
    [ "$(status_of "/debug/pprof/heap${2-}")" = 200 ] && mv "$WORK/body" "$1"
}

# all_flat FILE INDEX - "function bytes" for the four, in order; 0 for one without a row.
all_flat() {
    top "$1" -sample_index="$2" | awk -v names="$functions" '
        { sub(/B$/, "", $1); bytes[$6] += $1 }
        END { n = split(names, name); for (i = 1; i <= n; i++) printf "%s %d\n", name[i], bytes[name[i]] }'
}

# outliers RATE RUNS - reads "function bytes" lines; prints those too far away.
outliers() {
    awk -v rate="$1" -v runs="$2" -v truth="$QUARTER" '
        BEGIN { far = 0.03 * truth + 3 * sqrt(rate * truth / runs) }
        $2 < truth - far || $2 > truth + far { printf "%s: %d of %d, allowed +-%d\n", $1, $2, truth, far }'
}

# falls BEFORE AFTER - functions whose alloc_space became less.
falls() {
    paste -d ' ' <(all_flat "$1" alloc_space) <(all_flat "$2" alloc_space) | awk '$4 < $2 { print }'
}

# one_run RATE - appends to $WORK/RATE.inuse and $WORK/RATE.problems.
one_run() {
    local rate=$1
    start_host with heap "$WORK/host_heap" "$HOST_PORT"
    wait_for_port "$HOST_PORT" && wait_for_port "$ENDPOINT_PORT"
    ask "$HOST_PORT" hold >/dev/null
    fetch "$WORK/held"
    all_flat "$WORK/held" inuse_space >>"$WORK/$rate.inuse"
    ask "$HOST_PORT" churn >/dev/null
    ask "$HOST_PORT" release >/dev/null
    fetch "$WORK/released"
    all_flat "$WORK/released" inuse_space | awk '$2 != 0 { print "still held: " $0 }' >>"$WORK/$rate.problems"
    falls "$WORK/held" "$WORK/released" | sed 's/^/alloc_space fell: /' >>"$WORK/$rate.problems"
    stop_host
}

for rate in "${rates[@]}"; do
    PORTHOLE_ENV=("PORTHOLE_HEAP_SAMPLE=$rate")
    bytes=$((${rate%KiB} << 10))
    : >"$WORK/$rate.problems"
    for _ in $(seq $RUNS); do
        HOST_PORT=$(free_port)
        one_run "$rate"
    done
    is "every $rate: all functions in all runs" "$(wc -l <"$WORK/$rate.inuse")" $((4 * RUNS))
    is "every $rate: each function shows its 50 MiB in each run" "$(outliers $bytes 1 <"$WORK/$rate.inuse")" ""
    is "every $rate: the mean over the runs is nearer" "$(awk -v runs=$RUNS \
        '{ sum[$1] += $2 } END { for (name in sum) print name, sum[name] / runs }' "$WORK/$rate.inuse" |
        outliers $bytes $RUNS)" ""
    is "every $rate: freed is 0, alloc_space never falls" "$(cat "$WORK/$rate.problems")" ""
done

# What is freed and allocated again, and what a delta shows.
PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=4KiB)
HOST_PORT=$(free_port)
start_host with heap-again "$WORK/host_heap" "$HOST_PORT"
wait_for_port "$HOST_PORT" && wait_for_port "$ENDPOINT_PORT"
ask "$HOST_PORT" hold >/dev/null
fetch "$WORK/first"
(sleep 0.7; ask "$HOST_PORT" churn >/dev/null) &
fetch "$WORK/delta" "?seconds=2"
wait $!
near=$(flat_bytes "$WORK/delta" hold_1m alloc_space)
check "a delta shows what was allocated meanwhile (50 MiB: $near)" test "$near" -gt 50000000 -a "$near" -lt 55000000
is "and not what was held before" "$(all_flat "$WORK/delta" inuse_space | awk '$2 != 0')" ""
ask "$HOST_PORT" release >/dev/null
ask "$HOST_PORT" hold >/dev/null
fetch "$WORK/second" "?gc=1"
is "held again after a release: the 50 MiB of each" "$(all_flat "$WORK/second" inuse_space | outliers 4096 1)" ""
is "alloc_space has not fallen" "$(falls "$WORK/first" "$WORK/second")" ""
doubled=$(flat_bytes "$WORK/second" hold_64 alloc_space)
check "alloc_space counts both times ($doubled)" test "$doubled" -gt $((QUARTER * 19 / 10)) -a "$doubled" -lt $((QUARTER * 21 / 10))
stop_host
finish
