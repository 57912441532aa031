#!/bin/bash
# CPython's own tests, as Debian packages them, without Porthole and with it: while a client asks for heaps all the time, and
# while every process is profiled 1,000 times a second and its threads are dumped again and again. No test case may end
# differently. cpython/run.py runs and compares; PORTHOLE_TEST_LONG=1 takes all modules and more patience.
#
# PORTHOLE_START=now: every python that a test starts has a window and our threads from its first moment on, and every
# child that it forks wakes when it waits. That is more than a server ever has.
. "$(dirname "$0")/../lib.sh"

# The module; when it runs with a client that asks for heaps; when it is profiled at 1,000 Hz; options. The slow ones first: they overlap
# with the rest.
modules() {
    cat <<'MODULES'
test_signal                     quick   quick  -i test_siginterrupt_off
test_multiprocessing_fork       long    long
test_concurrent_futures         long    long
test_ssl                        long    long
test_multiprocessing_spawn      long    long
test_multiprocessing_forkserver long    long
test_socket                     quick   long
test_subprocess                 quick   quick
test_faulthandler               long    long
test_asyncio.test_events        long    long
test_asyncio.test_subprocess    quick   long
test_threading                  quick   long
test_selectors                  quick   quick
test_poll                       long    long
test_eintr                      quick   quick
test_fork1                      quick   quick
test_wait3                      quick   long
test_wait4                      quick   quick
test_threadsignals              quick   quick
test_file_eintr                 long    long
test_time                       long    quick
test_timeout                    long    long   -u network
test_sched                      long    long
test_httpservers                quick   long
test_asyncio.test_unix_events   quick   quick
test_asyncio.test_streams       long    long
test_asyncio.test_sock_lowlevel long    long
test_asyncio.test_selector_eventslong    long
test_asyncio.test_sendfile      long    long
test_asyncio.test_runners       long    long
test_asyncio.test_threads       long    long
test_socketserver               quick   long   -u network
test_os                         quick   long
test_posix                      quick   long
test_gc                         quick   long
test_select                     quick   quick
test_epoll                      quick   quick
test_mmap                       quick   long
test_pty                        quick   long
test_popen                      long    long
test_thread                     long    long
test_threading_local            long    long
test_queue                      long    long
test_mailbox                    long    long
test_asyncore                   long    long
test_ftplib                     long    long
test_smtplib                    long    long
test_poplib                     long    long
test_imaplib                    long    long
test_xmlrpc                     long    long
test_httplib                    long    long
test_urllib2_localnet           long    long
test_wsgiref                    long    long
test_logging                    long    long
test_tempfile                   long    long
test_shutil                     long    long
test_fcntl                      long    long
test_resource                   long    long
test_largefile                  long    long
test_ctypes                     long    long
test_io                         long    long
test_fileio                     long    long
test_openpty                    long    long
test_atexit                     long    long
test_cmd_line                   long    long
test_embed                      long    long
test_tracemalloc                long    long
test_sys                        long    long
test_site                       long    long
test_regrtest                   long    long
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
while read -r name scraped profiled options; do
    [[ -z $only || ,$only, == *,$name,* ]] || continue
    [ -f "$TESTS/${name//.//}.py" ] || [ -d "$TESTS/$name" ] || continue
    how=
    [[ -z $only && ! $scraped =~ ^($wanted)$ ]] || how=scraped
    [[ -z $only && ! $profiled =~ ^($wanted)$ ]] || how+=${how:+,}profiled
    [ -z "$how" ] || echo "$name $how $options"
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

while IFS=$'\t' read -r run verdict summary; do
    name="${run%.*} (${run##*.})"
    case $run/$verdict in
    clients/*) clients="$verdict	$summary" ;;
    */same)
        pass "$name ends the same with Porthole: $summary"
        [ ! -s "$WORK/out/$run.differs" ] || sed 's/^/#   /' "$WORK/out/$run.differs"
        ;;
    *) fail "$name ends the same with Porthole: $summary" "$(head -c 6000 "$WORK/out/$run.differs" 2>&1)" ;;
    esac
done <"$HOST_OUT"
is "all modules ran" "$(grep -c ' cases' "$HOST_OUT")" "$(cut -d ' ' -f 2 "$WORK/modules" | tr , '\n' | wc -l)"
like "meanwhile the heap was served" "${clients-}" 'heap: 200 [0-9]{2}'
like "there were profiles" "${clients-}" 'cpu: 200 [0-9]{2}'
like "with samples of CPU time" "${clients-}" 'cpu samples [0-9]{3}'
like "and of wall time" "${clients-}" 'wall samples [0-9]{3}'
like "and threads were dumped" "${clients-}" 'threads: 200 [0-9]{3}'
is "asking was in order" "$HOST_STATUS $(cat "$HOST_ERR")" "0 "
tr '\t' '\n' <<<"${clients-}" | sed 's/^/# /'
finish
