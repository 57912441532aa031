#!/bin/bash
# node: many threads from the start, its own heap beside malloc's.
. "$(dirname "$0")/../lib.sh"

cat >"$WORK/server.js" <<'JS'
const http = require('http'), zlib = require('zlib'), crypto = require('crypto'), fs = require('fs');
const { execSync } = require('child_process');
const kept = [];
http.createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    if (url.pathname === '/gzip')
        return response.end(zlib.gzipSync(Buffer.alloc(1000000, 'a')));
    if (url.pathname === '/hash')
        return crypto.pbkdf2('a', 'b', 1000, 64, 'sha512', (error, key) => response.end(key.toString('hex')));
    if (url.pathname === '/file')
        return fs.readFile(__filename, (error, data) => response.end(data));
    if (url.pathname === '/keep') {
        kept.push(Buffer.alloc(Number(url.searchParams.get('n')), 1));
        return response.end(String(kept.length));
    }
    if (url.pathname === '/child')
        return response.end(execSync('echo child; exit 0'));
    response.end(`${request.method} ${url.pathname}\n`);
}).listen(Number(process.argv[2]), '127.0.0.1');
process.on('SIGTERM', () => process.exit(7));
JS

requests() {
    local url=http://127.0.0.1:$HOST_PORT path
    for path in / /gzip /hash /file '/keep?n=1000000' /child /x%20y; do
        describe "$url$path"
    done
    describe "$url/" -X PUT -d a=1
}

load() {
    h2load --h1 -n 10000 -c 10 -t 1 "http://127.0.0.1:$HOST_PORT/"
}

HOST_PORT=$(free_port)
compare_host node requests node "$WORK/server.js" "$HOST_PORT"

start_host with node-load node "$WORK/server.js" "$HOST_PORT"
wait_for_port "$HOST_PORT" && wait_for_port "$ENDPOINT_PORT"
describe "http://127.0.0.1:$HOST_PORT/keep?n=50000000" >/dev/null
check_load node load
check_names node '(node|v8)::.*'
check "a buffer of 50 MB is seen" test "$(top "$HOST_URL/debug/pprof/heap" |
    awk '/^ *[0-9]+B/ { sub(/B/, "", $1); sum += $1 } END { print int(sum / 1000000) }')" -ge 40
stop_host
is "node ends with the status its handler gives" "$HOST_STATUS" 7
finish
