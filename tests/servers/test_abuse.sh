#!/bin/bash
# Clients that misbehave: hang up, come by the thousand, send garbage, send nothing. The host must not notice.
. "$(dirname "$0")/../lib.sh"
build_host host_lines

cat >"$WORK/client.py" <<'PYTHON'
"""client.py PORT parallel|garbage|silent - prints what came back, counted."""
import collections, os, random, selectors, socket, sys, time

port, what = int(sys.argv[1]), sys.argv[2]
GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

def connect():
    s = socket.socket()
    s.settimeout(30)
    s.connect(("127.0.0.1", port))
    return s

def status(data):
    if data.startswith(b"HTTP/1.1 "):
        return data.split(b" ", 2)[1].decode()
    return data.decode() if data == b"waiting" else "closed" if not data else "other"

def read_all(s):
    data = b""
    try:
        while chunk := s.recv(65536):
            data += chunk
    except TimeoutError:
        return data or b"waiting"
    except OSError:
        pass
    return data

def parallel():
    """A thousand requests, all sent before the first answer is read."""
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, hard), hard))
    paths = [b"/debug/pprof/heap", b"/debug/pprof/cmdline", b"/debug/pprof/", b"/debug/processes"]
    sockets = []
    for i in range(1000):
        s = connect()
        s.sendall(GET % paths[i % len(paths)])
        sockets.append(s)
    for s in sockets:
        yield status(read_all(s))

def garbage():
    chooser = random.Random(1)
    lines = [b"", b"\r\n\r\n", b"GET", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
             b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 5000 + b"\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
             b"POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
             b"POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
             b"GET /debug/pprof/heap?seconds=%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
             b"GET /%ff%fe/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
             b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    for i in range(300):
        data = lines[i] if i < len(lines) else bytes(chooser.randrange(256) for _ in range(chooser.randrange(2000)))
        s = connect()
        s.settimeout(5)
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answer = status(read_all(s))
        s.close()
        if answer == "waiting" and b"\n" in data.strip():
            answer = "stuck"
        yield "answered" if answer[0] in "1245" else answer

def silent():
    """Fifty that never finish their request, held for a while."""
    sockets = [connect() for _ in range(50)]
    for s in sockets:
        s.sendall(b"GET /debug/pprof/heap HTTP/1.1\r\nHost: ")
    print("ready", flush=True)
    time.sleep(30)
    yield "held"

counts = collections.Counter({"parallel": parallel, "garbage": garbage, "silent": silent}[what]())
print(" ".join(f"{k}={v}" for k, v in sorted(counts.items())))
PYTHON

descriptors() {
    find "/proc/$HOST_PID/fd" -mindepth 1 | wc -l
}
threads() {
    find "/proc/$HOST_PID/task" -mindepth 1 -maxdepth 1 | wc -l
}
as_before() {
    [ "$(descriptors)" -le "$descriptors_before" ] && [ "$(threads)" -le "$threads_before" ]
}
# check_after WHAT - the host answers, the endpoint answers, nothing is left behind.
check_after() {
    is "$1: the host answers" "$(ask "$HOST_PORT" "echo on")" on
    is "$1: the endpoint answers" "$(status_of /debug/pprof/heap)" 200
    check "$1: no descriptor and no thread is left behind" wait_until 20 as_before
}

start_lines with abuse
is "the endpoint answers" "$(status_of /debug/pprof/heap)" 200
wait_until 3 false
descriptors_before=$(descriptors) threads_before=$(threads)

# ---- Hang-ups --------------------------------------------------------------------------------------------------------

for _ in $(seq 20); do
    curl -s --max-time 0.2 -o /dev/null "$HOST_URL/debug/pprof/heap?seconds=3" &
    curls+=" $!"
done
is "while clients wait for long profiles, others are answered" "$(status_of /debug/pprof/heap)" 200
# shellcheck disable=SC2086
wait $curls
check_after "clients that hang up in the middle of a profile"

# ---- By the thousand -------------------------------------------------------------------------------------------------

LIMITS=()
answers=$(timeout 120 python3 "$WORK/client.py" "$ENDPOINT_PORT" parallel)
echo "# $answers"
count_of() {
    tr ' ' '\n' <<<"$answers" | sed -n "s/^$1=//p"
}
served=$(count_of 200) refused=$(count_of 503)
is "1,000 requests at once: each is served, or refused with 503" $((${served:-0} + ${refused:-0})) 1000
check "1,000 requests at once: some are served" test "${served:-0}" -gt 0
check_after "1,000 requests at once"

# ---- Garbage and silence ---------------------------------------------------------------------------------------------

answers=$(timeout 120 python3 "$WORK/client.py" "$ENDPOINT_PORT" garbage)
echo "# $answers"
is "garbage: every connection is dealt with" \
    $(($(count_of answered) + $(count_of closed) + $(count_of waiting))) 300
# What has no line yet may become a request, and is waited for.
check "garbage: some is answered, some cut off" test "$(count_of answered)" -gt 0 -a "$(count_of closed)" -gt 0
check_after "garbage"

coproc python3 "$WORK/client.py" "$ENDPOINT_PORT" silent
silent=$COPROC_PID
read -r -t 20 _ <&"${COPROC[0]}"
is "fifty silent clients: others are answered" "$(status_of /debug/pprof/heap)" 200
kill "$silent"
wait "$silent" 2>/dev/null
check_after "fifty silent clients"
stop_host
is "it ends on SIGTERM as ever" "$HOST_STATUS" 143
is "in all of that nothing was written but the start line" "$(wc -l <"$HOST_ERR")" 1

# ---- kill -9 leaves nothing ------------------------------------------------------------------------------------------

mkdir "$WORK/tmp" "$WORK/home"
snapshot() {
    find "$WORK/tmp" "$WORK/home" /dev/shm -user "$(id -u)" 2>/dev/null | sort
}
before=$(snapshot)
PORTHOLE_ENV=(TMPDIR="$WORK/tmp" HOME="$WORK/home")
start_lines with killed
curl -s --max-time 10 -o /dev/null "$HOST_URL/debug/pprof/heap?seconds=3" &
sleep 0.5
like "while it lives, its local socket is there" "$(cat /proc/net/unix)" "@porthole/$HOST_PID\$"
stop_host KILL
is "kill -9: no file is left" "$(snapshot)" "$before"
unlike "kill -9: no socket is left" "$(cat /proc/net/unix)" "@porthole/$HOST_PID\$"
check_not "kill -9: no port is left" port_answers "$ENDPOINT_PORT"
finish
