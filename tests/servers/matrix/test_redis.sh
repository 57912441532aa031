#!/bin/bash
# redis with daemonize yes; BGSAVE and BGREWRITEAOF fork under writes, and the child is killed.
. "$(dirname "$0")/engine.sh"
ORPHANS_END=1 START_LINES=0 # it listens after it has given up its stderr

server_prepare() {
    mkdir -p "$DIR/data"
    cat >"$DIR/redis.conf" <<CONF
daemonize yes
bind 127.0.0.1
port $HOST_PORT
dir $DIR/data
pidfile $DIR/redis.pid
logfile $DIR/redis.log
save ""
appendonly yes
appendfsync no
auto-aof-rewrite-percentage 0
enable-debug-command local
io-threads 2
CONF
}

server_command() {
    COMMAND=(redis-server "$DIR/redis.conf")
}

server_main() {
    cat "$DIR/redis.pid" 2>/dev/null
}

server_workers() {
    true
}

cli() {
    redis-cli -p "$HOST_PORT" "$@"
}

is_saved() {
    cli info persistence | grep -q rdb_bgsave_in_progress:0
}

is_saving() {
    [ -n "$(children "$MAIN")" ]
}

is_rewritten() {
    cli info persistence | tr -d '\r' | grep -Pzq 'aof_rewrite_in_progress:0\naof_rewrite_scheduled:0'
}

server_answers() {
    cli set greeting hello
    cli get greeting
    cli hset hash f 1 g 2
    cli hgetall hash
    cli eval 'local t = {} for i = 1, 1000 do t[i] = i end return #t' 0
    cli del hash
    cli config get maxmemory
    cli dbsize
}

# Saves under writes: the child is forked from a busy server; its dump must hold what was there.
server_load() {
    local benchmark
    cli flushall
    redis-benchmark -p "$HOST_PORT" -n 10000 -c 20 -q -t set -d 200 >"$RECORD/benchmark" 2>&1 &
    benchmark=$!
    cli bgsave
    wait_until 20 is_saved || echo "not saved"
    wait $benchmark
    echo "benchmark $?"
    tr '\r' '\n' <"$RECORD/benchmark" | grep -cE '^SET: .*requests per second'
    cli bgsave
    wait_until 20 is_saved || echo "not saved"
    cli info persistence | tr -d '\r' | grep rdb_last_bgsave_status
    redis-check-rdb "$DIR/data/dump.rdb" | grep -oE 'RDB looks OK|[0-9]+ keys read'
}

# The child of a save is killed; the next save works.
server_reload() {
    cli config set rdb-key-save-delay 100000
    cli debug populate 1000
    cli bgsave
    wait_until 10 is_saving || echo "no child"
    kill -KILL "$(children "$MAIN")"
    wait_until 10 is_saved || echo "not over"
    cli info persistence | tr -d '\r' | grep rdb_last_bgsave_status
    cli config set rdb-key-save-delay 0
    cli bgsave
    wait_until 20 is_saved || echo "not saved"
    cli info persistence | tr -d '\r' | grep rdb_last_bgsave_status
    cli bgrewriteaof
    wait_until 20 is_rewritten || echo "not rewritten"
    cli debug reload
}

server_stop() {
    cli shutdown nosave
}

server_logs() {
    sed -E 's/^[0-9]+:([A-Z]|signal-handler) ?(\(?[0-9]+\)?)( [A-Za-z]+ [0-9]+ [0-9:.]+)?/\1/
        s/pid[= ][0-9]+/PID/; s/[0-9.]+ (MB|Mb|KB|bytes|seconds|usec)/N \1/g; s/rewriteaof-bg-[0-9]+/rewriteaof-bg-N/' "$DIR/redis.log" |
        grep -vE 'Fork CoW|COW|diff saved|Concatenating|Residual' | sort -u
}

matrix redis
finish
