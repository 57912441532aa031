#!/bin/bash
# A storm of threads while the heap is scraped: nothing of them is left.
. "$(dirname "$0")/storm.sh"
build_storm

# run_storm NAME COUNT - after warming up; leaves RSS before and after in $before_kib and $after_kib.
run_storm() {
    start_storm threads
    is "$1: warming up" "$(order 60 "threads 2000")" "2000 joined"
    local before
    before=$(holdings "$HOST_PID")
    status_of /debug/pprof/heap >/dev/null
    before_kib=$(rss_kib "$HOST_PID")
    start_scraping /debug/pprof/heap /debug/pprof/threadcreate
    is "$1: $2 threads are made, work and are joined" "$(order 200 "threads $2")" "$2 joined"
    stop_scraping "$1" 2
    check_settled "$1" "$before"
    after_kib=$(rss_kib "$HOST_PID")
    unlike "$1: no thread went unrecorded" "$(curl -s --max-time 10 "$HOST_URL/metrics")" \
        '^porthole_[a-z_]*unrecorded[a-z_]*(\{[^}]*\})? [1-9]'
    stop_host
    is "$1: it ends on SIGTERM as ever" "$HOST_STATUS" 143
}

# jemalloc keeps what a thread has sampled beyond its end (prof_accum, doc/sampling.md): so once without that, to see what
# else might stay, and once with it, where each sample may cost so much and no more.
PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=64KiB MALLOC_CONF=prof_accum:false)
run_storm "storm of threads" "$(long_or_short 100000 10000)"
check "without accumulation, no memory stays: $before_kib KiB before, $after_kib after" \
    test "$after_kib" -le $((before_kib + 6000))

PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=64KiB)
count=$(long_or_short 20000 5000)
run_storm "accumulated" "$count"
check "with accumulation, less than 4 KiB a thread that was sampled: $before_kib KiB before, $after_kib after" \
    test "$after_kib" -le $((before_kib + 4 * count))
finish
