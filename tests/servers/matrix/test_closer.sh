#!/bin/bash
# A daemon that forks twice and closes every descriptor it knows nothing of, each way there is; its workers do so again.
. "$(dirname "$0")/engine.sh"
WORKERS=3
build_host matrix/host_closer

server_prepare() {
    true
}

server_command() {
    COMMAND=("$WORK/matrix/host_closer" "$METHOD" "$HOST_PORT" "$DIR/closer.pid")
}

server_main() {
    cat "$DIR/closer.pid" 2>/dev/null
}

server_workers() {
    children "$MAIN"
}

server_answers() {
    curl -s --max-time 20 "http://127.0.0.1:$HOST_PORT/"
}

server_load() {
    h2load --h1 -n 10000 -c 20 -t 1 "http://127.0.0.1:$HOST_PORT/" | grep -E '^(requests|status codes):'
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

for METHOD in close close_range closefrom proc raw_close raw_close_range dup2; do
    HOST_PORT='' IS_RAW=''
    [[ $METHOD != raw_* ]] || IS_RAW=1
    matrix "closing by $METHOD"
done
finish
