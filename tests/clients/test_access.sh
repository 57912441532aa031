#!/bin/bash
# test_access.sh - who may ask the endpoint, and over which sockets: Host, token, Unix sockets, users; and how it closes.
. "$(dirname "$0")/../lib.sh"
build_host host_lines
PORTHOLE_ENV=(PORTHOLE_LOG=quiet)
start_lines with access

# answers WHAT STATUS PATH [CURL OPTIONS...]
answers() {
    is "$1" "$(status_of "${@:3}")" "$2"
}

# ---- Host: a web page must not read us under a name of its own -------------------------------------------------------

for host in "127.0.0.1:$ENDPOINT_PORT" 127.0.0.1 localhost LOCALHOST localhost:80 192.0.2.7:1 '[::1]' '[::1]:6060' \
    '[2001:db8::1]'; do
    answers "Host: $host is fine" 200 /debug/pprof/cmdline -H "Host: $host"
done
for host in evil.example evil.example:6060 localhost.evil.example 127.0.0.1.evil.example sub.localhost 127.1 0x7f.0.0.1 \
    2130706433 localhost:x localhost:65536 '[::1' '[::1]x' ::1 '[localhost]' 'localhost evil.example' "$(printf 'a%.0s' {1..400})"; do
    answers "Host: ${host:0:40} is refused" 403 /debug/pprof/heap -H "Host: $host"
done
status_of /debug/pprof/heap -H 'Host: evil.example' >"$WORK/status"
like "the refusal says why, as pprof shows it" "$(cat "$WORK/headers" "$WORK/body")" '^Host "evil.example" is neither .*rebinding'
like "the refusal is one pprof shows" "$(cat "$WORK/headers")" '^X-Go-Pprof: 1'
answers "HTTP/1.1 without Host is refused" 400 /debug/pprof/heap -H 'Host:'
answers "HTTP/1.0 without Host is fine" 200 /debug/pprof/heap -0 -H 'Host:'
answers "HTTP/1.0 with a foreign Host is refused" 403 /debug/pprof/heap -0 -H 'Host: evil.example'
answers "a path that is not tells a foreign Host nothing" 403 /nonesuch -H 'Host: evil.example'

# ---- Limits ----------------------------------------------------------------------------------------------------------

answers "a header of 10 KiB is fine" 200 /debug/pprof/cmdline -H "X-Long: $(printf 'a%.0s' {1..10000})"
like "headers of 60 KiB are refused" "$(status_of /debug/pprof/cmdline -H "X-Long: $(printf 'a%.0s' {1..60000})")" '^(431|413)$'
like "a target of 60 KiB is refused" "$(status_of "/debug/$(printf 'a%.0s' {1..60000})")" '^(414|431)$'
answers "then it answers as before" 200 /debug/pprof/heap

# ---- The local socket ------------------------------------------------------------------------------------------------

abstract() {
    "$@" curl -sS --max-time 10 -o "$WORK/body" -w '%{http_code}' --abstract-unix-socket "porthole/$HOST_PID" \
        -H 'Host: any.example' http://localhost/debug/processes 2>&1
}
is "the local socket answers its user, whatever the Host" "$(abstract)" 200
if [ "$(id -u)" = 0 ]; then
    chmod 711 "$WORK"
    : >"$WORK/body" && chmod 666 "$WORK/body"
    got=
    for _ in $(seq 20); do got+="$(abstract setpriv --reuid 65534 --regid 65534 --clear-groups) "; done
    is "the local socket refuses another user, who always sees why" "$got" "$(printf '403 %.0s' {1..20})"
    is "the refusal says who may ask" "$(jq -r .detail "$WORK/body")" 'only root and the user of this process may ask here'
else
    skip "the local socket refuses another user" "only root can become another user"
fi
stop_host

# ---- Token -----------------------------------------------------------------------------------------------------------

secret=0123456789abcdef-the-token
printf '  %s\t\r\nsecond line\n' "$secret" >"$WORK/token"
chmod 640 "$WORK/token"
PORTHOLE_ENV=(PORTHOLE_TOKEN_FILE="$WORK/token")
start_lines with token
bearer=(-H "Authorization: Bearer $secret")
answers "a token file guards loopback, too: without a token" 401 /debug/pprof/heap
is "without a token: what to send" "$(cat "$WORK/body")" 'missing token: send "Authorization: Bearer TOKEN" with that of the token file'
like "without a token: the scheme" "$(tr -d '\r' <"$WORK/headers")" '^WWW-Authenticate: Bearer realm="porthole"$'
like "without a token: pprof shows it" "$(cat "$WORK/headers")" '^X-Go-Pprof: 1'
for wrong in "Bearer ${secret%?}" "Bearer ${secret}x" "Bearer x${secret#?}" "Basic $secret" "Bearer" "Bearer  " "$secret" \
    "Bearer $(printf 'a%.0s' {1..2000})"; do
    answers "Authorization: ${wrong:0:40} is refused" 401 /debug/pprof/heap -H "Authorization: $wrong"
done
like "a wrong token is told from a missing one" "$(cat "$WORK/body")" '^wrong token'
answers "the token opens" 200 /debug/pprof/heap "${bearer[@]}"
answers "the scheme's case does not matter" 200 /debug/pprof/heap -H "Authorization: bEARER $secret"
answers "the token does not open a foreign Host" 403 /debug/pprof/heap "${bearer[@]}" -H 'Host: evil.example'
answers "a path that is not tells nothing without a token" 401 /nonesuch
answers "POST needs the token" 401 /debug/pprof/symbol --data-binary 0x1
is "the local socket needs none" "$(abstract)" 200
status_of /debug/ "${bearer[@]}" >"$WORK/status"
like "the page's commands send the token from its file" "$(cat "$WORK/body")" "Authorization: Bearer .*head -n1 $WORK/token"
unlike "the token itself is told nowhere" "$(cat "$WORK/body" "$HOST_ERR" "$HOST_OUT")" "$secret"
stop_host

# no_endpoint WHAT SETTING REASON - it stays closed and says why; the host runs.
no_endpoint() {
    PORTHOLE_ENV=("$2")
    HOST_PORT=$(free_port)
    start_host with refused "$WORK/host_lines" "$HOST_PORT"
    wait_for_port "$HOST_PORT"
    wait_until 10 own_lines "$HOST_ERR"
    like "$1: is told" "$(own_lines "$HOST_ERR")" "$3"
    check_not "$1: no endpoint" port_answers "$ENDPOINT_PORT"
    is "$1: the host answers" "$(ask "$HOST_PORT" "echo on")" on
    stop_host
}
chmod 644 "$WORK/token"
no_endpoint "a token that every user can read" PORTHOLE_TOKEN_FILE="$WORK/token" "chmod o= $WORK/token"
chmod 600 "$WORK/token"
printf 'fifteen-letters\n' >"$WORK/token"
no_endpoint "a token too short" PORTHOLE_TOKEN_FILE="$WORK/token" "$WORK/token must be 16 to 512"
printf 'not only visible characters\n' >"$WORK/token"
no_endpoint "a token with blanks" PORTHOLE_TOKEN_FILE="$WORK/token" "$WORK/token must be 16 to 512"
printf 'a%.0s' {1..513} >"$WORK/token"
no_endpoint "a token too long" PORTHOLE_TOKEN_FILE="$WORK/token" "$WORK/token must be 16 to 512"
mkfifo "$WORK/fifo"
no_endpoint "a FIFO for a token does not block" PORTHOLE_TOKEN_FILE="$WORK/fifo" "not a regular file"
for any in 0.0.0.0 '[::]'; do
    no_endpoint "$any without a token" PORTHOLE_LISTEN="$any:$(free_port)" 'PORTHOLE_TOKEN_FILE'
done

# ---- A socket in the file system -------------------------------------------------------------------------------------

by_path() {
    curl -s --max-time 10 -o "$WORK/body" -w '%{http_code}' --unix-socket "$WORK/socket" -H 'Host: any.example' \
        http://localhost/debug/pprof/cmdline
}
start_at_path() {
    HOST_PORT=$(free_port)
    PORTHOLE_ENV=(PORTHOLE_LISTEN="unix:$WORK/socket")
    start_host with "$1" "$WORK/host_lines" "$HOST_PORT"
    wait_for_port "$HOST_PORT"
    wait_until 10 own_lines "$HOST_ERR"
}
umask 000
start_at_path path
umask 022
wait_until 10 test -S "$WORK/socket"
is "unix: has mode 0600 whatever the umask" "$(stat -c '%a %F' "$WORK/socket")" "600 socket"
is "unix: answers, whatever the Host" "$(by_path)" 200
like "unix: is told" "$(own_lines "$HOST_ERR")" " unix:$WORK/socket\$"
first=$HOST_PID
start_at_path second
like "unix: a living socket is not taken over" "$(own_lines "$HOST_ERR")" "unix:$WORK/socket: .*another process listens"
is "unix: the second host answers all the same" "$(ask "$HOST_PORT" "echo on")" on
stop_host
is "unix: the first goes on" "$(by_path; cat "$WORK/body" | tr '\0' ' ' | cut -d ' ' -f 1)" "200$WORK/host_lines"
HOST_PID=$first
stop_host KILL
check "unix: a killed host leaves a stale socket" test -S "$WORK/socket"
start_at_path third
is "unix: a stale socket is replaced" "$(wait_until 10 eval '[ "$(by_path)" = 200 ]'; by_path)" 200
stop_host
rm -f "$WORK/socket"
echo precious >"$WORK/socket"
start_at_path file
like "unix: a file that is no socket stays" "$(own_lines "$HOST_ERR") $(cat "$WORK/socket")" 'cannot listen.* precious$'
stop_host
rm -f "$WORK/socket"

# ---- IPv6 ------------------------------------------------------------------------------------------------------------

if python3 -c 'import socket; socket.socket(socket.AF_INET6).bind(("::1", 0))' 2>/dev/null; then
    port=$(free_port)
    HOST_PORT=$(free_port)
    PORTHOLE_ENV=(PORTHOLE_LISTEN="[::1]:$port")
    start_host with ipv6 "$WORK/host_lines" "$HOST_PORT"
    wait_for_port "$HOST_PORT"
    wait_until 10 own_lines "$HOST_ERR"
    HOST_URL="http://[::1]:$port"
    like "[::1]: is told" "$(own_lines "$HOST_ERR")" "http://\\[::1\\]:$port/debug/"
    answers "[::1]: answers" 200 /debug/pprof/heap
    is "[::1]: its URL" "$(status_of /debug/processes) $(jq -r .url "$WORK/body")" "200 $HOST_URL"
    stop_host
else
    skip "[::1]" "no IPv6 here"
fi

# ---- Closing while clients ask ---------------------------------------------------------------------------------------

# A host that opens and closes the window by the public API, as a linked program does.
cat >"$WORK/closing.py" <<'PYTHON'
import ctypes, socket, sys, time
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
api = ctypes.CDLL(None)
print(hex(ctypes.cast(api.porthole_version, ctypes.c_void_p).value), flush=True)
sys.stdin.readline()
begin = time.monotonic()
api.porthole_shutdown()
print("closed in time" if time.monotonic() - begin < 10 else "too late", flush=True)
PYTHON
# The first client leaves its answers unread, so that closing takes as long as it may; the others send requests for
# profiles over seconds at every moment of it.
cat >"$WORK/asking.py" <<'PYTHON'
import socket, subprocess, sys, time

host = subprocess.Popen(["env", *sys.argv[3:], sys.executable, sys.argv[2]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
address = host.stdout.readline().strip().encode()

def connect():
    for _ in range(500):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(10)
        try:
            s.connect(("127.0.0.1", int(sys.argv[1])))
            return s
        except ConnectionRefusedError:
            s.close()
            time.sleep(0.02)
    sys.exit("no endpoint")

slow = connect()
body = b"+".join([address] * 60000)
for _ in range(6):
    slow.sendall(b"POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
asking = [connect() for _ in range(60)]
for s in asking:
    s.sendall(b"GET /debug/pprof/cmdline HTTP/1.1\r\nHost: localhost\r\n\r\n")
    s.recv(4096)
time.sleep(0.3)
host.stdin.write("close\n")
host.stdin.close()
begin = time.monotonic()
for i, s in enumerate(asking):
    time.sleep(max(0, begin + i * 0.017 - time.monotonic()))
    try:
        s.sendall(b"GET /debug/pprof/heap?seconds=9 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    except OSError:
        pass
print(host.stdout.readline().strip(), host.wait(20))
PYTHON
port=$(free_port)
is "closing while clients ask harms nobody" "$(timeout 60 python3 "$WORK/asking.py" "$port" "$WORK/closing.py" \
    "${PRELOAD[@]}" PORTHOLE_LISTEN="127.0.0.1:$port" 2>"$WORK/closing.err")" "closed in time 0"
unlike "closing while clients ask: no complaint" "$(cat "$WORK/closing.err")" 'Fatal|Traceback'
finish
