#!/bin/bash
# The heap of a family of forked processes: a parent that holds 100 MB, and 8 workers that inherit them and hold some of their
# own. What is inherited counts once, whoever still has it; every sample says who holds it; who fails is named and the
# rest is served.
. "$(dirname "$0")/../lib.sh"
build_host host_family
build_host host_heap
gcc -shared -fPIC -O2 -g -o "$WORK/plugin_late.so" "$SRC/tests/servers/plugin_late.c"

WORKERS=8
SHARED=$((100 << 20))
PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=4KiB)

# fetch FILE [QUERY] - the heap of the family.
fetch() {
    [ "$(status_of "/debug/pprof/heap${2-}")" = 200 ] && mv "$WORK/body" "$1"
}

# near BYTES EXPECTED - within 3 %.
near() {
    [ "$1" -gt $(($2 * 97 / 100)) ] && [ "$1" -lt $(($2 * 103 / 100)) ]
}

# holds WHAT FILE FUNCTION BYTES
holds() {
    local bytes
    bytes=$(flat_bytes "$2" "$3")
    check "$1 ($bytes of $4)" near "$bytes" "$4"
}

comments() {
    timeout 60 go tool pprof -comments "$1" 2>/dev/null
}

HOST_PORT=$(free_port $((WORKERS + 1)))
start_host with family "$WORK/host_family" "$HOST_PORT" $WORKERS
PIDS=()
for i in $(seq 0 $WORKERS); do
    wait_for_port $((HOST_PORT + i))
    PIDS+=("$(ask $((HOST_PORT + i)) pid)")
done
HOST_PIDS=("${PIDS[@]}")
wait_for_port "$ENDPOINT_PORT"
own=0
for i in $(seq $WORKERS); do
    ask $((HOST_PORT + i)) "hold $i" >/dev/null
    own=$((own + (i << 20)))
done

members() {
    fetch "$WORK/all" && [ "$(comments "$WORK/all" | grep -c '^process [0-9]*, started')" = $((WORKERS + 1)) ]
}
check "all nine are in the profile" wait_until 10 members
holds "100 MB that nine processes share are 100 MB" "$WORK/all" hold_shared $SHARED
holds "what each worker holds of its own is added" "$WORK/all" hold_own $own
is "each sample says whose it is" "$(tags "$WORK/all" pid | cut -d ' ' -f 1 | sort -n)" \
    "$(printf '%s\n' "${PIDS[@]}" | sort -n)"
is "nothing is left of what members tell one another" "$(tags "$WORK/all" origin_pid)$(tags "$WORK/all" origin)" ""
like "the text form says the same" "$(status_of "/debug/pprof/heap?debug=1"; head -n 1 "$WORK/body")" \
    '^200heap profile: [0-9]+: 1[0-9]{8} \['
is "allocs and threadcreate answer for the family, too" "$(status_of /debug/pprof/allocs)$(status_of /debug/pprof/threadcreate)" 200200

# One member.
fetch "$WORK/one" "?pid=${PIDS[5]}"
holds "pid= shows one worker: its own" "$WORK/one" hold_own $((5 << 20))
holds "and what it has inherited" "$WORK/one" hold_shared $SHARED
like "which is labelled so" "$(tags "$WORK/one" origin)" '^inherited 10[0-9]{7}'
is "the name of the file comes along" "$(grep -ci '^content-disposition: attachment; filename="heap"' "$WORK/headers")" 1
fetch "$WORK/founder" "?pid=${PIDS[0]}"
holds "pid= of the parent is the parent alone" "$WORK/founder" hold_shared $SHARED
is "it has inherited nothing" "$(tags "$WORK/founder" origin)$(flat_bytes "$WORK/founder" hold_own)" 0
is "a pid that is no member is not found" "$(status_of "/debug/pprof/heap?pid=1")" 404
like "the members are told" "$(cat "$WORK/body")" "there are: .*${PIDS[3]}"
is "neither with the empty profiles" "$(status_of "/debug/pprof/block?pid=1")$(status_of "/debug/pprof/block?pid=${PIDS[2]}")" 404200
is "what is no number is refused" "$(status_of "/debug/pprof/heap?pid=x")" 400
is "what a member refuses comes as it was said" \
    "$(status_of "/debug/pprof/heap?pid=${PIDS[2]}&seconds=x")$(grep -c 'invalid value for "seconds"' "$WORK/body")" 4001

# Over seconds.
(sleep 0.7; ask $((HOST_PORT + 3)) "hold 7" >/dev/null) &
fetch "$WORK/delta" "?seconds=2"
wait $!
holds "a delta shows what one of them allocated meanwhile" "$WORK/delta" hold_own $((7 << 20))
is "and not what was held before" "$(flat_bytes "$WORK/delta" hold_shared)" 0
fetch "$WORK/one" "?pid=${PIDS[4]}&seconds=1"
is "a delta of one member that did nothing is empty" "$(flat_bytes "$WORK/one" hold_own)" 0
own=$((own + (7 << 20)))

# A module that only one has, and at the same addresses what others have not: it alone can tell the names.
is "one loads a module after the fork" "$(ask $((HOST_PORT + 1)) "load $WORK/plugin_late.so")" loaded
fetch "$WORK/late"
holds "its functions have names in the profile of all" "$WORK/late" hold_in_plugin $((1 << 20))

# jeprof knows one address space and no labels.
jeprof --raw "$HOST_URL/pprof/heap" >"$WORK/raw" 2>"$WORK/jeprof.err"
jeprof_bytes() {
    jeprof --text --show_bytes "$WORK/raw" 2>/dev/null | awk -v name="$1" '$6 == name { print $1 }'
}
check "jeprof sees the family, too ($(jeprof_bytes hold_shared), $(jeprof_bytes hold_own))" \
    eval 'near $(jeprof_bytes hold_shared) $SHARED && near $(jeprof_bytes hold_own) $own'
is "pid= works there" "$(status_of "/pprof/heap?pid=${PIDS[6]}")$(grep -c '^MAPPED_LIBRARIES:' "$WORK/body" | sed 's/[12]/maps/')" 200maps
is "and for symbols" "$(status_of "/debug/pprof/symbol?pid=${PIDS[6]}&0x1")$(head -n 1 "$WORK/body")" "200num_symbols: 1"

# One does not answer.
kill -STOP "${PIDS[7]}"
fetch "$WORK/stopped"
like "who does not answer is named" "$(comments "$WORK/stopped")" \
    "^process ${PIDS[7]} \(host_family\) did not answer in [0-9.]+ s"
holds "the rest is served" "$WORK/stopped" hold_own $((own - (7 << 20)))
(sleep 0.5; kill -CONT "${PIDS[7]}") &
fetch "$WORK/delta" "?seconds=3"
wait $!
is "who was absent at first has not allocated all it has" "$(flat_bytes "$WORK/delta" hold_own)" 0

# One becomes another program: the same pid, and a window of its own.
EXEC_PORT=$(free_port)
(ask $((HOST_PORT + 8)) "exec $WORK/host_heap $EXEC_PORT" >/dev/null 2>&1) &
wait_for_port "$EXEC_PORT"
fetch "$WORK/exec"
holds "who runs another program is not in the profile any more" "$WORK/exec" hold_own $((own - (8 << 20)))
own=$((own - (8 << 20)))
is "nor found by its pid" "$(status_of "/debug/pprof/heap?pid=${PIDS[8]}")" 404
kill -KILL "${PIDS[8]}"

# One dies while it is asked.
kill -STOP "${PIDS[6]}"
(sleep 0.5; kill -KILL "${PIDS[6]}") &
like "a member that dies while it is asked: a clear error" \
    "$(status_of "/debug/pprof/heap?pid=${PIDS[6]}"; cat "$WORK/body")" "^503process ${PIDS[6]} \(host_family\) has ended"
wait $!
own=$((own - (6 << 20)))

# Who still holds the 100 MB.
ask "$HOST_PORT" release >/dev/null
fetch "$WORK/freed"
holds "freed by the parent, what the workers inherited counts once" "$WORK/freed" hold_shared $SHARED
like "as inherited" "$(tags "$WORK/freed" origin)" '^inherited 10[0-9]{7}'
for i in 1 2 3; do
    ask $((HOST_PORT + i)) release >/dev/null
done
fetch "$WORK/freed"
holds "freed by some workers, too" "$WORK/freed" hold_shared $SHARED
kill -KILL "${PIDS[0]}"
wait "${PIDS[0]}" 2>/dev/null
still() {
    fetch "$WORK/orphans" && [ "$(comments "$WORK/orphans" | grep -c '^process [0-9]*, started')" = 6 ]
}
check "killed, the parent leaves the endpoint to the others" wait_until 5 still
holds "what it had allocated counts once, as before" "$WORK/orphans" hold_shared $SHARED
holds "as does what each has of its own" "$WORK/orphans" hold_own $own
for i in 4 5 7; do
    ask $((HOST_PORT + i)) release >/dev/null
done
fetch "$WORK/freed"
is "freed by all, it is gone" "$(flat_bytes "$WORK/freed" hold_shared)" 0
kill -KILL "${PIDS[1]}" "${PIDS[2]}" "${PIDS[3]}" "${PIDS[4]}"
alone() {
    fetch "$WORK/last" && [ "$(comments "$WORK/last" | grep -c '^process [0-9]*, started')" = 2 ]
}
check "two are left" wait_until 5 alone
kill -KILL "${PIDS[5]}"
last() {
    fetch "$WORK/last" && [ "$(comments "$WORK/last" | grep -c '^process [0-9]*, started')" = 1 ]
}
check "one is left" wait_until 5 last
is "a family of one has no label for it" "$(tags "$WORK/last" pid)" ""
finish
