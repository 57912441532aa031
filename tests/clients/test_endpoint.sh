#!/bin/bash
# test_endpoint.sh - every route of the endpoint, to the letter: status, headers, bodies, errors. Who may ask is in
# test_access.sh, clients that misbehave in ../servers/test_abuse.sh.
. "$(dirname "$0")/../lib.sh"
build_host host_lines
PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=4KiB PORTHOLE_LOG=quiet)
start_lines with endpoint
ask "$HOST_PORT" "keep 3000000" >"$WORK/kept"

PLAIN='Content-Type: text/plain; charset=utf-8'
ALWAYS='Cache-Control: no-store
X-Content-Type-Options: nosniff'

# headers - of the last answer, sorted, without those that are the HTTP library's own affair.
headers() {
    tr -d '\r' <"$WORK/headers" | sed 1d | grep -vE '^$|^(Date|Content-Length|Connection): ' | sort
}

# serves WHAT PATH STATUS HEADERS [CURL OPTIONS...] - status and headers are exactly these; $WORK/body is the body.
serves() {
    local what=$1 path=$2 status=$3 wanted=$4
    shift 4
    is "$what: status" "$(status_of "$path" "$@")" "$status"
    is "$what: headers" "$(headers)" "$(printf '%s\n%s\n' "$wanted" "$ALWAYS" | sed '/^$/d' | sort)"
}

# refuses WHAT PATH STATUS TEXT [CURL OPTIONS...] - as pprof wants it.
refuses() {
    local what=$1 path=$2 status=$3 text=$4
    shift 4
    serves "$what" "$path" "$status" "$PLAIN
X-Go-Pprof: 1" "$@"
    is "$what: text" "$(cat "$WORK/body")" "$text"
}

# head_is_get WHAT PATH - HEAD answers what GET does, without a body.
head_is_get() {
    local got
    got="$(status_of "$2") $(headers)"
    is "$1: HEAD is GET" "$(status_of "$2" --head) $(headers)" "$got"
    is "$1: HEAD has no body" "$(curl -s --max-time 30 --head -o "$WORK/none" -w '%{size_download}' "$HOST_URL$2")" 0
}

profile_headers() {
    printf 'Content-Type: application/octet-stream\nContent-Disposition: attachment; filename="%s"' "$1"
}

# raw - go tool pprof's listing of the last body; types - its sample types, default first in brackets; period - the period.
raw() {
    timeout 60 go tool pprof -raw "$WORK/body" 2>&1
}
types() {
    raw | sed -n '/^Samples:$/{n;p}'
}
period() {
    raw | sed -n 's/^PeriodType: //p;s/^Period: //p' | paste -sd ' '
}

# ---- Profiles --------------------------------------------------------------------------------------------------------

HEAP_TYPES='alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes'
serves heap /debug/pprof/heap 200 "$(profile_headers heap)"
is "heap: gzip, without Content-Encoding" "$(head -c 2 "$WORK/body" | od -An -tx1)" " 1f 8b"
is "heap: Go's types, inuse_space first" "$(types)" "${HEAP_TYPES/inuse_space\/bytes/inuse_space/bytes[dflt]}"
is "heap: the period is the sampling rate" "$(period)" "space bytes 4096"
like "heap: it has a time" "$(raw)" '^Time: 20'
unlike "heap: a snapshot has no duration" "$(raw)" '^Duration'
like "heap: what the host keeps is named" "$(top "$WORK/body")" '3[0-9]{6}B .* keep_memory$'
serves allocs /debug/pprof/allocs 200 "$(profile_headers allocs)"
is "allocs: the same types, alloc_space first" "$(types)" "${HEAP_TYPES/alloc_space\/bytes/alloc_space/bytes[dflt]}"
serves threadcreate /debug/pprof/threadcreate 200 "$(profile_headers threadcreate)"
is "threadcreate: Go's type" "$(types) $(period)" "threadcreate/count threadcreate count 1"

# A kind that is off is a valid empty profile: scrapers ask for all of them.
empty() {
    serves "$1" "/debug/pprof/$1" 200 "$(profile_headers "$1")"
    is "$1: Go's types and period" "$(types) $(period)" "$2"
    like "$1: it says why it is empty" "$(raw)" 'does not collect this kind yet'
    check "$1: go tool pprof opens it" top "$WORK/body"
    check "$1: more than Alloy's two bytes" test "$(wc -c <"$WORK/body")" -gt 2
}
empty block 'contentions/count delay/nanoseconds contentions count 1'
empty mutex 'contentions/count delay/nanoseconds contentions count 1'
# Over seconds, and the threads of now; who waits is in the dump and in wall time, and only there.
lasting() {
    serves "$1" "/debug/$1?seconds=1&hz=$2" 200 "$(profile_headers "${1##*/}")"
    is "$1: types and period" "$(types) $(period)" "$3"
    like "$1: its duration" "$(raw)" '^Duration: 1(\.[0-9]+)?'
    check "$1: go tool pprof opens it" top "$WORK/body"
}
lasting pprof/profile 100 'samples/count cpu/nanoseconds cpu nanoseconds 10000000'
lasting pprof/wall 50 'samples/count wall/nanoseconds wall nanoseconds 20000000'
like "wall: the thread that waits is in it" "$(raw)" 'state:\[sleeping\]'
lasting fgprof 1000 'samples/count wall/nanoseconds wall nanoseconds 1000000'
for name in threads goroutine; do
    serves "$name" "/debug/pprof/$name" 200 "$(profile_headers "$name")"
    is "$name: the type that clients of the name know" "$(types) $(period)" "$name/count $name count 1"
    like "$name: a thread with its labels" "$(raw)" 'call:\[.*state:\[sleeping\].*thread:\[host_lines\]'
    like "$name: names" "$(raw)" ' main '
done
serves "profile as gperftools has it" "/pprof/profile?seconds=1" 200 "$(profile_headers profile)"
is "profile as gperftools has it: its header" "$(od -An -td8 -w24 -N24 "$WORK/body" | tr -s ' ')" " 0 3 0"
for name in heap allocs threadcreate threads goroutine block mutex; do
    head_is_get "$name" "/debug/pprof/$name"
done
for path in pprof/profile pprof/wall fgprof; do
    is "HEAD of $path watches nobody" "$(status_of "/debug/$path" --head --max-time 5)" 200
done
for query in seconds=0 seconds=none seconds=3601 hz=0 hz=1001 hz=x; do
    name=${query%%=*} most=3600
    [ "$name" = seconds ] || most=1000
    refuses "profile?$query" "/debug/pprof/profile?$query" 400 \
        "invalid value for \"$name\" - must be a number from 1 to $most"
done
check "a profile may last an hour" start_long /debug/pprof/wall '/debug/pprof/profile?seconds=1'
like "while one runs another is refused" "$(cat "$WORK/body")" '^another profile runs since [0-9.]+ s and lasts 3[0-9.]+ s more'
like "while one runs: when to come back" "$(headers)" '^Retry-After: 3[56][0-9][0-9]$'
end_long
is_free() {
    [ "$(status_of '/debug/pprof/profile?seconds=1')" = 200 ]
}
check "a client that hangs up ends its profile" wait_until 20 is_free

for query in gc=1 gc=0 gc=x other=1 'debug=0' 'debug=' 'debug=x' 'seconds=' '%73econds='; do
    serves "heap?$query is a snapshot" "/debug/pprof/heap?$query" 200 "$(profile_headers heap)"
done

# ---- debug=1 ---------------------------------------------------------------------------------------------------------

for name in heap allocs; do
    serves "$name?debug=1" "/debug/pprof/$name?debug=1" 200 "$PLAIN"
    like "$name?debug=1: the first line is gperftools'" "$(head -n 1 "$WORK/body")" \
        '^heap profile: [0-9]+: [0-9]+ \[[0-9]+: [0-9]+\] @ heap_v2/4096$'
    like "$name?debug=1: names" "$(cat "$WORK/body")" $'^#\t0x[0-9a-f]+\tkeep_memory'
    like "$name?debug=1: jemalloc's statistics at the end" "$(tail -n 40 "$WORK/body")" '^# Allocated: [0-9]+'
    check "$name?debug=1: pprof reads it" top "$WORK/body"
done
serves "heap?debug=2 is debug=1" "/debug/pprof/heap?debug=2" 200 "$PLAIN"
ask "$HOST_PORT" "threads 3" >"$WORK/joined"
serves "threadcreate?debug=1" "/debug/pprof/threadcreate?debug=1" 200 "$PLAIN"
like "threadcreate?debug=1: Go's first line" "$(head -n 1 "$WORK/body")" '^threadcreate profile: total [0-9]+$'
debug_text() {
    serves "$1?debug=1" "/debug/pprof/$1?debug=1" 200 "$PLAIN"
    is "$1?debug=1: Go's text" "$(cat "$WORK/body")" "$2"
}
serves "goroutine?debug=1" "/debug/pprof/goroutine?debug=1" 200 "$PLAIN"
like "goroutine?debug=1: Go's first line" "$(head -n 1 "$WORK/body")" '^goroutine profile: total [1-9][0-9]*$'
check "goroutine?debug=1: pprof reads it" top "$WORK/body"
serves "goroutine?debug=2" "/debug/pprof/goroutine?debug=2" 200 "$PLAIN"
like "goroutine?debug=2: as Go's" "$(cat "$WORK/body")" '^goroutine [0-9]+ \[[a-z_0-9]+\]:$'
serves "threads?debug=2" "/debug/pprof/threads?debug=2" 200 "$PLAIN"
like "threads?debug=2: each with its name" "$(cat "$WORK/body")" '^thread [0-9]+ "host_lines" \[[a-z_0-9]+(, [0-9.a-z ]+)?\]:$'
serves "threads as JSON" /debug/threads 200 "Content-Type: application/json"
is "threads as JSON: the main thread" "$(jq -r '.threads[0].name' "$WORK/body")" host_lines
debug_text block '--- contention:
cycles/second=1000000000'
debug_text mutex '--- mutex:
cycles/second=1000000000
sampling period=1'

# ---- Deltas ----------------------------------------------------------------------------------------------------------

for name in allocs threadcreate; do
    serves "$name over a second" "/debug/pprof/$name?seconds=1&seconds=3" 200 "$(profile_headers "$name-delta")"
    like "$name over a second: of a repeated parameter the first counts" "$(raw)" '^Duration: 1(\.[0-9]+)?'
done
for name in block mutex; do
    serves "$name over a second" "/debug/pprof/$name?seconds=1" 200 "$(profile_headers "$name-delta")"
    unlike "$name over a second: what was not watched has no duration" "$(raw)" '^Duration'
done
curl -s --max-time 30 -o "$WORK/delta" -D "$WORK/delta.headers" "$HOST_URL/debug/pprof/heap?seconds=2" &
delta=$!
sleep 0.5
ask "$HOST_PORT" "keep 5000000" >"$WORK/kept"
quick=0
for path in /debug/pprof/heap /debug/processes /debug/ /debug/pprof/symbol; do
    [ "$(status_of "$path")" != 200 ] || quick=$((quick + 1))
done
check "heap over two seconds: it is still being made" kill -0 "$delta"
is "heap over two seconds: meanwhile others are answered" "$quick" 4
wait "$delta"
cp "$WORK/delta" "$WORK/body"
cp "$WORK/delta.headers" "$WORK/headers"
is "heap over two seconds: headers" "$(headers)" "$(printf '%s\n%s' "$(profile_headers heap-delta)" "$ALWAYS" | sort)"
like "heap over two seconds: only what came meanwhile" "$(top "$WORK/body")" '5[0-9]{6}B .* keep_memory$'
like "heap over two seconds: its duration" "$(raw)" '^Duration: 2(\.[0-9]+)?'

# ---- Errors of pprof routes, in Go's words ---------------------------------------------------------------------------

refuses "an unknown profile" /debug/pprof/nonesuch 404 'Unknown profile'
refuses "an unknown profile with debug" '/debug/pprof/nonesuch?debug=1' 404 'Unknown profile'
refuses "a profile with a slash" /debug/pprof/heap/ 404 'Unknown profile'
for seconds in 0 -1 x 1.5 1x %20 0x5 1e3; do
    refuses "seconds=$seconds" "/debug/pprof/heap?seconds=$seconds" 400 \
        'invalid value for "seconds" - must be a positive integer'
done
for name in allocs block mutex threadcreate; do
    refuses "$name?seconds=no" "/debug/pprof/$name?seconds=no" 400 \
        'invalid value for "seconds" - must be a positive integer'
    refuses "$name with seconds and debug" "/debug/pprof/$name?seconds=1&debug=1" 400 \
        'seconds and debug params are incompatible'
done
for seconds in 3601 18446744073709551617 9999999999999999999999999999999; do
    refuses "seconds=$seconds" "/debug/pprof/heap?seconds=$seconds" 400 \
        'invalid value for "seconds" - must be at most 3600'
done
like "pprof shows the text" "$(timeout 60 go tool pprof -top "$HOST_URL/debug/pprof/nonesuch" 2>&1)" 'Unknown profile'
serves "an error as a problem, if Accept wants it" /debug/pprof/nonesuch 404 'Content-Type: application/problem+json' \
    -H 'Accept: application/problem+json'
is "an error as a problem: RFC 9457" "$(jq -cS . "$WORK/body")" \
    '{"detail":"Unknown profile","status":404,"title":"Not Found","type":"about:blank"}'

# ---- Methods ---------------------------------------------------------------------------------------------------------

for method in POST PUT DELETE PATCH OPTIONS get; do
    serves "$method heap" /debug/pprof/heap 405 "$PLAIN
X-Go-Pprof: 1
Allow: GET, HEAD" -X "$method"
    serves "$method /debug/" /debug/ 405 'Content-Type: application/problem+json
Allow: GET, HEAD' -X "$method"
done
serves "PUT symbol" /pprof/symbol 405 "$PLAIN
X-Go-Pprof: 1
Allow: GET, HEAD, POST" -X PUT
serves "a path that is not" /nonesuch 404 'Content-Type: application/problem+json'
is "a path that is not: RFC 9457" "$(jq -c '[.type, .title, .status, (.detail | type)]' "$WORK/body")" \
    '["about:blank","Not Found",404,"string"]'
status_of '/%ff%fe%0a%22%00%1b' >"$WORK/status"
check "bytes that are no text stay valid UTF-8 and JSON" python3 -c '
import json, sys; json.loads(open(sys.argv[1], "rb").read().decode())' "$WORK/body"

# ---- What gperftools' clients ask for --------------------------------------------------------------------------------

address() {
    nm "$WORK/host_lines" | awk -v name="$1" -v base="$base" '$3 == name { print "0x" $1, base }' |
        while read -r offset start; do printf '0x%x\n' $((offset + start)); done
}
base=$((16#$(grep -m 1 "$WORK/host_lines" "/proc/$HOST_PID/maps" | cut -d - -f 1)))
first=$(address keep_memory) second=$(address main)
names=$(printf 'num_symbols: 1\n%s\tkeep_memory\n%s\tmain\n' "$first" "$second")
for folder in /debug/pprof /pprof; do
    serves "$folder/symbol" "$folder/symbol" 200 "$PLAIN"
    is "$folder/symbol: the first line" "$(cat "$WORK/body")" 'num_symbols: 1'
    head_is_get "$folder/symbol" "$folder/symbol"
    serves "$folder/symbol by query" "$folder/symbol?$first+$second" 200 "$PLAIN"
    is "$folder/symbol by query: names" "$(cat "$WORK/body")" "$names"
    for type in application/octet-stream application/x-www-form-urlencoded; do
        serves "$folder/symbol by POST, $type" "$folder/symbol" 200 "$PLAIN" -H "Content-Type: $type" \
            --data-binary "$first+$second"
        is "$folder/symbol by POST, $type: names" "$(cat "$WORK/body")" "$names"
        is "$folder/symbol by POST, $type: newline on the last line too" "$(tail -c 1 "$WORK/body" | od -An -c)" '  \n'
    done
    serves "$folder/symbol: what is no address is passed over" "$folder/symbol" 200 "$PLAIN" \
        --data-binary "0x,zz+0xffffffffffffffffffff+0x1+$first"
    is "$folder/symbol: what is no address has no name" "$(cat "$WORK/body")" "$(head -n 2 <<<"$names")"
    serves "$folder/cmdline" "$folder/cmdline" 200 "$PLAIN"
    is "$folder/cmdline: arguments, with NUL between them" "$(od -An -c "$WORK/body")" \
        "$(printf '%s\0%s' "$WORK/host_lines" "$HOST_PORT" | od -An -c)"
    head_is_get "$folder/cmdline" "$folder/cmdline"
done
yes "$first" | head -n 20000 | paste -sd + >"$WORK/many"
serves "20,000 addresses in one body" /debug/pprof/symbol 200 "$PLAIN" --data-binary "@$WORK/many"
is "20,000 addresses: each is answered" "$(wc -l <"$WORK/body")" 20001
head -c 1048577 /dev/zero >"$WORK/large"
refuses "a body of more than 1 MiB" /debug/pprof/symbol 413 'a request body may have 1048576 bytes' \
    --data-binary "@$WORK/large"
refuses "the same in chunks" /debug/pprof/symbol 413 'a request body may have 1048576 bytes' \
    --data-binary "@$WORK/large" -H 'Transfer-Encoding: chunked' -H 'Expect:'
serves "/pprof/heap" /pprof/heap 200 "$PLAIN"
like "/pprof/heap: the first line" "$(head -n 1 "$WORK/body")" '^heap profile: +[0-9]+: +[0-9]+ \[ *[0-9]+: +[0-9]+\] @ heap_v2/4096$'
like "/pprof/heap: the libraries" "$(sed '1,/^MAPPED_LIBRARIES:$/d' "$WORK/body")" " $WORK/host_lines\$"
head_is_get "/pprof/heap" /pprof/heap
like "/pprof/heap: pprof reads it" "$(top "$HOST_URL/pprof/heap")" ' keep_memory$'
refuses "/pprof/growth" /pprof/growth 404 'nothing is served at /pprof/growth; /debug/ lists what is'
for path in /x/../debug/pprof/heap //debug/pprof/heap /debug/pprof/HEAP; do
    check_not "$path is no other name of heap" test "$(status_of "$path" --path-as-is)" = 200
done

# ---- Processes, pages, contract --------------------------------------------------------------------------------------

serves processes /debug/processes 200 'Content-Type: application/json'
is "processes: their members and types" "$(jq -c '.processes[0] | map_values(type)' "$WORK/body")" \
    '{"pid":"number","ppid":"number","role":"string","name":"string","command":"string","state":"string","uptime_seconds":"number","rss_bytes":"number"}'
is "processes: this one" "$(jq -c '[.url, (.processes | length)] + (.processes[0] | [.pid, .role, .name, .command])' "$WORK/body")" \
    "[\"$HOST_URL\",1,$HOST_PID,\"front\",\"host_lines\",\"$WORK/host_lines $HOST_PORT\"]"
is "processes: its parent" "$(jq .processes[0].ppid "$WORK/body")" "$(cut -d ' ' -f 4 "/proc/$HOST_PID/stat")"
check "processes: memory and uptime are likely" jq -e '.processes[0] | .rss_bytes > 3e6 and .rss_bytes < 1e9 and
    .uptime_seconds > 1 and .uptime_seconds < 600' "$WORK/body"
head_is_get processes /debug/processes
JSON='Content-Type: application/json'
HTML="Content-Type: text/html; charset=utf-8
Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'
Referrer-Policy: no-referrer"
BROWSER='Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
while IFS='|' read -r query accept wanted; do
    serves "processes$query, $accept" "/debug/processes$query" 200 "${!wanted}" -H "$accept"
done <<TABLE
|Accept: application/json|JSON
|Accept: text/plain|PLAIN
|Accept: text/html|HTML
|$BROWSER|HTML
|Accept: text/*;q=0.5, application/json;q=0.4|PLAIN
|Accept: text/plain;q=0, text/*|HTML
|Accept: image/png|JSON
|Accept:|JSON
?format=text|Accept: text/html|PLAIN
?format=html|Accept: application/json|HTML
?format=json|$BROWSER|JSON
?format=|Accept: text/plain|PLAIN
TABLE
serves "processes?format=xml" "/debug/processes?format=xml" 400 'Content-Type: application/problem+json'
status_of "/debug/processes?format=text" >"$WORK/status"
is "processes as text: a line of headings, a line for each" "$(wc -l <"$WORK/body")" 2
like "processes as text: the process" "$(cat "$WORK/body")" "^$HOST_PID +[0-9]+ +front +host_lines .* $WORK/host_lines $HOST_PORT\$"
serves openapi.yaml /debug/openapi.yaml 200 'Content-Type: application/yaml'
check "openapi.yaml is doc/openapi.yaml" cmp "$WORK/body" "$SRC/doc/openapi.yaml"
head_is_get openapi.yaml /debug/openapi.yaml

# paths PATTERN - of the rows of routes.def whose group fits.
paths() {
    sed -n "s/^ROUTE(\"\([^\"]*\)\", [A-Z_]*, [A-Z]*, \($1\),.*/\1/p" "$SRC/lib/server/routes.def"
}
links() {
    for path in $1; do grep -qE "href=\"$path(\\?(debug=1|seconds=10))?\"" "$WORK/body" || echo "$path"; done
}
serves "the page" /debug/ 200 "$HTML"
is "the page links every route" "$(links "$(paths 'PROFILE\|SUPPORT\|DATA\|PAGE')")" ""
like "the page shows the command line" "$(cat "$WORK/body")" "$WORK/host_lines $HOST_PORT"
unlike "the page has no script and nothing from elsewhere" "$(cat "$WORK/body")" '<script|src=|href="(http|//)|url\('
is "every link of the page works" "$(grep -oE 'href="[^"]*' "$WORK/body" | cut -c 7- | sed 's/seconds=10/seconds=1/' | sort -u | while read -r path; do
    status=$(status_of "$path" -o "$WORK/linked"); [ "$status" = 200 ] || echo "$path $status"; done)" ""
head_is_get "the page" /debug/
serves "threads as a page" /debug/threads 200 "$HTML" -H 'Accept: text/html'
like "threads as a page: the main thread" "$(cat "$WORK/body")" '<td>host_lines'
serves "the index" /debug/pprof/ 200 "$HTML"
is "the index links every profile" "$(links "$(paths PROFILE)")" ""
like "the index counts the stacks of the heap" "$(cat "$WORK/body")" 'heap</a> <span class=soft>[1-9][0-9]*</span>'
like "the index has commands for the address that was asked" "$(cat "$WORK/body")" \
    "<pre>go tool pprof $HOST_URL/debug/pprof/heap</pre>"
like "the index has commands for what changes" "$(cat "$WORK/body")" \
    "<pre>go tool pprof &#39;$HOST_URL/debug/pprof/heap\\?seconds=30&#39;</pre>"
is "a profile that is always empty has one command" "$(grep -c '<pre>.*/debug/pprof/mutex' "$WORK/body")" 1
head_is_get "the index" /debug/pprof/
while read -r from to; do
    serves "$from leads on" "$from" 301 "$PLAIN
Location: $to"
done <<TABLE
/ /debug/
/debug /debug/
/debug/pprof /debug/pprof/
TABLE
stop_host
finish
