#!/bin/bash
# nginx, as one process and as a master with two workers.
. "$(dirname "$0")/../lib.sh"
PATH=$PATH:/usr/sbin

mkdir -p "$WORK/www" "$WORK/tmp"
echo "a small page" >"$WORK/www/index.html"
head -c 3000000 /dev/zero | tr '\0' 'x' >"$WORK/www/large.txt"

# write_conf PORT on|off - the configuration, with or without a master process.
write_conf() {
    cat >"$WORK/nginx.conf" <<CONF
daemon off;
master_process $2;
worker_processes 2;
pid $WORK/nginx.pid;
error_log stderr warn;
$([ "$(id -u)" -ne 0 ] || echo "user root;")
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path $WORK/tmp/body;
    proxy_temp_path $WORK/tmp/proxy;
    fastcgi_temp_path $WORK/tmp/fastcgi;
    uwsgi_temp_path $WORK/tmp/uwsgi;
    scgi_temp_path $WORK/tmp/scgi;
    client_body_buffer_size 1m;
    client_max_body_size 20m;
    server {
        listen 127.0.0.1:$1;
        root $WORK/www;
        location /echo { return 200 "\$request_method \$arg_q \$http_user_agent\n"; }
        location /gzip { gzip on; gzip_types text/plain; default_type text/plain; alias $WORK/www/large.txt; }
        location /upload { proxy_pass http://127.0.0.1:$1/sink; }
        location /sink { return 200 "\$content_length\n"; }
    }
}
CONF
}

requests() {
    local url=http://127.0.0.1:$HOST_PORT
    describe "$url/"
    describe "$url/missing"
    describe "$url/large.txt"
    describe "$url/large.txt" -r 1000-1999
    describe "$url/" -I
    describe "$url/echo?q=1" -A porthole
    describe "$url/gzip" -H 'Accept-Encoding: gzip'
    describe "$url/upload" --data-binary "@$WORK/www/large.txt"
    describe "$url/" -X DELETE
}

load() {
    h2load --h1 -n 20000 -c 20 -t 1 "http://127.0.0.1:$HOST_PORT/"
}

nginx_log() {
    sed -E 's/^[0-9/]+ [0-9:]+ //; s/[0-9]+#[0-9]+: \*[0-9]+/PID/'
}
NORMALISE=nginx_log

for master in on off; do
    name="nginx (master_process $master)"
    HOST_PORT=$(free_port)
    write_conf "$HOST_PORT" $master
    compare_host "$name" requests nginx -e stderr -c "$WORK/nginx.conf"

    PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=4KiB)
    start_host with "$name" nginx -e stderr -c "$WORK/nginx.conf"
    wait_for_port "$HOST_PORT" && wait_for_port "$ENDPOINT_PORT"
    check_load "$name" load
    check_names "$name" 'ngx_[a-z_]+'
    if [ $master = on ]; then
        # A forked worker has no window yet; it must end and be replaced as ever.
        kill -KILL "$(pgrep -P "$HOST_PID" | head -n 1)"
        is "nginx answers after a worker was killed" "$(describe "http://127.0.0.1:$HOST_PORT/" | cut -d ' ' -f 1)" 200
        kill -HUP "$HOST_PID"
        sleep 0.5
        is "nginx answers after a reload" "$(describe "http://127.0.0.1:$HOST_PORT/" | cut -d ' ' -f 1)" 200
        is "the endpoint answers after a reload" "$(status_of /debug/pprof/heap)" 200
    fi
    stop_host
    is "$name ends with 0" "$HOST_STATUS" 0
    PORTHOLE_ENV=()
done

# nginx as it is started on servers: it listens, then becomes a daemon.
HOST_PORT=$(free_port)
write_conf "$HOST_PORT" on
sed -i 's/^daemon off/daemon on/' "$WORK/nginx.conf"
start_host with nginx-daemon nginx -e stderr -c "$WORK/nginx.conf"
wait_host
is "nginx becomes a daemon" "$HOST_STATUS" 0
wait_until 10 test -s "$WORK/nginx.pid"
HOST_PID=$(cat "$WORK/nginx.pid")
HOST_PIDS+=("$HOST_PID")
is "nginx answers as a daemon" "$(describe "http://127.0.0.1:$HOST_PORT/" | cut -d ' ' -f 1)" 200
kill -QUIT "$HOST_PID"
check "nginx stops as a daemon" wait_until 15 is_gone "$HOST_PID"
finish
