#!/bin/bash
# One thread that gives up capabilities and then changes its user: glibc changes it on all threads and ends the process
# if one gets another answer, so ours must be gone before that.
. "$(dirname "$0")/../lib.sh"
build_host host_caps

# run_orders MODE ORDER... - what the host answers to each.
run_orders() {
    local mode=$1 name order
    shift
    name=$(tr ' ' '-' <<<"$*")
    HOST_PORT=$(free_port)
    start_host "$mode" "caps-$name" "$WORK/host_caps" "$HOST_PORT"
    wait_for_port "$HOST_PORT"
    [ "$mode" = without ] || wait_for_port "$ENDPOINT_PORT"
    for order in "$@"; do
        echo "$order: $(ask "$HOST_PORT" "$order")"
    done
}

if [ "$(id -u)" -ne 0 ]; then
    skip "changes of capabilities and user" "not root"
    finish
fi

for orders in "drop ids" "keep ids" "ids" "drop ids ids"; do
    # shellcheck disable=SC2086
    {
        run_orders without $orders >"$WORK/without"
        stop_host
        run_orders with $orders >"$WORK/with"
    }
    is "$orders: the answers are those without Porthole" "$(cat "$WORK/with")" "$(cat "$WORK/without")"
    like "$orders: there are answers" "$(cat "$WORK/without")" '^ids: .*now [0-9]+ [0-9]+$'
    check "$orders: the host lives" host_lives
    if [ "$orders" = ids ]; then
        is "$orders: the window stays open" "$(status_of /debug/pprof/heap)" 200
    else
        check "$orders: the window is closed" wait_until 5 bash -c "! curl -s -o /dev/null $HOST_URL/"
        like "$orders: and it says why" "$(cat "$HOST_ERR")" '^porthole: closed: the program changes its user'
    fi
    stop_host
done
finish
