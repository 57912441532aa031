#!/bin/bash
# Programs nobody here wrote, and one that throws: the stack of each of their allocations is the one libgcc tells.
. "$(dirname "$0")/../lib.sh"
PATH=$PATH:/usr/sbin

COMPARE=$WORK/compare.so
check "ph_unwind() compiles as a preload of its own" \
    gcc -O2 -g -Wall -Wextra -D_GNU_SOURCE -I"$SRC/lib" -shared -fPIC -ftls-model=initial-exec -o "$COMPARE" \
    "$SRC/tests/servers/compare_unwind.c" "$SRC"/lib/{probe/unwind,base/cfi,base/cfi_machine}.c -lgcc_s
[ -f "$COMPARE" ] || finish

# compared NAME COMMAND... - starts it; all its processes write to $WORK/NAME.compared.
compared() {
    local name=$1
    shift
    start_host without "$name" env LD_PRELOAD="$COMPARE" COMPARE_UNWIND="$WORK/$name.compared" "$@"
}

# judge NAME SAME_MIN - of all processes together: none different, enough the same, few left to libgcc.
judge() {
    local same=0 left=0 different=0 a b c
    while read -r a b c; do
        same=$((same + a)) left=$((left + b)) different=$((different + c))
    done < <(sed -nE 's/^same ([0-9]+), left to libgcc ([0-9]+), different ([0-9]+)$/\1 \2 \3/p' "$WORK/$1.compared")
    echo "# $1: same $same, left to libgcc $left"
    is "$1: no stack is different" "$different" 0
    check "$1: at least $2 stacks are the same" test "$same" -ge "$2"
    check "$1: few are left to libgcc" test $((left * 100)) -le "$same"
    [ "$different" -eq 0 ] || sed -n 's/^# /#   /p' "$WORK/$1.compared" | head -n 60
}

# try NAME SAME_MIN COMMAND... - a program that ends by itself; skipped where it is not installed.
try() {
    local name=$1 same_min=$2
    shift 2
    command -v "$1" >/dev/null || {
        skip "$name" "$1 is not installed"
        return
    }
    compared "$name" "$@"
    wait_host 30
    is "$name: it ends well" "$HOST_STATUS" 0
    judge "$name" "$same_min"
}

try python 5000 python3 -c '
import bz2, ctypes, decimal, hashlib, json, random, re, sqlite3, threading, zlib
def work():
    for i in range(200):
        json.loads(json.dumps({"a": [1, 2, {"b": "x" * i}]}))
        zlib.decompress(zlib.compress(b"abc" * i))
    db = sqlite3.connect(":memory:")
    db.execute("create table t (a, b)")
    db.executemany("insert into t values (?, ?)", ((i, str(i)) for i in range(2000)))
    db.execute("select b, count(*) from t group by a % 7 order by 2").fetchall()
    sorted(range(2000), key=lambda n: hashlib.sha1(str(n).encode()).digest())
    re.sub("(a+)+b", lambda m: m.group(0) * 2, "aab" * 100)
threads = [threading.Thread(target=work) for i in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]'
try node 20000 node -e '
const zlib = require("zlib"), crypto = require("crypto");
for (let i = 0; i < 200; i++) {
    zlib.gunzipSync(zlib.gzipSync("x".repeat(i * 10)));
    crypto.createHash("sha256").update(JSON.stringify(process.versions)).digest("hex");
    [..."some letters"].sort((a, b) => a < b ? 1 : -1).join("").match(/(l+)e/);
}
new (require("worker_threads").Worker)("require(\"crypto\").randomBytes(100)", { eval: true });'
# shellcheck disable=SC2016
try perl 5000 perl -e 'my %h; $h{$_} = "x" x $_ for 1 .. 2000; print join ",", sort { $a <=> $b } keys %h;
    require POSIX; eval { die { code => 1 } }; "aaab" =~ /(a+)+b/;'
try openssl-speed 200 openssl speed -seconds 1 -bytes 1024 sha256
try openssl-req 2000 openssl req -x509 -newkey rsa:2048 -nodes -keyout "$WORK/key.pem" -out "$WORK/certificate.pem" \
    -subj /CN=porthole -days 1
try git 100 git init "$WORK/repository"
try ls 50 ls -laR "$SRC/tests"
# Modules of libc's own, loaded and unloaded by it.
try iconv 20 iconv -f utf-16 -t iso-8859-2 /dev/null

cat >"$WORK/haproxy.cfg" <<CONF
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend web
    bind 127.0.0.1:$(free_port)
    http-request return status 200 content-type text/plain lf-string "%[path]"
CONF
try haproxy 1000 haproxy -c -f "$WORK/haproxy.cfg"

# ---- nginx, with requests ----------------------------------------------------------------------------------------

HOST_PORT=$(free_port)
mkdir -p "$WORK/www"
head -c 300000 /dev/zero | tr '\0' 'x' >"$WORK/www/index.html"
cat >"$WORK/nginx.conf" <<CONF
daemon off;
worker_processes 2;
pid $WORK/nginx.pid;
error_log stderr warn;
$([ "$(id -u)" -ne 0 ] || echo "user root;")
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $WORK/body;
    proxy_temp_path $WORK/proxy;
    fastcgi_temp_path $WORK/fastcgi;
    uwsgi_temp_path $WORK/uwsgi;
    scgi_temp_path $WORK/scgi;
    gzip on;
    server {
        listen 127.0.0.1:$HOST_PORT;
        root $WORK/www;
        location /proxied { proxy_pass http://127.0.0.1:$HOST_PORT/; }
    }
}
CONF
compared nginx nginx -p "$WORK" -c "$WORK/nginx.conf"
wait_for_port "$HOST_PORT"
answers=0
for request in {1..60}; do
    [ "$request" -ne 30 ] || kill -HUP "$HOST_PID" # new workers
    for path in / /proxied /missing; do
        curl -s --compressed -m 10 -o "$WORK/answer" "http://127.0.0.1:$HOST_PORT$path" && answers=$((answers + 1))
    done
done
is "nginx: every request is answered" "$answers" 180
stop_host QUIT
is "nginx: it ends well" "$HOST_STATUS" 0
judge nginx 1000

# ---- a program that throws ---------------------------------------------------------------------------------------

throwing() { # NAME FLAGS...
    local name=$1 expected
    shift
    build_host host_alloca "$@"
    expected=$("$WORK/host_alloca" 2000)
    try "$name" 20000 "$WORK/host_alloca" 2000
    is "$name: it catches what it would" "$(cat "$HOST_OUT")" "$expected"
}

throwing throwing-O2
throwing throwing-O3 -O3
throwing throwing-O0 -O0
throwing throwing-frame-pointers -fno-omit-frame-pointer
if grep -qw avx2 /proc/cpuinfo; then
    throwing throwing-avx2 -O3 -march=x86-64-v3
else
    skip "throwing-avx2" "the processor has no AVX2"
fi
finish
