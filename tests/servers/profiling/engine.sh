# engine.sh - one real server under load, every thread of all of its processes profiled 1,000 times a second, by CPU and by wall time,
# while its threads are dumped again and again: it serves every request, logs and ends as ever, and the profiles are right.
#
# A driver (test_profiling_*.sh) is a table of functions and facts; it calls profile_server NAME. The server listens at $HOST_PORT;
# its files are below $DIR, the same path in both runs.
#
#   server_prepare       writes the configuration
#   server_command       sets COMMAND, the array that starts it in the foreground
#   server_load SECONDS  asks it all the time; prints what failed, and fails if anything did
#   server_log           prints its logs without times and pids, beside what it writes on stdout and stderr
#
# NAMES: functions of the server, as a pattern; PROCESSES, how many serve (1); ENDS_WITH, its status (0), on the signal STOPS_BY (TERM);
# HIDDEN_PERCENT, how many threads that wait may have no stack (3); REFUSES, why it may refuse a dump while a profile is taken.
#
# PORTHOLE_TEST_LONG=1: 30 s each.
# shellcheck shell=bash
# shellcheck disable=SC2034

. "$(dirname "${BASH_SOURCE[0]}")/../../lib.sh"
PATH=$PATH:/usr/sbin

CPU_SECONDS=2 WALL_SECONDS=1
[ -z "${PORTHOLE_TEST_LONG-}" ] || CPU_SECONDS=30 WALL_SECONDS=30
PROCESSES=1 ENDS_WITH=0 STOPS_BY=TERM INCOMPLETE_PERCENT=5 HIDDEN_PERCENT=3 REFUSES='^$'
LOST_PERCENT=3
declare -A OWN_PERCENT=([cpu]=0 [wall]=2)
SLACK_MS=100
BUSY_TICKS=20 # of 10 ms: so much CPU time is seen in a profile

chmod 711 "$WORK" # workers are another user
DIR=$WORK/server
IS_ROOT=$([ "$(id -u)" -eq 0 ] && echo 1)
WORKER_USER=$([ -n "$IS_ROOT" ] && echo www-data || id -un)
WORKER_GROUP=$(id -gn "$WORKER_USER")

# ---- The server -----------------------------------------------------------------------------------------------------

start_server() {
    rm -rf "$DIR"
    mkdir -p "$DIR"
    server_prepare
    server_command
    start_host "$1" server "${COMMAND[@]}"
    wait_for_port "$HOST_PORT" 20 || echo "# $NAME does not listen: $(tail -n 5 "$HOST_ERR" "$HOST_OUT")"
}

# server_pids - all of its processes.
server_pids() {
    ps -e -o pid=,ppid= | awk -v root="$HOST_PID" '
        { parent[$1] = $2 }
        END {
            for (pid in parent) {
                for (up = pid; up in parent && up != root && up > 1;) up = parent[up]
                if (up == root) print pid
            }
        }' | sort -n
}

# ticks - "PID TICKS" of each process: what its own threads have used, without Porthole's.
ticks() {
    local pid
    for pid in $(server_pids); do
        cat /proc/"$pid"/task/*/stat 2>/dev/null | awk -v pid="$pid" '
            { own = /^[0-9]+ \(porthole\//; sub(/.*\) /, "") }
            !own { sum += $12 + $13 }
            END { print pid, sum + 0 }'
    done | sort
}

load_http() {
    h2load --h1 -D "$1" -c "$2" -t 1 "http://127.0.0.1:$HOST_PORT$3" 2>&1 |
        awk '/^(requests|status codes):/ { print } /^requests:.*[1-9][0-9]* succeeded, 0 failed, 0 errored, 0 timeout/ { good++ }
            /^status codes: [1-9][0-9]* 2xx, 0 3xx, 0 4xx, 0 5xx/ { good++ } END { exit good != 2 }'
}

# In pieces, as it is not known how long all else takes.
load_on() {
    while [ -e "$WORK/busy" ]; do server_load $((CPU_SECONDS + 2)) || return; done
}

all_ticks() {
    ticks | awk '{ sum += $2 } END { print sum + 0 }'
}

# load_has_begun - the server has used some CPU time since RESTED.
load_has_begun() {
    [ "$(all_ticks)" -ge $((RESTED + 10)) ]
}

# measure_on - what each process uses while CPU time is profiled.
measure_on() {
    ticks >"$WORK/ticks"
    sleep $CPU_SECONDS
    ticks | join "$WORK/ticks" - | awk '{ print $1, $3 - $2 }' >"$WORK/used"
}

# check_load WHAT STATUS FILE - of server_load.
check_load() {
    if [ "$2" -eq 0 ]; then
        pass "$NAME $1"
    else
        fail "$NAME $1" "$(tail -n 20 "$3")"
    fi
    sed 's/^/#   /' "$3"
}

all_logs() {
    {
        server_log
        "$NORMALISE" <"$HOST_OUT"
        other_lines "$HOST_ERR"
    } | sort -u
}

# ---- Dumps ----------------------------------------------------------------------------------------------------------

# dump - takes one into $WORK/dump, prints "STATUS THREADS INTERRUPTED", or "STATUS REASON".
dump() {
    curl -s --max-time 30 -o "$WORK/dump" -w '%{http_code} ' "$HOST_URL/debug/threads?format=json"
    jq -r '.detail // "\(.threads | length) \(.interrupted_threads)"' "$WORK/dump" 2>&1 | head -n 1
}

dump_on() {
    while [ -e "$WORK/busy" ]; do dump; done
}

# A server at rest has threads that wait; some wake now and then, and one that runs just then is asked by a signal.
none_interrupted() {
    [[ $(dump) =~ ^200\ [1-9][0-9]*\ 0$ ]]
}

# ---- Profiles -------------------------------------------------------------------------------------------------------

# raw FILE - pprof's plain form.
raw() {
    timeout 60 go tool pprof -raw "$1" 2>"$WORK/pprof.err"
}

# samples RAW - a line each: "COUNT NANOSECONDS PID TID THREAD", - where there is no such label.
samples() {
    awk '
        function tell() { if (count) print count, ns, label["pid"], label["tid"], label["thread"] }
        /^Locations/ { tell(); exit }
        /^ +[0-9]+ +[0-9]+:/ {
            tell()
            count = $1; ns = $2; sub(/:.*/, "", ns)
            label["pid"] = label["tid"] = label["thread"] = "-"
            next
        }
        count { for (key in label) if (match($0, "(^| )" key ":\\[[^]]*\\]")) {
            text = substr($0, RSTART, RLENGTH); sub(/^.*\[/, "", text); sub(/\]$/, "", text); gsub(/ /, "_", text); label[key] = text } }
    ' "$1"
}

# percent PART WHOLE - rounded up.
percent() {
    echo $((($1 * 100 + $2 - 1) / ($2 > 0 ? $2 : 1)))
}

# check_profile KIND - what was got as $WORK/KIND.
check_profile() {
    local kind=$1 count ns lost unanswered hidden cut stacks own
    raw "$WORK/$kind" >"$WORK/$kind.raw"
    samples "$WORK/$kind.raw" >"$WORK/$kind.samples"
    read -r count ns < <(awk '{ count += $1; ns += $2 } END { printf "%d %.0f\n", count, ns }' "$WORK/$kind.samples")
    # A thread that runs and waits for a processor, of which there are few here, does not answer the profile of wall time soon enough.
    read -r lost unanswered hidden cut stacks < <(sed -nE 's/^Comment: (process [0-9]+: )?//p' "$WORK/$kind.raw" | awk '
        / samples of running threads/ { unanswered += $1 }
        / samples of blocked threads/ { hidden += $1 }
        / samples (were lost|are left out|have lost)/ { lost += $1 }
        / stacks are not complete/ { cut += $1; stacks += $3 }
        END { print lost + 0, unanswered + 0, hidden + 0, cut + 0, stacks + 0 }')
    echo "# $NAME, $kind: $count samples, $((ns / 1000000)) ms; $lost lost, $unanswered without an answer, $hidden hidden; of some $stacks stacks $cut are not complete"
    sed -n 's/^Comment: /#   /p' "$WORK/$kind.raw"
    check "$NAME, $kind: there are samples" test "$count" -ge 20
    check "$NAME, $kind: few were lost" test "$(percent "$lost" $((count + lost)))" -le $LOST_PERCENT
    check "$NAME, $kind: few threads that wait have no stack" test "$(percent "$hidden" $((count + hidden)))" -le "$HIDDEN_PERCENT"
    check "$NAME, $kind: few stacks are not complete" test "$(percent "$cut" "$count")" -le "$INCOMPLETE_PERCENT"
    is "$NAME, $kind: each sample has the labels tid and thread" \
        "$(awk '$4 !~ /^[0-9]+$/ || $5 == "-"' "$WORK/$kind.samples" | head -n 3)" ""
    # One that was made for a request and has not run yet is not known as such.
    own=$(awk '$5 ~ /^porthole\// { sum += $1 } END { print sum + 0 }' "$WORK/$kind.samples")
    check "$NAME, $kind: threads of Porthole are not in it ($own samples)" test "$(percent "$own" "$count")" -le "${OWN_PERCENT[$kind]}"
    like "$NAME, $kind: go tool pprof -top names functions of the server" \
        "$(timeout 60 go tool pprof -top -cum -nodecount=1000 "$WORK/$kind" 2>/dev/null)" " ($NAMES)"
    like "$NAME, $kind: go tool pprof -tags tells threads" \
        "$(timeout 60 go tool pprof -tags "$WORK/$kind" 2>/dev/null)" '^ *thread: Total'
}

# check_focus KIND - the process with the most samples, taken out by its label: a text, so by a pattern, as pprof looks for plain numbers among numbers only.
check_focus() {
    local kind=$1 pid focused
    [ "$PROCESSES" -gt 1 ] || return
    pid=$(awk '{ sum[$3] += $2 } END { for (pid in sum) print sum[pid], pid }' "$WORK/$kind.samples" | sort -n | tail -n 1 | cut -d ' ' -f 2)
    like "$NAME: go tool pprof -tags has the label pid" "$(timeout 60 go tool pprof -tags "$WORK/$kind" 2>/dev/null)" '^ *pid: Total'
    timeout 60 go tool pprof -raw -tagfocus "pid=^$pid\$" "$WORK/$kind" 2>/dev/null >"$WORK/focused.raw"
    focused=$(samples "$WORK/focused.raw")
    is "$NAME: go tool pprof -tagfocus 'pid=^$pid\$' has its samples" "$(sort <<<"$focused")" \
        "$(awk -v pid="$pid" '$3 == pid' "$WORK/$kind.samples" | sort)"
    like "$NAME: and names its functions" \
        "$(timeout 60 go tool pprof -top -cum -tagfocus "pid=^$pid\$" "$WORK/$kind" 2>/dev/null)" " ($NAMES)"
}

# What used CPU time meanwhile is in the profile; both were begun at about the same time.
check_cpu() {
    local used_ms found_ms busy
    used_ms=$(awk '{ sum += $2 } END { print sum * 10 }' "$WORK/used")
    found_ms=$(awk '{ sum += $2 } END { printf "%d\n", sum / 1e6 }' "$WORK/cpu.samples")
    check "$NAME: the CPU profile has the time that was used ($found_ms of $used_ms ms)" \
        test $(((found_ms + SLACK_MS) * 2)) -ge "$used_ms" -a "$found_ms" -le $(((used_ms + SLACK_MS) * 2))
    [ "$PROCESSES" -gt 1 ] || return
    busy=$(awk -v busy=$BUSY_TICKS '$2 >= busy { print $1 }' "$WORK/used")
    is "$NAME: each process that ran is in it, by the label pid ($(wc -w <<<"$busy"))" \
        "$(cut -d ' ' -f 3 "$WORK/cpu.samples" | sort -u | comm -13 - <(sort -u <<<"$busy"))" ""
}

check_wall() {
    [ "$PROCESSES" -gt 1 ] || return
    is "$NAME: each process is in the profile of wall time" \
        "$(cut -d ' ' -f 3 "$WORK/wall.samples" | sort -u | comm -13 - <(members))" ""
}

members() {
    curl -s --max-time 30 "$HOST_URL/debug/processes?format=json" | jq -r '.processes[].pid' | sort -u
}

members_are_there() {
    [ "$(members | wc -l)" -ge "$PROCESSES" ]
}

profile() {
    curl -s --max-time $(($2 + 30)) -o "$WORK/$1" -w '%{http_code}' "$HOST_URL/debug/pprof/$3?seconds=$2&hz=1000"
}

# ---- The whole ------------------------------------------------------------------------------------------------------

run_plain() {
    start_server without
    server_load 1 >"$WORK/load.plain"
    check_load "serves without Porthole" $? "$WORK/load.plain"
    stop_host $STOPS_BY
    is "$NAME ends with $ENDS_WITH without Porthole" "$HOST_STATUS" "$ENDS_WITH"
    all_logs >"$WORK/logs.plain"
}

run_profiled() {
    local load dumps measure
    start_server with
    check "$NAME: all of its processes are there" wait_until 10 members_are_there
    check "$NAME, idle: a dump interrupts nobody" wait_until 10 none_interrupted
    RESTED=$(all_ticks)
    touch "$WORK/busy"
    load_on >"$WORK/load" &
    load=$!
    wait_until 20 load_has_begun
    dump_on >"$WORK/dumps" &
    dumps=$!
    measure_on &
    measure=$!
    is "$NAME under load: CPU time is profiled" "$(profile cpu $CPU_SECONDS profile)" 200
    wait $measure
    is "$NAME under load: wall time is profiled" "$(profile wall $WALL_SECONDS wall)" 200
    rm "$WORK/busy"
    wait $load
    check_load "serves every request meanwhile" $? "$WORK/load"
    wait $dumps
    check "$NAME under load: threads are dumped meanwhile ($(wc -l <"$WORK/dumps") times)" test "$(wc -l <"$WORK/dumps")" -ge 2
    is "$NAME under load: each dump is served" "$(grep -vE "^200 [1-9]|$REFUSES" "$WORK/dumps" | head -n 5)" ""
    check_profile wall
    check_wall
    check_profile cpu
    check_cpu
    check_focus cpu
    stop_host $STOPS_BY
    is "$NAME ends with $ENDS_WITH" "$HOST_STATUS" "$ENDS_WITH"
    all_logs >"$WORK/logs"
    is "$NAME logs nothing new" "$(comm -13 "$WORK/logs.plain" "$WORK/logs")" ""
}

profile_server() {
    NAME=$1
    HOST_PORT=$(free_port "${PORTS:-1}")
    run_plain
    run_profiled
    finish
}
