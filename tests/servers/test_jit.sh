#!/bin/bash
# A JIT registers unwinding tables while threads unwind, and every allocation is sampled: nobody waits for himself.
. "$(dirname "$0")/../lib.sh"
build_host host_jit

for round in 1 2 3; do
    PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=1KiB PORTHOLE_START=manual)
    start_host with "jit$round" "$WORK/host_jit" 300
    wait_host 60
    is "round $round: all tables are found" "$(cat "$HOST_OUT")" "300 rounds, found 300"
    is "round $round: it ends" "$HOST_STATUS" 0
done
PORTHOLE_ENV=()
start_host without jit "$WORK/host_jit" 300
wait_host 60
is "as without Porthole" "$(cat "$HOST_OUT")" "300 rounds, found 300"
finish
