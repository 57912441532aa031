#!/bin/bash
# nginx as Debian runs it: a daemon with four workers of another user; reload by signal, binary upgrade by USR2.
. "$(dirname "$0")/engine.sh"
WORKERS=4 START_LINES=2 # the upgrade is a program of its own

server_prepare() {
    mkdir -p "$DIR/www"
    echo "a small page" >"$DIR/www/index.html"
    head -c 300000 /dev/zero | tr '\0' 'x' >"$DIR/www/large.txt"
    cat >"$DIR/nginx.conf" <<CONF
daemon on;
worker_processes 4;
pid $DIR/nginx.pid;
error_log $DIR/error.log notice;
$([ -z "$IS_ROOT" ] || echo "user $WORKER_USER;")
events { worker_connections 256; }
http {
    access_log $DIR/access.log;
    client_body_temp_path $DIR/tmp/body;
    proxy_temp_path $DIR/tmp/proxy;
    fastcgi_temp_path $DIR/tmp/fastcgi;
    uwsgi_temp_path $DIR/tmp/uwsgi;
    scgi_temp_path $DIR/tmp/scgi;
    client_max_body_size 20m;
    server {
        listen 127.0.0.1:$HOST_PORT;
        root $DIR/www;
        location /echo { return 200 "\$request_method \$arg_q\n"; }
        location /gzip { gzip on; gzip_types text/plain; default_type text/plain; alias $DIR/www/large.txt; }
        location /upload { proxy_pass http://127.0.0.1:$HOST_PORT/sink; }
        location /sink { return 200 "\$content_length\n"; }
    }
}
CONF
}

server_command() {
    # With its path: the upgrade execs what it was started as.
    COMMAND=(/usr/sbin/nginx -e "$DIR/error.log" -c "$DIR/nginx.conf")
}

server_main() {
    cat "$DIR/nginx.pid" 2>/dev/null
}

server_workers() {
    children "$MAIN"
}

server_answers() {
    local url=http://127.0.0.1:$HOST_PORT
    describe "$url/"
    describe "$url/missing"
    describe "$url/large.txt" -r 1000-1999
    describe "$url/echo?q=1"
    describe "$url/gzip" -H 'Accept-Encoding: gzip'
    describe "$url/upload" --data-binary "@$DIR/www/large.txt"
}

server_load() {
    h2load --h1 -n 10000 -c 20 -t 1 "http://127.0.0.1:$HOST_PORT/" | grep -E '^(requests|status codes):'
}

server_reload() {
    as_server nginx -e "$DIR/error.log" -c "$DIR/nginx.conf" -s reload
}

has_new_main() {
    [ -s "$DIR/nginx.pid.oldbin" ] && [ -s "$DIR/nginx.pid" ]
}

# https://nginx.org/en/docs/control.html, "Upgrading Executable on the Fly"
server_upgrade() {
    kill -USR2 "$MAIN"
    wait_until 10 has_new_main || return
    workers_of_new() {
        [ "$(children "$(cat "$DIR/nginx.pid")" | wc -w)" -eq 4 ]
    }
    wait_until 10 workers_of_new || return
    server_answers
    kill -QUIT "$MAIN"
}

server_stop() {
    as_server nginx -e "$DIR/error.log" -c "$DIR/nginx.conf" -s quit
}

server_logs() {
    cut -d '"' -f 2,3 "$DIR/access.log" | sort | uniq -c
    sed -E 's/^[0-9/]+ [0-9:]+ //; s/[0-9]+#[0-9]+: (\*[0-9]+)?/PID /' "$DIR/error.log" |
        sed -E 's/(process|from|pid|PID|by:) [0-9]+/\1 N/; s/sockets?: [0-9;]+/sockets/' | sort -u
}

matrix nginx
finish
