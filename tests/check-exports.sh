#!/bin/bash
# check-exports.sh [BUILDDIR] - what the two shared objects show to the host: exactly the intended names, few
# dependencies, no dynamic TLS, little size. TAP.
set -u
export LC_ALL=C
source=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-.}
probe=$build/lib/.libs/libporthole.so
agent=$build/lib/.libs/libporthole-agent.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

number=0 failed=0
is() {
    number=$((number + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $number - $1"
    else
        failed=$((failed + 1))
        echo "not ok $number - $1"
        diff -U 1 --label expected --label found <(echo "$3") <(echo "$2") | sed 's/^/#   /'
    fi
}

exports() {
    nm -D --defined-only "$1" | awk '{ print $3 }' | sort
}

# intended - names from the two lists of the probe (HOOK may span lines), and the public API as the header declares it.
intended() {
    {
        grep -hE '^HOOK\(' "$source/lib/probe/symbols.def" | awk -F, '{ gsub(/ /, "", $3); print $3 }'
        grep -hoE '^ALLOC\([^)]*\)' "$source/lib/probe/allocator.def" | sed 's/^ALLOC(//; s/)$//'
        grep -E '^[a-z]' "$source/include/porthole/porthole.h" | grep -v '^static' |
            grep -oE 'porthole_[a-z_]+\(' | tr -d '(' | sort -u
    } | sort
}

is "libporthole.so exports what its lists say" "$(exports "$probe")" "$(intended)"
is "the lists are not empty" "$(intended | grep -cE '^(malloc|mallocx|close|listen|porthole_init)$')" 5
is "libporthole-agent.so exports its entry only" "$(exports "$agent")" ph_agent_entry
is "the exports have no versions" "$(nm -D --defined-only "$probe" "$agent" | grep -c '@')" 0

needed() {
    readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort
}
is "the probe depends on libc, libgcc_s and libm only" \
    "$(needed "$probe" | grep -vE '^(libc\.so\.6|libgcc_s\.so\.1|libm\.so\.6|ld-linux-x86-64\.so\.2)$')" ""
is "libunwind is no dependency of the probe" "$(nm -D --undefined-only "$probe" | grep -ciE 'unw_|libunwind')" 0

# Thread-local storage is initial-exec: __tls_get_addr allocates, inside malloc.
is "the probe has no dynamic TLS" "$(nm -D --undefined-only "$probe" | grep -c __tls_get_addr)" 0
is "nor relocations for it" "$(readelf -rW "$probe" | grep -cE 'R_X86_64_(DTPMOD64|DTPOFF64|TLSDESC)')" 0
tls=$(readelf -lW "$probe" | awk '$1 == "TLS" { print $6 }')
is "its TLS takes little of the loader's surplus ($((tls)) bytes)" "$((tls > 0 && tls <= 4096))" 1

cp "$probe" "$work/stripped.so"
strip "$work/stripped.so"
size=$(stat -c %s "$work/stripped.so")
is "stripped, the probe is at most 1.2 MB ($size bytes)" "$((size <= 1200000))" 1
is "nothing in it is writable and executable" \
    "$(readelf -lW "$probe" "$agent" | awk '$1 == "LOAD" || $1 == "GNU_STACK"' | grep -c RWE)" 0
is "no path of the build is kept for the loader" "$(readelf -d "$probe" "$agent" | grep -cE 'RPATH|RUNPATH')" 0

echo "1..$number"
[ $failed -eq 0 ]
