#!/bin/bash
# A small C server, as a plain process, as a daemon and with its socket handed over, does on request what servers do;
# each answer must be the one it gives without Porthole.
. "$(dirname "$0")/../lib.sh"
build_host host_lines

# One line each: what is asked. The answers of the two runs are compared.
questions=(
    "echo hello"
    "next-fd"
    "keep 100000"
    "threads 20"
    "fork"
    "vfork exit 3"
    "spawn exit 4"
    "system exit 5"
    "system kill -9 \$\$"
    "popen echo from a pipe; exit 6"
    "popen ulimit -n"
    "next-fd"
    "release"
)

ask_all() {
    local question
    for question in "${questions[@]}"; do
        echo "$question: $(ask "$HOST_PORT" "$question")"
    done
}

HOST_PORT=$(free_port)
compare_host "the line server" ask_all "$WORK/host_lines" "$HOST_PORT"
like "its own questions have answers" "$(cat "$WORK/the line server.without.answers")" '^popen .*: from a pipe 1536$'

# ---- exec: a new program in the same process opens a window of its own --------------------------------------------------

start_lines with exec
is "before exec the endpoint answers" "$(status_of /debug/pprof/)" 200
ask "$HOST_PORT" exec >/dev/null
# A connection may still have been taken by the old listener, which ends with the old program.
answers_again() {
    [ "$(ask "$HOST_PORT" "echo again")" = again ]
}
check "after exec the server answers again" wait_until 10 answers_again
check "after exec the endpoint answers again, on the same port" wait_for_port "$ENDPOINT_PORT"
is "its heap is served" "$(status_of /debug/pprof/heap)" 200
stop_host
is "it ends on SIGTERM as ever" "$HOST_STATUS" 143

# ---- daemon(3): the parent goes, the child is the server -----------------------------------------------------------------

# start_daemon MODE KIND - HOST_PID is the daemon's.
start_daemon() {
    HOST_PORT=$(free_port)
    rm -f "$WORK/pid"
    start_host "$1" "$2" "$WORK/host_lines" "$HOST_PORT" "$2" "$WORK/pid"
    wait_host
    LAUNCH_STATUS=$HOST_STATUS
    wait_until 10 test -s "$WORK/pid"
    HOST_PID=$(cat "$WORK/pid")
    HOST_PIDS+=("$HOST_PID")
    wait_for_port "$HOST_PORT"
}

stop_daemon() {
    kill -TERM "$HOST_PID"
    wait_until 10 is_gone "$HOST_PID"
}

start_daemon with daemon
is "a daemon's launcher exits with 0" "$LAUNCH_STATUS" 0
is "a daemon answers" "$(ask "$HOST_PORT" "echo daemon")" daemon
check "a daemon's endpoint opens" wait_for_port "$ENDPOINT_PORT"
ask "$HOST_PORT" "keep 3000000" >/dev/null
is "a daemon's heap is served" "$(status_of /debug/pprof/heap)" 200
like "with its names" "$(top "$WORK/body")" keep_memory
check "a daemon ends on SIGTERM" stop_daemon

start_daemon with late-daemon
is "a daemon that listened before it forked is unharmed" "$(ask "$HOST_PORT" "threads 5")" "5 joined"
is "and answers again" "$(ask "$HOST_PORT" "fork")" 42
check "and ends on SIGTERM" stop_daemon

# ---- A socket handed over, as systemd and inetd do --------------------------------------------------------------------

cat >"$WORK/hand_over.py" <<'PYTHON'
import os, socket, sys
port, command = int(sys.argv[1]), sys.argv[2:]
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", port))
s.listen()
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(v.split("=", 1) for v in os.environ.pop("FOR_HOST").split())
os.execv(command[0], command)
PYTHON
HOST_PORT=$(free_port)
ENDPOINT_PORT=$(free_port)
HOST_URL=http://127.0.0.1:$ENDPOINT_PORT
LIMITS=(env FOR_HOST="PORTHOLE_LISTEN=127.0.0.1:$ENDPOINT_PORT ${PRELOAD[*]}")
start_host without inherit python3 "$WORK/hand_over.py" "$HOST_PORT" "$WORK/host_lines" 0 inherit 3
LIMITS=()
wait_for_port "$HOST_PORT"
is "a server with an inherited socket answers" "$(ask "$HOST_PORT" "echo inherited")" inherited
check "its first accept() opens the endpoint" wait_for_port "$ENDPOINT_PORT"
is "its heap is served" "$(status_of /debug/pprof/heap)" 200
stop_host

# ---- The start line goes to the stderr that a program had when it began to listen -----------------------------------------

cat >"$WORK/replace_stderr.py" <<'PYTHON'
import os, socket, sys, time
port, way = int(sys.argv[1]), sys.argv[2]
nothing = os.open("/dev/null", os.O_WRONLY)
s = socket.socket()
s.bind(("127.0.0.1", port))
s.listen()
os.close(2) if way == "close" else os.dup2(nothing, 2)
time.sleep(30)
PYTHON
for way in close dup2 close dup2; do
    HOST_PORT=$(free_port)
    start_host with "replaces-$way" python3 "$WORK/replace_stderr.py" "$HOST_PORT" "$way"
    wait_for_port "$ENDPOINT_PORT"
    check "$way(2) right after listen(): the start line is there" wait_until 5 grep -q ' opens http' "$HOST_ERR"
    stop_host
done

# ---- When the window opens -----------------------------------------------------------------------------------------------

# endpoint_after SECONDS - "open" or "closed".
endpoint_after() {
    wait_for_port "$ENDPOINT_PORT" "$1" && echo open || echo closed
}

threads_of_host() {
    find "/proc/$HOST_PID/task" -mindepth 1 -maxdepth 1 | wc -l
}

for start in manual off; do
    PORTHOLE_ENV=("PORTHOLE_START=$start")
    HOST_PORT=$(free_port)
    start_host with "start-$start" "$WORK/host_lines" "$HOST_PORT"
    wait_for_port "$HOST_PORT"
    is "PORTHOLE_START=$start: a server has no endpoint" "$(endpoint_after 1)" closed
    is "PORTHOLE_START=$start: and no thread of ours" "$(threads_of_host)" 1
    is "PORTHOLE_START=$start: it answers" "$(ask "$HOST_PORT" "echo $start")" $start
    stop_host
done

PORTHOLE_ENV=(PORTHOLE_START=now)
start_host with start-now sleep 30
is "PORTHOLE_START=now: the endpoint opens without listen()" "$(endpoint_after 10)" open
is "PORTHOLE_START=now: the heap is served" "$(status_of /debug/pprof/heap)" 200
stop_host

PORTHOLE_ENV=()
start_host with sleep sleep 30
is "a program that does not listen has no endpoint" "$(endpoint_after 1)" closed
is "and no thread of ours" "$(threads_of_host)" 1
stop_host
finish
