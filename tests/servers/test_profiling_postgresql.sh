#!/bin/bash
# PostgreSQL with four clients, a backend each, profiled under load.
. "$(dirname "$0")/profiling/engine.sh"
PROCESSES=6 STOPS_BY=INT # "fast shutdown"
NAMES='(Exec|Postgres|Postmaster|Server|Portal|pg_|exec_|heap|standard_)[A-Za-z_]*'

BIN=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1)
export PGHOST=127.0.0.1 PGUSER=postgres PGDATABASE=postgres PGCONNECT_TIMEOUT=20
AS_POSTGRES=()
[ -z "$IS_ROOT" ] || AS_POSTGRES=(setpriv --pdeathsig KILL --reuid postgres --regid postgres --init-groups)

# The cluster is made once; each run has a copy.
mkdir "$WORK/cluster"
[ -z "$IS_ROOT" ] || chown postgres: "$WORK/cluster"
"${AS_POSTGRES[@]}" "$BIN/initdb" -D "$WORK/cluster" -U postgres -A trust --no-sync --no-locale -E UTF8 >"$WORK/initdb.log" 2>&1 ||
    { cat "$WORK/initdb.log"; exit 1; }

server_prepare() {
    cp -a "$WORK/cluster" "$DIR/data"
    cat >>"$DIR/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $HOST_PORT
unix_socket_directories = '$DIR/data'
fsync = off
max_connections = 20
shared_buffers = 16MB
log_line_prefix = '%b '
autovacuum_naptime = 1h
log_checkpoints = off
max_parallel_workers_per_gather = 2
parallel_setup_cost = 0
parallel_tuple_cost = 0
min_parallel_table_scan_size = 0
CONF
    [ -z "$IS_ROOT" ] || chown postgres: "$DIR"
    export PGPORT=$HOST_PORT
}

server_command() {
    COMMAND=("${AS_POSTGRES[@]}" "$BIN/postgres" -D "$DIR/data")
}

# Queries over four connections; and each with a connection of its own, that is a process, and two more that help it.
server_load() {
    local help status
    wait_until 20 psql -XAtqc 'select 1' || return
    echo 'select count(*) from pg_class, generate_series(1, 100);' >"$WORK/query.sql"
    echo 'select count(*) from pg_attribute;' >"$WORK/connect.sql"
    load_by -C -c 1 -f "$WORK/connect.sql" -T "$1" >"$WORK/connect.log" &
    help=$!
    load_by -c 4 -f "$WORK/query.sql" -T "$1"
    status=$?
    wait $help && cat "$WORK/connect.log" && return $status
}

load_by() {
    timeout 200 pgbench -n "$@" >"$WORK/pgbench.${1#-}" 2>&1 || { tail -n 5 "$WORK/pgbench.${1#-}" && return 1; }
    grep -E '^number of (transactions|failed)' "$WORK/pgbench.${1#-}"
    grep -q '^number of failed transactions: 0 ' "$WORK/pgbench.${1#-}" && ! grep -iE 'error|fatal|abort' "$WORK/pgbench.${1#-}"
}

server_log() {
    :
}

postgres_says() {
    sed -E 's/[0-9]{4}-[0-9-]+ [0-9:.]+ [A-Z]+/TIME/g; s/\(PID [0-9]+\)|PID [0-9]+/PID/g'
}
NORMALISE=postgres_says

profile_server postgresql
