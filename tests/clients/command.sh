# command.sh - what tests of the porthole command share. Source it after lib.sh; $PORTHOLE is the command, $FAKE a fake endpoint.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the tests use the variables

# told WHAT STATUS PATTERN [ARGUMENT...] - it ends with STATUS and says PATTERN in one line on stderr, nothing on stdout.
told() {
    local what=$1 status=$2 pattern=$3 got
    shift 3
    timeout 60 "$PORTHOLE" "$@" >out 2>err </dev/null
    got="status $? lines $(wc -l <err) output $(wc -c <out)"
    is "$what" "$got $(grep -cE -- "^porthole[ a-z]*: .*$pattern" err)" "status $status lines 1 output 0 1"
    [ "$(grep -cE -- "$pattern" err)" = 1 ] || sed 's/^/#   /' err
}

# shows WHAT PATTERN [ARGUMENT...] - it ends with 0, says nothing on stderr, and a line of its output matches.
shows() {
    local what=$1 pattern=$2
    shift 2
    timeout 60 "$PORTHOLE" "$@" >out 2>err </dev/null
    like "$what" "status $? $(wc -l <err)
$(cat out)" "$pattern"
    is "$what: without complaint" "$(cat err)" ""
}

# start_fake ARGUMENT... - sets FAKE_PID and FAKE_PORT.
start_fake() {
    setpriv --pdeathsig KILL python3 "$FAKE" "$@" >fake.$$ 2>fake.err &
    HOST_PIDS+=("$!")
    wait_until 20 test -s fake.$$ || echo "# no fake endpoint: $(cat fake.err)"
    read -r FAKE_PID FAKE_PORT <fake.$$
    rm -f fake.$$
}
