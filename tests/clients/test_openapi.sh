#!/bin/bash
# test_openapi.sh - the contract (doc/openapi.yaml), the table of routes and three running hosts say the same.
. "$(dirname "$0")/../lib.sh"
build_host host_lines
/usr/bin/python3 -c 'import yaml' 2>/dev/null || {
    skip "the contract" "python3-yaml is not installed"
    finish
}

PORTHOLE_ENV=(PORTHOLE_LOG=quiet)
start_lines with sampled
urls=("$HOST_URL")
printf '0123456789abcdef\n' >"$WORK/token"
chmod 600 "$WORK/token"
PORTHOLE_ENV=(PORTHOLE_LOG=quiet PORTHOLE_TOKEN_FILE="$WORK/token")
start_lines with guarded
urls+=("$HOST_URL")
PORTHOLE_ENV=(PORTHOLE_LOG=quiet PORTHOLE_HEAP_SAMPLE=off)
start_lines with unsampled
urls+=("$HOST_URL")

timeout 400 /usr/bin/python3 -B "$SRC/tests/check-openapi.py" "$SRC" "${urls[@]}" >"$WORK/contract"
status=$?
sed '/^1\.\.[0-9]*$/d' "$WORK/contract"
TAP_COUNT=$(grep -cE '^(not )?ok ' "$WORK/contract")
TAP_FAILED=$(grep -c '^not ok ' "$WORK/contract")
is "the check came to its end" "$(tail -n 1 "$WORK/contract") $status" "1..$TAP_COUNT $((TAP_FAILED > 0))"
finish
