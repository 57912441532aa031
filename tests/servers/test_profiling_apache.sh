#!/bin/bash
# Apache with its event module: two children of eight threads each, profiled under load.
. "$(dirname "$0")/profiling/engine.sh"
PROCESSES=3 NAMES='(ap|apr)_[a-z_]+' # its threads block all signals, by apr_setup_signal_thread()
HIDDEN_PERCENT=100 # its workers wait in pthread_cond_wait(), and another user's process may not say where it waits: doc/limits.md
MODULES=/usr/lib/apache2/modules

server_prepare() {
    mkdir -p "$DIR/www" "$DIR/run"
    echo "a small page" >"$DIR/www/index.html"
    cat >"$DIR/apache.conf" <<CONF
ServerRoot $DIR
DefaultRuntimeDir $DIR/run
Mutex file:$DIR/run default
PidFile $DIR/apache.pid
ServerName localhost
Listen 127.0.0.1:$HOST_PORT
LoadModule mpm_event_module $MODULES/mod_mpm_event.so
LoadModule authz_core_module $MODULES/mod_authz_core.so
LoadModule dir_module $MODULES/mod_dir.so
LoadModule mime_module $MODULES/mod_mime.so
$([ -z "$IS_ROOT" ] || printf 'User %s\nGroup %s\n' "$WORKER_USER" "$WORKER_GROUP")
StartServers 2
ServerLimit 2
ThreadsPerChild 8
MinSpareThreads 16
MaxSpareThreads 16
MaxRequestWorkers 16
ErrorLog $DIR/error.log
LogLevel info
DocumentRoot $DIR/www
TypesConfig /dev/null
MaxKeepAliveRequests 0
CONF
}

server_command() {
    COMMAND=(apache2 -f "$DIR/apache.conf" -D FOREGROUND)
}

server_load() {
    load_http "$1" 16 /
}

# It says so if all happen to be busy when it looks.
server_log() {
    sed -E 's/^\[[^]]*\] //; s/\[pid [0-9]+(:tid [0-9]+)?\]/PID/; s/\[client [0-9.:]+\]/CLIENT/; s/[0-9]{4}-[0-9-]+T[0-9:]+/TIME/; s/pid=[0-9]+/pid N/' \
        "$DIR/error.log" | grep -v 'consider raising the MaxRequestWorkers'
}

profile_server apache
