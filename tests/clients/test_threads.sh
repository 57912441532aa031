#!/bin/bash
# test_threads.sh - what threads do, and where time goes, as clients see it: of a server that is deadlocked, of one that forks.
. "$(dirname "$0")/../lib.sh"
build_host host_deadlock

# threads JQ_FILTER [QUERY] - of /debug/threads, compact.
threads() {
    curl -sS --max-time 20 "$HOST_URL/debug/threads${2-}" | jq -c "$1"
}
are_all_there() {
    [ "$(threads '[.threads[] | select(.wait.call == "accept" or .wait.call == "futex")] | length')" = 32 ]
}

PORTHOLE_ENV=(PORTHOLE_LOG=quiet)
HOST_PORT=$(free_port)
start_host with deadlock "$WORK/host_deadlock" "$HOST_PORT"
wait_for_port "$ENDPOINT_PORT"
wait_until 20 are_all_there

# ---- A deadlock ------------------------------------------------------------------------------------------------------

named='def name($all): . as $tid | $all[] | select(.tid == $tid) | .name;'
is "a deadlock is told with those who are in it" \
    "$(threads "$named . as \$d | [.deadlocks[] | map(name(\$d.threads)) | sort]")" '[["<refund>","transfer"]]'
is "each waits for a mutex that the other holds" \
    "$(threads "$named . as \$d | [.threads[] | select(.wait.mutex) | [.name, (.wait.owner_tid | name(\$d.threads))]] | sort")" \
    '[["<refund>","transfer"],["transfer","<refund>"]]'
is "who waits for a client waits at a socket, for some time" \
    "$(threads '[.threads[] | select(.name == "worker") | [.wait.call, .wait.socket, .wait.since_ns > 0]] | unique')" \
    "[[\"accept\",\"tcp 127.0.0.1:$HOST_PORT\",true]]"
is "nobody who waits was interrupted" "$(threads '.interrupted_threads <= 1')" true
like "one who runs has a stack, too" "$(threads '.threads[] | select(.name == "spinner") | [.stack[].function]')" '"never_stops"'
is "each stack goes to its end" "$(threads '[.threads[] | select(.truncated)] | length')" 0
text=$(curl -s "$HOST_URL/debug/threads?format=text")
like "as text the deadlock is first" "$(head -n 1 <<<"$text")" \
    '^DEADLOCK: thread [0-9]+ "(transfer|<refund>)" waits for thread [0-9]+ "(transfer|<refund>)" waits for thread'
like "as text each thread has its name and what it waits in" "$text" '^thread [0-9]+ "worker" \[accept(, [0-9].*)?\]:$'
page=$(curl -s -H 'Accept: text/html' "$HOST_URL/debug/threads")
like "the page begins with the deadlock" "$page" '<b>Deadlock:</b> <a href="#t[0-9]+">'
like "the page has equal stacks once" "$page" '<h3>30 threads <span class=soft>accept'
unlike "the page shows no name as markup" "$page" '<refund>'
is "debug=1 has equal stacks once" \
    "$(curl -s "$HOST_URL/debug/pprof/goroutine?debug=1" | sed -n 2p | cut -d ' ' -f 1,2)" "30 @"

# ---- Where time goes -------------------------------------------------------------------------------------------------

like "CPU time is that of who runs" "$(timeout 60 go tool pprof -top "$HOST_URL/debug/pprof/profile?seconds=2" 2>/dev/null)" \
    ' 100%  never_stops$'
tags=$(timeout 60 go tool pprof -tags "$HOST_URL/debug/fgprof?seconds=1" 2>/dev/null)
like "wall time is that of all threads" "$tags" '3[0-9]\.[0-9]s \([0-9.]+%\): worker'
like "and has their states" "$tags" '%\): sleeping'
if command -v google-pprof >/dev/null; then
    text=$(cd "$WORK" && HOME=$WORK timeout 60 google-pprof --text --seconds=1 "$WORK/host_deadlock" "$HOST_URL/pprof/profile" 2>&1)
    like "google-pprof reads /pprof/profile" "$text" '100\.0% never_stops$'
else
    skip "google-pprof reads /pprof/profile" "not installed"
fi
stop_host KILL

# ---- All processes of a server ---------------------------------------------------------------------------------------

cat >"$WORK/forker.py" <<'PYTHON'
import os, signal, socket, sys

server = socket.socket()
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
for _ in range(12):
    if os.fork() == 0:
        break
signal.alarm(120)
while True:
    server.accept()[0].close()
PYTHON
processes() {
    curl -s --max-time 10 "$HOST_URL/debug/processes" | jq -r "$1"
}
are_thirteen() {
    [ "$(processes '.processes | length')" = 13 ]
}
# fetch PATH - to $WORK/profile; raw - as go tool pprof lists it.
fetch() {
    curl -s --max-time 60 -o "$WORK/profile" "$HOST_URL$1"
}
raw() {
    timeout 60 go tool pprof -raw "$WORK/profile" 2>&1
}

HOST_PORT=$(free_port)
start_host with forker python3 "$WORK/forker.py" "$HOST_PORT"
wait_for_port "$ENDPOINT_PORT"
wait_until 30 are_thirteen
mapfile -t pids < <(processes '.processes[].pid')
HOST_PIDS+=("${pids[@]:1}")
is "threads of all processes are told, each with its pid" "$(threads '[.threads[].pid] | unique | length')" 13
is "pid= tells of one" "$(threads '[.pid, (.threads | length)]' "?pid=${pids[7]}")" "[${pids[7]},1]"
like "pid= of another process gives the form that is asked for" \
    "$(curl -s -H 'Accept: text/html' "$HOST_URL/debug/threads?pid=${pids[7]}")" '^<!doctype html>'

fetch "/debug/pprof/wall?seconds=2&hz=20"
like "all are watched over the same seconds" "$(raw)" '^Duration: 2(\.[0-9]+)?'
is "each for all of them" "$(timeout 60 go tool pprof -tags "$WORK/profile" 2>/dev/null |
    awk '/^ *[a-z_]+: Total/ { key = $1 } key == "pid:" && $1 ~ /^(1\.[89]|2(\.[0-9]+)?)[0-9]*s$/' | wc -l)" 13
kill -STOP "${pids[3]}"
curl -s --max-time 30 -o "$WORK/one" "$HOST_URL/debug/pprof/wall?seconds=20&pid=${pids[5]}" &
one=$!
sleep 0.5
fetch "/debug/pprof/profile?seconds=1"
kill -CONT "${pids[3]}"
like "who does not answer is named" "$(raw)" "^Comment: process ${pids[3]} .* did not answer in"
like "who is being watched already is named" "$(raw)" "^Comment: process ${pids[5]} .* answered 409: another profile runs since"
kill "$one"
wait "$one" 2>/dev/null

# One client hangs up; then all processes are free again.
is_free() {
    [ "$(status_of "/debug/pprof/wall?seconds=1&pid=${pids[9]}")" = 200 ]
}
check "a profile of all runs in each" start_long /debug/pprof/wall "/debug/pprof/wall?seconds=1&pid=${pids[9]}"
end_long
check "a client that hangs up ends it in each" wait_until 20 is_free
stop_host KILL
finish
