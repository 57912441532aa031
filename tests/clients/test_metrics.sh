#!/bin/bash
# test_metrics.sh - /metrics as promtool judges it, and what it tells of a host, with all well and with something amiss.
. "$(dirname "$0")/../lib.sh"
build_host host_lines

# metric SERIES - the value of one series of the last answer.
metric() {
    awk -v series="$1" '$1 == series { print $2 }' "$WORK/body"
}

PORTHOLE_ENV=(PORTHOLE_LOG=quiet)
start_lines with sampled
is "it is served" "$(status_of /metrics)" 200
like "as Prometheus' text format 0.0.4" "$(cat "$WORK/headers")" \
    '^Content-Type: text/plain; version=0\.0\.4; charset=utf-8.?$'
promtool check metrics <"$WORK/body" >"$WORK/promtool" 2>&1
is "promtool has nothing to say against it" "$? $(cat "$WORK/promtool")" "0 "
is "every name is ours" "$(grep -v '^#' "$WORK/body" | grep -vc '^porthole_')" 0
is "every metric is described before its values, once" "$(awk '
    /^# HELP/ { help[$3]++ }
    /^# TYPE/ { type[$3]++ }
    !/^#/ { sub(/[{ ].*/, ""); used[$0] = 1; if (!help[$0] || !type[$0]) print $0 " is not described" }
    END { for (name in help) if (help[name] != 1 || !used[name]) print name " has " help[name] " descriptions" }
    ' "$WORK/body")" ""
is "no series is there twice" "$(grep -v '^#' "$WORK/body" | sed 's/ [^ ]*$//' | sort | uniq -d)" ""
is "it names the process that answers" "$(metric "porthole_process_info{pid=\"$HOST_PID\",role=\"front\"}")" 1
is "and the version" "$(grep -c '^porthole_build_info{version="[0-9.]*"} 1$' "$WORK/body")" 1
check "the start is some seconds ago" awk -v now="$(date +%s)" '
    $1 == "porthole_start_time_seconds" { exit !($2 < now + 1 && $2 > now - 60) }' "$WORK/body"
is "one process, the front" "$(metric 'porthole_family_members{role="front"}') $(metric 'porthole_family_members{role="member"}')" \
    "1 0"
is "the heap is sampled, at the default rate" "$(metric porthole_heap_sampled) $(metric porthole_heap_sample_bytes)" "1 524288"
like "and its size is known" "$(metric porthole_heap_allocated_bytes)" '^[1-9][0-9]{4,}$'
is "nothing is amiss" "$(awk '/^porthole_degraded/ && $2 != 0' "$WORK/body")" ""
is "the page has no notice" "$(status_of /debug/) $(grep -c '<li id=notice-' "$WORK/body")" "200 0"

curl -s --max-time 10 "$HOST_URL/debug/pprof/threadcreate?seconds=20" -o "$WORK/slow" &
slow=$!
is_waiting() {
    [ "$(status_of /metrics)" = 200 ] && [ "$(metric 'porthole_jobs{state="waiting"}')" = "$1" ]
}
check "a client that waits for seconds to pass is counted" wait_until 5 is_waiting 1
kill "$slow" && wait "$slow" 2>/dev/null
check "and no more when it has gone" wait_until 5 is_waiting 0
head=$(curl -sI --max-time 10 "$HOST_URL/metrics")
like "HEAD tells the same type" "$head" '^Content-Type: text/plain; version=0\.0\.4; charset=utf-8.?$'
is "and refuses what GET refuses" "$(status_of /metrics -X DELETE) $(status_of /metrics -H 'Host: evil.example')" "405 403"
stop_host

PORTHOLE_ENV=(PORTHOLE_LOG=quiet PORTHOLE_HEAP_SAMPLE=off)
start_lines with unsampled
is "without sampling it is served, too" "$(status_of /metrics)" 200
is "the heap is told to be degraded, and nothing else" "$(awk '/^porthole_degraded/ && $2 != 0' "$WORK/body")" \
    'porthole_degraded{what="heap"} 1'
is "and not to be sampled" "$(metric porthole_heap_sampled) $(metric porthole_heap_sample_bytes)" "0 0"
status_of /debug/ >"$WORK/status"
like "the page says so in a sentence" "$(cat "$WORK/body")" \
    '<li id=notice-heap><b>No heap profiles:</b> .*PORTHOLE_HEAP_SAMPLE=off.*\.</li>'
stop_host

printf '0123456789abcdef\n' >"$WORK/token"
chmod 600 "$WORK/token"
PORTHOLE_ENV=(PORTHOLE_LOG=quiet PORTHOLE_TOKEN_FILE="$WORK/token")
start_lines with guarded
is "with a token file it needs the token" "$(status_of /metrics)" 401
is "and takes it" "$(status_of /metrics -H 'Authorization: Bearer 0123456789abcdef')" 200
finish
