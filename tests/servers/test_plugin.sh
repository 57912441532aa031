#!/bin/bash
# Plugins: a library's RUNPATH must still hold for what it opens; RTLD_DEEPBIND must not split the allocator.
. "$(dirname "$0")/../lib.sh"
build_host host_plugin

plugins=$WORK/plugins
mkdir -p "$plugins/inner"
compile=(gcc -shared -fPIC -O2 -g -Wall -Wextra -Werror)
"${compile[@]}" -o "$plugins/libouter.so" "$SRC/tests/servers/plugin_outer.c" \
    "-Wl,--enable-new-dtags,-rpath,\$ORIGIN/inner"
"${compile[@]}" -o "$plugins/inner/libinner.so" "$SRC/tests/servers/plugin_inner.c"
"${compile[@]}" -o "$plugins/libdeep.so" "$SRC/tests/servers/plugin_deep.c"
like "the library has a RUNPATH" "$(readelf -d "$plugins/libouter.so")" 'RUNPATH.*ORIGIN/inner'

requests() {
    ask "$HOST_PORT" relative
    ask "$HOST_PORT" deep
}

HOST_PORT=$(free_port)
compare_host plugins requests "$WORK/host_plugin" "$HOST_PORT" "$plugins/libouter.so" "$plugins/libdeep.so"
is "both kinds of plugin work without Porthole" "$(cat "$WORK/plugins.without.answers")" "inner plugin
19804 bytes"

PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=1KiB)
start_host with plugins-sampled "$WORK/host_plugin" "$HOST_PORT" "$plugins/libouter.so" "$plugins/libdeep.so"
wait_for_port "$HOST_PORT" && wait_for_port "$ENDPOINT_PORT"
ask "$HOST_PORT" deep >/dev/null
like "what a plugin allocates bears its name" \
    "$(top "$HOST_URL/debug/pprof/heap" -sample_index=alloc_space)" '% +plugin_grow$'
stop_host
finish
