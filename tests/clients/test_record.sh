#!/bin/bash
# test_record.sh - porthole record and porthole watch, as a person meets them: a real host, an endpoint that misbehaves,
# a terminal.
. "$(dirname "$0")/../lib.sh"

PORTHOLE=$BUILD/tools/porthole
FAKE=$SRC/tests/clients/fake_endpoint.py
PTY=$SRC/tests/clients/pty_run.py
export TZ=UTC0 SERIES=$WORK/behaviour REQUESTS=$WORK/requests TERM=xterm
unset LINES COLUMNS NO_COLOR
cd "$WORK" || exit 1

# told WHAT STATUS PATTERN [ARGUMENT...] - it ends with STATUS, and a line on stderr matches.
told() {
    local what=$1 status=$2 pattern=$3
    shift 3
    timeout 60 "$PORTHOLE" "$@" >out 2>err </dev/null
    is "$what" "status $? $(grep -cE -- "^porthole[ a-z]*: .*$pattern" err)" "status $status 1"
    [ "$(grep -cE -- "$pattern" err)" = 1 ] || sed 's/^/#   /' err
}

# behave MODE PROGRAM PID - what the fake endpoint does from now on; never seen half written.
behave() {
    echo "$*" >"$SERIES.new" && mv "$SERIES.new" "$SERIES"
}

# start_fake ARGUMENT... - sets FAKE_PID and FAKE_PORT.
start_fake() {
    setpriv --pdeathsig KILL python3 "$FAKE" "$@" >fake.$$ 2>fake.err &
    HOST_PIDS+=("$!")
    wait_until 20 test -s fake.$$ || echo "# no fake endpoint: $(cat fake.err)"
    read -r FAKE_PID FAKE_PORT <fake.$$
    rm -f fake.$$
}

# start_record ARGUMENT... - in the background, RECORD_PID; said in record.out and record.err. Wait for something it does
# before it is sent a signal: until then it may be this shell still.
start_record() {
    rm -f record.out record.err
    "$PORTHOLE" record "$@" >record.out 2>record.err </dev/null &
    RECORD_PID=$!
    HOST_PIDS+=("$RECORD_PID")
}

# end_record [SIGNAL] - sets RECORD_STATUS.
end_record() {
    [ -z "${1-}" ] || kill -"$1" "$RECORD_PID"
    wait_until 20 is_gone "$RECORD_PID" || echo "# record hangs: $(cat record.out record.err)"
    { wait "$RECORD_PID"; } 2>/dev/null
    RECORD_STATUS=$?
    forget_pid "$RECORD_PID"
}

end_fake() {
    kill -KILL "$FAKE_PID"
    wait "$FAKE_PID" 2>/dev/null
    forget_pid "$FAKE_PID"
}

profile_count() {
    find "$1" -name 'heap-*.pb.gz' 2>/dev/null | wc -l
}

has_profiles() {
    [ "$(profile_count "$1")" -ge "$2" ]
}

has_silences() {
    [ "$(grep -c 'asking again' record.err)" -ge "$1" ]
}

has_requests() {
    [ "$(wc -l <requests)" -ge "$1" ]
}

# series_json FOLDER EXPRESSION - what Python makes of series.json, as s.
series_json() {
    python3 -c 'import json, sys; s = json.load(open(sys.argv[1] + "/series.json")); print(eval(sys.argv[2]))' "$@"
}

# terminal ARGUMENT... - pty_run.py.
terminal() {
    timeout 120 python3 -B "$PTY" "$@" 2>&1 </dev/null
}

# ---- What is wrong on the command line ------------------------------------------------------------------------------

told "record wants to know where" 2 "Add -o DIR" record 1
told "record takes no file" 2 "not the file ./x" record ./x -o d
told "record takes one target" 2 "expected one process id, name or URL, not 2" record 1 2 -o d
told "record knows durations" 2 "--every 10: expected a duration such as" record 1 -o d --every 10
told "an interval has a least length" 2 "--every 10ms: .* at least 100ms" record 1 -o d --every 10ms
told "a time of nothing is refused" 2 "--for 0s: expected" record 1 -o d --for 0s
told "a count of nothing is refused" 2 "--count 0: expected a number from 1 to 9999" record 1 -o d --count 0
told "more than there are numbers for is refused" 2 "more than 9999 profiles: choose a longer" \
    record 1 -o d --every 1s --for 1d
told "watch takes no file" 2 "not the file ./x" watch ./x
told "watch knows the options of diff" 2 "--by colour: expected function" watch 1 --by colour
told "watch checks regular expressions first" 2 "\(" watch 1 --focus '('
told "nobody there is told" 1 "no process 999999" record 999999 -o d
check "and no folder is left" test ! -e d
told "nobody at a port is told at once" 1 "Connection refused; is the program running" record 127.0.0.1:1 -o d
told "watch tells that, too" 1 "no process 999999" watch 999999
mkdir other && touch other/thesis.tex
told "a folder of other things is refused" 1 "other holds files, but no series.json: choose a new folder" \
    record 1 -o other
touch plain
told "a file is no folder" 1 "cannot open the folder plain: Not a directory" record 1 -o plain
told "a folder that cannot be made is told" 1 "cannot make the folder none/d: No such file" record 1 -o none/d

# ---- A real host ----------------------------------------------------------------------------------------------------

# load ROUND - 50 thumbnails of 24 KiB that are never asked for again.
load() {
    curl -s -o "$WORK/thumbnail" "http://127.0.0.1:$HOST_PORT/thumbnail/a?t=$1.[1-50]"
}
HOST_PORT=$(free_port)
ENDPOINT_PORT=$(free_port)
setpriv --pdeathsig KILL "$PORTHOLE" run --listen "127.0.0.1:$ENDPOINT_PORT" --heap-sample 16KiB -- \
    "$BUILD/examples/leaky_httpd" "$HOST_PORT" >host.out 2>host.err </dev/null &
HOST_PID=$!
HOST_PIDS+=("$HOST_PID")
wait_for_port "$ENDPOINT_PORT" || echo "# the host does not answer: $(cat host.err)"
load warm
start_record "$HOST_PID" --every 300ms --count 8 -o series
for ((round = 0; round < 100; round++)); do
    is_gone "$RECORD_PID" && break
    load "$round"
    sleep 0.1
done
end_record
is "record of a process ends with 0" "$RECORD_STATUS $(cat record.err)" "0 "
is "it has said each profile, and what to do next" "$(sed -E 's/^heap-([0-9]*)-[0-9]{8}T[0-9]{6}Z/\1/; s/ in use.*//; s/[0-9.]+ [KMG]iB$/SIZE/' record.out)" \
    "$(printf '%04d.pb.gz   %d of 8   SIZE\n' 1 1 2 2 3 3 4 4 5 5 6 6 7 7 8 8)
8 profiles in series; what grew: porthole diff series"
like "with the change and the time left" "$(cat record.out)" 'in use   \+[0-9.]+ [KM]iB since the first   [0-9.]+s left$'
is "there are 8 profiles and their log" "$(find series -type f | wc -l) $(profile_count series)" "9 8"
is "the log tells whom" "$(series_json series '(s["target"], s["every_seconds"], s["program"].split("/")[-1], len(s["processes"]), s["processes"][0]["pid"])')" \
    "('$HOST_PID', 0.3, 'leaky_httpd', 1, $HOST_PID)"
started=$(date -d "@$(stat -c %Y "/proc/$HOST_PID")" +%s)
recorded=$(date -d "$(series_json series 's["processes"][0]["start_time"]')" +%s)
check "and since when it runs" test "$((recorded - started))" -ge -3 -a "$((recorded - started))" -le 3
for file in series/heap-*; do
    "$PORTHOLE" heap "$file" >>tables 2>&1 || echo "failed $file" >>tables
done
is "each profile can be read" "$(grep -c '^taken' tables) $(grep -c failed tables)" "8 0"
"$PORTHOLE" diff series >out 2>err
status=$?
cp out first
is "diff of the folder finds something" "$status $(cat err)" "3 "
like "it is the leak" "$(cat out)" '^growing .* thumbnail_render'
"$PORTHOLE" diff -o series/report.pb.gz series 2>err
"$PORTHOLE" diff -o series/report.html series 2>>err
"$PORTHOLE" diff series >again 2>>err
is "a report in the folder is no profile of it" "$? $(cat err) $(sed -n 3p again)" "3  $(sed -n 3p first)"
if command -v go >/dev/null; then
    like "go tool pprof reads them" "$(top series/heap-0008-*.pb.gz -sample_index=inuse_space; cat "$WORK/pprof.err")" \
        'thumbnail_render'
else
    skip "go tool pprof reads them" "no go"
fi

# ---- Going on -------------------------------------------------------------------------------------------------------

timeout 60 "$PORTHOLE" record "127.0.0.1:$ENDPOINT_PORT" --every 200ms --count 8 -o series >out 2>err
is "a folder that is complete is left alone" "$? $(cat out err)" "0 8 profiles in series; what grew: porthole diff series"
timeout 60 "$PORTHOLE" record "127.0.0.1:$ENDPOINT_PORT" --every 200ms --count 10 -o series >out 2>err
is "the count is that of all runs" "$? $(profile_count series) $(cat err)" "0 10 "
like "it says that it goes on" "$(head -n 1 out)" '^8 profiles in the folder already: going on after them$'
like "the change is since the first of all" "$(tail -n 2 out)" '10 of 10 .* \+[0-9.]+ [KM]iB since the first$'
is "the same process at another address is no break" "$(series_json series 'len(s["processes"]), s["target"]')" \
    "(1, '127.0.0.1:$ENDPOINT_PORT')"
timeout 60 "$PORTHOLE" record "$HOST_PID" --every 200ms --for 500ms -o timed >out 2>err
is "--for ends by time" "$? $(profile_count timed) $(cat err)" "0 3 "
start_record "$HOST_PID" --every 100ms --count 9000 -o cut
wait_until 20 has_profiles cut 3
end_record KILL
is "after SIGKILL every profile is whole" \
    "$(for file in cut/heap-*; do "$PORTHOLE" heap "$file" >out 2>&1 || cat out; done)" ""
start_record "$HOST_PID" --every 100ms --count 9000 -o cut
wait_until 20 grep -q 'heap-' record.out
end_record TERM
is "it goes on after that, and SIGTERM ends it cleanly" "$RECORD_STATUS $(cat record.err)" "0 "
like "with what to do next" "$(tail -n 1 record.out)" "^$(profile_count cut) profiles in cut; what grew: porthole diff cut$"
start_record "$HOST_PID" --every 10s -o 'two words'
wait_until 20 has_profiles 'two words' 1
told "two do not write into one folder" 1 "another .porthole record. writes into this folder" \
    record "$HOST_PID" -o 'two words'
end_record TERM
like "with one profile, it says that it takes two" "$(tail -n 1 record.out)" \
    "^1 profile in 'two words'; to compare takes two: run the same command again$"

# ---- A disk that is full --------------------------------------------------------------------------------------------

mkdir small
timeout 60 prlimit --fsize=1000 "$PORTHOLE" record "$HOST_PID" --every 100ms --count 3 -o small >out 2>err
is "what cannot be written is told" "$? $(cat err)" \
    "1 porthole: cannot write small/$(sed -n 's,.*small/\(heap[^:]*\):.*,\1,p' err): File too large"
is "and nothing half is left" "$(find small -type f)" "small/series.json"
cat >full.sh <<'SCRIPT'
mount -t tmpfs -o size=40k none full && "$1" record "$2" --every 100ms --count 100 -o full/d 2>err >out
status=$?
grep -o 'No space left on device' err
for file in full/d/heap-*; do "$1" heap "$file" >/dev/null || echo "$file is not whole"; done
[ "$(find full/d -type f | wc -l)" -gt 2 ] || echo "too few files"
find full/d -name '.*' -type f
exit $status
SCRIPT
mkdir full
if unshare -m true 2>/dev/null && unshare -m mount -t tmpfs none full 2>/dev/null; then
    is "a full disk is told, and what was written before is whole" \
        "$(timeout 60 unshare -m bash full.sh "$PORTHOLE" "$HOST_PID"; echo $?)" "No space left on device
1"
else
    skip "a full disk is told, and what was written before is whole" "no file system may be mounted here"
fi

# ---- A host that misbehaves -----------------------------------------------------------------------------------------

behave hang leaky 100
start_fake tcp
FAKE_URL=http://127.0.0.1:$FAKE_PORT
start_record "$FAKE_URL" --every 5s --count 1 --patience 3s -o silent
wait_until 20 test -s record.err
behave ok leaky 100
end_record
is "one that hangs at first is asked again" "$RECORD_STATUS $(profile_count silent)" "0 1"
like "that is said" "$(cat record.err)" "no answer within 3 s; asking again every 5s, for 3s$"
like "and that it answers again" "$(cat record.err)" "it answers again; 1 profile was left out$"

start_record "$FAKE_URL" --every 100ms --count 9000 --patience 60s -o series2
for misbehaviour in fail hangup cpu; do
    before=$(profile_count series2)
    wait_until 20 has_profiles series2 $((before + 2))
    behave $misbehaviour leaky 100
    silences=$(grep -c 'asking again' record.err)
    wait_until 20 has_silences $((silences + 1))
    asked=$(wc -l <requests)
    wait_until 20 has_requests $((asked + 4)) # silent for more than two ticks
    before=$(profile_count series2)
    behave ok leaky 100
    wait_until 20 has_profiles series2 $((before + 1))
done
end_record TERM
is "a bad answer now and then ends nothing" "$RECORD_STATUS $(tail -n 1 record.out)" \
    "0 $(profile_count series2) profiles in series2; what grew: porthole diff series2"
is "each time is said once, with the reason" "$(grep -c 'asking again' record.err) $(grep -c 'answers again' record.err)" "3 3"
like "the reason of an error" "$(cat record.err)" "status 500: out of order; asking again"
like "the reason of a profile that is none of a heap" "$(cat record.err)" "no inuse_space, but samples: .* asking again"

start_record "$FAKE_URL" --every 100ms --count 9000 -o restarted
wait_until 20 has_profiles restarted 2
behave ok leaky 200
wait_until 20 grep -q restarted record.err
before=$(profile_count restarted)
wait_until 20 has_profiles restarted $((before + 2))
end_record TERM
is "a restart is kept" "$RECORD_STATUS $(tail -n 1 record.out)" \
    "0 $(profile_count restarted) profiles in restarted; what grew: porthole diff restarted"
like "and said" "$(cat record.err)" "leaky was restarted \(process 200, before 100\): a break in the series, noted"
is "and noted with the first profile after it" "$(series_json restarted '[p["pid"] for p in s["processes"]]')" "[100, 200]"

told "another program is refused" 1 "$FAKE_URL is leaky, not leaky_httpd; series holds profiles of that: choose another" \
    record "$FAKE_URL" --count 100 -o series
is "and nothing is added" "$(profile_count series)" 10
start_record "$FAKE_URL" --every 100ms --count 9000 -o stranger
wait_until 20 has_profiles stranger 2
behave ok redis 300
end_record
is "another program at the same port is the end" "$RECORD_STATUS $(cat record.err)" \
    "0 porthole: $FAKE_URL is redis, not leaky"
behave cpu leaky 100
told "what is no heap profile is told at once" 1 "no inuse_space, but samples: is it a heap profile" record "$FAKE_URL" -o none
behave ok leaky 100
start_record "$FAKE_URL" --every 100ms --count 9000 --patience 500ms -o gone
wait_until 20 has_profiles gone 2
end_fake
end_record
is "an endpoint that is gone ends the recording, which is no failure" "$RECORD_STATUS" 0
like "after a while" "$(cat record.err)" "no answer for 500ms: that was the end$"
like "with what to do next" "$(tail -n 1 record.out)" "porthole diff gone$"

start_fake local
behave ok leaky "$FAKE_PID"
start_record "$FAKE_PID" --every 100ms --count 9000 -o ended
wait_until 20 has_profiles ended 2
end_fake
end_record
is "a process that ended ends it at once" "$RECORD_STATUS $(tail -n 1 record.err)" \
    "0 porthole: process $FAKE_PID has ended"

start_fake tcp
FAKE_URL=http://127.0.0.1:$FAKE_PORT
behave hang leaky 100
rm -f requests
start_record "$FAKE_URL" --every 100ms -o hanging
wait_until 20 test -s requests
end_record TERM
is "one that hangs does not hold up the end" "$RECORD_STATUS $(cat record.out record.err)" "0 "
check "and no folder is left" test ! -e hanging

# ---- record on a terminal -------------------------------------------------------------------------------------------

behave ok leaky 100
terminal 100x10 'wait=2 of 30   .* in use   \+.* since the first   .* left' show 'keys=\x03' after-show -- \
    "$PORTHOLE" record "$FAKE_URL" --every 1s -o shown >out
is "record on a terminal draws one line" "$(grep -c 'of 30' out)" 2
like "Ctrl-C ends it with 0" "$(cat out)" "^status 0$"
like "and it says what to do next" "$(cat out)" "^[0-9]+ profiles in shown; what grew: porthole diff shown$"
terminal 30x10 'wait=^2 of 30' 'keys=\x03' after-show -- "$PORTHOLE" record "$FAKE_URL" --every 300ms -o narrow >out
is "a narrow window holds the line in one" "$(grep -cE '^[0-9]+ of 30' out)" 1
behave hang leaky 100
terminal 80x10 'wait=asking again' 'keys=\x03' -- "$PORTHOLE" record "$FAKE_URL" --every 1s --patience 3s -o shown >out
like "Ctrl-C ends it while nobody answers" "$(cat out)" "^status 0$"

# ---- watch ----------------------------------------------------------------------------------------------------------

behave ok leaky 100
timeout 60 "$PORTHOLE" watch "$FAKE_URL" --every 100ms --count 4 >out 2>err
is "watch tells by its exit status that something grew" "$? $(cat err)" "3 "
is "without a terminal each profile is a block" "$(grep -cE "^$FAKE_URL \(leaky\)   profile [1-4]$" out)" 4
like "with what grew" "$(cat out)" '^growing +\+.* MiB .* leak'
unlike "without control characters" "$(cat -v out)" '\^'
timeout 60 "$PORTHOLE" watch "$FAKE_URL" --every 100ms --count 4 --ignore leak >out 2>err
is "if nothing grew, that is 0" "$? $(cat err)" "0 "
timeout 60 "$PORTHOLE" watch "$FAKE_URL" --every 100ms --count 5 --metric inuse_objects --min 1 --top 1 --by module >out 2>err
like "the options are those of diff" "$(cat out)" 'inuse_objects'

terminal 110x40 'wait=profile [4-9],?.*\n(.*\n)*growing .* leak' show keys=q -- \
    "$PORTHOLE" watch "$FAKE_URL" --every 300ms >out
like "watch on a terminal draws the report" "$(cat out)" '^growing +\+.* leak'
like "and below it how to end" "$(cat out)" '^q ends$'
is "q ends it, and the terminal is as it was" "$(tail -n 2 out)" "status 0
terminal restored"
terminal 100x40 'wait=profile 3' 'keys=\x03' after-show -- "$PORTHOLE" watch "$FAKE_URL" --every 200ms >out
is "so does Ctrl-C" "$(grep -A 1 '^status' out)" "status 0
terminal restored"
like "the last report stays on the terminal" "$(cat out)" '^In-use bytes grew'
for signal in TERM HUP; do
    terminal 100x30 'wait=profile 2' signal=$signal -- "$PORTHOLE" watch "$FAKE_URL" --every 200ms >out
    is "SIG$signal ends it, and the terminal is as it was" "$(cat out)" "status 0
terminal restored"
done
for signal in SEGV ABRT QUIT; do
    terminal 100x30 'wait=profile 2' signal=$signal -- \
        bash -c 'ulimit -c 0; exec "$@"' - "$PORTHOLE" watch "$FAKE_URL" --every 200ms >out
    like "even a crash (SIG$signal) gives the terminal back" "$(cat out)" '^terminal restored$'
    like "and it is one" "$(cat out)" '^status -'
done
terminal 100x40 'wait=profile 4' size=60x9 'wait=lines 1 to 7 of' show keys=G 'wait=called by' keys=g 'wait=^In-use' keys=q -- \
    "$PORTHOLE" watch "$FAKE_URL" --every 300ms >out
is "a window made smaller is filled and scrolls" "$(tail -n 2 out) $(head -n 9 out | wc -l)" "status 0
terminal restored 9"
terminal 100x30 'wait=profile 2' 'keys=\x1a' stopped signal=CONT 'wait=profile [3-9]' keys=q -- \
    "$PORTHOLE" watch "$FAKE_URL" --every 200ms >out
is "Ctrl-Z and back is survived" "$(cat out)" "status 0
terminal restored"
terminal 100x30 'wait=profile 2' 'run=echo hang leaky 100 >b && mv b behaviour' 'wait=no answer within 3 s; asking again' \
    show keys=q -- "$PORTHOLE" watch "$FAKE_URL" --every 200ms --patience 3s >out
like "one that does not answer is told below the report" "$(cat out)" '^In-use bytes grew'
is "and q ends it all the same" "$(tail -n 2 out)" "status 0
terminal restored"
behave ok leaky 100
terminal 100x30 'wait=profile 2' 'run=echo ok redis 100 >b && mv b behaviour' after-show -- \
    "$PORTHOLE" watch "$FAKE_URL" --every 200ms >out
like "another program at the same port ends it" "$(cat out)" "^porthole: $FAKE_URL is redis, not leaky"
like "and that is no failure" "$(cat out)" '^status 0$'
finish
