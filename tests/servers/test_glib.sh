#!/bin/bash
# GLib's own tests, as Debian packages them: main loops, threads, sockets, children. Each tells the same results with
# Porthole.
# PORTHOLE_START=now: the programs, and what they start, have our threads from their first moment on.
. "$(dirname "$0")/../lib.sh"

TESTS=/usr/libexec/installed-tests/glib
programs=(mainloop thread thread-pool socket socket-listener socket-service gsubprocess spawn-test spawn-singlethread
    spawn-multithreaded spawn-path-search unix unix-streams unix-fd pollable signal-handler timer task gdbus-non-socket
    gdbus-server-auth gdbus-connection-loss io-channel io-channel-basic proxy-test mem-overflow slice testing logging
    converter-stream contexts asyncqueue cond rwlock rec-mutex once onceinit private mappedfile)
[ -z "${PORTHOLE_TEST_LONG-}" ] || programs+=(timeout threadtests mutex slice-malloc cancellable network-address resources
    utils protocol strfuncs)
if [ ! -x "$TESTS/mainloop" ]; then
    skip "GLib's own tests" "libglib2.0-tests is not installed"
    finish
fi
ulimit -c 0

# start MODE PROGRAM
start() {
    start_host "$1" "$2" timeout -k 5 60 env HOME="$WORK" TMPDIR="$WORK" G_TEST_SRCDIR="$TESTS" G_TEST_BUILDDIR="$TESTS" \
        PORTHOLE_START=now PORTHOLE_LOG=quiet "$TESTS/$2" --tap
}

# results MODE PROGRAM PID - the cases that it tells, and how it ended. Not by wait_host, which asks every 20 ms: most
# of these programs sleep for seconds.
results() {
    local status
    wait "$3" 2>/dev/null
    status=$?
    forget_pid "$3"
    { grep -E '^(not )?ok ' "$WORK/$2.$1.out"; echo "status $status"; } >"$WORK/$2.$1.results"
}

# compare PROGRAM - both at the same time.
compare() {
    local without
    start without "$1"
    without=$HOST_PID
    start with "$1"
    results with "$1" "$HOST_PID"
    results without "$1" "$without"
    cmp -s "$WORK/$1".{without,with}.results
}

start with mainloop
check "a program of GLib has a window" wait_for_port "$ENDPOINT_PORT"
stop_host
for program in "${programs[@]}"; do
    [ -x "$TESTS/$program" ] || continue
    compare "$program" || compare "$program" # some depend on time
    is "$program: $(wc -l <"$WORK/$program.without.results") results are the same" \
        "$(cat "$WORK/$program.with.results")" "$(cat "$WORK/$program.without.results")"
done
finish
