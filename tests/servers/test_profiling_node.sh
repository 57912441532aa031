#!/bin/bash
# node: one thread for JavaScript, many for the rest, profiled under load.
. "$(dirname "$0")/profiling/engine.sh"
NAMES='(node|v8)::.*'

server_prepare() {
    cat >"$DIR/server.js" <<'JS'
const http = require('http'), zlib = require('zlib');
const data = Buffer.alloc(20000, 'a');
http.createServer((request, response) => {
    zlib.gzip(data, (error, small) => response.end(small));
}).listen(Number(process.argv[2]), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
JS
}

server_command() {
    COMMAND=(node "$DIR/server.js" "$HOST_PORT")
}

server_load() {
    load_http "$1" 10 /
}

server_log() {
    :
}

profile_server node
