#!/bin/bash
# A host that knows where its CPU time goes, and what profiles say about it: shares within 2 points.
. "$(dirname "$0")/../lib.sh"
build_host host_burn

# The kernel looks at timers 250 times a second of CPU (CONFIG_HZ): so much CPU for 4,000 looks, in profiles of some seconds.
ENOUGH_NS=16000000000
PROFILE_SECONDS=12
PROFILES_MOST=5

# shares_between BEFORE AFTER - lines "FUNCTION PERCENT" of what the host has spent between two answers.
shares_between() {
    awk -v before="$1" -v after="$2" 'BEGIN {
        count = split(before, b); split(after, a)
        for (i = 1; i < count; i += 2) total += a[i + 1] - b[i + 1]
        for (i = 1; i < count; i += 2) printf "%s %.2f\n", a[i], 100 * (a[i + 1] - b[i + 1]) / total
    }'
}

# shares_of KIND - the same from the profiles $WORK/KIND.*.pb.gz together: cumulative.
shares_of() {
    timeout 60 go tool pprof -top -cum -nodefraction=0 -edgefraction=0 -nodecount=100000 -unit=ns "$WORK/$1".*.pb.gz \
        2>"$WORK/pprof.err" | awk '$6 ~ /^burn_/ { sub(/ns$/, "", $4); value[$6] += $4; total += $4 }
            END { for (name in value) printf "%s %.2f\n", name, 100 * value[name] / total }'
}

# farthest SHARES OTHER - the largest difference, in points.
farthest() {
    awk 'NR == FNR { share[$1] = $2; next }
        { seen[$1] = 1; d = $2 - share[$1]; if (d < 0) d = -d; if (d > most) most = d }
        END { for (name in share) if (!(name in seen) && share[name] > most) most = share[name]; printf "%.2f\n", most }' \
        <(printf '%s\n' "$1") <(printf '%s\n' "$2")
}

# within WHAT LIMIT TRUTH GOT
within() {
    local distance
    distance=$(farthest "$3" "$4")
    if [ -n "$4" ] && awk -v d="$distance" -v limit="$2" 'BEGIN { exit !(d <= limit) }'; then
        pass "$1 (farthest by $distance)"
    else
        fail "$1" "farthest by $distance points
truth: $(tr '\n' ' ' <<<"$3")
found: $(tr '\n' ' ' <<<"$4")"
    fi
}

HOST_PORT=$(free_port)
start_host with burn "$WORK/host_burn" "$HOST_PORT"
wait_for_port "$HOST_PORT"
wait_for_port "$ENDPOINT_PORT"
ask "$HOST_PORT" "burn on" >/dev/null

# ---- CPU ---------------------------------------------------------------------------------------------------------

sum_of() {
    awk '{ for (i = 2; i <= NF; i += 2) sum += $i } END { printf "%.0f\n", sum }' <<<"$1"
}

# profiles cpu|wall PATH ENOUGH - until the host has used ENOUGH nanoseconds; TRUTH is how, STATUSES what the endpoint said.
profiles() {
    local before now number=0
    before=$(ask "$HOST_PORT" "shares $1")
    now=$before STATUSES=
    while [ "$number" -lt "$PROFILES_MOST" ] && [ $(($(sum_of "$now") - $(sum_of "$before"))) -lt "$3" ]; do
        number=$((number + 1))
        STATUSES+=$(curl -sS --max-time 60 -o "$WORK/$1.$number.pb.gz" -w '%{http_code} ' "$HOST_URL$2")
        now=$(ask "$HOST_PORT" "shares $1")
    done
    TRUTH=$(shares_between "$before" "$now")
}

profiles cpu "/debug/pprof/profile?seconds=$PROFILE_SECONDS&hz=1000" $ENOUGH_NS
unlike "CPU profiles are served" "$STATUSES" '[^20 ]'
within "shares of CPU are those of the host's own account" 2 "$TRUTH" "$(shares_of cpu)"
like "threads that began meanwhile and have ended are in it" "$(shares_of cpu)" '^burn_brief [1-9]'
tags=$(timeout 60 go tool pprof -tags "$WORK/cpu.1.pb.gz" 2>/dev/null)
like "its threads have their names" "$tags" 'burner-0'
unlike "threads of Porthole are not in it" "$tags" 'porthole'
like "go tool pprof takes one thread out of it" \
    "$(timeout 60 go tool pprof -top -tagfocus=thread=burner-2 "$WORK/cpu.1.pb.gz" 2>/dev/null)" 'burn_half'

# Where the kernel looks too seldom, a sample counts for all periods that have passed: so time as a whole is right, too.
used_ns=$(($(ps -o cputimes= -p "$HOST_PID") * 1000000000))
total_ns=$(timeout 60 go tool pprof -top -unit=ns "$WORK"/cpu.*.pb.gz 2>/dev/null |
    sed -n 's/.*Total samples = *\([0-9.]*\)ns.*/\1/p')
check "its time is not more than the host has used" awk -v got="$total_ns" -v used="$used_ns" \
    'BEGIN { exit !(got > 0 && got < used + 1e9) }'

# ---- Wall ----------------------------------------------------------------------------------------------------------

# With more threads than processors a thread that burns may wait for one: its wall time goes on.
profiles wall "/debug/pprof/wall?seconds=$PROFILE_SECONDS&hz=200" 1
is "a wall profile is served" "$STATUSES" "200 "
within "shares of wall time are those of the host's own account" 3 "$TRUTH" "$(shares_of wall)"
states=$(timeout 60 go tool pprof -tags "$WORK/wall.1.pb.gz" 2>/dev/null)
like "threads that sleep are in it" "$states" 'sleeping'
like "threads that run are in it" "$states" 'running'

# ---- One at a time, and only as long as somebody wants it ---------------------------------------------------------------

curl -sS --max-time 60 -o "$WORK/first" "$HOST_URL/debug/pprof/profile?seconds=30" 2>/dev/null &
first=$!
sleep 1 # it is to be the first
is_busy() {
    [ "$(status_of "/debug/pprof/wall?seconds=1")" = 409 ]
}
check "a second profile gets 409" wait_until 5 is_busy
is_busy
like "which says how long the first lasts" "$(tr -d '\0' <"$WORK/body")" 'lasts [0-9.]+ s more'
kill "$first"
wait "$first" 2>/dev/null
is_free() {
    [ "$(status_of "/debug/pprof/profile?seconds=1")" = 200 ]
}
check "a client that hangs up ends its profile" wait_until 5 is_free
check "the host lives" host_lives
stop_host
is "and ends on SIGTERM as ever" "$HOST_STATUS" 143
finish
