#!/bin/bash
# tests/tsan/run.sh SOURCE BUILD - the tables without locks, under ThreadSanitizer; TAP.
set -u
source=$1 build=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/porthole-tsan.XXXXXX")
trap 'rm -rf "$work"' EXIT

files=("$source"/lib/probe/{thread_table,own_fd,labels}.c "$source"/lib/family/{segment,alive}.c "$source"/lib/base/*.c)
gcc -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=thread -ftls-model=initial-exec -I"$source/lib" -I"$build/lib" \
    -I"$source/include" -Wall -Wextra -Wno-unused-parameter -Werror -o "$work/test_races" "$source/tests/tsan/test_races.c" "${files[@]}" -pthread || {
    echo "not ok 1 - it builds"
    exit 1
}
# The word of a robust mutex is glibc's and the kernel's: they write it as they please, others read it atomically (alive.h).
echo "race:ph_alive_begin" >"$work/suppressions"
# Without randomised addresses: ThreadSanitizer has fixed places for its own memory.
TSAN_OPTIONS="halt_on_error=0 exitcode=66 suppressions=$work/suppressions print_suppressions=0" setarch -R "$work/test_races" 2>"$work/races"
status=$?
if [ -s "$work/races" ]; then
    echo "not ok 5 - ThreadSanitizer finds no race"
    head -n 60 "$work/races" | sed 's/^/# /'
    exit 1
fi
echo "ok 5 - ThreadSanitizer finds no race"
exit $status
