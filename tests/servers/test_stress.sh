#!/bin/bash
# Eight threads allocate in every way there is while profiles are taken: no block may be damaged, the sum is the same.
. "$(dirname "$0")/../lib.sh"
build_host host_stress

run_stress() {
    HOST_PORT=$(free_port)
    start_host "$1" "stress$2" "$WORK/host_stress" "$HOST_PORT" "$3"
}

run_stress without "" 6
wait_host 60
expected=$(cat "$HOST_OUT")
like "the stress works without Porthole" "$expected" '^whole [0-9]+$'

for sample in 1KiB 512KiB off; do
    PORTHOLE_ENV=("PORTHOLE_HEAP_SAMPLE=$sample")
    run_stress with "-$sample" 6
    wait_for_port "$ENDPOINT_PORT"
    fetched=0 failed=0
    while host_lives; do
        [ "$(status_of '/debug/pprof/heap')" = 200 ] && fetched=$((fetched + 1)) || failed=$((failed + 1))
        [ "$(status_of '/debug/pprof/allocs?debug=1')" = 200 ] && fetched=$((fetched + 1)) || failed=$((failed + 1))
    done
    wait_host 60
    is "sampling $sample: no block is damaged" "$(cat "$HOST_OUT")" "$expected"
    is "sampling $sample: it ends with 0" "$HOST_STATUS" 0
    # The last requests may meet the end of the host.
    [ "$sample" = off ] ||
        check "sampling $sample: profiles were served meanwhile ($fetched, $failed failed)" \
            test "$fetched" -gt 2 -a "$failed" -le 2
done
finish
