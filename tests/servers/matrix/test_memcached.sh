#!/bin/bash
# memcached -d: one process with threads, of another user. It has no workers to kill and ignores SIGHUP.
. "$(dirname "$0")/engine.sh"
ORPHANS_END=1 START_LINES=0 # it listens after it has given up its stderr

server_prepare() {
    chown "$WORKER_USER" "$DIR"
}

server_command() {
    COMMAND=(memcached -d -l 127.0.0.1 -p "$HOST_PORT" -U 0 -t 4 -m 64 -P "$DIR/memcached.pid")
    [ -z "$IS_ROOT" ] || COMMAND+=(-u "$WORKER_USER")
}

server_main() {
    cat "$DIR/memcached.pid" 2>/dev/null
}

server_workers() {
    true
}

# say LINE... - what it answers until it has said END, or something of one line.
say() {
    local line
    exec 5<>"/dev/tcp/127.0.0.1/$HOST_PORT" || return
    printf '%b\r\n' "$1" >&5
    while IFS= read -r -t 10 line <&5; do
        echo "$line"
        [[ $line == VALUE* || $line == STAT* ]] || [[ $line == "$2"* ]] || continue
        [[ $line == "$2"* ]] && break
    done
    exec 5>&-
}

server_answers() {
    say 'set greeting 0 0 5\r\nhello' STORED
    say 'get greeting' END
    say 'incr greeting 1' CLIENT_ERROR
    say 'version' VERSION
    say 'nonsense' ERROR
    say 'delete greeting' DELETED
}

server_load() {
    python3 - "$HOST_PORT" <<'PYTHON'
import socket, sys, threading

wrong = []

def work(number):
    connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30)
    stream = connection.makefile("rwb")
    for i in range(625):
        value = b"%d-%d" % (number, i) * (i % 50 + 1)
        stream.write(b"set k%d-%d 0 0 %d\r\n%s\r\nget k%d-%d\r\n" % (number, i, len(value), value, number, i))
        stream.flush()
        answer = [stream.readline() for _ in range(4)]
        if answer[0] != b"STORED\r\n" or answer[2] != value + b"\r\n" or answer[3] != b"END\r\n":
            wrong.append(answer)
    connection.close()

threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
print(8 * 625 * 2, "requests,", len(wrong), "wrong", wrong[:2])
PYTHON
    say stats END | grep -E 'STAT (cmd_(get|set)|threads|get_hits|get_misses|curr_items) '
}

server_reload() {
    kill -HUP "$MAIN"
}

server_stop() {
    kill -TERM "$MAIN"
}

server_logs() {
    cat "$DIR/err"
}

matrix memcached
finish
