#!/bin/bash
# Wrong settings: said once, on stderr, with what is allowed; the host always starts.
. "$(dirname "$0")/../lib.sh"
build_host host_lines

# host_with VARIABLE=VALUE... - the host with these settings.
host_with() {
    PORTHOLE_ENV=("$@")
    HOST_PORT=$(free_port)
    start_host with options "$WORK/host_lines" "$HOST_PORT"
    wait_for_port "$HOST_PORT"
}

# said - until Porthole has said something: all of it.
said() {
    wait_until 10 own_lines "$HOST_ERR"
    sleep 0.2
    own_lines "$HOST_ERR"
}

check_host() {
    is "$1: the host answers" "$(ask "$HOST_PORT" "echo on"; ask "$HOST_PORT" fork)" "on
42"
    is "$1: the host says nothing" "$(other_lines "$HOST_ERR")" ""
    stop_host
    is "$1: it ends on SIGTERM as ever" "$HOST_STATUS" 143
}

for setting in PORTHOLE_START=sometimes PORTHOLE_HEAP_SAMPLE=3KiB PORTHOLE_HEAP_SAMPLE=1 PORTHOLE_LOG=loud \
    PORTHOLE_HEAP_SAMPLE=99999999999999999999GiB; do
    host_with "$setting"
    check "$setting: the default is used, the endpoint opens" wait_for_port "$ENDPOINT_PORT"
    like "$setting: the name, the value and what is allowed are told" "$(said)" "^porthole: $setting: expected "
    is "$setting: in one line" "$(said | grep -c expected)" 1
    is "$setting: the heap is served" "$(status_of /debug/pprof/heap)" 200
    check_host "$setting"
done

host_with PORTHOLE_LISTEN=nonsense
like "PORTHOLE_LISTEN=nonsense: is told" "$(said)" '^porthole: PORTHOLE_LISTEN=nonsense: expected ADDR:PORT'
url=$(said | grep -oE 'http://[0-9.]+:[0-9]+')
like "PORTHOLE_LISTEN=nonsense: the default is used" "$url" '^http://127\.0\.0\.1:60(6|7)[0-9]$'
HOST_URL=$url
is "PORTHOLE_LISTEN=nonsense: the heap is served" "$(status_of /debug/pprof/heap)" 200
check_host "PORTHOLE_LISTEN=nonsense"

# ---- Addresses that are not loopback need a token. 192.0.2.1 (RFC 5737) is nobody's: were it tried, it would fail.

host_with PORTHOLE_LISTEN=192.0.2.1:6060
like "a foreign address without a token: no endpoint, and the way out is told" "$(said)" PORTHOLE_TOKEN_FILE
is "a foreign address without a token: in one line" "$(said | wc -l)" 1
check_host "a foreign address without a token"

printf 'secret-token-of-the-test\n' >"$WORK/token"
chmod 600 "$WORK/token"
for file in "$WORK/missing" "$WORK" /dev/null; do
    host_with PORTHOLE_LISTEN=192.0.2.1:6060 PORTHOLE_TOKEN_FILE="$file"
    like "token file $(basename "$file") cannot be used: is told by name" "$(said)" "^porthole: .*$file"
    check_host "token file $(basename "$file")"
done
host_with PORTHOLE_LISTEN=192.0.2.1:6060 PORTHOLE_TOKEN_FILE="$WORK/token"
like "an address that this machine does not have: is told" "$(said)" '^porthole: .*192\.0\.2\.1'
unlike "the token itself is never told" "$(cat "$HOST_ERR" "$HOST_OUT")" secret-token
check_host "an address that this machine does not have"

# ---- Ports taken -----------------------------------------------------------------------------------------------------

cat >"$WORK/occupy.py" <<'PYTHON'
import socket, sys, time
first, count = int(sys.argv[1]), int(sys.argv[2])
sockets = []
for port in range(first, first + count):
    s = socket.socket()
    s.bind(("127.0.0.1", port))
    s.listen()
    sockets.append(s)
time.sleep(60)
PYTHON
first=$(free_port 21)
start_host without occupy python3 "$WORK/occupy.py" "$first" 20
occupier=$HOST_PID
wait_for_port $((first + 19))
host_with PORTHOLE_LISTEN="127.0.0.1:$first"
like "20 ports are taken: is told, with the way out" "$(said)" "^porthole: .*$first.*PORTHOLE_LISTEN"
is "20 ports are taken: in one line" "$(said | wc -l)" 1
check_not "20 ports are taken: the 21st is not used" port_answers $((first + 20))
check_host "20 ports are taken"
kill "$occupier"
wait "$occupier" 2>/dev/null

start_host without occupy python3 "$WORK/occupy.py" "$first" 3
wait_for_port $((first + 2))
occupier=$HOST_PID
host_with PORTHOLE_LISTEN="127.0.0.1:$first"
like "3 ports are taken: the next one is used and told" "$(said)" "^porthole: .*http://127\.0\.0\.1:$((first + 3))"
HOST_URL=http://127.0.0.1:$((first + 3))
is "3 ports are taken: the heap is served there" "$(status_of /debug/pprof/heap)" 200
check_host "3 ports are taken"
kill "$occupier"

# ---- No TCP at all, no agent -----------------------------------------------------------------------------------------

local_status() {
    curl -s --max-time 10 -o "$WORK/body" -w '%{http_code}' --abstract-unix-socket "porthole/$HOST_PID" \
        http://localhost/debug/pprof/heap
}

host_with PORTHOLE_LISTEN=off
check "PORTHOLE_LISTEN=off: the local socket serves the heap" wait_until 10 eval '[ "$(local_status)" = 200 ]'
check_not "PORTHOLE_LISTEN=off: no port is open" port_answers "$ENDPOINT_PORT"
check_host "PORTHOLE_LISTEN=off"

host_with PORTHOLE_LISTEN="unix:$WORK/socket"
check "a path: the heap is served there" wait_until 10 curl -sf -o "$WORK/body" --unix-socket "$WORK/socket" \
    http://localhost/debug/pprof/heap
check_host "a path"

host_with PORTHOLE_AGENT="$WORK"
like "no agent in the named folder: is told" "$(said)" "^porthole: $WORK/libporthole-agent.so not found"
is "no agent: in one line" "$(said | wc -l)" 1
check_host "no agent"
finish
