# storm.sh - what the storms share: how long they last, scraping meanwhile, and what a process holds.
#
# PORTHOLE_SOAK=1 (make soak) makes them long; without it each is short enough for every run of the tests.
# shellcheck shell=bash
# shellcheck disable=SC2034
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# long_or_short LONG SHORT
long_or_short() {
    [ -n "${PORTHOLE_SOAK-}" ] && echo "$1" || echo "$2"
}

build_storm() {
    gcc -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -I"$SRC/tests/servers" -o "$WORK/host_storm" \
        "$SRC/tests/storms/host_storm.c" -pthread || {
        echo "Bail out! cannot build host_storm"
        exit 1
    }
}

# start_storm NAME - host_storm with Porthole, ready, on $LINE.
start_storm() {
    HOST_PORT=$(free_port)
    start_host with "$1" "$WORK/host_storm" "$HOST_PORT"
    wait_for_port "$HOST_PORT" && wait_for_port "$ENDPOINT_PORT"
    open_line "$HOST_PORT"
}

# order SECONDS COMMAND - as say_line, with more time for the answer.
order() {
    local answer=
    printf '%s\n' "$2" >&"$LINE"
    IFS= read -r -t "$1" answer <&"$LINE"
    printf '%s\n' "$answer"
}

# ---- Scraping: each request is one line, "PATH STATUS SECONDS", in $WORK/scraped ---------------------------------------

scrape_on() {
    local path
    while [ -e "$WORK/scraping" ]; do
        for path in "$@"; do
            curl -s --max-time 20 -o /dev/null -w "$path %{http_code} %{time_total}\n" "$HOST_URL$path" >>"$WORK/scraped"
        done
    done
}

start_scraping() {
    : >"$WORK/scraped"
    touch "$WORK/scraping"
    scrape_on "$@" &
    SCRAPER=$!
    HOST_PIDS+=("$SCRAPER")
}

# stop_scraping NAME AT_LEAST - and judge.
stop_scraping() {
    rm "$WORK/scraping"
    wait "$SCRAPER"
    forget_pid "$SCRAPER"
    local count
    count=$(wc -l <"$WORK/scraped")
    check "$1: it was scraped meanwhile ($count times)" test "$count" -ge "$2"
    is "$1: every request was served" "$(awk '$2 != 200' "$WORK/scraped" | head -n 5)" ""
    is "$1: none took longer than 10 s" "$(awk '$3 > 10' "$WORK/scraped" | head -n 5)" ""
}

# ---- What a process holds ------------------------------------------------------------------------------------------

# own_thread_of PID - the thread that serves; it has our descriptors.
own_thread_of() {
    grep -l '^porthole/http' /proc/"$1"/task/*/comm 2>/dev/null | head -n 1 | cut -d / -f 5
}

descriptors_of() {
    find "/proc/$1/task/$2/fd" -mindepth 1 2>/dev/null | wc -l
}

# holdings PID - "DESCRIPTORS OWN-DESCRIPTORS THREADS", what must not change.
holdings() {
    local thread
    thread=$(own_thread_of "$1")
    echo "$(descriptors_of "$1" "$1") $(descriptors_of "$1" "$thread") $(find "/proc/$1/task" -mindepth 1 -maxdepth 1 | wc -l)"
}

# watchers PID - connections at the name that the front holds: members watch it, and must be gone when they are.
watchers() {
    local name
    name=$(find "/proc/$1/task/$(own_thread_of "$1")/fd" -lname 'socket:*' -printf '%l\n' | tr -cd '0-9\n' |
        awk 'NR == FNR { ours[$1] = 1; next } $7 in ours && $8 ~ /^@porthole-front/ { print $8 }' - /proc/net/unix)
    [ -n "$name" ] && grep -F "$name" /proc/net/unix | wc -l
}

rss_kib() {
    awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"
}

# members - the pids that the endpoint tells, in order.
members() {
    curl -s --max-time 10 "$HOST_URL/debug/processes?format=json" |
        python3 -c 'import json, sys; print(*sorted(p["pid"] for p in json.load(sys.stdin)["processes"]))'
}

# settled BEFORE - the process holds what it held before, and is alone in its family.
settled() {
    [ "$(holdings "$HOST_PID")" = "$1" ] && [ "$(members)" = "$HOST_PID" ] && [ "$(watchers "$HOST_PID")" = 1 ]
}

# check_settled NAME HOLDINGS - nothing is left of the storm but, perhaps, memory.
check_settled() {
    wait_until 10 settled "$2"
    is "$1: descriptors, own descriptors and threads are what they were" "$(holdings "$HOST_PID")" "$2"
    is "$1: it is alone in its family" "$(members)" "$HOST_PID"
    is "$1: nobody watches it: only its own socket has the name" "$(watchers "$HOST_PID")" 1
    is "$1: it has no child" "$(cat /proc/"$HOST_PID"/task/*/children)" ""
}
