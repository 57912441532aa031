#!/bin/bash
# Apache as Debian runs it: a daemon of another user, prefork and event; graceful restart. CGI programs are forked helpers.
. "$(dirname "$0")/engine.sh"
START_LINES="[01]" # its stderr becomes the error log at about the same time
MODULES=/usr/lib/apache2/modules

server_prepare() {
    local cgi=cgid
    [ "$MPM" = event ] || cgi=cgi
    mkdir -p "$DIR/www" "$DIR/cgi" "$DIR/run"
    echo "a small page" >"$DIR/www/index.html"
    head -c 300000 /dev/zero | tr '\0' 'x' >"$DIR/www/large.txt"
    printf '#!/bin/sh\necho "Content-Type: text/plain"\necho\necho "$QUERY_STRING $(echo from a child)"\n' >"$DIR/cgi/hello"
    chmod 755 "$DIR/cgi/hello"
    cat >"$DIR/apache.conf" <<CONF
ServerRoot $DIR
DefaultRuntimeDir $DIR/run
Mutex file:$DIR/run default
PidFile $DIR/apache.pid
ServerName localhost
Listen 127.0.0.1:$HOST_PORT
LoadModule mpm_${MPM}_module $MODULES/mod_mpm_$MPM.so
LoadModule authz_core_module $MODULES/mod_authz_core.so
LoadModule dir_module $MODULES/mod_dir.so
LoadModule mime_module $MODULES/mod_mime.so
LoadModule alias_module $MODULES/mod_alias.so
LoadModule deflate_module $MODULES/mod_deflate.so
LoadModule filter_module $MODULES/mod_filter.so
LoadModule ${cgi}_module $MODULES/mod_$cgi.so
$([ "$MPM" = prefork ] || echo "ScriptSock $DIR/run/cgisock")
$([ -z "$IS_ROOT" ] || printf 'User %s\nGroup %s\n' "$WORKER_USER" "$WORKER_GROUP")
$LIMITS_OF_MPM
ErrorLog $DIR/error.log
LogLevel info
LogFormat "%r %>s %B" short
CustomLog $DIR/access.log short
DocumentRoot $DIR/www
TypesConfig /dev/null
AddType text/plain .txt
ScriptAlias /cgi/ $DIR/cgi/
AddOutputFilterByType DEFLATE text/plain
KeepAliveTimeout 2
MaxKeepAliveRequests 0
CONF
}

server_command() {
    COMMAND=(apache2 -f "$DIR/apache.conf" -k start)
}

server_main() {
    cat "$DIR/apache.pid" 2>/dev/null
}

# With event, the daemon that starts CGI programs is one of them.
server_workers() {
    children "$MAIN"
}

server_answers() {
    local url=http://127.0.0.1:$HOST_PORT
    describe "$url/"
    describe "$url/missing"
    describe "$url/large.txt" -r 1000-1999
    describe "$url/large.txt" -H 'Accept-Encoding: gzip'
    describe "$url/cgi/hello?a=1"
    describe "$url/" -X DELETE
}

server_load() {
    h2load --h1 -n 10000 -c 4 -t 1 "http://127.0.0.1:$HOST_PORT/" | grep -E '^(requests|status codes):'
}

server_reload() {
    as_server apache2 -f "$DIR/apache.conf" -k graceful
}

server_stop() {
    as_server apache2 -f "$DIR/apache.conf" -k stop
}

server_logs() {
    sort "$DIR/access.log" | uniq -c
    sed -E 's/^\[[^]]*\] //; s/\[pid [0-9]+(:tid [0-9]+)?\]/PID/; s/\[client [0-9.:]+\]/CLIENT/; s/[0-9]{4}-[0-9-]+T[0-9:]+/TIME/' \
        "$DIR/error.log" | sed -E 's/(child|pid|process)[ =][0-9]+/\1 N/g' |
        # It says so if all happen to be busy when it looks, or if that process was the one that was killed.
        grep -vE 'consider raising the MaxRequestWorkers|cgid daemon process died' | sort -u
}

MPM=prefork WORKERS=4 LIMITS_OF_MPM="StartServers 4
MinSpareServers 4
MaxSpareServers 4
MaxRequestWorkers 4"
matrix "apache2 prefork"

MPM=event WORKERS=3 LIMITS_OF_MPM="StartServers 2
ServerLimit 2
ThreadsPerChild 8
MinSpareThreads 16
MaxSpareThreads 16
MaxRequestWorkers 16"
matrix "apache2 event"
finish
