#!/bin/bash
# redis: Debian's is linked to libjemalloc.so.2 and calls its API, which is now the probe's.
. "$(dirname "$0")/../lib.sh"

cli() {
    redis-cli -p "$HOST_PORT" "$@"
}

requests() {
    cli set greeting hello
    cli get greeting
    cli debug populate 1000 key 100 2>&1
    cli lpush list a b c
    cli lrange list 0 -1
    cli eval 'local t = {} for i = 1, 1000 do t[i] = i end return #t' 0
    cli hset hash f 1 g 2
    cli memory doctor
    cli memory purge
    cli info memory | grep '^mem_allocator'
    cli memory usage greeting
    cli memory malloc-stats | grep -c '^Arenas:'
    cli memory stats | grep -c 'allocator'
    cli bgsave
    wait_until 15 saved
    cli info persistence | grep rdb_last_bgsave_status
    cli debug reload nosave
    cli dbsize
    cli config get maxmemory
    cli flushall
    rm -f "$WORK/redis/dump.rdb"
}

saved() {
    cli info persistence | grep -q rdb_bgsave_in_progress:0
}

# The log without pids, times and amounts; sorted, as a child writes to it too.
redis_log() {
    sed -E 's/^[0-9]+:([A-Z]|signal-handler) ?(\(?[0-9]+\)?)( [A-Za-z]+ [0-9]+ [0-9:.]+)?/\1/
        s/pid[= ][0-9]+/PID/; s/[0-9.]+ (MB|Mb|seconds|usec)/N \1/g' | sort
}
NORMALISE=redis_log

mkdir "$WORK/redis"
HOST_PORT=$(free_port)
server=(redis-server --bind 127.0.0.1 --port "$HOST_PORT" --save "" --appendonly no --dir "$WORK/redis"
    --enable-debug-command local --activedefrag no)
compare_host redis requests "${server[@]}"

PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=64KiB)
start_host with redis-load "${server[@]}"
wait_for_port "$HOST_PORT" && wait_for_port "$ENDPOINT_PORT"
benchmark=$(timeout 120 redis-benchmark -p "$HOST_PORT" -n 2000 -q 2>&1)
is "redis-benchmark succeeds" "$?" 0
is "redis-benchmark runs all of its commands" "$(tr '\r' '\n' <<<"$benchmark" | grep -c 'requests per second')" 20
unlike "redis-benchmark meets no error" "$benchmark" '[Ee]rror|failed'
check_load redis redis-benchmark -p "$HOST_PORT" -n 60000 -q -t set,lpush -r 100000 -d 200
check_names redis '(zmalloc|sdsnew|dictAdd|dictExpand|_dictExpand|createObject|raxNew|createClient|sdsMakeRoomFor)[A-Za-z]*'
like "what is in use is shown too" "$(top "$HOST_URL/debug/pprof/heap" -cum)" 'dbAdd|setGenericCommand|call$|processCommand'

# The allocator answers redis's questions with figures of the memory that redis has.
used=$(cli info memory | tr -d '\r' | sed -n 's/^used_memory://p')
allocated=$(cli info memory | tr -d '\r' | sed -n 's/^allocator_allocated://p')
check "INFO memory: the allocator knows what redis uses ($used of $allocated)" test "$allocated" -ge "$((used * 8 / 10))"
like "MEMORY PURGE answers OK" "$(cli memory purge)" '^OK'
like "MEMORY DOCTOR answers" "$(cli memory doctor)" '[A-Za-z]{3}'
stop_host
is "redis ends with 0" "$HOST_STATUS" 0
finish
