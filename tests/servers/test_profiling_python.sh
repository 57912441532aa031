#!/bin/bash
# python: gunicorn with two workers of four threads each, profiled under load.
. "$(dirname "$0")/profiling/engine.sh"
HIDDEN_PERCENT=30 # threads that wait for the interpreter's lock do so in pthread_cond_timedwait(): doc/limits.md
PROCESSES=3 NAMES='_?Py[A-Za-z]*_[A-Za-z_]+'

server_prepare() {
    mkdir -p "$DIR/app"
    cat >"$DIR/app/hello.py" <<'PYTHON'
import json


def app(environ, start_response):
    body = json.dumps({str(n): [n] * 10 for n in range(100)}).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
PYTHON
    mkdir "$DIR/tmp"
    [ -z "$IS_ROOT" ] || chown "$WORKER_USER" "$DIR/tmp"
}

server_command() {
    COMMAND=(/usr/bin/python3 /usr/bin/gunicorn --workers 2 --worker-class gthread --threads 4 --bind "127.0.0.1:$HOST_PORT"
        --chdir "$DIR/app" --error-logfile "$DIR/error.log" --log-level info --worker-tmp-dir "$DIR/tmp" --keep-alive 20 hello:app)
    [ -z "$IS_ROOT" ] || COMMAND=("${COMMAND[@]:0:2}" --user "$WORKER_USER" --group "$WORKER_GROUP" "${COMMAND[@]:2}")
}

server_load() {
    load_http "$1" 6 /
}

server_log() {
    sed -E 's/^\[[^]]*\] \[[0-9]+\] //; s/pid:? ?[0-9]+/pid N/; s/\([0-9]+\)/(N)/; s/<Worker [0-9]+>/<Worker N>/' "$DIR/error.log"
}

profile_server python
