#!/bin/bash
# PostgreSQL as user postgres, started by pg_ctl: it forks a backend for each connection, and starts all of them anew if one dies.
. "$(dirname "$0")/engine.sh"
ORPHANS_END=1 # a backend ends when the postmaster has gone

BIN=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1)
export PGHOST=127.0.0.1 PGUSER=postgres PGDATABASE=postgres PGCONNECT_TIMEOUT=20
AS_POSTGRES=()
[ -z "$IS_ROOT" ] || AS_POSTGRES=(setpriv --reuid postgres --regid postgres --init-groups)

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
log_min_duration_statement = -1
autovacuum_naptime = 1h
bgwriter_delay = 10s
CONF
    [ -z "$IS_ROOT" ] || chown postgres: "$DIR"
    export PGPORT=$HOST_PORT
}

server_command() {
    COMMAND=("${AS_POSTGRES[@]}" "$BIN/pg_ctl" -s -w -D "$DIR/data" -l "$DIR/server.log" start)
}

server_main() {
    head -n 1 "$DIR/data/postmaster.pid" 2>/dev/null
}

# Checkpointer, background writer, WAL writer, autovacuum launcher, logical replication launcher; and backends for as
# long as a client is connected: none when it is at rest.
server_workers() {
    children "$MAIN"
}
WORKERS=5

server_answers() {
    psql -XAtq <<'SQL' 2>&1
create table if not exists notes (id serial primary key, text text);
insert into notes (text) select 'note ' || n from generate_series(1, 1000) n;
select count(*), sum(length(text)) from notes;
set max_parallel_workers_per_gather = 2;
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
select count(*) from notes where text like '%9%';
select md5(string_agg(text, ',' order by id)) from notes where id <= 1000;
select 1 / 0;
truncate notes restart identity;
SQL
}

# 9,600 queries over four connections, and 400 with a connection, so a forked backend, each.
server_load() {
    echo 'select count(*) from pg_class;' >"$DIR/../query.sql"
    pgbench -n -f "$DIR/../query.sql" -c 4 -t 2400 2>&1 | grep -E '^number of (transactions|failed)'
    pgbench -n -C -f "$DIR/../query.sql" -c 2 -t 200 2>&1 | grep -E '^number of (transactions|failed)'
}

server_reload() {
    echo "log_line_prefix = '%b: '" >>"$DIR/data/postgresql.conf"
    as_server "${AS_POSTGRES[@]}" "$BIN/pg_ctl" -s -D "$DIR/data" reload
    psql -XAtqc 'select pg_sleep(0.2)'
    psql -XAtqc 'show log_line_prefix'
}
KEEPS_WORKERS=1

# Files are opened when they are first needed, and closed when others are.
without_files() {
    grep -v "$DIR/data/"
}
DESCRIPTORS=without_files

server_stop() {
    as_server "${AS_POSTGRES[@]}" "$BIN/pg_ctl" -s -w -m fast -D "$DIR/data" stop
}

server_logs() {
    sed -E 's/[0-9]{4}-[0-9-]+ [0-9:.]+ [A-Z]+/TIME/g; s/\(PID [0-9]+\)|PID [0-9]+/PID/g; s|[0-9A-F]+/[0-9A-F]{5,}|LSN|g
        s/[0-9.]+ (s|kB|ms)\b/N \1/g; s/[0-9]+ buffers? \([0-9.]+%\)/N buffers/; s/[0-9]+ (WAL|recycled|removed)/N \1/g
        s/sync files=[0-9]+/sync files=N/' "$DIR/server.log" | sort -u
}

matrix postgresql
finish
