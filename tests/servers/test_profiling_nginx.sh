#!/bin/bash
# nginx with four workers, profiled under load.
. "$(dirname "$0")/profiling/engine.sh"
NAMES='ngx_[a-z_]+' PROCESSES=5

# reuseport: the kernel gives connections to all workers.
server_prepare() {
    mkdir -p "$DIR/www" "$DIR/tmp"
    echo "a small page" >"$DIR/www/index.html"
    cat >"$DIR/nginx.conf" <<CONF
daemon off;
worker_processes 4;
pid $DIR/nginx.pid;
error_log $DIR/error.log info;
$([ -z "$IS_ROOT" ] || echo "user $WORKER_USER $WORKER_GROUP;")
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path $DIR/tmp/body;
    proxy_temp_path $DIR/tmp/proxy;
    fastcgi_temp_path $DIR/tmp/fastcgi;
    uwsgi_temp_path $DIR/tmp/uwsgi;
    scgi_temp_path $DIR/tmp/scgi;
    keepalive_requests 1000000000;
    server {
        listen 127.0.0.1:$HOST_PORT reuseport;
        root $DIR/www;
    }
}
CONF
}

server_command() {
    COMMAND=(nginx -e "$DIR/error.log" -c "$DIR/nginx.conf")
}

server_load() {
    load_http "$1" 64 /
}

# That a client has closed its connection is told of each.
server_log() {
    sed -E 's/^[0-9/]+ [0-9:]+ //; s/[0-9]+#[0-9]+: (\*[0-9]+)?/PID/; s/\b[0-9]{3,}\b/N/g; s/fd:[0-9]+/fd:N/' "$DIR/error.log"
}

profile_server nginx
