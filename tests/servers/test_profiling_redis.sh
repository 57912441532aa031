#!/bin/bash
# redis, profiled under load.
. "$(dirname "$0")/profiling/engine.sh"
NAMES='(ae|call$|process|dict|sds|lookup|addReply|read|write)[A-Za-z]*'

server_prepare() {
    :
}

server_command() {
    COMMAND=(redis-server --bind 127.0.0.1 --port "$HOST_PORT" --save "" --appendonly no --dir "$DIR"
        --logfile "$DIR/redis.log")
}

server_load() {
    local until=$((SECONDS + $1 + 1)) answers
    while [ "$SECONDS" -lt "$until" ]; do
        answers=$(timeout 120 redis-benchmark -p "$HOST_PORT" -q -c 20 -n 2000 -r 10000 -t set,get,incr,lpush,lrange_100,hset,zadd 2>&1) ||
            return
        [ "$(tr '\r' '\n' <<<"$answers" | grep -c 'requests per second')" -ge 7 ] && ! grep -iE 'error|fail' <<<"$answers" || return
    done
}

server_log() {
    sed -E 's/^[0-9]+:([A-Z]|signal-handler) ?(\(?[0-9]+\)?)( [A-Za-z]+ [0-9]+ [0-9:.]+)?/\1/
        s/pid[= ][0-9]+/PID/; s/[0-9.]+ (MB|Mb|seconds|usec)/N \1/g' "$DIR/redis.log"
}

profile_server redis
