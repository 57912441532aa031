#!/bin/bash
# quickstart.sh [--stay] - from a checkout to the leaking function: install, build, run an example service under
# Porthole, drive it, look through the window.
#
#   --stay   leave the service running until Ctrl-C, to look at it yourself
#
# Everything is built and run in a temporary folder, on ports of its own, and removed at the end.
set -eu
export LC_ALL=C
unset LD_PRELOAD MALLOC_CONF

stay=
case ${1-} in
--stay) stay=1 ;;
"") ;;
*)
    sed -n '2,7s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/porthole-quickstart.XXXXXX")
service=

clean_up() {
    trap - EXIT
    [ -z "$service" ] || kill "$service" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

step() {
    printf '\n\033[1m%s\033[0m\n' "$1"
}
[ -t 1 ] || step() {
    printf '\n%s\n' "$1"
}

# quietly WHAT COMMAND... - shows what a command said only if it failed.
quietly() {
    local what=$1
    shift
    "$@" >"$work/log" 2>&1 && return
    tail -n 30 "$work/log" >&2
    echo "quickstart: $what failed: see above" >&2
    exit 1
}

build() {
    mkdir "$work/source" "$work/build"
    (cd "$root" && tar --exclude=.git --exclude='*.o' --exclude='*.lo' -cf - .) | tar -C "$work/source" -xf -
    cd "$work/source" && autoreconf -fi
    cd "$work/build" && "$work/source/configure" --quiet && make -s -j"$(nproc)"
}

free_port() {
    local port
    for _ in $(seq 100); do
        port=$((10000 + RANDOM % 20000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || {
            echo "$port"
            return
        }
    done
    return 1
}

# answers URL - within ten seconds.
answers() {
    for _ in $(seq 100); do
        curl -sf --max-time 2 -o /dev/null "$1" && return
        kill -0 "$service" 2>/dev/null || break
        sleep 0.1
    done
    cat "$work/service.log" >&2
    echo "quickstart: nothing answers at $1" >&2
    exit 1
}

# drive FIRST LAST - what visitors do: look at pages, whose thumbnails have a query that is always new; log in.
drive() {
    curl -sf --max-time 60 -o /dev/null "$site/thumbnail/cat?t=[$1-$2]"
    curl -sf --max-time 60 -o /dev/null "$site/page/front?n=[$1-$2]"
    curl -sf --max-time 60 -o /dev/null "$site/login/visitor[$1-$2]"
}

step "Building"
quietly "installing packages" bash "$root/tests/install-packages.sh" build
quietly "the build" build
porthole=$work/build/tools/porthole
echo "ok: $("$porthole" --version)"

step "Starting an example service under Porthole"
site=http://127.0.0.1:$(free_port)
window=127.0.0.1:$(free_port)
echo "\$ porthole run --listen $window -- leaky_httpd ${site##*:}"
"$porthole" run --listen "$window" -- "$work/build/examples/leaky_httpd" "${site##*:}" >"$work/service.log" 2>&1 &
service=$!
answers "$site/stats"
answers "http://$window/debug/pprof/"
grep '^porthole: ' "$work/service.log"

step "Visitors come: 1,000 thumbnails, pages and logins"
drive 1 1000
curl -sf "$site/stats"

step "Who holds the memory?"
echo "\$ porthole heap $service --top 6"
"$porthole" heap "$service" --top 6

step "Visitors keep coming, ten profiles are recorded"
echo "\$ porthole record $service --every 500ms --count 10 -o heaps"
(
    for hundred in $(seq 10 39); do
        drive "${hundred}01" "$((hundred + 1))00"
        sleep 0.05
    done
) &
visitors=$!
cd "$work"
"$porthole" record "$service" --every 500ms --count 10 -o heaps
kill $visitors 2>/dev/null || true
wait $visitors 2>/dev/null || true

step "What grew, since when, and where?"
echo "\$ porthole diff heaps"
grew=0
"$porthole" diff heaps || grew=$?
[ $grew -eq 3 ] || {
    echo "quickstart: porthole diff ended with $grew; 3 was expected: something grew" >&2
    exit 1
}

step "The leak is in thumbnail_render: see examples/leaky_httpd.c for why"
cat <<END
To go on, while a server runs under \`porthole run\`:
  porthole watch PID                                           the same analysis, live
  porthole diff heaps -o report.html                           as a page with charts and a flame graph
  go tool pprof -http :8000 http://$window/debug/pprof/heap    graph, flame graph, source
  go tool pprof 'http://$window/debug/pprof/heap?seconds=30'   what changed in 30 s
  http://$window/debug/                                        the page, in a browser
Your own server: $([ -n "$stay" ] && echo "$porthole" || echo porthole) run -- COMMAND. README.md tells more.
END
if [ -n "$stay" ]; then
    step "The service runs on: Ctrl-C ends it"
    wait "$service"
fi
