#!/bin/bash
# haproxy as systemd runs it: a master, and a worker with two threads in a root of its own, as another user; profiled under load.
. "$(dirname "$0")/profiling/engine.sh"
PORTS=2 # all threads but the first block all signals
REFUSES='^503 cannot start a thread' # it forbids itself new ones; two are kept in reserve: doc/limits.md
NAMES='(h1_|http_|stream_|process_|conn_|sock_|run_|fd_|_do_poll|mux_|htx_|pool_)[a-z0-9_]*'

# Each request goes through it twice.
server_prepare() {
    mkdir -p "$DIR/root"
    cat >"$DIR/haproxy.cfg" <<CONF
global
    maxconn 400
    nbthread 2
    log $DIR/log local0
$([ -z "$IS_ROOT" ] || printf '    chroot %s\n    user %s\n    group %s\n' "$DIR/root" "$WORKER_USER" "$WORKER_GROUP")
defaults
    mode http
    timeout connect 30s
    timeout client 30s
    timeout server 30s
frontend web
    bind 127.0.0.1:$HOST_PORT
    use_backend self
frontend second
    bind 127.0.0.1:$((HOST_PORT + 1))
    http-request return status 200 content-type text/plain lf-string "behind %[path]"
backend self
    server one 127.0.0.1:$((HOST_PORT + 1))
CONF
}

server_command() {
    COMMAND=(haproxy -W -db -f "$DIR/haproxy.cfg")
}

server_load() {
    load_http "$1" 20 /
}

server_log() {
    :
}

haproxy_says() {
    sed -E 's/\([0-9]+\)/(PID)/g; s|/[0-9]+ |/PID |; s/[0-9]{9,}/TIME/g'
}
NORMALISE=haproxy_says

profile_server haproxy
