#!/bin/bash
# test_family_command.sh - the porthole command and a real server that forks: ps, heap, record and diff of a family whose
# processes come, leak and are killed.
. "$(dirname "$0")/../lib.sh"
build_host host_family

PORTHOLE=$BUILD/tools/porthole
PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=4KiB)
NAME=fam$$ # others may run servers here
WORKERS=3
mkdir "$WORK/bin" "$WORK/run"
cp "$WORK/host_family" "$WORK/bin/$NAME"
cd "$WORK/run" || exit 1

HOST_PORT=$(free_port $((WORKERS + 1)))
start_host with family "../bin/$NAME" "$HOST_PORT" $WORKERS
PIDS=()
for i in $(seq 0 $WORKERS); do
    wait_for_port $((HOST_PORT + i))
    PIDS+=("$(ask $((HOST_PORT + i)) pid)")
done
HOST_PIDS=("${PIDS[@]}")

# row PID - of the table in "out".
row() {
    awk -v pid="$1" '$1 == pid' out | tr -s ' ' | sed 's/^ //'
}
# members - of the family, as ps counts them.
members() {
    "$PORTHOLE" ps | awk -v name="$NAME" '$2 == name { print $4 }' | xargs
}
has_members() {
    [ "$(members)" = "$1" ]
}
profile_count() {
    find "$1" -name 'heap-*.pb.gz' | wc -l
}
has_profiles() {
    [ -d "$1" ] && [ "$(profile_count "$1")" -ge "$2" ]
}
series_json() {
    python3 -c "import json; s = json.load(open('$1/series.json')); print($2)"
}

# ---- ps -------------------------------------------------------------------------------------------------------------

check "a server and its workers are one line" wait_until 10 has_members $((WORKERS + 1))
"$PORTHOLE" ps >out
like "that of the process with the port" "$(row "${PIDS[0]}")" "^${PIDS[0]} $NAME $HOST_URL 4 [0-9.]+s [0-9.]+ MiB \.\./bin/$NAME "
"$PORTHOLE" ps --all >out
like "--all has the front" "$(row "${PIDS[0]}")" "^${PIDS[0]} $NAME front $HOST_URL "
for i in $(seq $WORKERS); do
    like "and worker $i" "$(row "${PIDS[i]}")" "^${PIDS[i]} $NAME member - [0-9.]+s [0-9.]+ MiB "
done
if setpriv --reuid 12345 --clear-groups test -x "$PORTHOLE" 2>/dev/null; then
    setpriv --reuid 12345 --clear-groups "$PORTHOLE" ps >out
    is "for another user each has a line with the reason" \
        "$(grep -c " $NAME .*(it answers only its own user and root) " out)" $((WORKERS + 1))
    is "and by name they are one server" "$(setpriv --reuid 12345 --clear-groups "$PORTHOLE" heap "$NAME" 2>&1)" \
        "porthole: process ${PIDS[0]} answers only its own user and root: ask as one of them"
else
    skip "for another user each has a line with the reason" "we cannot become another user"
fi

# ---- heap -----------------------------------------------------------------------------------------------------------

ask $((HOST_PORT + 2)) "hold 30" >/dev/null
"$PORTHOLE" heap "$NAME" >out
like "heap NAME is the heap of all" "$(head -n 1 out)" "^process ${PIDS[0]} \($NAME\): inuse_space 1[0-9]{2}\.[0-9] MiB$"
like "told so" "$(sed -n 2p out)" '^4 processes: '
like "what all have inherited counts once" "$(grep hold_shared out)" '^ *(9[7-9]|10[0-3])\.[0-9] MiB '
"$PORTHOLE" heap "$NAME" --by pid >out
like "--by pid: the front holds what it made before the first fork" "$(row "${PIDS[0]}")" \
    "^${PIDS[0]} (9[7-9]|10[0-3])\.[0-9] MiB 7.* 0 B [0-9,]+ hold_shared$"
like "and the worker what it has of its own" "$(row "${PIDS[2]}")" \
    "^${PIDS[2]} (29|30)\.[0-9] MiB 2.* (29|30)\.[0-9] MiB 0 B [0-9,]+ hold_own$"
"$PORTHOLE" heap "${PIDS[2]}" >out
like "heap PID of a worker is all that it holds" "$(head -n 1 out)" "^process ${PIDS[2]} \($NAME\): inuse_space 1[23][0-9]\.[0-9] MiB$"
like "and tells what of it is inherited" "$(sed -n 2p out)" '^(9[7-9]|10[0-3])\.[0-9] MiB of it inherited over fork\(\)'
is "--pid is the same" "$("$PORTHOLE" heap "$HOST_URL" --pid "${PIDS[2]}" | sed -e 1d -e 3d)" "$(sed -e 1d -e 3d out)"
(sleep 0.7; ask $((HOST_PORT + 3)) "hold 7" >/dev/null) &
"$PORTHOLE" heap "$NAME" --by pid --seconds 2 >out
wait $!
like "over seconds, --by pid tells which worker grows" "$(grep -A 1 most out | tail -n 1)" \
    "^ *${PIDS[3]} +[67]\.[0-9] MiB .* hold_own$"

# ---- record, through the end of a worker and of the front --------------------------------------------------------------

"$PORTHOLE" record "$NAME" --every 300ms --count 900 -o family >family.out 2>family.err &
RECORDS=("$!")
"$PORTHOLE" record "$HOST_URL" --every 300ms --count 900 -o url >url.out 2>url.err &
RECORDS+=("$!")
"$PORTHOLE" record "${PIDS[2]}" --every 300ms --count 900 -o worker >worker.out 2>worker.err &
RECORDS+=("$!")
HOST_PIDS+=("${RECORDS[@]}")
for folder in family url worker; do
    wait_until 20 has_profiles $folder 3
done
kill -KILL "${PIDS[3]}"
wait_until 10 has_members $WORKERS
ask $((HOST_PORT + 2)) "hold 40" >/dev/null
for folder in family url worker; do
    wait_until 20 has_profiles $folder $(($(profile_count $folder) + 2))
done
kill -KILL "${PIDS[1]}" "${PIDS[0]}" # one is left, and becomes the front
wait "${PIDS[0]}" 2>/dev/null
wait_until 10 has_members 1
for folder in family url worker; do
    check "$folder: it goes on" wait_until 20 has_profiles $folder $(($(profile_count $folder) + 2))
done
kill -TERM "${RECORDS[@]}"
for pid in "${RECORDS[@]}"; do
    wait "$pid"
done
for folder in family url worker; do
    unlike "$folder: no restart is told" "$(cat $folder.err)" 'restarted|ended'
    is "$folder: nor noted" "$(series_json $folder 'len(s["processes"])')" 1
    "$PORTHOLE" diff --metric inuse_space --fail-on never $folder >$folder.diff 2>&1
    unlike "$folder: nor found by diff" "$(cat $folder.diff)" 'another process|left out'
done
like "diff tells that processes have ended" "$(tr -s ' \n' ' ' <url.diff)" \
    '3 of the 4 processes of .* are not in .* any more'
like "what a worker alone held has grown by what it took" "$(cat worker.diff)" '^In-use bytes grew by (39|40|41)\.'
"$PORTHOLE" ps >out
like "the last process is the server now" "$(row "${PIDS[2]}")" "^${PIDS[2]} $NAME $HOST_URL 1 "
"$PORTHOLE" diff --by pid --fail-on never family/heap-0001-* "${PIDS[2]}" >out 2>&1
like "diff --by pid names the process that grew" "$(cat out)" "process ${PIDS[2]}"

finish
