#!/bin/bash
# php-fpm as Debian runs it: a daemon with four workers of another user, behind nginx; USR2 makes it exec itself.
. "$(dirname "$0")/engine.sh"
WORKERS=4 START_LINES=2 # what it becomes has its log as stderr
FPM=$(compgen -G '/usr/sbin/php-fpm*' | sort -V | tail -n 1)

# nginx in front of it is never under Porthole, and outlives all of it.
mkdir -p "$WORK/web/tmp"
chmod 755 "$WORK/web"
WEB_PORT=$(free_port)
HOST_PORT=$(free_port)
cat >"$WORK/web/nginx.conf" <<CONF
daemon off;
master_process off; # one process to end, however this test ends
worker_processes 1;
pid $WORK/web/nginx.pid;
error_log $WORK/web/error.log;
$([ -z "$IS_ROOT" ] || echo "user $WORKER_USER;")
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path $WORK/web/tmp/body;
    proxy_temp_path $WORK/web/tmp/proxy;
    fastcgi_temp_path $WORK/web/tmp/fastcgi;
    uwsgi_temp_path $WORK/web/tmp/uwsgi;
    scgi_temp_path $WORK/web/tmp/scgi;
    server {
        listen 127.0.0.1:$WEB_PORT;
        location / {
            fastcgi_pass 127.0.0.1:$HOST_PORT;
            fastcgi_param SCRIPT_FILENAME $WORK/web/page.php;
            fastcgi_param REQUEST_METHOD \$request_method;
            fastcgi_param QUERY_STRING \$query_string;
            fastcgi_param CONTENT_TYPE \$content_type;
            fastcgi_param CONTENT_LENGTH \$content_length;
            fastcgi_param REQUEST_URI \$request_uri;
        }
    }
}
CONF
cat >"$WORK/web/page.php" <<'PHP'
<?php
header("Content-Type: text/plain");
if (($_GET["what"] ?? "") === "child") {
    echo shell_exec("echo from a child");
} elseif (($_GET["what"] ?? "") === "large") {
    echo str_repeat("x", 300000);
} elseif (($_GET["what"] ?? "") === "error") {
    no_such_function();
} else {
    echo "hello ", $_GET["name"] ?? "", " ", strlen(implode(",", $_POST)), " ", array_sum(range(1, 100)), "\n";
}
PHP
nginx -e "$WORK/web/error.log" -c "$WORK/web/nginx.conf" >"$WORK/web/out" 2>&1 &
HOST_PIDS+=($!)
wait_for_port "$WEB_PORT"

server_prepare() {
    cat >"$DIR/fpm.conf" <<CONF
[global]
pid = $DIR/fpm.pid
error_log = $DIR/error.log
log_level = notice
daemonize = yes
[www]
$([ -z "$IS_ROOT" ] || printf 'user = %s\ngroup = %s\n' "$WORKER_USER" "$WORKER_GROUP")
listen = 127.0.0.1:$HOST_PORT
pm = static
pm.max_children = 4
catch_workers_output = yes
CONF
}

server_command() {
    COMMAND=("$FPM" -n -y "$DIR/fpm.conf")
}

server_main() {
    cat "$DIR/fpm.pid" 2>/dev/null
}

server_workers() {
    children "$MAIN"
}

server_answers() {
    local url=http://127.0.0.1:$WEB_PORT
    describe "$url/?name=one"
    describe "$url/?name=two" -d some=thing
    describe "$url/?what=child"
    describe "$url/?what=large"
    describe "$url/?what=error"
}

server_load() {
    h2load --h1 -n 10000 -c 20 -t 1 "http://127.0.0.1:$WEB_PORT/?name=load" | grep -E '^(requests|status codes):'
}

# The program it becomes is a daemon once more, with a pid of its own.
server_reload() {
    local old=$MAIN
    kill -USR2 "$old"
    has_new_main() {
        [ -s "$DIR/fpm.pid" ] && [ "$(cat "$DIR/fpm.pid")" != "$old" ]
    }
    wait_until 20 has_new_main
}

server_stop() {
    kill -QUIT "$MAIN"
}

server_logs() {
    sed -E 's/^\[[^]]*\] //; s/after [0-9.]+ seconds/after N seconds/; s/(pid|child) [0-9]+/\1 N/' "$DIR/error.log" |
        sort -u
}

matrix php-fpm
finish
