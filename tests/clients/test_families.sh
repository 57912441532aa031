#!/bin/bash
# test_families.sh - the porthole command and servers that fork: ps, heap, diff of a family of processes, canned ones.
. "$(dirname "$0")/../lib.sh"

PORTHOLE=$BUILD/tools/porthole
FAKE=$SRC/tests/clients/fake_endpoint.py
export TZ=UTC0 REQUESTS=$WORK/requests
NAME=family-$$ # others may run servers here
cd "$WORK" || exit 1

# start_family N - a front and N workers called $NAME; sets FRONT and the array WORKERS.
start_family() {
    local rest
    rm -f fake.out
    setpriv --pdeathsig KILL python3 "$FAKE" local family "$1" "$NAME" >fake.out 2>fake.err &
    HOST_PIDS+=("$!")
    wait_until 20 test -s fake.out || echo "# no fake family: $(cat fake.err)"
    read -r FRONT _ rest <fake.out
    read -ra WORKERS <<<"$rest"
    HOST_PIDS+=("${WORKERS[@]}")
}

# asked - how often the processes of the fake family were asked since the last call.
asked() {
    grep -c . "$REQUESTS" 2>/dev/null
    : >"$REQUESTS"
}

# row PID - of the table in "out".
row() {
    awk -v pid="$1" '$1 == pid' out | tr -s ' ' | sed 's/^ //'
}

start_family 200
: >"$REQUESTS"

# ---- ps -------------------------------------------------------------------------------------------------------------

timeout 60 "$PORTHOLE" ps >out 2>err
is "ps ends well" "$? $(cat err)" "0 "
is "ps asks one process of a server that forks" "$(asked)" 1
is "a server with 200 workers is one line" "$(row "$FRONT")" \
    "$FRONT $NAME http://127.0.0.1:6060 201 10m 00s 201.0 MiB $NAME: master process"
is "its workers have none" "$(row "${WORKERS[0]}")$(row "${WORKERS[199]}")" ""
timeout 60 "$PORTHOLE" ps --all >out
is "ps --all asks no more" "$(asked)" 1
is "ps --all has the front first" "$(grep "$NAME" out | head -n 1 | awk '{ print $1, $3 }')" "$FRONT front"
is "and the workers below it" "$(grep -c "$NAME .*member " out)" 200
is "each with its own figures" "$(row "${WORKERS[0]}")" "${WORKERS[0]} $NAME member - 9m 59s 1.0 MiB $NAME: worker 1"
"$PORTHOLE" ps --json >ps.json
is "ps --json has all of them" "$(python3 - "$FRONT" "${WORKERS[0]}" <<'PYTHON'
import json, sys
rows = {row["pid"]: row for row in json.load(open("ps.json"))}
front, worker = rows[int(sys.argv[1])], rows[int(sys.argv[2])]
print(sum(row["family"] == front["pid"] for row in rows.values()))
for row in front, worker:
    print(row["role"], row["family"] == front["pid"], row["ppid"] == front["pid"], row["url"], row["name"],
          row["uptime_seconds"], row["rss_bytes"], row["command"], row["error"])
PYTHON
)" "201
front True False http://127.0.0.1:6060 $NAME 600.0 1048576 $NAME: master process None
member True True http://127.0.0.1:6060 $NAME 599.0 1048576 $NAME: worker 1 None"
asked >/dev/null

kill -STOP "$FRONT"
timeout 60 "$PORTHOLE" ps >out 2>err
kill -CONT "$FRONT"
is "a front that hangs is told of by a worker, with the reason" "$(row "$FRONT")" \
    "$FRONT $NAME http://127.0.0.1:6060 201 10m 00s 201.0 MiB (no answer within 1 s) $NAME: master process"
check "for that a few workers are asked" test "$(grep -cv " $FRONT\$" "$REQUESTS")" -le 4
sleep 0.2
asked >/dev/null
kill -STOP "$FRONT" "${WORKERS[@]}"
SECONDS=0
timeout 60 "$PORTHOLE" ps >out 2>err
check "if all of them hang, ps comes to an end" test "$SECONDS" -lt 15
kill -CONT "$FRONT" "${WORKERS[@]}"
is "and lists them by process id" "$(grep -cE " \? +\? +\? +\? +\((no answer|not asked).*python3.* $NAME\$" out)" 201
sleep 0.5
kill "${WORKERS[@]}" "$FRONT"

# ---- heap -----------------------------------------------------------------------------------------------------------

start_family 3
: >"$REQUESTS"
"$PORTHOLE" heap "$NAME" >out 2>err
is "heap NAME finds the server by its name" "$? $(cat err)" "0 "
like "the heading is that of its front" "$(sed -n 1p out)" "^process $FRONT \(python3[0-9.]*\): inuse_space 185.0 MiB$"
is "it tells that it is of several processes" "$(sed -n 2p out)" \
    "4 processes: memory that they inherited over fork() counts once; --by pid tells them apart"
like "and has the functions of all" "$(cat out)" '^ 80.0 MiB +43.2% +80.0 MiB +43.2% +parse$'
is "it was asked for all" "$(tail -n 1 "$REQUESTS")" "/debug/pprof/heap localhost None $FRONT"
is "heap PID of the front is the same" "$("$PORTHOLE" heap "$FRONT")" "$(cat out)"
"$PORTHOLE" heap "${WORKERS[2]}" >out
like "heap PID of a worker is that worker alone" "$(cat out)" "^process ${WORKERS[2]} \(python3[0-9.]*\): inuse_space 164.0 MiB$"
is "with what it inherited" "$(sed -n 2p out)" "100.0 MiB of it inherited over fork(), and counted in its parent, too"
is "it was asked itself" "$(tail -n 1 "$REQUESTS")" "/debug/pprof/heap localhost None ${WORKERS[2]}"
is "--pid asks the front for one process" "$("$PORTHOLE" heap "$NAME" --pid "${WORKERS[2]}")" "$(cat out)"
is "by its id" "$(tail -n 1 "$REQUESTS")" "/debug/pprof/heap?pid=${WORKERS[2]} localhost None $FRONT"
"$PORTHOLE" heap "$NAME" --by pid >out
is "--by pid tells which worker holds most" "$(tail -n +5 out | tr -s ' ' | sed 's/^ //')" \
    "
pid total total% own inherited samples most of it in
$FRONT 100.0 MiB 54.1% 100.0 MiB 0 B 86 load_config
${WORKERS[2]} 64.0 MiB 34.6% 64.0 MiB 0 B 55 parse
${WORKERS[0]} 13.0 MiB 7.0% 8.0 MiB 5.0 MiB 11 parse
${WORKERS[1]} 8.0 MiB 4.3% 8.0 MiB 0 B 7 parse"
"$PORTHOLE" heap "$NAME" --pid 1 >out 2>err
is "a process that is none of them is refused" "$? $(cat err)" \
    "1 porthole: process $FRONT: status 404: no such process in this family"
"$PORTHOLE" heap nobody-is-called-so >out 2>err
is "a name that nobody has is told" "$? $(cat err)" \
    "1 porthole: nobody-is-called-so: no such file, and no server with Porthole is called so; \`porthole ps\` lists them"
touch "$NAME"
"$PORTHOLE" heap "$NAME" >out 2>err
is "a file of that name goes first" "$? $(cat err)" "1 porthole: $NAME: byte 0: empty, expected a profile"
rm "$NAME"
FIRST=$FRONT
start_family 1
"$PORTHOLE" heap "$NAME" >out 2>err
status=$?
like "two servers of one name are told" "$status $(cat err)" \
    "^1 porthole: 2 servers are called $NAME: choose by process id: ($FIRST, $FRONT|$FRONT, $FIRST)$"
kill "${WORKERS[@]}" "$FRONT"

# ---- files ----------------------------------------------------------------------------------------------------------

for kind in family family-silent worker heap; do
    python3 "$FAKE" profile $kind >$kind.pb
done
like "a process is picked out of a saved profile" "$("$PORTHOLE" heap family.pb --pid 103)" \
    '^family.pb, process 103 \(leaky\): inuse_space 64.0 MiB$'
"$PORTHOLE" heap family.pb --pid 7 >out 2>err
is "one that is not in it is told" "$? $(cat err)" \
    "1 porthole: family.pb holds nothing of a process 7; --by pid lists those it has"
like "the only process of a profile can be picked, too" "$("$PORTHOLE" heap worker.pb --pid 103)" \
    '^worker.pb, process 103 \(leaky\): inuse_space 164.0 MiB$'
like "a process that did not answer is named" "$("$PORTHOLE" heap family-silent.pb)" \
    '^Missing: process 102 \(leaky\) did not answer in 2 s$'
"$PORTHOLE" heap heap.pb --by pid >out 2>err
is "--by pid of a profile that does not tell is refused" "$? $(cat err)" \
    "1 porthole: heap.pb does not tell of processes: --by pid needs a profile of Porthole"
"$PORTHOLE" heap heap.pb --by pod >out 2>err
is "--by lists what there is" "$? $(cat err)" "2 porthole heap: --by pod: expected function or pid; perhaps pid; see: porthole help heap"

# ---- diff -----------------------------------------------------------------------------------------------------------

for kind in before after; do
    python3 "$FAKE" profile family-$kind >$kind.pb
done
"$PORTHOLE" diff before.pb after.pb >out 2>err
is "diff of a family sees growth" "$? $(cat err)" "3 "
is "a stack that several processes have is one call site" "$(grep -A 3 '^What grew' out | tail -n 3)" \
    "grew        +60.0 MiB +-15.2 MiB   parse (leaky)
          +1.0 MiB/s, 30.0 MiB to 90.0 MiB, 100.0% of all growth
          called by serve < main"
unlike "new workers are no restart" "$(cat out)" "another process|restarted"
like "but said" "$(tr -s ' \n' ' ' <out)" "2 of the 3 processes of before.pb are not in after.pb any more"
"$PORTHOLE" diff --by pid before.pb after.pb >out 2>err
is "--by pid tells the processes apart" "$(grep -E '^(grew|shrinking)' out | tr -s ' ' | sort)" \
    "grew +20.0 MiB +-8.8 MiB parse (leaky) in process 100
grew +30.0 MiB +-7.6 MiB parse (leaky) in process 103
grew +30.0 MiB +-7.6 MiB parse (leaky) in process 104
shrinking -10.0 MiB +-4.4 MiB parse (leaky) in process 101
shrinking -10.0 MiB +-4.4 MiB parse (leaky) in process 102"
is "and does not tell them twice" "$(grep -c 'called by.*process' out)" 0
like "where it concentrates, too" "$(cat out)" '^\+30.0 MiB, 37.5% of all growth, in parse \(leaky\) in process 103$'
is "as JSON, the process is the outermost frame" "$("$PORTHOLE" diff --by pid --fail-on never --format json before.pb after.pb |
    python3 -c 'import json, sys
d = json.load(sys.stdin)
print(d["by"], sorted({s["stack"][-1]["function"] for s in d["sites"]}))')" \
    "pid ['process 100', 'process 101', 'process 102', 'process 103', 'process 104']"
is "folded stacks are those of all processes" "$("$PORTHOLE" diff --fail-on never --format folded before.pb after.pb)" \
    "main;serve;parse 31457280 94371840"
"$PORTHOLE" diff family-silent.pb family.pb >out
like "a process that did not answer is said" "$(tr -s ' \n' ' ' <out)" \
    "family-silent.pb is without 1 process that did not answer: what it holds is missing"

finish
