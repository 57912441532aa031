#!/bin/bash
# test_stacks.sh - porthole threads and porthole cpu, as a person meets them: against canned endpoints, then against a real host.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/command.sh"

PORTHOLE=$BUILD/tools/porthole
FAKE=$SRC/tests/clients/fake_stacks.py
PTY=$SRC/tests/clients/pty_run.py
export TZ=UTC0 REQUESTS=$WORK/requests
cd "$WORK" || exit 1

start_fake tcp
URL=http://127.0.0.1:$FAKE_PORT
start_fake local
LOCAL=$FAKE_PID

# asked - the last request the fake endpoint got.
asked() {
    tail -n 1 "$REQUESTS"
}

# ---- threads --------------------------------------------------------------------------------------------------------

shows "threads of an endpoint" "^$URL \(bankd\): 10 threads\$" threads "$URL"
is "they are asked for as JSON" "$(asked)" "/debug/threads?format=json"
is "deadlocks come first" "$(sed -n 3,6p out)" "
DEADLOCK of 2 threads: each waits for a mutex that the next one holds
    4714 mover-a waits 12.3s in futex for mutex 0x55d0c0de1000, held by 4715 mover-b
    4715 mover-b waits 12.3s in futex for mutex 0x55d0c0de1040, held by 4714 mover-a"
is "a thread has what it waits for and its stack" "$(grep -A 4 '^4711 bankd' out)" "4711 bankd  sleeping, CPU 1.25s
  waits 3.20s in epoll_wait, fd 8: epoll
    epoll_wait  libc.so.6+0x108e26
    serve       src/serve.c:120
    main        src/main.c:12"
is "names are demangled, labels told, an end that is none, too" "$(grep -A 3 '^4712 teller' out)" \
    "4712 teller  running, CPU 1m 38s  [request=GET /balance]
    bank::Account::balance(std::vector<int, std::allocator<int> > const&)  bankd+0x1500
    0x99
    (the stack goes on: the copy of the stack ends here)"
like "the peer of a socket" "$(cat out)" '^  waits 1m 35s in recv, fd 12: tcp 127.0.0.1:80, peer 127.0.0.1:50122$'
like "a frame without a function" "$(cat out)" '^    plugin.so\+0xaa$'
like "a thread that did not answer" "$(grep -A 1 '^4716' out)" '^    \(no stack: it did not answer in 2 s\)$'
shows "threads of a process by its id" "^process $LOCAL \(bankd\): 10 threads\$" threads "$LOCAL"
"$PORTHOLE" threads --pid 4711 "$URL" >out
is "--pid is handed on" "$(asked) $(head -n 1 out)" "/debug/threads?format=json&pid=4711 process 4711 (bankd): 10 threads"

shows "--group puts equal stacks together" '^4 threads: idle-1, idle-2, idle-3, idle-5$' threads --group "$URL"
is "with their ids, their states and how long they wait" "$(grep -A 4 '^4 threads' out)" "4 threads: idle-1, idle-2, idle-3, idle-5
  tids 4721-4723, 4725; 4 sleeping, CPU 4.00ms
  waits 200ms to 7.00s in futex
    pthread_cond_wait  libc.so.6+0x4444
    work               bankd+0x1700"
is "the largest group comes first" "$(grep -cE '^[0-9]+ threads?:' out) $(grep -m 1 -oE '^[0-9]+ threads?:' out)" "6 4 threads:"
shows "many names are cut short" '^40 threads: idle-1, idle-2, idle-3, idle-4 and 36 more$' threads --group "$URL/threads/idle"

shows "--waiting shows who waits for so long" ', 4 of them shown$' threads --waiting 5s "$URL"
is "all of them, and nobody else" "$(grep -oE '^[0-9]{4} ' out | xargs)" "4713 4714 4715 4725"
like "and says of how many nobody knows" "$(cat out)" '^Not shown: 1 thread that waits, but nobody saw since when$'
shows "--name is a regular expression" ', 2 of them shown$' threads --name '^mover-(a|b)$' "$URL"
shows "deadlocks are told whatever is chosen" '^DEADLOCK of 2' threads --name nobody "$URL"
like "and nothing to show is said" "$(cat out)" '^No thread to show$'
"$PORTHOLE" threads --json --waiting 5s "$URL" >out.json
is "--json is what the server said, filtered" "$(python3 - <<'PYTHON'
import json
answer = json.load(open("out.json"))
print(list(answer), [thread["tid"] for thread in answer["threads"]], answer["deadlocks"], answer["threads"][0]["wait"]["peer"])
PYTHON
)" "['pid', 'process', 'taken_at', 'duration_ns', 'interrupted_threads', 'deadlocks', 'threads'] [4713, 4714, 4715, 4725] [[4714, 4715]] 127.0.0.1:50122"

shows "the threads of a family come by process" '^process 4712$' threads "$URL/threads/family"
like "how many processes is said" "$(head -n 1 out)" ': 6 threads, in 3 processes$'
like "and who is missing" "$(cat out)" '^Missing: process 4799 \(bankd\) did not answer in 2 s$'
unlike "but not the version" "$(cat out)" '^Note: porthole'
shows "--by pid is a row for each" '^4712 +2 +2 sleeping +2.00ms +3.00s +pthread_cond_wait$' threads --by pid "$URL/threads/family"
shows "--group joins processes" '^6 threads in 3 processes: ' threads --group "$URL/threads/family"
is "colours are for who wants them" "$("$PORTHOLE" threads --color always "$URL" | grep -c $'\e\[1;31mDEADLOCK')" 1
is "names cannot drive the terminal" "$("$PORTHOLE" threads "$URL/threads/escape" | grep -c $'\e')" 0
like "lines fit a terminal" "$(TERM=xterm python3 "$PTY" 60x80 wait='idle-5' after-show -- "$PORTHOLE" threads "$URL")" 'teller  running'

shows "no threads at all" '^No thread to show$' threads "$URL/threads/none"
shows "members of other types are unknown" '3 threads$' threads "$URL/threads/types"
shows "in groups, too" '3 threads$' threads --group "$URL/threads/types"
for kind in html:"JSON: line 1" empty:"JSON: line 1" cut:"JSON: line 1" deep:"JSON: line 1" large:"JSON: line 1" \
    array:"lists no threads" other:"lists no threads" words:"thread 0 is no object"; do
    told "an answer that is none: ${kind%%:*}" 1 "/threads/${kind%%:*}: .*${kind#*:}" threads "$URL/threads/${kind%%:*}"
done
told "a bad name is refused" 2 "--name \(: " threads --name '(' "$URL"
told "a bad duration is refused" 2 "--waiting 5: expected a duration" threads --waiting 5 "$URL"
told "two ways at once are refused" 2 "--group and --by pid" threads --group --by pid "$URL"
touch bankd
told "a file of a name that no server has" 2 "not the file bankd" threads bankd
told "a file has no threads" 2 "not the file ./x" threads ./x
told "a problem is told by its detail" 1 "status 404: no process 7 in.x1b\[2J this\$" threads "$URL/problem"
told "a server without the route" 1 "status 404" threads "$URL/none"

# ---- cpu ------------------------------------------------------------------------------------------------------------

shows "cpu of an endpoint" "^$URL \(bankd\): cpu 8.42s in 10.0s: 84.2% of one processor\$" cpu --seconds 1 "$URL"
is "it is asked for so many seconds" "$(asked)" "/debug/pprof/profile?seconds=1"
is "the table" "$(tail -n +2 out)" "taken 2026-07-25 17:20:00; one sample every 10.0ms: 842 samples in 3 stacks
Note: lost: 12 samples, as the ring was full
Showing 7 of 7 functions

 flat  flat%    cum   cum%  function
6.00s  71.3%  6.00s  71.3%  bank::Account::balance(std::vector<int, std::allocator<int> > const&)
2.00s  23.8%  2.00s  23.8%  deflate
420ms   5.0%  420ms   5.0%  hash
   0s   0.0%  8.00s  95.0%  main
   0s   0.0%  8.00s  95.0%  serve
   0s   0.0%  420ms   5.0%  audit
   0s   0.0%  420ms   5.0%  start_thread"
shows "--wall" 'wall 1m 10s in 10.0s: 7.0 threads on average$' cpu --wall --seconds 1 --hz 250 --pid 7 "$URL"
is "options are handed on" "$(asked)" "/debug/pprof/wall?seconds=1&hz=250&pid=7"
shows "cpu of a process by its id" "^process $LOCAL \(.*\): cpu 8.42s" cpu --seconds 1 "$LOCAL"
"$PORTHOLE" cpu --seconds 1 -o kept.pb.gz --flame cpu.svg "$URL" >table
python3 "$FAKE" profile cpu | gzip -dcf >raw.pb
is "-o keeps the profile as it came" "$(gzip -dc kept.pb.gz | cksum)" "$(cksum <raw.pb)"
is "which can be shown again" "$("$PORTHOLE" cpu kept.pb.gz | tail -n +2)" "$(tail -n +2 table)"
if command -v go >/dev/null; then
    like "and go tool pprof reads it" "$(go tool pprof -top -sample_index=cpu kept.pb.gz 2>&1)" ' 6000ms 71.26% .* bank::Account::balance'
else
    skip "and go tool pprof reads it" "go is not installed"
fi
is "--flame - is the graph and no table" "$("$PORTHOLE" cpu --flame - kept.pb.gz | grep -v xmlns= | cksum)" \
    "$(sed 's/cpu time of http[^<]*/cpu time of kept.pb.gz/' cpu.svg | grep -v xmlns= | cksum)"

for kind in family few idle hostile many; do
    python3 "$FAKE" profile $kind >$kind.pb
done
shows "--by thread" '^4712  teller  8.00s  95.0%      800  bank::Account::balance' cpu --by thread kept.pb.gz
shows "--by line" '^2.00s +23.8% .* deflate src/bank.cc:40$' cpu --by line kept.pb.gz
shows "--by module" '^8.42s +100.0% +8.42s +100.0%  \[bankd\]$' cpu --by module kept.pb.gz
shows "--by pid has all processes" '^4713     0s   0.0%        0$' cpu --by pid family.pb
like "with what they used" "$(cat out)" '^4711  8.42s  58.4%      842  bank::Account'
shows "a family says that it is one" '^3 processes; --by pid tells them apart$' cpu family.pb
like "and how many processors are busy" "$(cat out)" ': 1.44 processors busy$'
shows "--pid is one of them" '^family.pb, process 4712 .*cpu 6.00s' cpu --pid 4712 --flame one.svg family.pb
told "one that is not there" 1 "nothing of a process 9; --by pid lists" cpu --pid 9 family.pb
shows "few samples are called few" '^Few samples' cpu few.pb
shows "an idle program" '^No samples: no thread was seen on a processor$' cpu idle.pb
shows "--top" '^Showing 3 of ' cpu --top 3 many.pb
told "processes that are one" 1 "does not tell processes apart: it is of one process, or was not taken by Porthole" cpu --by pid few.pb
told "threads nobody tells of" 1 "does not tell of threads: --by thread needs a profile of Porthole" cpu --by thread few.pb
told "a heap profile" 1 "neither cpu nor wall time, but alloc_objects: is it a CPU profile" cpu "$SRC/tests/golden/go119_heap.pb.gz"
shows "one of Go's" 'cpu [0-9.]+m?s in ' cpu "$SRC/tests/golden/go119_cpu.pb.gz"
told "a server that profiles already" 1 "$URL/busy: another profile runs since 3.0 s and lasts 7.0 s more; one at a time\$" cpu "$URL/busy"
told "a page" 1 "HTML or JSON" cpu --seconds 1 "$URL/html"
told "--hz has an end" 2 "--hz 1001: expected a number from 1 to 1000" cpu --hz 1001 "$URL"
told "--by lists what there is" 2 "--by tid: expected function, line, module, thread or pid" cpu --by tid "$URL"
told "a file is not profiled" 2 "need a running process, not the file few.pb" cpu --wall few.pb
told "two outputs at one place" 2 "cannot both go to standard output" cpu -o - --flame - "$URL"
told "a full disk" 1 "cannot write /dev/full: No space" cpu --seconds 1 -o /dev/full "$URL"

# ---- cpu: waiting for it --------------------------------------------------------------------------------------------

# Ctrl-C on a terminal: the line of progress goes, one sentence stays, and the server hears of it.
: >"$REQUESTS"
python3 "$PTY" 80x10 wait='profiling .*: [12].0?s of 30s; Ctrl-C ends it' 'keys=\x03' after-show -- "$PORTHOLE" cpu --seconds 30 "$URL" >screen
like "a line counts the seconds, and Ctrl-C ends it" "$(cat screen)" "^porthole: ended after [0-9.]+ s: no profile of $URL was taken"
unlike "the line is gone then" "$(cat screen)" 'profiling'
like "and so is the command" "$(cat screen)" '^status 1$'
# shellcheck disable=SC2016
check "the server sees its client go" wait_until 20 grep -q '^gone /debug/pprof/profile' "$REQUESTS"
timeout 60 "$PORTHOLE" cpu --seconds 1 "$URL" >out 2>err
is "without a terminal there is no such line" "$(wc -c <err)" 0

# ---- the flame graph ------------------------------------------------------------------------------------------------

for kind in hostile many idle one cpu; do
    [ -e $kind.svg ] || "$PORTHOLE" cpu --flame $kind.svg $kind.pb >/dev/null
    check "the graph of $kind is XML" python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' $kind.svg
    unlike "and needs nothing from elsewhere ($kind)" "$(grep -vE 'xmlns=|cpu time of' $kind.svg)" 'https?:|href|src='
done
is "a graph of the same profile is the same" "$("$PORTHOLE" cpu --flame - many.pb | cksum)" "$(cksum <many.svg)"
if command -v chromium >/dev/null; then
    timeout 120 python3 "$SRC/tests/clients/flame_look.py" cpu.svg pictures >looked 2>looked.err ||
        fail "the graph can be looked at" "$(tail -n 5 looked.err)"
    while IFS=: read -r what verdict; do
        is "in a browser, $what" "$verdict" " yes"
    done <looked
else
    skip "the graph in a browser" "chromium is not installed"
fi

# ---- a real host ----------------------------------------------------------------------------------------------------

gcc -g -O1 -pthread -D_GNU_SOURCE -o host_deadlock "$SRC/tests/servers/host_deadlock.c"
setpriv --pdeathsig KILL "$PORTHOLE" run --listen "127.0.0.1:$(free_port)" -- ./host_deadlock "$(free_port)" >host.out 2>host.err &
HOST_PID=$!
HOST_PIDS+=("$HOST_PID")
wait_until 20 grep -q http:// host.err
URL=$(grep -oE 'http://[0-9.:]+' host.err | head -n 1)
deadlocked() {
    "$PORTHOLE" threads "$HOST_PID" | grep -q '^DEADLOCK of 2 threads: '
}
check "a deadlock of a real host is found" wait_until 20 deadlocked
shows "with both threads and who holds what" '^    [0-9]+ transfer waits .*in futex for mutex 0x[0-9a-f]+, held by [0-9]+ <refund>$' threads "$HOST_PID"
shows "its workers are one group" '^30 threads: worker$' threads --group "$URL"
like "that waits in accept" "$(grep -A 2 '^30 threads' out)" '^  waits .* in accept, fd [0-9]+: tcp 127\.0\.0\.1:[0-9]+'
like "and whose stack has names" "$(grep -A 5 '^30 threads' out)" '^    serve +host_deadlock\+0x'
shows "--json is JSON" '^  "threads": \[' threads --json --name worker "$HOST_PID"
shows "its CPU time is where it spins" ' never_stops$' cpu --seconds 2 --flame real.svg -o real.pb.gz "$HOST_PID"
like "on one processor, more or less" "$(head -n 1 out)" "^process $HOST_PID \(host_deadlock\): cpu [0-9.]+m?s in 2\.[0-9]+s: "
check "the graph of it is XML" python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' real.svg
like "with the function in it" "$(cat real.svg)" '<title>never_stops \([0-9.]+m?s, [0-9]+ samples, [0-9.]+%\)'
shows "--by line knows the line, where there is debug information" ' never_stops .*host_deadlock\.c:[0-9]+$' cpu --by line real.pb.gz
shows "wall time sees those that wait" '^[0-9.ms ]+ +[0-9.]+% .* accept$' cpu --wall --seconds 1 "$URL"
"$PORTHOLE" cpu --seconds 20 "$HOST_PID" >first.out 2>&1 &
FIRST=$!
sleep 1
told "one profile at a time" 1 "process $HOST_PID: another profile runs since [0-9.]+ s and lasts 1[0-9.]+ s more" cpu --seconds 1 "$HOST_PID"
kill "$FIRST"
wait "$FIRST"
like "ended, the first says so" "$? $(cat first.out)" "^1 porthole: ended after [0-9.]+ s: no profile of $HOST_PID was taken"
free_again() {
    "$PORTHOLE" cpu --seconds 1 "$HOST_PID" >/dev/null 2>&1
}
check "whose end is an end in the server, too" wait_until 10 free_again
told "a process that it has not" 1 "status 404: .*1 is not" threads --pid 1 "$HOST_PID"

finish
