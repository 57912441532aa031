#!/bin/bash
# redis under load, profiled by Porthole and by perf at the same time: the five functions with the most CPU agree within 3 points.
. "$(dirname "$0")/../lib.sh"

SECONDS_LONG=30 # some 5,000 samples: functions come out within a point or so
WHAT="the five functions with the most CPU are those of perf, within 3 points"

# perf's stacks are dumps of the stack, which it unwinds itself. A sample belongs to the first frame that is not the kernel's; what the C
# library calls by several names is one, and so is all that the allocator is made of, as in our profiles.
NAME='function plain(name) { sub(/\+0x.*/, "", name); sub(/^__GI_/, "", name); sub(/^_+/, "", name);
        sub(/^libc_/, "", name); sub(/@.*/, "", name); sub(/^memcpy_/, "memmove_", name)
        if (name ~ /^(malloc|calloc|realloc|free|malloc_usable_size|posix_memalign|aligned_alloc|s?[mrxsdn]allocx)$/) return "allocator"
        return name ~ /^\[/ ? "nameless" : name }'

perf_shares() {
    timeout 120 perf script -i "$WORK/perf.data" -F ip,sym,dso 2>/dev/null | awk "$NAME"'
        NF == 0 { found = 0; next }
        !found && $1 !~ /^ffff/ { found = 1; count[/libporthole/ ? "allocator" : plain($2)]++; all++ }
        END { for (name in count) printf "%s %.2f\n", name, 100 * count[name] / all }' | sort -k 2nr
}

our_shares() {
    timeout 60 go tool pprof -top -nodefraction=0 -nodecount=100000 -unit=ns "$WORK/ours.pb.gz" 2>/dev/null | awk "$NAME"'
        $1 ~ /^[0-9.]+(ns)?$/ && $6 != "" { sub(/ns$/, "", $1); value[plain($6)] += $1; all += $1 }
        END { for (name in value) printf "%s %.2f\n", name, 100 * value[name] / all }' | sort -k 2nr
}

# farthest PERF OURS - of perf's first five, the largest difference to ours.
farthest() {
    awk 'NR == FNR { ours[$1] = $2; next }
        FNR <= 5 { d = $2 - ours[$1]; if (d < 0) d = -d; if (d > most) most = d } END { printf "%.2f\n", most }' \
        <(printf '%s\n' "$2") <(printf '%s\n' "$1")
}

if ! perf record -e cpu-clock -o "$WORK/try.data" -- true >/dev/null 2>&1; then
    skip "$WHAT" "perf is not there, or may not look"
    finish
fi

HOST_PORT=$(free_port)
start_host with redis redis-server --port "$HOST_PORT" --save '' --io-threads 1
wait_for_port "$HOST_PORT"
wait_for_port "$ENDPOINT_PORT"
redis-benchmark -p "$HOST_PORT" -q -c 20 -P 16 -l -t set,get,lpush,lrange_100,hset >"$WORK/load.log" 2>&1 &
load=$!
HOST_PIDS+=("$load")
sleep 1
perf record -e cpu-clock -F 499 --call-graph dwarf,4096 -p "$HOST_PID" -o "$WORK/perf.data" -- sleep "$SECONDS_LONG" \
    >/dev/null 2>&1 &
recorder=$!
is "a profile is served while perf looks, too" "$(curl -sS --max-time 60 -o "$WORK/ours.pb.gz" -w '%{http_code}' \
    "$HOST_URL/debug/pprof/profile?seconds=$SECONDS_LONG&hz=499")" 200
wait "$recorder"
kill "$load" 2>/dev/null
perf=$(perf_shares) ours=$(our_shares)
distance=$(farthest "$perf" "$ours")
if [ -n "$perf" ] && [ -n "$ours" ] && awk -v d="$distance" 'BEGIN { exit !(d <= 3) }'; then
    pass "$WHAT (farthest by $distance)"
else
    fail "$WHAT" "farthest by $distance
perf: $(head -n 8 <<<"$perf" | tr '\n' ' ')
ours: $(head -n 8 <<<"$ours" | tr '\n' ' ')"
fi
stop_host
is "redis ends as ever" "$HOST_STATUS" 0
finish
