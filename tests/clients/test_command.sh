#!/bin/bash
# test_command.sh - the porthole command, as a person meets it: against canned endpoints, then against a real host.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/command.sh"

PORTHOLE=$BUILD/tools/porthole
FAKE=$SRC/tests/clients/fake_endpoint.py
export TZ=UTC0 REQUESTS=$WORK/requests
cd "$WORK" || exit 1

# ---- Help -----------------------------------------------------------------------------------------------------------

shows "--version tells the version" '^porthole [0-9]+\.[0-9]+\.[0-9]+$' --version
shows "help lists the commands" '^  heap +show' help
is "no line of help is wider than 80" "$(awk 'length > 80' out)" ""
is "--help is help" "$("$PORTHOLE" --help)" "$("$PORTHOLE" help)"
for command in run ps heap threads cpu diff record watch convert help; do
    shows "help $command explains it" "^Usage: porthole $command" help $command
    is "$command --help is help $command" "$("$PORTHOLE" $command --help)" "$(cat out)"
    is "$command -h is help $command" "$("$PORTHOLE" $command -h)" "$(cat out)"
    is "no line of help $command is wider than 80" "$(awk 'length > 80' out)" ""
    # Options as the help lists them, in the manual and in the completion.
    options=$(sed -nE 's/^ *(-[a-z], )?(--[a-z-]*).*/\2/p' out)
    is "the completion knows the options of $command" \
        "$(bash -c '. "$1" && printf "%s\n" ${_porthole_options[$2]}' - "$SRC/tools/porthole.bash" $command)" "$options"
    for option in $options; do
        [ "$option" = --help ] ||
            check "porthole(1) has $command $option" grep -qE "^.It (Fl [a-z] , )?Fl -${option#--}" "$SRC/doc/porthole.1"
    done
done
"$PORTHOLE" >out 2>err
is "without a command it exits with 2 and prints the help on stderr" "$? $(cat out) $(cat err)" "2  $("$PORTHOLE" help)"
told "a slip in a command is understood" 2 "no command 'haep'. Did you mean 'heap'\?" haep x
told "an unknown command is told what to ask" 2 "no command 'frobnicate'; .porthole help." frobnicate
told "a slip in a help topic is understood" 2 "Did you mean 'run'" help rnu
told "an unknown global option is refused" 2 "unknown option '--verison'" --verison
told "an unknown option is refused" 2 "unknown option '--topp', perhaps --top; see: porthole help heap" heap --topp 3 x
told "an unknown short option is refused" 2 "unknown option '-x'" ps -x
told "a missing value is told" 2 "--top needs a value" heap --top
told "a value too many is told" 2 "--gc takes no value" heap --gc=yes 1
told "an argument too many is told" 2 "unexpected argument 'x'" ps x
told "control characters in arguments are not echoed" 2 'a.x1b\[2Jb' $'a\e[2Jb'

# ---- Environment ----------------------------------------------------------------------------------------------------

shows "help env lists the options of the library" '^PORTHOLE_START$' help env
is "no line of help env is wider than 80" "$(awk 'length > 80' out)" ""
names=$(sed -n 's/^OPTION([a-z_]*, "\([A-Z_]*\)", "\([^"]*\)".*/\1 \2/p' "$SRC/lib/base/options.def")
is "help env has every row of options.def" "$(grep '^PORTHOLE' out)" "$(cut -d ' ' -f 1 <<<"$names")"
manual=$(mandoc -T ascii "$SRC/doc/porthole-env.7" | sed 's/.\x08//g' | tr -s ' \n' ' ')
while read -r name preset; do
    described=${manual##* "$name" }
    like "porthole-env(7) has $name and its default" "${described%% PORTHOLE_*}" "Default: ${preset:-not set}\."
    like "help env has the default of $name" "$(grep -A 1 "^$name$" out)" "Default: ${preset:-not set}\$"
done <<<"$names"
for page in porthole.1 porthole-env.7 libporthole.3; do
    # Whether other manuals are installed is this machine's affair.
    is "$page is clean" "$(mandoc -T lint "$SRC/doc/$page" 2>/dev/null | grep -v 'referenced manual not found')" ""
done
sed -n '/^#include <porthole/,/^.Ed/p' "$SRC/doc/libporthole.3" | sed -e '/^\.Ed/d' -e 's/\\e/\\/g' >example.c
check "the example of libporthole(3) compiles" gcc -Wall -Wextra -Werror -I"$SRC/include" -c example.c -o example.o

# ---- Completion -----------------------------------------------------------------------------------------------------

# completes LINE EXPECTED - the words that are offered at the end of LINE, sorted.
completes() {
    local offered
    offered=$(bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _porthole; printf "%s\n" "${COMPREPLY[@]}"' \
        - "$SRC/tools/porthole.bash" "${@:2}" 2>&1 | sort | tr '\n' ' ')
    is "completion: ${*:2}" "$offered" "$1 "
}
touch profile-one.pb.gz
completes "$({ printf '%s\n' --help --version; "$PORTHOLE" help | sed -n 's/^  \([a-z]*\) .*/\1/p'; } | sort | xargs)" porthole ""
completes "heap help" porthole he
completes "function line module pid thread" porthole cpu --by ""
completes "pid thread" porthole threads --by ""
completes "--name" porthole threads --n
completes "inuse_objects inuse_space" porthole heap --metric inuse
completes "alloc_objects alloc_space" porthole heap --metric = al
completes "manual now off server" porthole run --start ""
completes "profile-one.pb.gz" porthole heap profile-
completes "profile-one.pb.gz" porthole run --token-file profile-
completes "--token-file --top" porthole heap --to
completes "--json" porthole ps --j
completes "function pid" porthole heap --by ""
completes "env" porthole help e
completes "sha256sum" porthole run sha256s
completes "sha256sum" porthole run --start now --listen = 1 -- sha256s
completes "profile-one.pb.gz" porthole run -- cat profile-

# ---- run ------------------------------------------------------------------------------------------------------------

for bad in --listen=here --heap-sample=3KiB --start=sometimes --log=loud --listen= --token-file=/no/such/file; do
    told "run $bad is refused before anything starts" 2 "${bad%%=*}|PORTHOLE_" run "$bad" -- touch "$WORK/started"
    check "run $bad has started nothing" test ! -e "$WORK/started"
done
told "run needs a command" 2 "which program" run --start now
told "a command that is not there" 127 "cannot start no-such-command: No such file" run no-such-command
told "a command that cannot be run" 126 "cannot start /etc/passwd: Permission denied" run -- /etc/passwd
told "a folder cannot be run" 126 "cannot start /tmp: Permission denied" run /tmp

echo s3cret >token
seen=$(LD_PRELOAD=libm.so.6 "$PORTHOLE" run --listen 127.0.0.1:7171 --heap-sample=1MiB --start off --log quiet \
    --token-file token env)
like "run puts the library before what is preloaded already" "$seen" "^LD_PRELOAD=/[^:]*/libporthole.so:libm.so.6$"
is "run sets the options" "$(grep '^PORTHOLE' <<<"$seen" | sort)" "PORTHOLE_HEAP_SAMPLE=1MiB
PORTHOLE_LISTEN=127.0.0.1:7171
PORTHOLE_LOG=quiet
PORTHOLE_START=off
PORTHOLE_TOKEN_FILE=$WORK/token"
is "run within run preloads once" "$("$PORTHOLE" run "$PORTHOLE" run printenv LD_PRELOAD)" \
    "$("$PORTHOLE" run printenv LD_PRELOAD)"
is "the program has the process id of run" "$(bash -c 'echo $$; exec "$1" run sh -c "echo \$\$"' - "$PORTHOLE" | uniq | wc -l)" 1
is "options end at the command" "$("$PORTHOLE" run printf '%s\n' --start --help)" "--start
--help"
"$PORTHOLE" run -- sh -c 'exit 42'
is "the exit status is the program's" $? 42
is "so is death by a signal" "$("$PORTHOLE" run -- sh -c 'kill -TERM $$'; echo $?)" 143
is "stdin and stdout are the program's" "$(echo through | "$PORTHOLE" run -- cat)" through
is "a closed stdout is closed for the program" \
    "$({ "$PORTHOLE" run -- sh -c '[ -e /proc/$$/fd/1 ] || echo closed >&2' >&-; } 2>&1)" closed

echo 'int main(void) { return 7; }' >static.c
gcc -static static.c -o static-program
"$PORTHOLE" run ./static-program 2>err
is "a static program is started with a warning" "$? $(cat err)" \
    "7 porthole: ./static-program is statically linked: LD_PRELOAD has no effect"
printf '#!%s/static-program\n' "$WORK" >script && chmod +x script
"$PORTHOLE" run ./script 2>err
is "so is a script of one" "$? $(cat err)" \
    "7 porthole: $WORK/static-program is statically linked: LD_PRELOAD has no effect"

mkdir -p alone
cp "$(readlink -f "$BUILD/tools/.libs/porthole" 2>/dev/null || echo "$PORTHOLE")" alone/porthole 2>/dev/null ||
    cp "$PORTHOLE" alone/porthole
libdir=$(alone/porthole run true 2>&1 | sed -n 's/.*neither in \(.*\) nor.*/\1/p')
if [ -n "$libdir" ]; then
    PORTHOLE=$WORK/alone/porthole told "a missing library is told with where it should be" 1 "neither in $libdir" run true
else
    skip "a missing library is told with where it should be" "it is installed"
fi

# ---- heap: files ----------------------------------------------------------------------------------------------------

for kind in heap few none delta many long escape cpu; do
    python3 "$FAKE" profile $kind >$kind.pb
done
gzip -k heap.pb
"$PORTHOLE" heap heap.pb >expected
is "the table of a profile" "$(cat expected)" "heap.pb (leaky): inuse_space 200.0 MiB
taken 2026-07-25 17:20:00; one sample every 512 KiB: about 173 samples in 2 stacks
Showing 4 of 4 functions

     flat  flat%        cum    cum%  function
150.0 MiB  75.0%  150.0 MiB   75.0%  fill_cache(std::vector<int, std::allocator<int> >&)
 50.0 MiB  25.0%   50.0 MiB   25.0%  parse
      0 B   0.0%  200.0 MiB  100.0%  main
      0 B   0.0%  200.0 MiB  100.0%  serve"
is "a gzipped profile is the same" "$("$PORTHOLE" heap heap.pb.gz)" "$(sed 's/^heap.pb/&.gz/' expected)"
is "the name of a file does not matter" "$(cp heap.pb.gz x.txt && "$PORTHOLE" heap ./x.txt)" "$(sed 's,^heap.pb,./x.txt,' expected)"
is "a pipe will do" "$("$PORTHOLE" heap /dev/stdin <heap.pb)" "$(sed 's,^heap.pb,/dev/stdin,' expected)"
shows "--metric chooses the value" 'alloc_objects 689$' heap heap.pb --metric alloc_objects
shows "--metric=VALUE, too" '^609.0 MiB|alloc_space 689.0 MiB$' heap --metric=alloc_space heap.pb
told "--metric lists what there is" 2 "expected inuse_space, inuse_objects, alloc_space or alloc_objects" heap --metric space heap.pb
shows "--top cuts the table" '^Showing 3 of 51 functions$' heap many.pb --top 3
is "--top shows the largest" "$(tail -n 3 out | awk '{ print $NF }' | tr '\n' ' ')" "function_050 function_049 function_048 "
shows "20 functions are shown without --top" '^Showing 20 of 51 functions$' heap many.pb
told "--top 0 is refused" 2 "--top 0: expected a number" heap --top 0 heap.pb
told "--top x is refused" 2 "--top x: expected a number" heap --top x heap.pb
shows "few samples are called few" '^Few samples' heap few.pb
shows "no samples are called none" '^No samples' heap none.pb
shows "a difference is called one" 'changed by -30.0 MiB in 2.0s$' heap delta.pb
shows "names cannot drive the terminal" 'evil\\x1b\]0;title\\x07$' heap escape.pb
unlike "no escape leaves" "$(cat -v out)" '\^\['
told "a profile that is no heap is told from its types" 1 "cpu.pb has no inuse_space, but samples, cpu" heap cpu.pb

cat >go.txt <<'GO'
heap profile: 2: 2097152 [3: 3145728] @ heap/1048576
2: 2097152 [3: 3145728] @ 0x401000 0x402000
#	0x400fff	main.leak+0x1f	/src/main.go:10
#	0x401fff	main.main+0x2f	/src/main.go:20

# runtime.MemStats
# Alloc = 2097152
GO
shows "Go's heap text is read" '100.0% +main\.leak$' heap go.txt
# Compiled here, so that the addresses of the dump are those of a real file.
cat >names.c <<'C'
#include <stdio.h>
#include <string.h>
__attribute__((noinline)) int hold_the_memory(int n) { return n + 1; }
int main(void)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    printf("heap_v2/524288\n  t*: 32: 67108864 [0: 0]\n");
    printf("@ %p %p\n  t*: 32: 67108864 [0: 0]\n\nMAPPED_LIBRARIES:\n", (void *)((char *)hold_the_memory + 2),
           (void *)((char *)main + 2));
    while (fgets(line, sizeof(line), maps))
        fputs(line, stdout);
    return hold_the_memory(-1);
}
C
gcc -O1 names.c -o names-program && ./names-program >jemalloc.heap
shows "a jemalloc dump is read and its functions named" '^65.2 MiB +100.0% .* hold_the_memory$' heap jemalloc.heap
gcc -O1 -DCHANGED names.c -o names-program.new && mv names-program.new names-program
shows "names are not guessed from a file that changed" '^65.2 MiB +100.0% .* \[names-program\]$' heap jemalloc.heap

: >empty
head -c 100 heap.pb.gz >cut.gz
head -c 60 heap.pb >cut.pb
head -c 100 jemalloc.heap >cut.heap
printf '\0\1\2\3junk' >junk
printf '<!DOCTYPE html><p>404' >page.html
truncate -s 10G sparse
told "an empty file" 1 "empty: byte 0: empty" heap empty
told "a truncated profile" 1 "cut.gz: " heap cut.gz
told "a truncated raw profile" 1 "cut.pb: " heap cut.pb
told "a truncated dump" 1 "cut.heap: line" heap cut.heap
told "binary junk" 1 "junk: " heap junk
told "a saved error page" 1 "page.html: byte 0: HTML" heap page.html
told "a file of 10 GB without content" 1 "sparse: larger than 1 GiB" heap sparse
told "a missing file" 1 "cannot open none.gz: No such file" heap none.gz
told "a folder" 1 "cannot read /tmp: Is a directory" heap /tmp
told "--seconds needs a process" 2 "need a running process" heap --seconds 5 heap.pb
told "nothing to show" 2 "expected one process id, name, URL or file, not 0" heap
told "two things to show" 2 "expected one process id, name, URL or file, not 2" heap a b
told "another scheme" 2 "expected http://" heap ftp://localhost/heap

# ---- heap: endpoints ------------------------------------------------------------------------------------------------

# asked - the last request the fake endpoint got: path, Host, Authorization.
asked() {
    tail -n 1 "$REQUESTS"
}
# same_table WHAT TARGET [ARGUMENT...] - the table of $TARGET is that of heap.pb but for its name.
same_table() {
    is "$1" "$("$PORTHOLE" heap "${@:2}" 2>&1 | sed -E '1s/^.* \((leaky|python3[0-9.]*)\)/heap.pb (leaky)/')" "$(cat expected)"
}

start_fake tcp
same_table "an endpoint by its URL" "http://127.0.0.1:$FAKE_PORT"
is "the heap is what it is asked for" "$(asked)" "/debug/pprof/heap 127.0.0.1:$FAKE_PORT None"
same_table "by its address" "localhost:$FAKE_PORT"
same_table "by the URL of the profile" "http://127.0.0.1:$FAKE_PORT/debug/pprof/heap"
same_table "whatever the proxies of the environment" "http://127.0.0.1:$FAKE_PORT/"
"$PORTHOLE" heap --seconds 3 --gc "127.0.0.1:$FAKE_PORT" >/dev/null
is "--seconds and --gc are handed on" "$(asked)" "/debug/pprof/heap?seconds=3&gc=1 127.0.0.1:$FAKE_PORT None"
http_proxy=http://127.0.0.1:1 NO_PROXY='' same_table "a proxy is not used" "http://127.0.0.1:$FAKE_PORT"
told "an unknown route" 1 "status 404: Unknown profile" heap "http://127.0.0.1:$FAKE_PORT/none"
told "a page instead of a profile" 1 "HTML or JSON" heap "http://127.0.0.1:$FAKE_PORT/html"
told "a redirect is not followed" 1 "status 302" heap "http://127.0.0.1:$FAKE_PORT/redirect"
told "an answer that is cut short" 1 "127.0.0.1:$FAKE_PORT/cut: " heap "http://127.0.0.1:$FAKE_PORT/cut"
told "an endpoint that hangs up" 1 "hung up without an answer" heap "http://127.0.0.1:$FAKE_PORT/hangup"
told "a port where nobody listens" 1 "Connection refused; is the program running" heap "http://127.0.0.1:1"
told "a host that does not exist" 1 "no-such-host.invalid" heap http://no-such-host.invalid:6060
told "a token that is missing" 1 "status 401: token needed; the token is given with --token-file" \
    heap "http://127.0.0.1:$FAKE_PORT/secret"
same_table "a token from a file" --token-file token "http://127.0.0.1:$FAKE_PORT/secret"
PORTHOLE_TOKEN_FILE=$WORK/token same_table "a token from the environment" "http://127.0.0.1:$FAKE_PORT/secret"
told "a token file that is not there" 1 "token file none" heap --token-file none "http://127.0.0.1:$FAKE_PORT/secret"

start_fake unix "$WORK/endpoint.sock"
same_table "an endpoint at a socket" "unix:$WORK/endpoint.sock"
is "it is asked as localhost" "$(asked)" "/debug/pprof/heap localhost None"
told "a socket that is not there" 1 "unix:/no/such.sock: No such file" heap unix:/no/such.sock

start_fake local
LOCAL=$FAKE_PID
same_table "a process by its id" "$LOCAL"
shows "the heading names the process as ps does" "^process $LOCAL \($(cat "/proc/$LOCAL/comm")\): inuse_space" heap "$LOCAL"
PORTHOLE_TOKEN_FILE=$WORK/token "$PORTHOLE" heap "$LOCAL" >/dev/null
is "the token is not for processes" "$(asked)" "/debug/pprof/heap localhost None"
told "a process without Porthole" 1 "no Porthole in process $$; start it with: porthole run" heap $$
told "a process that is not there" 1 "no process 4194399" heap 4194399

# ---- heap: where it goes --------------------------------------------------------------------------------------------

"$PORTHOLE" heap heap.pb 2>err >/dev/full
is "a full disk is noticed" "$? $(cat err)" "1 porthole: cannot write to standard output: No space left on device"
"$PORTHOLE" heap heap.pb 2>err >&-
is "a closed stdout is noticed" "$? $(cat err)" "1 porthole: cannot write to standard output: Bad file descriptor"
"$PORTHOLE" --version 2>err >/dev/full
is "a full disk is noticed for every command" "$? $(wc -l <err)" "1 1"
is "nothing is cut in a pipe" "$("$PORTHOLE" heap long.pb | awk 'length > 300' | wc -l)" 1
is "lines are cut to the width of a terminal" "$(python3 - "$PORTHOLE" <<'PYTHON'
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    os.execv(sys.argv[1], [sys.argv[1], "heap", "long.pb"])
text = b""
try:
    while chunk := os.read(fd, 4096):
        text += chunk
except OSError:
    pass
rows = text.decode().split("\r\n")[4:]
print(max(map(len, rows)), rows[1][-6:])
PYTHON
)" "60 xxx..."

# ---- ps -------------------------------------------------------------------------------------------------------------

if unshare -rn true 2>/dev/null; then
    is "ps says how to start one" "$(unshare -rn "$PORTHOLE" ps; echo $?)" \
        "No process with Porthole inside. Start one with: porthole run -- COMMAND
0"
    is "ps --json of nothing is an empty array" "$(unshare -rn "$PORTHOLE" ps --json; echo $?)" "[]
0"
else
    skip "ps says how to start one" "no network namespace of our own"
fi
# row PID - of the table in "out".
row() {
    awk -v pid="$1" '$1 == pid' out | tr -s ' ' | sed 's/^ //'
}
start_fake local hang
HANGS=$FAKE_PID
start_fake local refuse
REFUSES=$FAKE_PID
start_fake local junk
JUNK=$FAKE_PID
start_fake local stranger
STRANGER=$FAKE_PID
start_fake local broken
BROKEN=$FAKE_PID
timeout 60 "$PORTHOLE" ps >out 2>err
is "ps ends with 0 even if some do not answer" "$? $(cat err)" "0 "
is "a process with Porthole is listed" "$(row "$LOCAL")" "$LOCAL leaky http://127.0.0.1:6060 2 1h 02m 48.5 MiB leaky --port 80"
like "one that hangs is listed" "$(row "$HANGS")" "^$HANGS python3[0-9.]* \? \? \? \? \(no answer within 1 s\) .*python3 "
like "one that refuses is listed" "$(row "$REFUSES")" "^$REFUSES python3[0-9.]* \? \? \? \? \(it hung up without an answer\) .*python3 "
like "one that talks nonsense is listed" "$(row "$JUNK")" "^$JUNK python3[0-9.]* \? \? \? \? \(it did not answer in JSON\) .*python3 "
like "one that does not know itself is listed" "$(row "$STRANGER")" "^$STRANGER python3[0-9.]* \? \? \? \? \(it did not list itself\) .*python3 "
like "one that fails is listed" "$(row "$BROKEN")" "^$BROKEN python3[0-9.]* \? \? \? \? \(status 500: out of order.x1b\[2J\) .*python3 "
"$PORTHOLE" ps --json >out
is "ps --json has the same" "$(python3 - "$LOCAL" "$HANGS" <<'PYTHON'
import json, sys
rows = {row["pid"]: row for row in json.load(open("out"))}
known, hangs = rows[int(sys.argv[1])], rows[int(sys.argv[2])]
print(known["url"], known["uptime_seconds"], known["rss_bytes"], known["command"], known["error"])
print(hangs["url"], hangs["uptime_seconds"], hangs["rss_bytes"], hangs["error"])
PYTHON
)" "http://127.0.0.1:6060 3725.5 50855936 leaky --port 80 None
None None None no answer within 1 s"
{
    kill -KILL "$LOCAL"
    wait "$LOCAL"
} 2>/dev/null
"$PORTHOLE" ps >out
is "a process that ended is not listed" "$(row "$LOCAL")" ""

# ---- A real host ----------------------------------------------------------------------------------------------------

HOST_PORT=$(free_port)
setpriv --pdeathsig KILL "$PORTHOLE" run --listen "127.0.0.1:$(free_port)" --heap-sample 4KiB -- \
    python3 -m http.server --bind 127.0.0.1 "$HOST_PORT" >host.out 2>host.err &
HOST_PID=$!
HOST_PIDS+=("$HOST_PID")
wait_for_port "$HOST_PORT"
wait_until 20 grep -q http:// host.err
URL=$(grep -oE 'http://[0-9.:]+' host.err | head -n 1)
timeout 60 "$PORTHOLE" ps >out 2>err
like "ps lists a real host" "$(row "$HOST_PID")" "^$HOST_PID python3[0-9.]* $URL 1 [0-9.]+s [0-9.]+ MiB .*python3 -m http.server "
shows "heap PID names functions of the host" '[0-9] (KiB|MiB) .*  _?Py[A-Za-z_]+$' heap "$HOST_PID"
like "and tells the program" "$(head -n 1 out)" "^process $HOST_PID \(python3[0-9.]*\): inuse_space [0-9.]+ (KiB|MiB)\$"
like "and the sampling rate" "$(sed -n 2p out)" "one sample every 4 KiB: about [0-9,]+ samples in [0-9,]+ stacks"
shows "heap URL shows the same functions" '  _?Py[A-Za-z_]+$' heap "$URL"
shows "--gc and --seconds work" 'changed by -?[0-9.]+ (B|KiB|MiB) in [0-9.]+s' heap --seconds 1 --gc "$HOST_PID"
curl -s "$URL/debug/pprof/heap" >real.pb.gz
curl -s "$URL/debug/pprof/heap?debug=1" >real.txt
if setpriv --reuid 12345 --clear-groups test -x "$PORTHOLE" 2>/dev/null; then
    is "another user is told why there is no answer" \
        "$(setpriv --reuid 12345 --clear-groups "$PORTHOLE" heap "$HOST_PID" 2>&1; echo $?)" \
        "porthole: process $HOST_PID answers only its own user and root: ask as one of them
1"
    setpriv --reuid 12345 --clear-groups "$PORTHOLE" ps >out 2>err
    like "and ps lists it for them" "$(row "$HOST_PID")" \
        "^$HOST_PID python3[0-9.]* \? \? \? \? \(it answers only its own user and root\) .*python3 -m http.server "
else
    skip "another user is told why there is no answer" "we cannot become another user"
fi
shows "a saved profile is read" '  _?Py[A-Za-z_]+$' heap real.pb.gz
shows "its text form is read" '  _?Py[A-Za-z_]+$' heap real.txt
stop_host
is "the host ends as it does alone" "$HOST_STATUS" 143

finish
