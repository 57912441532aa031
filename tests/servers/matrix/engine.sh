# engine.sh - one real server through the matrix: {starts, serves 10,000 requests, reloads, is upgraded, loses a worker,
# loses the front, stops; loses its first process} × {without Porthole, with}.
#
# What a step printed, its exit status and what the server answers afterwards is written to a file; in the end the files of
# both runs must be equal, and so must logs, files, descriptors and exit statuses. With Porthole there are more checks: family.sh.
#
# A driver (test_*.sh) is a table of functions; it calls matrix NAME. All files of the server are below $DIR, the same path in
# both runs; it listens at $HOST_PORT.
#
#   server_prepare     writes the configuration
#   server_command     sets COMMAND, the array that starts it
#   server_main        prints the pid of its first process, once it serves
#   server_workers     prints the pids of its workers, processes that wait for work, one a line
#   server_answers     asks it for this and that, prints the answers
#   server_load        10,000 requests; prints what does not differ from run to run
#   server_reload      optional; server_upgrade: another main process takes over, optional
#   server_stop
#   server_logs        prints its logs without times and pids
#
# and of facts: WORKERS, how many there are when it is at rest; IS_DAEMON=1 if COMMAND ends once the server runs; START_LINES,
# how many programs that still have their stderr begin to listen in the first scene (a pattern, default 1); ORPHANS_END=1 if nothing stays
# without the first process; WORKERS_ARE_VITAL=1 if nothing stays without a worker; DESCRIPTORS, a filter for what differs between two runs by itself; MAIN_IS_APART=1 if the first process has
# exec'ed something that does not serve and so is no member.
# shellcheck shell=bash
# shellcheck disable=SC2034

. "$(dirname "${BASH_SOURCE[0]}")/../../lib.sh"
. "$SRC/tests/servers/matrix/family.sh"
PATH=$PATH:/usr/sbin

chmod 711 "$WORK" # workers are another user
mkdir -p "$WORK/matrix"
build_host matrix/reaper
IS_ROOT=$([ "$(id -u)" -eq 0 ] && echo 1)
WORKER_USER=$([ -n "$IS_ROOT" ] && echo www-data || id -un)
WORKER_GROUP=$(id -gn "$WORKER_USER")
WORKERS=0 IS_DAEMON=1 START_LINES=1 DESCRIPTORS=cat
KILLED=()

has() {
    declare -F "$1" >/dev/null
}

# ---- The server as processes ----------------------------------------------------------------------------------------

# as_server COMMAND... - in the environment of the server, as its unit file would run it: control commands too.
as_server() {
    local -a environment=(TMPDIR="$DIR/tmp")
    [ "$MODE" = without ] || environment+=(PORTHOLE_LISTEN="127.0.0.1:$ENDPOINT_PORT" PORTHOLE_HEAP_SAMPLE=4KiB "${PRELOAD[@]}")
    env "${environment[@]}" "$@"
}

start_server() {
    mkdir -p "$DIR/tmp"
    chmod 1777 "$DIR/tmp"
    server_prepare
    server_command
    REAPED=$RECORD/reaped
    : >"$REAPED"
    SEEN=" "
    (
        exec >"$DIR/out" 2>"$DIR/err" </dev/null
        export TMPDIR=$DIR/tmp
        if [ "$MODE" = with ]; then
            export PORTHOLE_LISTEN=127.0.0.1:$ENDPOINT_PORT PORTHOLE_HEAP_SAMPLE=4KiB
            COMMAND=(env "${PRELOAD[@]}" "${COMMAND[@]}")
        fi
        exec "$WORK/matrix/reaper" "$REAPED" "${COMMAND[@]}"
    ) &
    REAPER=$!
    HOST_PIDS+=("$REAPER")
    wait_until 10 test -s "$REAPED" || echo "the reaper has not started"
    STARTED=$(awk '$2 == "started" { print $1 }' "$REAPED")
    [ -z "$IS_DAEMON" ] || wait_until 20 has_ended "$STARTED" || echo "the command that starts it does not end"
    wait_until 20 is_listening || echo "it does not listen: $(tail -n 5 "$DIR/err" "$DIR/out")"
    wait_until 10 main_is_known || echo "its pid is not known"
    MAIN=$(server_main)
    workers_are_there || echo "not all workers are there: $(server_workers | xargs)"
    wait_until 10 has_settled
}

# is_listening - told without a connection: whoever accepts one while nginx's master still sends its workers one another's
# sockets gets other numbers for these.
is_listening() {
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        awk -v port="$(printf ':%04X$' "$HOST_PORT")" '$2 ~ port && $4 == "0A" { found = 1 } END { exit !found }'
}

main_is_known() {
    [ -n "$(server_main)" ]
}

# has_ended PID - and it was the reaper who saw it.
has_ended() {
    grep -qE "^$1 (exited|killed) " "$REAPED"
}

# tell_end - of the first process; the reaper may have it a moment later.
tell_end() {
    wait_until 5 has_ended "$MAIN"
    echo "its first process $(ended "$MAIN")"
}

# ended PID - how.
ended() {
    sed -n "s/^$1 \(exited\|killed\)/\1/p" "$REAPED"
}

# children PID... - their living children.
children() {
    local parent
    for parent; do [ -z "$parent" ] || pgrep -P "$parent" -r D,R,S,T,t; done
}

# server_pids - all processes of the server, whoever is their parent.
server_pids() {
    ps -e -o pid=,ppid=,stat= | awk -v root="$REAPER" '
        { parent[$1] = $2; state[$1] = $3 }
        END {
            for (pid in parent) {
                for (up = pid; up in parent && up != root && up > 1;) up = parent[up]
                if (up == root && pid != root && state[pid] !~ /^Z/) print pid
            }
        }' | sort -n
}

zombies() {
    ps -e -o pid=,ppid=,stat= | awk -v main="$MAIN" '$2 == main && $3 ~ /^Z/ { print $1 }'
}

workers_are() {
    [ "$(server_workers | wc -w)" -eq "$1" ]
}

workers_are_there() {
    wait_until 15 workers_are "$WORKERS"
}

all_gone() {
    local pid
    for pid; do is_gone "$pid" || return 1; done
}

nothing_runs() {
    [ -z "$(server_pids)" ]
}

port_is_free() {
    ! port_answers "$1"
}

end_reaper() {
    kill -TERM "$REAPER"
    wait "$REAPER" 2>/dev/null
    forget_pid "$REAPER"
}

# ---- Steps ----------------------------------------------------------------------------------------------------------

# step NAME COMMAND... - and what is to be seen afterwards.
step() {
    STEP=$1
    shift
    STEP_BEGAN=$(date +%s.%N)
    {
        "$@"
        echo "status $?"
        workers_are_there && echo "$WORKERS workers" || echo "$(server_workers | wc -w) workers"
        wait_until 5 eval '[ -z "$(zombies)" ]' || echo "zombies: $(zombies | wc -w)"
        server_answers
    } >"$RECORD/$STEP" 2>&1
    SEEN+="$(server_pids | xargs) "
    [ "$MODE" = without ] || family_check
}

# With Porthole somebody asks for the heap of all workers all the while.
load_step() {
    local scraping status
    if [ "$MODE" = with ]; then
        scrape &
        scraping=$!
    fi
    server_load
    status=$?
    if [ "$MODE" = with ]; then
        touch "$RECORD/loaded"
        wait "$scraping"
    fi
    return $status
}

reload_step() {
    local before
    before=$(server_workers)
    server_reload
    echo "command $?"
    # shellcheck disable=SC2086
    [ -n "${KEEPS_WORKERS-}" ] || wait_until 20 all_gone $before || echo "workers of before the reload stay"
    MAIN=$(server_main)
    ! is_gone "$MAIN" || echo "its first process has gone"
}

upgrade_step() {
    local before=$MAIN
    server_upgrade
    echo "command $?"
    wait_until 20 has_ended "$before" || echo "the process that was replaced stays"
    echo "it ended: $(ended "$before")"
    MAIN=$(server_main)
    ! is_gone "$MAIN" || echo "the new one is not there"
}

# kill_one PID - and wait until all workers are there again.
kill_one() {
    kill -KILL "$1" || return
    wait_until 10 is_gone "$1" || echo "it is still there"
}

worker_step() {
    kill_one "$(server_workers | tail -n 1)"
}

# The front, if that is a worker; the first process is the matter of another scene.
front_step() {
    local front
    front=$(front_pid)
    server_workers | grep -qx "${front:-none}" || front=$(server_workers | head -n 1)
    kill_one "$front"
}

stop_step() {
    server_stop
    echo "command $?"
    wait_until 20 nothing_runs || echo "still there: $(server_pids | xargs -r ps -o comm= -p)"
    tell_end
    [ "$STARTED" = "$MAIN" ] || echo "the command that started it $(ended "$STARTED")"
}

# ---- What it looks like and what it leaves ----------------------------------------------------------------------------

without_inodes() {
    sed -E 's/:\[[0-9]+\]/:[N]/; s/wgunicorn-.*/wgunicorn/; s/ \(deleted\)//'
}

# Pids, as files have them in their names.
without_pids() {
    sed -E 's/([.-])[0-9]{2,}/\1N/g'
}

# descriptors PID... - those below 512, as the server sees them; Porthole's one, of a server that forks, is above.
descriptors() {
    local pid
    for pid; do
        find "/proc/$pid/fd" -mindepth 1 -printf '%f %l\n' 2>/dev/null | awk '$1 < 512' | sort -n
    done | sort -u | without_inodes | "$DESCRIPTORS"
}

# Established, or closed by the client only.
has_no_connections() {
    ! awk -v port="$(printf ':%04X$' "$HOST_PORT")" '$2 ~ port && ($4 == "01" || $4 == "08") { found = 1 } END { exit !found }' /proc/net/tcp
}

looks() {
    # shellcheck disable=SC2046
    {
        echo "main:"
        descriptors "$MAIN"
        echo "workers:"
        descriptors $(server_workers)
    }
}

# The same three times in a row: on a busy machine a worker may still be at its start when others have answered.
has_settled() {
    local turn
    looks >"$RECORD/looks"
    for turn in 1 2; do
        sleep 0.2
        looks | cmp -s - "$RECORD/looks" || return 1
    done
}

record_looks() {
    wait_until 5 has_no_connections
    wait_until 10 has_settled
    mv "$RECORD/looks" "$RECORD/descriptors"
}

record_rest() {
    local pid
    {
        wait_until 5 port_is_free "$HOST_PORT" || echo "the port is in use"
        find "$DIR" -mindepth 1 -printf '%P %y %m %u\n' | without_pids | sort -u
        find /dev/shm /tmp -maxdepth 1 -newer "$RECORD/reaped" -name 'porthole-[^t]*' -o -name 'jeprof*' -newer "$RECORD/reaped"
    } >"$RECORD/files" 2>&1
    {
        for pid in $SEEN; do grep -E "@porthole/$pid\$" /proc/net/unix; done
        [ "$MODE" = without ] || grep -F "porthole-at/127.0.0.1:$ENDPOINT_PORT" /proc/net/unix
    } >"$RECORD/sockets"
    server_logs | grep -v 'porthole: ' >"$RECORD/logs"
    "$NORMALISE" <"$DIR/out" | grep -v '^porthole: ' >"$RECORD/stdout"
    "$NORMALISE" <"$DIR/err" | grep -v '^porthole: ' >"$RECORD/stderr"
    grep -rhaE '(^|[^/])porthole: ' "$DIR" --include=err --include='*log*' >"$RECORD/own-lines"
    awk '$2 != "started" { print $2, $3 }' "$REAPED" | sort | uniq -c >"$RECORD/statuses"
}

# ---- Scenes -----------------------------------------------------------------------------------------------------------

begin_scene() {
    MODE=$1 SCENE=$2
    DIR=$PLACE/server
    RECORD=$PLACE/$MODE.$SCENE
    rm -rf "$DIR"
    mkdir -p "$DIR" "$RECORD"
    chmod 755 "$PLACE" "$DIR"
    [ "$MODE" = without ] || poll_endpoint
}

# scene_serves MODE - a whole life.
scene_serves() {
    begin_scene "$1" serves
    step start start_server
    record_looks
    step load load_step
    [ "$MODE" = without ] || family_profiles
    ! has server_reload || step reload reload_step
    ! has server_upgrade || step upgrade upgrade_step
    if [ "$WORKERS" -gt 0 ] && [ -z "${WORKERS_ARE_VITAL-}" ]; then
        step worker-killed worker_step
        step front-killed front_step
    fi
    [ "$MODE" = without ] || poll_ends
    STEP=stop
    stop_step >"$RECORD/stop" 2>&1
    end_reaper
    record_rest
}

# scene_loses MODE first-process|worker - it is killed: what do the others do?
scene_loses() {
    begin_scene "$1" "loses-$2"
    start_server >"$RECORD/start" 2>&1
    SEEN+="$(server_pids | xargs) "
    STEP=$2-killed
    STEP_BEGAN=$(date +%s.%N)
    {
        [ "$2" = worker ] && kill_one "$(server_workers | tail -n 1)" || kill_one "$MAIN"
        if [ -n "${ORPHANS_END-}" ]; then
            wait_until 20 nothing_runs || echo "still there: $(server_pids | wc -l)"
        else
            echo "left: $(server_pids | wc -l)"
            server_answers
        fi
    } >"$RECORD/$STEP" 2>&1
    [ "$MODE" = without ] || [ -n "${ORPHANS_END-}" ] || family_check
    [ "$MODE" = without ] || poll_ends
    STEP=stop
    {
        server_pids | xargs -r kill -TERM
        wait_until 20 nothing_runs || echo "still there: $(server_pids | wc -l)"
        tell_end
    } >"$RECORD/stop" 2>&1
    end_reaper
    record_rest
}

# What a file of the record is called in a test's name.
declare -A RECORD_NAMES=([start]="starts" [load]="serves 10,000 requests" [reload]="reloads" [upgrade]="is upgraded"
    [worker-killed]="goes on after a worker was killed" [front-killed]="goes on after the front was killed" [stop]="stops"
    [first-process-killed]="loses its first process" [descriptors]="has the same descriptors" [files]="leaves the same files"
    [logs]="writes the same logs" [stdout]="writes the same on stdout" [stderr]="writes the same on stderr"
    [statuses]="ends with the same statuses")

compare_scene() {
    local scene=$1 step
    for step in start load reload upgrade worker-killed front-killed first-process-killed stop descriptors files logs stdout \
        stderr statuses; do
        [ -e "$PLACE/without.$scene/$step" ] || continue
        is "$NAME ($scene): ${RECORD_NAMES[$step]}, as without Porthole" \
            "$(cat "$PLACE/with.$scene/$step")" "$(cat "$PLACE/without.$scene/$step")"
    done
    is "$NAME ($scene): no socket of Porthole stays" "$(cat "$PLACE/with.$scene/sockets")" ""
}

matrix() {
    local what
    NAME=$1 PLACE=$WORK/${1//[^a-z0-9]/_}
    : "${HOST_PORT:=$(free_port "${PORTS:-1}")}"
    ENDPOINT_PORT=$(free_port)
    HOST_URL=http://127.0.0.1:$ENDPOINT_PORT
    scene_serves without
    unlike "$NAME works without Porthole" "$(cat "$RECORD"/{start,load,reload,upgrade,*-killed,stop} 2>/dev/null)" \
        '^(command|status) [1-9]|stays?$|not there|still there|zombies|does not|curl failed|in use'
    scene_serves with
    compare_scene serves
    # What gets its port later, when an older generation has gone, says so: "opens …, too".
    like "$NAME: one start line for each program that listens" \
        "$(grep -c ' opens http://127.0.0.1:[^ ]*$' "$RECORD/own-lines")" "^$START_LINES\$"
    unlike "$NAME: and no other line" "$(grep -v ' opens ' "$RECORD/own-lines")" .
    for what in first-process ${WORKERS_ARE_VITAL:+worker}; do
        scene_loses without $what
        scene_loses with $what
        compare_scene "loses-$what"
    done
}
