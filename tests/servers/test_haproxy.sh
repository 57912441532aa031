#!/bin/bash
# haproxy: it closes all descriptors at start, checks its threads, and re-executes itself in master-worker mode.
. "$(dirname "$0")/../lib.sh"
PATH=$PATH:/usr/sbin

HOST_PORT=$(free_port)
BACKEND_PORT=$(free_port)
head -c 200000 /dev/zero | tr '\0' 'y' >"$WORK/page.txt"
cat >"$WORK/haproxy.cfg" <<CONF
global
    maxconn 200
    nbthread 2
    stats socket $WORK/stats.sock
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
frontend web
    bind 127.0.0.1:$HOST_PORT
    use_backend origin if { path_beg /page }
    http-request return status 200 content-type text/plain lf-string "%[path] %[req.hdr(x-test)]"
backend origin
    server one 127.0.0.1:$BACKEND_PORT
CONF

# The server behind it is never under Porthole.
start_host without backend python3 -m http.server --bind 127.0.0.1 --directory "$WORK" "$BACKEND_PORT"
backend=$HOST_PID
wait_for_port "$BACKEND_PORT"

requests() {
    local url=http://127.0.0.1:$HOST_PORT
    describe "$url/hello" -H 'X-Test: 1'
    describe "$url/page.txt"
    describe "$url/page-missing"
    describe "$url/" -X POST -d a=1
    describe "$url/" -H 'Bad Header'
}

load() {
    h2load --h1 -n 10000 -c 20 -t 1 "http://127.0.0.1:$HOST_PORT/hello"
}

haproxy_log() {
    sed -E 's/\([0-9]+\)/(PID)/g; s|/[0-9]+ |/PID |; s/[0-9]{9,}/TIME/g'
}
NORMALISE=haproxy_log

compare_host haproxy requests haproxy -db -f "$WORK/haproxy.cfg"

PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=4KiB)
start_host with haproxy-load haproxy -db -f "$WORK/haproxy.cfg"
wait_for_port "$HOST_PORT" && wait_for_port "$ENDPOINT_PORT"
check_load haproxy load
check_names haproxy '(create_pool|pool_alloc|init_|ha_|cfg_|conn_|h1_|thread_|my_|proxy_|alloc_|process_|listener_|str2|sample_|make_|tree_|srv_|xprt_|mux_|http_|htx_|stream_|fd_|poll_|chunk_|trash_|buf_|lua|hlua)[a-z0-9_]*'
stop_host
is "haproxy ends with the status it has" "$HOST_STATUS" 143
PORTHOLE_ENV=()

# As Debian configures it: another root and another user right after listen(), and then no further threads.
if [ "$(id -u)" -eq 0 ]; then
    mkdir "$WORK/root"
    sed "s|^global|&\n    chroot $WORK/root\n    user nobody\n    group nogroup|" "$WORK/haproxy.cfg" >"$WORK/chroot.cfg"
    PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=4KiB)
    for round in 1 2 3; do
        start_host with "haproxy-chroot-$round" haproxy -db -f "$WORK/chroot.cfg"
        wait_for_port "$HOST_PORT" && wait_for_port "$ENDPOINT_PORT"
        is "haproxy, chrooted and unprivileged, has a window (round $round)" \
            "$(status_of /debug/pprof/heap) $(status_of /debug/pprof/heap) $(status_of '/debug/pprof/heap?debug=1')" \
            "200 200 200"
        [ $round -lt 3 ] || check_names "haproxy in its root" '(init_|create_pool|pool_|alloc_)[a-z0-9_]*'
        like "haproxy, chrooted and unprivileged, serves (round $round)" "$(describe "http://127.0.0.1:$HOST_PORT/hello")" '^200 '
        stop_host
    done
    PORTHOLE_ENV=()
else
    skip "haproxy, chrooted and unprivileged, has a window" "not root"
fi

# Master and worker: the master re-executes itself, the worker serves. Neither may notice.
for mode in without with; do
    start_host $mode haproxy-master haproxy -W -db -f "$WORK/haproxy.cfg"
    wait_for_port "$HOST_PORT"
    requests >"$WORK/master.$mode"
    kill -USR2 "$HOST_PID"
    sleep 1
    requests >>"$WORK/master.$mode"
    stop_host
    echo "status $HOST_STATUS" >>"$WORK/master.$mode"
done
is "haproxy as master and worker, reloaded, answers and ends the same" "$(cat "$WORK/master.with")" \
    "$(cat "$WORK/master.without")"
kill "$backend"
finish
