#!/bin/bash
# go tool pprof, jeprof and google-pprof read what a live server serves: with names, and the same totals.
. "$(dirname "$0")/../lib.sh"
build_host host_lines

PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=16KiB)
start_lines with pprof
for _ in 1 2 3 4 5 6 7 8; do ask "$HOST_PORT" "keep 3145728" >/dev/null; done
heap=$HOST_URL/debug/pprof/heap
kept=25165824 # sizes are size classes of jemalloc, so nothing is rounded up

# near GOT EXPECTED - within a tenth: 25 MB at 16 KiB a sample have a standard error of 2.6 %.
near() {
    awk -v got="$1" -v expected="$2" 'BEGIN { exit !(got > expected * 0.9 && got < expected * 1.1) }'
}

# ---- go tool pprof -----------------------------------------------------------------------------------------------------

check "a profile is served" test "$(status_of /debug/pprof/heap)" = 200
cp "$WORK/body" "$WORK/first.pb.gz"
check "pprof reads the file" near "$(flat_bytes "$WORK/first.pb.gz" keep_memory)" $kept
check "pprof reads the URL" near "$(flat_bytes "$heap" keep_memory)" $kept
for index in alloc_objects alloc_space inuse_objects inuse_space; do
    like "sample type $index" "$(top "$heap" -sample_index=$index)" '% +keep_memory$'
done
like "heap shows what is in use first" "$(top "$heap")" '^Type: inuse_space'
like "allocs shows what was allocated first" "$(top "$HOST_URL/debug/pprof/allocs")" '^Type: alloc_space'
like "-traces shows the stack" "$(timeout 60 go tool pprof -traces "$heap" 2>&1 | grep -A 2 keep_memory)" 'lines_serve|main|serve'
unlike "no frame of Porthole or the allocator is left" "$(timeout 60 go tool pprof -traces "$heap" 2>&1 | grep -v jemalloc)" \
    'libporthole|prof_|ph_[a-z]|je_|malloc$'

raw=$(timeout 60 go tool pprof -raw "$WORK/first.pb.gz" 2>&1)
like "the period is the rate" "$raw" '^Period: 16384$'
like "the period has a type" "$raw" '^PeriodType: space bytes'
like "it has a time" "$raw" '^Time: 20[0-9][0-9]-'
unlike "and no duration" "$raw" '^Duration'
like "comments tell who made it" "$raw" '^Comment: porthole [0-9]'
like "and with which settings" "$raw" '^Comment: jemalloc 5.*lg_prof_sample:14'
build_id=$(readelf -n "$WORK/host_lines" | sed -n 's/.*Build ID: //p')
like "the main binary's mapping is first, with its build id" "$raw" "^1: 0x[0-9a-f]+/0x[0-9a-f]+/0x[0-9a-f]+ .*/host_lines $build_id"
like "locations have addresses, mappings and names" "$raw" '^ +[0-9]+: 0x[0-9a-f]+ M=1 keep_memory '
like "the samples are of the four types" "$raw" '^alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes\[dflt\]'

ask "$HOST_PORT" "keep 10485760" >/dev/null
check "-base shows the growth" near \
    "$(top "$heap" -base "$WORK/first.pb.gz" | awk '$6 == "keep_memory" { sub(/B$/, "", $1); print $1 }')" 10485760
(
    sleep 1
    ask "$HOST_PORT" "keep 10485760" >/dev/null
) &
check "a delta shows what happened meanwhile" near "$(flat_bytes "$heap?seconds=3" keep_memory)" 10485760
wait $!
for kind in threads goroutine threadcreate block mutex allocs; do
    check "pprof reads $kind" timeout 60 go tool pprof -raw "$HOST_URL/debug/pprof/$kind"
done
for kind in pprof/profile pprof/wall fgprof; do
    check "pprof reads $kind" timeout 60 go tool pprof -raw "$HOST_URL/debug/$kind?seconds=1"
done
like "pprof's -tags knows what threads do" "$(timeout 60 go tool pprof -tags "$HOST_URL/debug/pprof/threads" 2>/dev/null)" \
    'thread: Total'
like "pprof's -tagfocus chooses a thread" \
    "$(timeout 60 go tool pprof -top -tagfocus=thread=host_lines "$HOST_URL/debug/pprof/threads" 2>/dev/null)" ' main$'
like "pprof shows the reason of an error" \
    "$(timeout 60 go tool pprof -raw "$HOST_URL/debug/pprof/nonsense" 2>&1)" 'Unknown profile'

# ---- Text: for a person, and for old tools -----------------------------------------------------------------------------

like "debug=1 has Go's header" "$(curl -s "$heap?debug=1" | head -n 1)" \
    '^heap profile: [0-9]+: [0-9]+ \[[0-9]+: [0-9]+\] @ heap_v2/16384$'
like "debug=1 names the functions" "$(curl -s "$heap?debug=1")" '^#	0x[0-9a-f]+	keep_memory'
like "debug=1 ends with the allocator's statistics" "$(curl -s "$heap?debug=1")" '^# Allocated: [0-9]+'
check "pprof reads /pprof/heap" near "$(flat_bytes "$HOST_URL/pprof/heap" keep_memory)" 46137344

for tool in jeprof google-pprof; do
    command -v $tool >/dev/null || {
        skip "$tool reads /pprof/heap" "not installed"
        continue
    }
    text=$(cd "$WORK" && timeout 120 $tool --text --show_bytes "$WORK/host_lines" "$HOST_URL/pprof/heap" 2>"$WORK/$tool.err")
    bytes=$(awk '$6 == "keep_memory" { print $1 }' <<<"$text")
    check "$tool reads /pprof/heap with the names of /pprof/symbol (${bytes:-none})" near "${bytes:-0}" 46137344
done

ask "$HOST_PORT" "release" >/dev/null
check "what was freed is gone" test "$(flat_bytes "$heap" keep_memory)" -eq 0
check "what was allocated is not" near "$(flat_bytes "$heap" keep_memory alloc_space)" 46137344
stop_host
finish
