#!/bin/bash
# haproxy as master and worker: as a daemon (-W -D) and as systemd runs it (-Ws); in a root of its own and as another user. A
# reload re-executes the master, which inherits the listening sockets from itself.
. "$(dirname "$0")/engine.sh"
WORKERS=1 PORTS=2
MAIN_IS_APART=1                     # the master exec's itself into a mode in which it only waits
ORPHANS_END=1 WORKERS_ARE_VITAL=1   # neither goes on without the other: haproxy's own rule

server_prepare() {
    mkdir -p "$DIR/root"
    cat >"$DIR/haproxy.cfg" <<CONF
global
    maxconn 200
    nbthread 2
    pidfile $DIR/haproxy.pid
    stats socket $DIR/stats.sock
$([ -z "$IS_ROOT" ] || printf '    chroot %s\n    user %s\n    group %s\n' "$DIR/root" "$WORKER_USER" "$WORKER_GROUP")
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
frontend web
    bind 127.0.0.1:$HOST_PORT
    http-request return status 200 content-type text/plain lf-string "%[path] %[req.hdr(x-test)]" if { path_beg /hello }
    use_backend self
frontend second
    bind 127.0.0.1:$((HOST_PORT + 1))
    http-request return status 200 content-type text/plain lf-string "behind %[path]"
backend self
    server one 127.0.0.1:$((HOST_PORT + 1))
CONF
}

server_command() {
    COMMAND=(haproxy "${HAPROXY_MODE[@]}" -f "$DIR/haproxy.cfg")
}

# Foreground: the process that was started; a daemon writes its pid.
server_main() {
    [ -z "$IS_DAEMON" ] && echo "$STARTED" || cat "$DIR/haproxy.pid" 2>/dev/null
}

server_workers() {
    children "$MAIN"
}

server_answers() {
    local url=http://127.0.0.1:$HOST_PORT
    describe "$url/hello" -H 'X-Test: 1'
    describe "$url/through"
    describe "$url/" -X POST -d a=1
    describe "$url/" -H 'Bad Header'
}

server_load() {
    h2load --h1 -n 10000 -c 20 -t 1 "http://127.0.0.1:$HOST_PORT/through" | grep -E '^(requests|status codes):'
}

server_reload() {
    kill -USR2 "$MAIN"
}

server_stop() {
    kill -TERM "$MAIN"
}

# Two threads open theirs at the same time: who has which number is chance.
without_order() {
    cut -d ' ' -f 2 | sort
}
DESCRIPTORS=without_order

haproxy_log() {
    sed -E 's/\([0-9]+\)/(PID)/g; s/ +: / : /g; s|/[0-9]+ |/PID |; s/[0-9]{9,}/TIME/g; s/FE: [0-9]+/FE: N/' | sort -u
}
NORMALISE=haproxy_log

server_logs() {
    haproxy_log <"$DIR/err"
}

HAPROXY_MODE=(-W -D) IS_DAEMON=1 START_LINES=1 # the reloaded one has no stderr
matrix "haproxy -W -D"
HAPROXY_MODE=(-Ws) IS_DAEMON='' START_LINES=2
matrix "haproxy -Ws"
finish
