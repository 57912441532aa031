# family.sh - the window of a server of many processes: one URL that always answers, and all workers behind it.
# shellcheck shell=bash
# shellcheck disable=SC2034

# ---- Who they are -------------------------------------------------------------------------------------------------------

# members - "PID ROLE" of each process behind the endpoint.
members() {
    curl -s --max-time 5 "$HOST_URL/debug/processes?format=json" | jq -r '.processes[] | "\(.pid) \(.role)"' 2>/dev/null
}

front_pid() {
    [ "$MODE" = without ] || members | awk '$2 == "front" { print $1 }'
}

# expected_members - those that live and wait: the first process and the workers.
expected_members() {
    { [ -n "${MAIN_IS_APART-}" ] || is_gone "$MAIN" || echo "$MAIN"
        server_workers; } | sort -n -u
}

missing_members() {
    comm -23 <(expected_members | sort) <(members | cut -d ' ' -f 1 | sort) 2>/dev/null
}

none_missing() {
    [ -n "$(members)" ] && [ -z "$(missing_members)" ]
}

# dead_members - those listed that do not live.
dead_members() {
    local pid role
    members | while read -r pid role; do ! is_gone "$pid" || echo "$pid $role"; done
}

# ---- A client that asks all the time ----------------------------------------------------------------------------------------

poll_endpoint() {
    POLLED=$RECORD/polled
    : >"$POLLED"
    setpriv --pdeathsig KILL python3 "$SRC/tests/servers/matrix/poll.py" "$ENDPOINT_PORT" "$POLLED" &
    POLLER=$!
    HOST_PIDS+=("$POLLER")
}

poll_ends() {
    kill "$POLLER"
    wait "$POLLER" 2>/dev/null
    forget_pid "$POLLER"
}

# polled WHAT - how many answers of that kind since the step began.
polled() {
    awk -v since="$STEP_BEGAN" -v what="$1" '$2 >= since && $3 == what { n++ } END { print n + 0 }' "$POLLED"
}

# longest_silence - the longest time between two good answers since the step began, in milliseconds.
longest_silence() {
    awk -v since="$STEP_BEGAN" '
        $2 >= since && $3 == "ok" { if (last && $2 - last > longest) longest = $2 - last }
        $3 == "ok" { last = $2 }
        END { printf "%d\n", longest * 1000 }' "$POLLED"
}

# is_overloaded - more than four processes a processor want to run: then a second says nothing.
is_overloaded() {
    awk -v processors="$(nproc)" '{ exit !($1 > 4 * processors) }' /proc/loadavg
}

# silence_allowed - in ms. Who closes the kept sockets past all hooks gets a listening socket of its own: not quite as soon.
silence_allowed() {
    [ -n "${IS_RAW-}" ] && echo 2000 || echo 1000
}

# What a client meets: nobody refused, at most the one request cut that a killed front was answering, and no long silence.
check_polled() {
    local refused cut
    refused=$(polled refused) cut=$(polled cut)
    case $STEP in
    reload | upgrade) is "$NAME: during $STEP nobody waits for ever" "$(polled hung)" 0 ;;
    *-killed)
        [ -n "${IS_RAW-}" ] || is "$NAME: during $STEP no connection is refused" "$refused" 0
        check "$NAME: during $STEP at most the one request in flight is cut ($cut)" test "$cut" -le 1
        if [ "$(longest_silence)" -gt 1000 ] && is_overloaded; then
            skip "$NAME: during $STEP the endpoint is never silent for a second ($(longest_silence) ms)" "the machine is overloaded"
        else
            check "$NAME: during $STEP the endpoint is never silent for a second ($(longest_silence) ms)" \
                test "$(longest_silence)" -le "$(silence_allowed)"
        fi
        ;;
    # A daemon's first process is the front until it ends.
    start) check "$NAME: during $STEP at most one request is cut ($cut), nobody waits for ever" \
        test "$cut" -le 1 -a "$(polled hung)" -eq 0 ;;
    *) is "$NAME: during $STEP nobody is refused, cut, or waits for ever" "$refused $cut $(polled hung)" "0 0 0" ;;
    esac
}

# ---- After each step ----------------------------------------------------------------------------------------------------------

endpoint_answers() {
    [ "$(status_of /debug/pprof/)" = 200 ]
}

# How long it may take until the endpoint is there: a new generation gets the port when the old one has gone.
family_check() {
    check "$NAME: after $STEP the endpoint answers at its one URL" wait_until 5 endpoint_answers
    wait_until 5 none_missing
    is "$NAME: after $STEP /debug/processes lists all processes" "$(missing_members | describe_pids)" ""
    is "$NAME: after $STEP it lists no dead one" "$(dead_members)" ""
    is "$NAME: after $STEP there is one front" "$(members | grep -c ' front$')" 1
    is "$NAME: after $STEP the heap is served" "$(status_of /debug/pprof/heap)" 200
    check_polled
}

describe_pids() {
    local pid
    while read -r pid; do
        [ -n "$pid" ] || continue
        echo "$pid $(cat "/proc/$pid/comm" 2>/dev/null) of $(stat -c %U "/proc/$pid" 2>/dev/null), threads: $(cat /proc/"$pid"/task/*/comm 2>/dev/null | xargs)"
    done
}

# scrape - the heap, until the load is done; the statuses are in $RECORD/scraped.
scrape() {
    until [ -e "$RECORD/loaded" ]; do
        curl -s --max-time 30 -o /dev/null -w '%{http_code}\n' "$HOST_URL/debug/pprof/heap"
    done >"$RECORD/scraped"
}

# ---- Profiles ---------------------------------------------------------------------------------------------------------------------

# pids_of FILE|URL - the values of the label pid, as pprof reads them.
pids_of() {
    timeout 60 go tool pprof -tags "$1" 2>"$WORK/pprof.err" |
        awk '/^ *[a-z_]+: Total/ { tag = $1 } tag == "pid:" && /%\): [0-9]+$/ { print $NF }' | sort -n -u
}

family_profiles() {
    local worker want
    want=$(expected_members | wc -l)
    is "$NAME: under load each heap is served" "$(sort -u "$RECORD/scraped")" 200
    if [ "$want" -gt 1 ]; then
        # A process that has taken no memory of its own since it was forked has no samples.
        is "$NAME: the heap has samples of workers, labelled pid" "$(pids_of "$HOST_URL/debug/pprof/heap" |
            comm -12 - <(server_workers | sort -n -u) | head -n 2 | wc -l)" 2
    fi
    for worker in $(server_workers | head -n 2); do
        is "$NAME: ?pid= shows one worker" "$(status_of "/debug/pprof/heap?pid=$worker") $(pids_of "$WORK/body" |
            grep -vx "$worker")" "200 "
    done
    is "$NAME: ?pid= of a stranger is not there" "$(status_of "/debug/pprof/heap?pid=1")" 404
    is "$NAME: allocs are served" "$(status_of /debug/pprof/allocs)" 200
    is "$NAME: a client of gperftools is served" "$(status_of /pprof/heap)" 200
}
