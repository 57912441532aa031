#!/bin/bash
# test_processes.sh - a server that forks, as its window shows it: the list of processes, the page, the metrics, and what they
# say when something is amiss. PORTHOLE_ARTEFACTS=FOLDER keeps pictures of the pages there.
artefacts=${PORTHOLE_ARTEFACTS-}
. "$(dirname "$0")/../lib.sh"
build_host host_lines

# A server that forks COUNT children after listen(), which become the user nobody if it is root and USER is given; they live
# as long as it does, or longer if they are the front then.
cat >"$WORK/forker.py" <<'PYTHON'
import ctypes, os, signal, socket, sys, time

port, count, user = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", port))
server.listen()
for _ in range(count):
    if os.fork() == 0:
        if user:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        signal.alarm(120)
        while True:
            server.accept()[0].close()
signal.alarm(120)
while True:
    time.sleep(100)
PYTHON

# answer JQ_FILTER [QUERY] - of /debug/processes, compact.
answer() {
    curl -sS --max-time 10 "$HOST_URL/debug/processes${2-}" | jq -c "$1"
}
counts() {
    [ "$(answer '.processes | length')" = "$1" ]
}
# member_asks PID PATH - the same as a client that asks the process itself.
member_asks() {
    curl -sS --max-time 10 --abstract-unix-socket "porthole/$1" "http://localhost$2"
}

# start_forker COUNT [ARGUMENTS...] - and wait until all are listed. MEMBERS: the children, in order.
start_forker() {
    local count=$1
    shift
    HOST_PORT=$(free_port)
    start_host with forker python3 "$WORK/forker.py" "$HOST_PORT" "$count" "$@"
    wait_for_port "$ENDPOINT_PORT"
    wait_until 20 counts $((count + 1))
    mapfile -t MEMBERS < <(answer '.processes[] | select(.role == "member") | .pid')
    HOST_PIDS+=("${MEMBERS[@]}")
}

# ---- The list --------------------------------------------------------------------------------------------------------

PORTHOLE_ENV=(PORTHOLE_LOG=quiet)
start_forker 3
is "all processes are listed, the front first" "$(answer '[.url, (.processes | map(.role))]')" \
    "[\"$HOST_URL\",[\"front\",\"member\",\"member\",\"member\"]]"
is "the front is the one that listened" "$(answer '.processes[0].pid')" "$HOST_PID"
is "the others are its children, in order" "$(answer '.processes[1:] | [.[].ppid == '"$HOST_PID"', (map(.pid) | . == sort)] | all')" true
is "each has all that is known of the front" "$(answer '.processes | map(keys) | unique | length')" 1
is "and the numbers are likely" "$(answer '.processes | map(.rss_bytes > 1e6 and .rss_bytes < 1e9 and .uptime_seconds < 120) | all')" true
listed='[.url, (.processes | map([.pid, .role, .command]))]'
is "a member gives the same list" "$(member_asks "${MEMBERS[1]}" /debug/processes | jq -c "$listed")" "$(answer "$listed")"
is "pid= shows one" "$(answer '.processes | map([.pid, .role])' "?pid=${MEMBERS[2]}")" "[[${MEMBERS[2]},\"member\"]]"
is "a process that is not of the family is not found" "$(status_of '/debug/processes?pid=1')" 404
like "and those that are there are told" "$(jq -r .detail "$WORK/body")" "\b${MEMBERS[0]}\b"
is "what is no number is refused" "$(status_of '/debug/processes?pid=x')" 400
is "as text: a line for each below the headings" "$(status_of '/debug/processes?format=text') $(wc -l <"$WORK/body")" "200 5"
is "with the role in its column" "$(awk '{ print $3 }' "$WORK/body" | xargs)" "ROLE front member member member"

# ---- The page --------------------------------------------------------------------------------------------------------

status_of /debug/ >"$WORK/status"
cp "$WORK/body" "$WORK/page"
is "the page has a row for each" "$(grep -c 'class=command' "$WORK/page")" 4
is "and none of them is amiss" "$(grep -c '<li id=notice-' "$WORK/page")" 0
is "every link of the page works" "$(grep -oE 'href="[^"]*' "$WORK/page" | cut -c 7- | sed 's/&amp;/\&/g' | sort -u |
    while read -r path; do
        status=$(status_of "$path" -o "$WORK/linked")
        [ "$status" = 200 ] || echo "$path $status"
    done)" ""
like "it says that profiles are of all" "$(cat "$WORK/page")" 'of all of them together'
like "and how to get one by itself" "$(cat "$WORK/page")" "<pre>go tool pprof .*heap\\?pid=${MEMBERS[2]}&#39;</pre>"
like "a member's page says that its profiles are its own" "$(member_asks "${MEMBERS[0]}" /debug/)" \
    "of process ${MEMBERS[0]} alone; all together are at <code>$HOST_URL</code>"

# ---- The metrics -----------------------------------------------------------------------------------------------------

metrics=$(curl -sS --max-time 10 "$HOST_URL/metrics")
is "the metrics count them by role" "$(grep '^porthole_family_members' <<<"$metrics" | xargs -d '\n')" \
    'porthole_family_members{role="front"} 1 porthole_family_members{role="member"} 3'
like "and tell who answers" "$metrics" "^porthole_process_info\\{pid=\"$HOST_PID\",role=\"front\"\\} 1\$"
like "a member gives its own" "$(member_asks "${MEMBERS[0]}" /metrics)" \
    "^porthole_process_info\\{pid=\"${MEMBERS[0]}\",role=\"member\"\\} 1\$"
check "promtool has nothing to say against them" promtool check metrics <<<"$metrics"

# ---- What is amiss ---------------------------------------------------------------------------------------------------

kill -STOP "${MEMBERS[0]}"
is "a profile of all does not wait for one that is stopped" "$(status_of /debug/pprof/heap)" 200
kill -CONT "${MEMBERS[0]}"
status_of /debug/ >"$WORK/status"
like "the page tells that one did not answer" "$(grep '<li id=notice-' "$WORK/body")" \
    'notice-unanswered><b>1 of 3 processes are missing in the last profile of all:'
like "and so do the metrics" "$(curl -sS --max-time 10 "$HOST_URL/metrics")" '^porthole_degraded\{what="unanswered"\} 1$'
like "with the reason" "$(curl -sS --max-time 10 "$HOST_URL/metrics")" \
    '^porthole_family_unanswered_total\{reason="late"\} 1$'
is "a member does not tell it of itself" "$(member_asks "${MEMBERS[1]}" /metrics | grep -c '^porthole_degraded.* 1$')" 0
status_of /debug/pprof/heap >"$WORK/status"
status_of /debug/ >"$WORK/status"
is "when all have answered again, the notice is gone" "$(grep -c '<li id=notice-' "$WORK/body")" 0
like "the counter stays" "$(curl -sS --max-time 10 "$HOST_URL/metrics")" \
    '^porthole_family_unanswered_total\{reason="late"\} 1$'

kill -KILL "${MEMBERS[0]}"
check "a member that ends is not listed any more" wait_until 5 counts 3
kill -KILL "$HOST_PID"
has_new_front() {
    [ "$(answer '[.processes[0].role, .processes[0].pid != '"$HOST_PID"', (.processes | length)]')" = '["front",true,2]' ]
}
check "when the front ends, another one is it" wait_until 5 has_new_front
wait_host
for pid in "${MEMBERS[@]}"; do
    kill -KILL "$pid" 2>/dev/null
    forget_pid "$pid"
done

# ---- /proc that tells nothing ----------------------------------------------------------------------------------------

if ! unshare -m mount -t tmpfs none /proc 2>"$WORK/unshare.err"; then
    skip "where /proc tells nothing" "nothing may be mounted here: $(head -n 1 "$WORK/unshare.err")"
else
    # shellcheck disable=SC2016  # the other shell's arguments
    LIMITS=(unshare -m sh -c 'mount -t tmpfs none /proc && exec "$@"' -)
    start_lines with blind
    is "without /proc the process is listed by number and name" "$(answer .processes)" \
        "[{\"pid\":$HOST_PID,\"role\":\"front\",\"name\":\"host_lines\",\"command\":\"\",\"state\":\"unknown\"}]"
    is "as text with dashes" "$(curl -sS "$HOST_URL/debug/processes?format=text" | awk 'NR == 2 { print $2, $6, $7 }')" "- - -"
    status_of /debug/ >"$WORK/status"
    like "and the page says why" "$(cat "$WORK/body")" 'notice-proc>.*cannot read /proc/self/stat: .*; mount /proc'
    stop_host

    # shellcheck disable=SC2016
    LIMITS=(unshare -m sh -c 'mount -t proc -o hidepid=2 proc /proc && exec "$@"' -)
    start_forker 2 nobody
    hidden=$(member_asks "${MEMBERS[0]}" /debug/processes | jq -c '.processes | map([.role, .state == "unknown", has("rss_bytes")])')
    # Who has given up root cannot be looked into by its equals, either (ptrace(2), "dumpable").
    is "with hidepid, a member that has given up root knows others by number and name" "$hidden" \
        '[["front",true,false],["member",false,true],["member",true,false]]'
    is "its name is known all the same" "$(member_asks "${MEMBERS[0]}" /debug/processes | jq -r '.processes[0].name')" python3
    like "the page says why" "$(member_asks "${MEMBERS[0]}" /debug/)" \
        'notice-hidden_processes><b>Only number and name are known of 2 of 3 processes:</b> .*hidepid'
    like "and the metrics that it is so" "$(member_asks "${MEMBERS[0]}" /metrics)" '^porthole_degraded\{what="hidden_processes"\} 1$'
    is "the front, as root, knows all" "$(answer '.processes | map(has("rss_bytes")) | all')" true
    stop_host KILL
    LIMITS=()
fi

# ---- How it looks ----------------------------------------------------------------------------------------------------

[ -n "$artefacts" ] || artefacts=$WORK/artefacts
mkdir -p "$artefacts" "$WORK/browser"
PORTHOLE_ENV=(PORTHOLE_LOG=quiet PORTHOLE_HEAP_SAMPLE=off)
start_lines with alone
alone=$HOST_URL
PORTHOLE_ENV=(PORTHOLE_LOG=quiet)
start_forker 11
HOME=$WORK timeout 200 python3 "$SRC/tests/clients/page_look.py" "$WORK/browser" "$artefacts" "alone=$alone/debug/" \
    "family=$HOST_URL/debug/" "processes=$HOST_URL/debug/processes?format=html" "index=$HOST_URL/debug/pprof/" \
    "threads=$HOST_URL/debug/threads?format=html" \
    >"$WORK/checks" 2>"$WORK/checks.err"
is "the browser is asked everything" "$? $(tail -n 5 "$WORK/checks.err")" "0 "
while IFS=$'\t' read -r result what details; do
    if [ "$result" = ok ]; then pass "$what"; else fail "$what" "$details"; fi
done <"$WORK/checks"
finish
