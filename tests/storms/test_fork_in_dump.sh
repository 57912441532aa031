#!/bin/bash
# fork() while a heap dump is in progress waits for that dump and for no other; both are counted.
. "$(dirname "$0")/storm.sh"
build_storm

# metric NAME - its value; nothing if there is none.
metric() {
    curl -s --max-time 10 "$HOST_URL/metrics" | awk -v name="$1" '$1 == name { print $2 }'
}

PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=1KiB)
start_storm dumps
is "a heap of many stacks" "$(order 60 "grow 20000")" 20000
is "its heap is served" "$(status_of /debug/pprof/heap)" 200
read -r quiet_us _ <<<"$(order 60 "fork-time 100")"
is "nobody asks: only the first fork waits, for what its children need" "$(metric porthole_forks_delayed_total)" 1

# Several clients at once: dumps follow one another without a pause, and a fork must not wait for all of them.
: >"$WORK/scraped"
touch "$WORK/scraping"
scrapers=()
for _ in 1 2 3; do
    scrape_on /debug/pprof/heap &
    scrapers+=($!)
    HOST_PIDS+=($!)
done
sleep 0.5
read -r longest_us sum_us <<<"$(order 100 "fork-time 100")"
rm "$WORK/scraping"
wait "${scrapers[@]}"
slowest_us=$(awk '$3 * 1e6 > slowest { slowest = $3 * 1e6 } END { printf "%d\n", slowest }' "$WORK/scraped")
echo "# longest fork: $quiet_us us when nobody asks, $longest_us us under $(wc -l <"$WORK/scraped") dumps, of which the slowest request took $slowest_us us"
is "every request was served" "$(awk '$2 != 200' "$WORK/scraped" | head -n 5)" ""
check "a fork waits no longer than one request lasts" test "$longest_us" -lt "$slowest_us"
delayed=$(metric porthole_forks_delayed_total) waited=$(metric porthole_fork_wait_seconds_total)
check "forks that had to wait are counted: $delayed of $(metric porthole_forks_total)" \
    test "$delayed" -gt 0 -a "$delayed" -le "$(metric porthole_forks_total)"
check "their wait is counted: $waited s of $sum_us us" \
    awk -v waited="$waited" -v sum_us="$sum_us" 'BEGIN { exit !(waited > 0 && waited * 1e6 <= sum_us) }'
stop_host
is "it ends on SIGTERM as ever" "$HOST_STATUS" 143
finish
