#!/bin/bash
# python3 -m http.server: a thread for each connection, an allocator of its own over malloc.
. "$(dirname "$0")/../lib.sh"

mkdir "$WORK/www"
echo "a page" >"$WORK/www/page.html"
head -c 2000000 /dev/zero | tr '\0' 'z' >"$WORK/www/large.bin"
touch -d '2024-01-01' "$WORK/www"/*

requests() {
    local url=http://127.0.0.1:$HOST_PORT
    describe "$url/page.html"
    describe "$url/large.bin"
    describe "$url/"
    describe "$url/missing"
    describe "$url/page.html" -I
    describe "$url/page.html" -X POST -d a=1
}

load() {
    h2load --h1 -n 1000 -c 4 -t 1 "http://127.0.0.1:$HOST_PORT/page.html"
}

without_time() {
    sed -E 's/\[[^]]*\]/[TIME]/'
}
NORMALISE=without_time

HOST_PORT=$(free_port)
server=(python3 -m http.server --bind 127.0.0.1 --directory "$WORK/www" "$HOST_PORT")
compare_host python requests "${server[@]}"

PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=4KiB)
start_host with python-load "${server[@]}"
wait_for_port "$HOST_PORT" && wait_for_port "$ENDPOINT_PORT"
check_load python load
check_names python '_?Py[A-Za-z]*_[A-Za-z_]+'
stop_host
PORTHOLE_ENV=()

# What a script starts inherits the preload and must behave as ever; its output shows that it does.
cat >"$WORK/script.py" <<'PYTHON'
import subprocess, multiprocessing, threading, os, tempfile, socket

def work(n):
    return sum(i * i for i in range(n))

if __name__ == "__main__":
    print(subprocess.run(["sh", "-c", "echo shell; ls / | wc -l; exit 3"], capture_output=True))
    print(subprocess.run(["true"], close_fds=True).returncode)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(work, range(1000, 1010)))
    s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(work, range(1000, 1010)))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(work, range(10)))
    t = threading.Thread(target=work, args=(10,)); t.start(); t.join()
    print(threading.active_count(), len(tempfile.mkdtemp()) > 0 and os.getpid() > 1)
PYTHON
for mode in without with; do
    TMPDIR=$WORK start_host $mode script python3 "$WORK/script.py"
    wait_host 60
    echo "status $HOST_STATUS" >>"$HOST_OUT"
done
is "a script with children of every kind prints the same" "$(cat "$WORK/script.with.out")" "$(cat "$WORK/script.without.out")"
is "and the same on stderr" "$(other_lines "$WORK/script.with.err")" "$(other_lines "$WORK/script.without.err")"
like "it did run" "$(cat "$WORK/script.without.out")" '^status 0$'
finish
