#!/bin/bash
# porthole diff: what grew, from profiles of every kind, as every kind of output; and how it fails.
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"

PORTHOLE=$BUILD/tools/porthole
GOLDEN=$SRC/tests/golden
SCHEMA=$SRC/doc/diff.schema.json
export TZ=UTC
cd "$WORK" || exit 1

# diff_of ARGUMENT... - sets STATUS; output in "out", complaints in "err".
diff_of() {
    timeout 60 "$PORTHOLE" diff "$@" >out 2>err
    STATUS=$?
}

# told WHAT STATUS PATTERN ARGUMENT... - it fails with one line on stderr that matches, and writes nothing else.
told() {
    local what=$1 status=$2 pattern=$3
    shift 3
    diff_of "$@"
    is "$what: status and lines" "$STATUS $(wc -c <out) $(wc -l <err)" "$status 0 1"
    like "$what: is told" "$(cat err)" "$pattern"
}

# on_terminal ROWS COLUMNS COMMAND... - what it shows on a terminal of that size.
on_terminal() {
    python3 - "$@" <<'PYTHON'
import fcntl, os, pty, struct, sys, termios
rows, columns, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.environ["TERM"] = "xterm"
    os.execv(command[0], command)
text = b""
try:
    while chunk := os.read(fd, 4096):
        text += chunk
except OSError:
    pass
sys.stdout.write(text.decode().replace("\r\n", "\n"))
PYTHON
}

# ---- A series of folded stacks: numbers that can be counted on the fingers ----------------------------------------

mkdir series
for i in 0 1 2 3 4 5 6 7 8 9 10 11; do
    n=$((i < 5 ? 0 : i - 4))
    printf 'main;serve;handle;leak %d\nmain;serve;handle;render 5000000\nmain;load 30000000\n' \
        $((20000000 + n * 9000000)) >series/heap$i.folded
done
touch series/.hidden series/report.html series/notes.md

diff_of series
is "a folder of profiles: something grew" "$STATUS $(cat err)" "3 "
like "the answer comes first" "$(sed -n 2p out)" "^In-use bytes grew by 60.1 MiB, more than sampling noise"
like "and where the growth is" "$(sed -n 3p out)" "^1 call site is still growing. 100.0% of all growth is in leak.$"
like "the site has label and change" "$(cat out)" '^growing +\+60\.1 MiB .*  leak$'
like "its course and the profile it began at" "$(cat out)" ' since profile (4|5|6)( |$)'
like "its callers" "$(cat out)" 'called by handle . serve . main$'
unlike "what did not change is not listed" "$(cat out)" 'load|render'
cp out by_folder
diff_of series/heap{0,1,2,3,4,5,6,7,8,9,10,11}.folded
is "files in the order given are the same" "$(cat out)" "$(cat by_folder)"
diff_of series/heap0.folded series/heap11.folded
like "two profiles tell that it grew" "$(cat out)" '^grew +\+60\.1 MiB .*  leak$'
like "and what they do not tell" "$(cat out)" 'two profiles do not tell'
diff_of series/heap0.folded series/heap1.folded
is "without growth the status is 0" "$STATUS $(cat err)" "0 "
like "and the answer is no" "$(cat out)" '^No call site grew by more than sampling noise\.$'
diff_of series/heap11.folded series/heap0.folded
is "less is no growth" "$STATUS $(grep -c '^shrinking' out)" "0 1"
diff_of <(cat series/heap0.folded) <(cat series/heap11.folded)
is "profiles may come from pipes" "$STATUS $(grep -c '^grew .*leak' out)" "3 1"

for what in growing step never; do
    diff_of --fail-on $what series
    is "--fail-on $what of what is growing" "$STATUS" "$([ $what = never ] && echo 0 || echo 3)"
done
mkdir stepped
for i in 0 1 2 3 4 5 6 7 8 9 10 11; do
    printf 'main;load %d\nmain;serve 5000000\n' $((i < 5 ? 1000000 : 50000000)) >stepped/heap$i.folded
done
diff_of stepped
is "a step is told" "$STATUS $(grep -c '^step .* load$' out)" "3 1"
diff_of --fail-on growing stepped
is "--fail-on growing lets a step pass" "$STATUS" 0

diff_of --focus render series
is "--focus leaves out what has no match" "$STATUS" 0
diff_of --ignore 'le.k$' series
is "--ignore leaves out what has one" "$STATUS" 0
diff_of --hide '^handle$' series
like "--hide leaves out frames" "$(cat out)" 'called by serve . main$'
diff_of --min 100MiB series
is "--min says what is worth a line" "$STATUS" 0
diff_of --by module --format json series
is "--by module" "$(jq -r .by out)" module

# ---- Formats --------------------------------------------------------------------------------------------------------

# valid FILE - by the schema.
# shellcheck disable=SC2317  # check calls it
valid() {
    python3 - "$SCHEMA" "$1" <<'PYTHON'
import json, jsonschema, sys
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(
    json.load(open(sys.argv[2]), parse_constant=lambda name: sys.exit(name)))
PYTHON
}

diff_of --format json series
is "--format json has the same status" "$STATUS" 3
check "json follows its schema" valid out
is "json has the sites" "$(jq -c '.sites[0] | [.function, .label, .delta_bytes, (.series | length), .onset_time]' out)" \
    '["leak","growing",63000000,12,null]'
is "json has every site" "$(jq '[.sites[].stack | length] | sort' -c out)" "[2,4,4]"
is "json has the profiles in order" "$(jq -r '.profiles[].path' out | tail -n 2 | xargs)" \
    "series/heap10.folded series/heap11.folded"
diff_of --format json series/heap0.folded series/heap1.folded
check "json of no growth follows its schema" valid out
# The libraries of this machine are not those of the dump, and to hear so is another test's.
sed 's|/usr/lib/|/none/lib/|' "$GOLDEN/jemalloc.heap" >jemalloc.heap
diff_of --format json --metric inuse_objects jemalloc.heap jemalloc.heap
check "json of objects follows its schema" valid out

for name in report.json report.html report.pb.gz report.prof report.folded report.txt report ./plain; do
    diff_of -o "$name" series
    is "-o $name: status and silence" "$STATUS $(cat out err)" "3 "
done
check "the name tells json" valid report.json
like "the name tells html" "$(head -c 15 report.html)" '^<!doctype html>'
is "the name tells pprof" "$(head -c 2 report.pb.gz | od -An -tx1 | tr -d ' ')" 1f8b
check ".prof is pprof, too" cmp report.pb.gz report.prof
is "without an end it is text" "$(cat report plain)" "$(cat report.txt report.txt)"
diff_of -o /dev/stdout series
is "a device gets text" "$STATUS $(cat out err)" "3 $(cat report.txt)"
diff_of -o drawn.svg --format text series
is "--format goes before an end that tells nothing" "$STATUS $(cat err drawn.svg)" "3 $(cat report.txt)"
rm drawn.svg
# Sources: flamegraph.pl takes two columns for a differential; speedscope, src/import/bg-flamegraph.ts, the last one.
is "folded lines are such as speedscope and flamegraph.pl read" \
    "$(grep -vcE '^[^ ;][^;]*(;[^;]+)* [0-9]+ [0-9]+$' report.folded)" 0
is "folded has stack, base and new" "$(grep leak report.folded)" "main;serve;handle;leak 20000000 83000000"
like "a text file is not cut and not coloured" "$(cat report.txt)" '^growing .*leak$'
diff_of --format json -o report.html series
check "--format goes before the name" valid report.html
diff_of series --format=folded
is "folded on stdout" "$STATUS $(grep -c ' [0-9]* [0-9]*$' out)" "3 3"

echo old >kept.json
chmod 640 kept.json
diff_of -o kept.json series/heap0.folded nosuch
is "a failure leaves the file as it was" "$STATUS $(cat kept.json) $(find . -name '*kept*' | wc -l)" "1 old 1"
diff_of -o kept.json series
is "a file keeps its permissions" "$STATUS $(stat -c %a kept.json) $(find . -name '*kept*' | wc -l)" "3 640 1"
told "a full disk" 1 "cannot write /dev/full: No space left" -o /dev/full series
told "a folder that is not there" 1 "cannot write none/x.html: No such file" -o none/x.html series
timeout 60 "$PORTHOLE" diff series 2>err >/dev/full
is "a full disk behind stdout" "$? $(wc -l <err)" "1 1"

# ---- Terminals ------------------------------------------------------------------------------------------------------

for size in "24 80" "40 120"; do
    rows=${size% *} columns=${size#* }
    LC_ALL=C.UTF-8 on_terminal "$rows" "$columns" "$PORTHOLE" diff --color never series >screen
    is "$columns columns: no line is wider" "$(python3 -c "
import sys
print(max(len(line.rstrip('\n')) for line in open('screen', encoding='utf-8')) <= $columns)")" True
    is "$columns columns: it is one screen" "$(($(wc -l <screen) < rows))" 1
done
like "a UTF-8 terminal sees blocks" "$(cat screen)" '▁.*█'
on_terminal 24 80 "$PORTHOLE" diff series >screen
unlike "another one sees ASCII" "$(cat screen)" '[^ -~[:cntrl:]]'
like "a terminal sees colour" "$(cat screen)" $'\x1b\\[1;31mgrowing'
unlike "NO_COLOR is respected" "$(NO_COLOR=1 on_terminal 24 80 "$PORTHOLE" diff series)" $'\x1b'
like "--color always goes before NO_COLOR" "$(NO_COLOR=1 "$PORTHOLE" diff --color always series)" $'\x1b\\[1;31m'
unlike "a pipe sees no colour" "$("$PORTHOLE" diff series)" $'\x1b'
like "pprof is not for a terminal" "$(on_terminal 24 80 "$PORTHOLE" diff --format pprof series)" "name a file with -o"
printf 'ma in;ev\x1b[31mil\xff;leak 1000\n' >evil0
printf 'ma in;ev\x1b[31mil\xff;leak 90000000\n' >evil1
diff_of evil0 evil1
is "control characters of names are made visible" "$STATUS $(grep -c $'[\x1b\x07]' out) $(grep -cF '\x1b[31mil' out)" "3 0 1"

# ---- Other formats in -----------------------------------------------------------------------------------------------

cp "$GOLDEN/go119_heap.txt" heap0.pb.gz
diff_of heap0.pb.gz "$GOLDEN/go119_heap.txt"
is "debug=1 text saved as .pb.gz is read" "$STATUS $(cat err)" "0 "
like "with its bytes" "$(cat out)" '^In-use bytes +106\.7 MiB +106\.7 MiB +0 B'
diff_of "$GOLDEN/go119_heap.pb.gz" "$GOLDEN/go119_heap.pb.gz"
is "Go's pprof is read" "$STATUS $(cat err)" "0 "
diff_of jemalloc.heap jemalloc.heap
is "jemalloc's text is read" "$STATUS $(cat err)" "0 "

# in_megabytes VALUE - pprof's protobuf with one sample of main: inuse_space in megabytes.
in_megabytes() {
    python3 - "$1" <<'PYTHON'
import sys
def field(number, data): return bytes([number << 3 | 2, len(data)]) + data
def numbers(*pairs): return b"".join(bytes([number << 3, value]) for number, value in pairs)
sys.stdout.buffer.write(field(1, numbers((1, 1), (2, 2))) + field(2, field(1, bytes([1])) + field(2, bytes([int(sys.argv[1])])))
                        + field(4, numbers((1, 1)) + field(4, numbers((1, 1)))) + field(5, numbers((1, 1), (2, 3)))
                        + b"".join(field(6, text) for text in (b"", b"inuse_space", b"megabytes", b"main")))
PYTHON
}
in_megabytes 10 >mega10.pb && in_megabytes 90 >mega90.pb
diff_of mega10.pb mega90.pb
like "megabytes are no bytes" "$STATUS $(cat err out)" '\+80\.0 MiB .* main$'
diff_of --format folded mega10.pb mega90.pb
is "in lines they are bytes" "$STATUS $(cat err out)" "3 main 10485760 94371840"

# ---- Errors ---------------------------------------------------------------------------------------------------------

told "nothing to compare" 2 "expected two profiles or more, or a folder of them; see: porthole help diff"
told "one profile" 2 "not one" series/heap0.folded
told "a slip in an option" 2 "unknown option '--metirc', perhaps --metric" --metirc x series
told "a slip in a metric" 2 "expected .*; perhaps inuse_space" --metric inuse_spce series
told "a slip in --by" 2 "perhaps function" --by fucntion series
told "a slip in a format" 2 "--format jsno: expected text, json, html, pprof or folded; perhaps json" --format jsno series
told "a wrong --fail-on" 2 "expected growing, step or never" --fail-on always series
told "a wrong size" 2 "--limit 2gigs: expected a size such as 2GiB" --limit 2gigs series
told "a limit in bytes for objects" 2 "counts objects" --limit 2GiB --metric inuse_objects series
told "a wrong --min" 2 "--min -1: expected a size" --min -1 series
told "a wrong share" 2 "--fdr 5: expected a share between 0 and 1" --fdr 5 series
told "a wrong regular expression" 2 "diff: --focus \"\\(\": " --focus '(' series
told "a wrong --top" 2 "--top 0: expected a number" --top 0 series
told "--focus with pprof" 2 "are for its reader" --focus x --format pprof series
told "symbols that are not there" 2 "none: No such file" --binary none series
for name in drawn.svg report.foo ./dir.d/report.foo; do
    told "-o $name" 2 "the name $name tells no format: expected \\.txt, \\.json, .*\\.prof, .* or --format" -o "$name" series
done
is "and nothing is written" "$(find . -name '*.svg' -o -name '*.foo')" ""
told "an empty -o" 2 "--output needs the name of a file" -o '' series
mkdir empty_folder
told "a folder without profiles" 1 "empty_folder: no profile in this folder" empty_folder
told "a file that is not there" 1 "cannot open none.pb.gz: No such file" series/heap0.folded none.pb.gz
told "a process that is not there" 1 "no process 4194399" series/heap0.folded 4194399
told "a process without Porthole" 1 "no Porthole in process $$" series/heap0.folded $$
told "a CPU profile" 1 "go119_cpu.pb.gz: it holds no inuse_space" "$GOLDEN/go119_cpu.pb.gz" "$GOLDEN/go119_heap.pb.gz"
told "no pprof difference of other types" 1 \
    "heap0.folded counts inuse_space/bytes, but .*/go119_heap.pb.gz counts alloc_objects/count" \
    --format pprof series/heap0.folded "$GOLDEN/go119_heap.pb.gz"
told "a metric that is not there" 1 "it holds no alloc_space" --metric alloc_space report.pb.gz report.pb.gz

printf '<html><body>404</body></html>' >page.pb.gz
: >empty.pb.gz
head -c 200 "$GOLDEN/go119_heap.pb.gz" >cut.pb.gz
head -c 5000 "$PORTHOLE" >junk
truncate -s 10G sparse
printf 'heap profile: 1: 99999999999999999999 [1: 1] @ heap/1048576\n' >large.txt
for bad in "page.pb.gz byte.0:.HTML" "empty.pb.gz byte.0:.empty" "cut.pb.gz byte.[0-9]+" "junk byte.0:.a.program" \
    "sparse larger.than" "large.txt line.1,.column"; do
    told "bad input: ${bad% *}" 1 "${bad% *}: ${bad#* }" series/heap0.folded "${bad% *}"
done
rm -f sparse
printf 'heap profile: 0: 100 [0: 100] @ heap/1048576\n0: 100 [0: 100] @ 0x1 0x2\n' >zero.txt
diff_of zero.txt zero.txt
is "bytes without objects do no harm" "$((STATUS == 0 || STATUS == 1)) $(wc -l <err)" "1 $((STATUS == 1))"
printf 'main;a -5\nmain;b 7\n' >negative.folded
diff_of negative.folded series/heap0.folded
is "negative values do no harm" "$((STATUS == 0 || STATUS == 3)) $(cat err)" "1 "
python3 -c "print(';'.join(['f'] * 1000000) + ' 5000000')" >deep0
python3 -c "print(';'.join(['f'] * 1000000) + ' 90000000')" >deep1
diff_of deep0 deep1
is "a million frames do no harm" "$STATUS $(grep -c '^grew .* f$' out)" "3 1"

# ---- A real leak: the example service ---------------------------------------------------------------------------------

HOST_PORT=$(free_port)
ENDPOINT_PORT=$(free_port)
setpriv --pdeathsig KILL "$PORTHOLE" run --listen "127.0.0.1:$ENDPOINT_PORT" --heap-sample 64KiB -- \
    "$BUILD/examples/leaky_httpd" "$HOST_PORT" >host.out 2>host.err &
HOST_PID=$!
HOST_PIDS+=("$HOST_PID")
HOST_URL=http://127.0.0.1:$ENDPOINT_PORT
wait_for_port "$HOST_PORT"
wait_for_port "$ENDPOINT_PORT"

# visit FIRST LAST - pages whose thumbnails have a new query each time.
visit() {
    curl -s -o /dev/null "http://127.0.0.1:$HOST_PORT/thumbnail/cat?t=[$1-$2]"
    curl -s -o /dev/null "http://127.0.0.1:$HOST_PORT/page/front?n=[$1-$2]"
}

mkdir leaky
visit 1 50
for i in 0 1 2 3; do
    curl -s "http://127.0.0.1:$HOST_PORT/page/front?n=[1-20]" >/dev/null
    curl -s "$HOST_URL/debug/pprof/heap" >leaky/heap$i.pb.gz
    sleep 0.2
done
for i in 4 5 6 7 8 9 10; do
    visit "${i}000" "${i}400"
    curl -s "$HOST_URL/debug/pprof/heap" >leaky/heap$i.pb.gz
    sleep 0.1
done
visit 11000 11400
curl -s "$HOST_URL/debug/pprof/heap?debug=1" >slip.pb.gz
diff_of leaky "$HOST_PID"
is "a real leak is found" "$STATUS $(cat err)" "3 "
like "it is still growing" "$(cat out)" '^growing .* thumbnail_render \('
like "and named in the first lines" "$(head -n 4 out)" '% of all growth is ((in|through) thumbnail_render|below )'
like "since about the profile before it began" "$(cat out)" 'since [0-9:]{8}.* \(profile [345] of 12\)'
like "with its callers" "$(cat out)" 'called by thumbnail_serve . request_handle'
unlike "what is freed is not listed" "$(cat out)" '(page_[a-z]*|session_[a-z]*) \('
diff_of --format json leaky "$HOST_PID"
check "its json follows the schema" valid out
is "with times" "$(jq '.has_times and (.sites[0].onset_time != null) and .sites[0].rate_bytes_per_second > 0' out)" true
diff_of leaky/heap0.pb.gz slip.pb.gz
is "debug=1 text of a later moment beside a pprof profile" "$STATUS $(cat err)" "3 "
diff_of leaky/heap4.pb.gz "$HOST_URL"
is "an endpoint stands for its present heap" "$STATUS $(cat err)" "3 "
diff_of "$HOST_PID" "$HOST_PID"
is "the same process twice did not grow" "$STATUS $(cat err)" "0 "
diff_of --by line leaky
like "by line it names the line that leaks, from the program's own file" "$(cat out)" 'thumbnail_render \(leaky_httpd\.c:[0-9]+\)'
diff_of --limit 100GiB leaky
like "when the total meets a limit" "$(cat out)" 'the total meets the limit in '

# pprof_top FILE... - the table without the lines that tell files and times.
pprof_top() {
    go tool pprof -top -unit=b -nodefraction=0 -edgefraction=0 "$@" 2>/dev/null | grep -vE '^(File|Time|Duration)'
}
diff_of -o difference.pb.gz leaky/heap2.pb.gz leaky/heap10.pb.gz
is "go tool pprof sees what -diff_base shows" "$(pprof_top difference.pb.gz)" \
    "$(pprof_top -diff_base leaky/heap2.pb.gz leaky/heap10.pb.gz)"
like "which is the leak" "$(pprof_top difference.pb.gz)" '[0-9]{6,}B .* thumbnail_render$'
for index in alloc_space inuse_objects; do
    is "also by $index" "$(pprof_top -sample_index=$index difference.pb.gz)" \
        "$(pprof_top -sample_index=$index -diff_base leaky/heap2.pb.gz leaky/heap10.pb.gz)"
done
diff_of -o live.pb.gz leaky/heap2.pb.gz "$HOST_PID"
is "a difference to a live process" "$STATUS $(pprof_top live.pb.gz | grep -c thumbnail_render)" "3 1"
stop_host

# ---- A real cache: redis is filled, then idle ---------------------------------------------------------------------------

HOST_PORT=$(free_port)
ENDPOINT_PORT=$(free_port)
setpriv --pdeathsig KILL "$PORTHOLE" run --listen "127.0.0.1:$ENDPOINT_PORT" --heap-sample 64KiB -- \
    redis-server --port "$HOST_PORT" --save '' --enable-debug-command yes >host.out 2>host.err &
HOST_PID=$!
HOST_PIDS+=("$HOST_PID")
wait_for_port "$HOST_PORT"
wait_for_port "$ENDPOINT_PORT"
mkdir redis
for i in {0..17}; do
    case $i in
    3 | 4 | 5) redis-cli -p "$HOST_PORT" debug populate $((i * 50000)) "key$i" 64 >/dev/null ;;
    esac
    redis-cli -p "$HOST_PORT" get "key3:$i" >/dev/null
    curl -s "http://127.0.0.1:$ENDPOINT_PORT/debug/pprof/heap" >redis/heap$i.pb.gz
    sleep 0.1
done
diff_of redis
is "redis that was filled has grown" "$STATUS $(cat err)" "3 "
like "it has levelled off, or made a step" "$(cat out)" '^(plateau|step) '
unlike "it is not called growing" "$(cat out)" '^growing'
[ "$TAP_FAILED" -eq 0 ] || sed 's/^/# /' out
like "below the command that filled it" "$(cat out)" 'of all growth, below debugCommand'
diff_of --fail-on growing redis
is "--fail-on growing lets it pass" "$STATUS" 0
stop_host

finish
