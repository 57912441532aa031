#!/bin/bash
# C++ exceptions through modules that come and go, on many threads, before and after the agent has loaded libunwind.
. "$(dirname "$0")/../lib.sh"
build_host host_throw
g++ -shared -fPIC -O2 -Wall -Wextra -Werror -o "$WORK/throw_module.so" "$SRC/tests/servers/throw_module.cc"

expected="3200 caught, 38400 cleaned, 80 bad_alloc, 20 carried"

requests() {
    ask "$HOST_PORT" "throw 20"
}

HOST_PORT=$(free_port)
compare_host throw requests "$WORK/host_throw" "$HOST_PORT" "$WORK/throw_module.so"
is "every exception is caught without Porthole" "$(cat "$WORK/throw.without.answers")" "$expected"

PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=1KiB)
start_host with throw-sampled "$WORK/host_throw" "$HOST_PORT" "$WORK/throw_module.so"
wait_for_port "$ENDPOINT_PORT"
is "the heap is served before" "$(status_of /debug/pprof/heap)" 200
ask "$HOST_PORT" "throw 20" >"$WORK/answer" &
asking=$!
statuses=
while kill -0 $asking 2>/dev/null; do
    statuses+="$(status_of /debug/pprof/heap)
"
done
wait $asking
is "every exception is caught while profiles are taken" "$(cat "$WORK/answer")" "$expected"
is "every profile was served" "$(sort -u <<<"$statuses" | grep .)" 200
like "modules that are gone do not spoil the profile" "$(top "$HOST_URL/debug/pprof/heap" -sample_index=alloc_space)" \
    'B +(run_round|carry|throw_through|lines|main)|std::'
stop_host
finish
