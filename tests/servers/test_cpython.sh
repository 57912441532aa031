#!/bin/bash
# CPython's own tests, as Debian packages them, without Porthole and with it while a client asks for profiles all the
# time: no test case may end differently. cpython/run.py runs and compares;
# PORTHOLE_TEST_LONG=1 takes all modules and more patience.
#
# PORTHOLE_START=now: every python that a test starts has a window and our threads from its first moment on, and every
# child that it forks wakes when it waits. That is more than a server ever has.
. "$(dirname "$0")/../lib.sh"

# The module, when it runs, options. The slow ones first: they overlap with the rest.
modules() {
    cat <<'MODULES'
test_signal                     quick -i test_siginterrupt_off
test_multiprocessing_fork       long
test_concurrent_futures         long
test_ssl                        long
test_multiprocessing_spawn      long
test_multiprocessing_forkserver long
test_socket                     quick
test_subprocess                 quick
test_faulthandler               long
test_asyncio.test_events        long
test_asyncio.test_subprocess    quick
test_threading                  quick
test_selectors                  quick
test_poll                       long
test_eintr                      quick
test_fork1                      quick
test_wait3                      quick
test_wait4                      quick
test_threadsignals              quick
test_httpservers                quick
test_asyncio.test_unix_events   quick
test_asyncio.test_streams       long
test_asyncio.test_sock_lowlevel long
test_asyncio.test_selector_events long
test_asyncio.test_sendfile      long
test_asyncio.test_runners       long
test_asyncio.test_threads       long
test_socketserver               quick -u network
test_os                         quick
test_posix                      quick
test_gc                         quick
test_select                     quick
test_epoll                      quick
test_mmap                       quick
test_pty                        quick
test_popen                      long
test_thread                     long
test_threading_local            long
test_queue                      long
test_mailbox                    long
test_asyncore                   long
test_ftplib                     long
test_smtplib                    long
test_poplib                     long
test_imaplib                    long
test_xmlrpc                     long
test_httplib                    long
test_urllib2_localnet           long
test_wsgiref                    long
test_logging                    long
test_tempfile                   long
test_shutil                     long
test_fcntl                      long
test_resource                   long
test_largefile                  long
test_ctypes                     long
test_io                         long
test_fileio                     long
test_openpty                    long
test_atexit                     long
test_cmd_line                   long
test_embed                      long
test_tracemalloc                long
test_sys                        long
test_site                       long
test_regrtest                   long
MODULES
}

# Differences that belong to having Porthole: the case and why. Each is in doc/limits.md, too.
known() {
    cat <<'KNOWN'
KNOWN
}

PYTHON=/usr/bin/python3
TESTS=$("$PYTHON" -c 'import test, os; print(os.path.dirname(test.__file__))' 2>/dev/null)
if [ ! -f "$TESTS/test_socket.py" ] || [ ! -x "$PYTHON" ]; then
    skip "CPython's own tests" "libpython3.11-testsuite is not installed"
    finish
fi

wanted=quick again=3 limit=100
[ -z "${PORTHOLE_TEST_LONG-}" ] || wanted='quick|long' again=10 limit=900
# CPYTHON_MODULES=test_os,test_pty takes these only.
only=${CPYTHON_MODULES-}
while read -r name when options; do
    [[ $when =~ ^($wanted)$ || -n $only ]] || continue
    [[ -z $only || ,$only, == *,$name,* ]] || continue
    [ -f "$TESTS/${name//.//}.py" ] || [ -d "$TESTS/$name" ] || continue
    echo "$name $options"
done < <(modules) >"$WORK/modules"
known >"$WORK/known"

# As root some of the tests skip themselves, and others test what only root may do. A core of a crash test is of no use.
as_nobody=()
mkdir "$WORK/out"
if [ "$(id -u)" -eq 0 ]; then
    chmod 755 "$WORK" && chmod 777 "$WORK/out"
    # A change of user undoes the --pdeathsig of start_host.
    as_nobody=(setpriv --pdeathsig KILL --reuid=65534 --regid=65534 --clear-groups)
    if ! "${as_nobody[@]}" test -r "$PROBE" -a -x "$WORK/out" -a -r "$SRC/tests/servers/cpython/run.py"; then
        echo "# as root: nobody cannot read $BUILD or $SRC"
        as_nobody=()
    fi
fi
ulimit -c 0

# What the runs start is known by a word in its environment; run.py ends it, unless it is killed itself.
end_strays() {
    local file
    for file in $(grep -lsz "^CPYTHON_RUN=$HOST_PID-" /proc/[0-9]*/environ); do
        file=${file#/proc/} && kill -KILL "${file%/environ}" 2>/dev/null
    done
}
trap 'end_strays; clean_up' EXIT

probe=$PROBE
[ -z "${PORTHOLE_TEST_NO_PRELOAD-}" ] || probe=
# -B: nothing is written to the source tree.
start_host without cpython "${as_nobody[@]}" "$PYTHON" -B "$SRC/tests/servers/cpython/run.py" --jobs 3 --again "$again" \
    --limit "$limit" --known "$WORK/known" --modules "$WORK/modules" --probe "$probe" --out "$WORK/out"
wait "$HOST_PID" # run.py bounds what it runs; asking every 20 ms, as wait_host does, would cost the tests a third of a core
HOST_STATUS=$?
forget_pid "$HOST_PID"

while IFS=$'\t' read -r name verdict summary; do
    case $name/$verdict in
    scraped/*) scraped="$verdict	$summary" ;;
    */same)
        pass "$name ends the same with Porthole: $summary"
        [ ! -s "$WORK/out/$name.differs" ] || sed 's/^/#   /' "$WORK/out/$name.differs"
        ;;
    *) fail "$name ends the same with Porthole: $summary" "$(head -c 6000 "$WORK/out/$name.differs" 2>&1)" ;;
    esac
done <"$HOST_OUT"
is "all modules ran" "$(grep -c ' cases' "$HOST_OUT")" "$(wc -l <"$WORK/modules")"
like "meanwhile the heap was served" "${scraped-}" 'heap: 200 [0-9]{2}'
is "and asking was in order" "$HOST_STATUS $(cat "$HOST_ERR")" "0 "
tr '\t' '\n' <<<"${scraped-}" | sed 's/^/# /'
finish
