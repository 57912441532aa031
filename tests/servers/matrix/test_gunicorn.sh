#!/bin/bash
# gunicorn with four sync workers of another user, as a daemon; HUP replaces the workers, USR2 starts a new master.
. "$(dirname "$0")/engine.sh"
ORPHANS_END=1
WORKERS=4 START_LINES=0 # it listens after it has given up its stderr

server_prepare() {
    mkdir -p "$DIR/app"
    cat >"$DIR/app/hello.py" <<'PYTHON'
import subprocess

kept = []


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/child":
        body = subprocess.run(["/bin/echo", "from a child"], capture_output=True).stdout
    elif path == "/read":
        body = b"%d bytes" % len(environ["wsgi.input"].read())
    elif path == "/error":
        raise RuntimeError("on purpose")
    else:
        body = b"hello from " + path.encode()
    kept.append(bytearray(3000))
    del kept[:-50]
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
PYTHON
    [ -z "$IS_ROOT" ] || chown "$WORKER_USER" "$DIR/tmp"
}

# By its interpreter, as it executes itself for the upgrade: generations are known by their name (doc/limits.md).
server_command() {
    COMMAND=(/usr/bin/python3 /usr/bin/gunicorn --daemon --workers 4 --worker-class sync --bind "127.0.0.1:$HOST_PORT" --pid "$DIR/gunicorn.pid"
        --chdir "$DIR/app" --error-logfile "$DIR/error.log" --access-logfile "$DIR/access.log"
        --access-logformat '%(r)s %(s)s %(B)s' --log-level info --worker-tmp-dir "$DIR/tmp" --timeout 8 --graceful-timeout 5 hello:app)
    [ -z "$IS_ROOT" ] || COMMAND=("${COMMAND[@]:0:2}" --user "$WORKER_USER" --group "$WORKER_GROUP" "${COMMAND[@]:2}")
}

server_main() {
    cat "$DIR/gunicorn.pid" 2>/dev/null
}

server_workers() {
    children "$MAIN"
}

server_answers() {
    local url=http://127.0.0.1:$HOST_PORT
    describe "$url/one"
    describe "$url/child"
    describe "$url/read" -d some=thing
    describe "$url/error"
}

# Sync workers close each connection.
server_load() {
    python3 - "$HOST_PORT" <<'PYTHON'
import collections, socket, sys, threading

seen, lock = collections.Counter(), threading.Lock()

def work():
    mine = collections.Counter()
    for _ in range(2500):
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30) as connection:
            connection.sendall(b"GET /load HTTP/1.0\r\n\r\n")
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        mine[answer.split(b"\r\n")[0].decode() + " " + answer.rsplit(b"\r\n", 1)[-1].decode()] += 1
    with lock:
        seen.update(mine)

threads = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print(dict(seen))
PYTHON
}

server_reload() {
    kill -HUP "$MAIN"
}

has_new_main() {
    [ -s "$DIR/gunicorn.pid.2" ] && [ "$(children "$(cat "$DIR/gunicorn.pid.2")" | wc -l)" -eq 4 ]
}

# https://docs.gunicorn.org/en/20.1.0/signals.html, "Upgrading to a new binary on the fly"
server_upgrade() {
    local old=$MAIN
    kill -USR2 "$old"
    wait_until 20 has_new_main || return
    server_answers
    kill -TERM "$old"
    wait_until 20 is_gone "$old"
    has_its_name() {
        [ -s "$DIR/gunicorn.pid" ] && [ "$(cat "$DIR/gunicorn.pid")" != "$old" ]
    }
    wait_until 20 has_its_name
}

server_stop() {
    kill -TERM "$MAIN"
}

server_logs() {
    sort "$DIR/access.log" | uniq -c
    sed -E 's/^\[[^]]*\] \[[0-9]+\] //; s/pid:? ?[0-9]+/pid N/; s/\([0-9]+\)/(N)/; s/<Worker [0-9]+>/<Worker N>/' "$DIR/error.log" | sort -u
}

matrix gunicorn
finish
