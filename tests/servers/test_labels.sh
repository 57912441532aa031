#!/bin/bash
# Labels that a program sets: they tell apart what one line of code holds, in pprof, also in forked children, and the program runs
# without Porthole as well.
. "$(dirname "$0")/../lib.sh"
build_host host_labels -I"$SRC/include"
PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=4KiB)
heap() {
    [ "$(status_of "/debug/pprof/heap")" = 200 ] && mv "$WORK/body" "$WORK/heap"
}

# near BYTES EXPECTED - within 5 %.
near() {
    [ "${1:-0}" -gt $(($2 * 95 / 100)) ] && [ "${1:-0}" -lt $(($2 * 105 / 100)) ]
}

# labelled KEY VALUE - bytes of the samples with this label.
labelled() {
    tags "$WORK/heap" "$1" | awk -v value="$2" '$1 == value { printf "%d\n", $2 }'
}

# has WHAT BYTES MEGABYTES
has() {
    check "$1 (${2:-none})" near "${2:-0}" $(($3 << 20))
}

HOST_PORT=$(free_port 2)
start_host without labels "$WORK/host_labels" "$HOST_PORT"
wait_for_port "$HOST_PORT"
is "without Porthole a label is nothing, and no error" "$(ask "$HOST_PORT" "label handler /x")" 0
is "nor is a scope" "$(ask "$HOST_PORT" "scope 1")" held
stop_host

start_host with labels "$WORK/host_labels" "$HOST_PORT"
wait_for_port "$HOST_PORT"
parent=$(ask "$HOST_PORT" pid)
ask "$HOST_PORT" "hold 3" >/dev/null
is "preloaded, a label is set" "$(ask "$HOST_PORT" "label handler /thumbnail")" 0
is "a key of Porthole is refused" "$(ask "$HOST_PORT" "label pid 1")" -22
ask "$HOST_PORT" "hold 16" >/dev/null
ask "$HOST_PORT" "scope 6" >/dev/null
ask "$HOST_PORT" "label stage render" >/dev/null
ask "$HOST_PORT" "hold 8" >/dev/null
ask "$HOST_PORT" "clear" >/dev/null
ask "$HOST_PORT" "hold 2" >/dev/null

wait_for_port "$ENDPOINT_PORT"
check "the heap is served" heap
has "all of it is held by one line" "$(flat_bytes "$WORK/heap" hold_memory)" 35
has "pprof -tags tells whose it is: handler=/thumbnail" "$(labelled handler /thumbnail)" 24
has "handler=/scope, from PORTHOLE_LABEL()" "$(labelled handler /scope)" 6
has "stage=render" "$(labelled stage render)" 8
focus() {
    top "$WORK/heap" "$@" | awk '$6 == "hold_memory" { sub(/B$/, "", $1); print $1 }'
}
has "-tagfocus handler=/thumbnail shows that part" "$(focus -tagfocus=handler=/thumbnail)" 24
has "-tagignore=handler shows what has no label" "$(focus -tagignore=handler)" 5
unlike "no frame is a mark" "$(top "$WORK/heap" -addresses)" '\<fe0[12][0-9a-f]{12}\>'

# ---- Threads, CPU and wall time ----
burnt() { # the row of the samples that have stage=burn
    timeout 60 go tool pprof -tags "$WORK/body" 2>/dev/null | awk '$1 == "stage:" { on = 1 } on && $NF == "burn" { print; exit }'
}
ask "$HOST_PORT" "label tenant grey" >/dev/null
is "a thread dump is served" "$(status_of "/debug/threads?format=json")" 200
is "it shows the labels of a thread that waits" "$(python3 -c '
import json, sys
print(json.load(sys.stdin)["threads"][0]["labels"])' <"$WORK/body")" "{'tenant': 'grey'}"
for kind in profile wall; do
    ask "$HOST_PORT" "burn 3000" >/dev/null &
    is "$kind is served" "$(status_of "/debug/pprof/$kind?seconds=1")" 200
    like "$kind: samples have the label of that moment" "$(burnt)" 'burn$'
    like "$kind: beside the one that stays" "$(timeout 60 go tool pprof -tags "$WORK/body" 2>/dev/null)" 'grey$'
    wait $!
done
ask "$HOST_PORT" clear >/dev/null

# ---- A forked child ----
ask "$HOST_PORT" "label tenant blue" >/dev/null
child=$(ask "$HOST_PORT" "fork $((HOST_PORT + 1))")
HOST_PIDS+=("$child")
wait_for_port $((HOST_PORT + 1))
ask $((HOST_PORT + 1)) "hold 4" >/dev/null
ask $((HOST_PORT + 1)) "label tenant red" >/dev/null
ask "$HOST_PORT" "label tenant green" >/dev/null # the same number in each of the two processes
ask $((HOST_PORT + 1)) "hold 10" >/dev/null
ask "$HOST_PORT" "hold 12" >/dev/null
two() {
    heap && [ -n "$(labelled pid "$child")" ] && [ -n "$(labelled tenant red)" ]
}
check "the family is there" wait_until 10 two
has "a child keeps the labels of the thread that forked" "$(labelled tenant blue)" 4
has "its labels are its own" "$(labelled tenant red)" 10
has "and the parent's are the parent's" "$(labelled tenant green)" 12
has "what it has inherited counts once, with its labels" "$(labelled handler /thumbnail)" 24
kill -KILL "$parent"
wait "$parent" 2>/dev/null
one() {
    heap && [ -z "$(labelled tenant green)" ] && [ -n "$(labelled tenant red)" ]
}
check "the parent is gone" wait_until 10 one
has "what the child has inherited keeps its labels" "$(labelled handler /thumbnail)" 24
has "as inherited" "$(labelled origin inherited)" 35
has "its own does, too" "$(labelled tenant red)" 10
finish
