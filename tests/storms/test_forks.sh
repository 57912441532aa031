#!/bin/bash
# A storm of forks while heap and processes are scraped: children end in every way there is, at any instruction; nothing of
# them is left, and none of them hangs.
. "$(dirname "$0")/storm.sh"
build_storm
paths=(/debug/pprof/heap "/debug/processes?format=json")

PORTHOLE_ENV=(PORTHOLE_HEAP_SAMPLE=64KiB)
start_storm forks
start_scraping "${paths[@]}"
like "warming up" "$(order 60 "forks 300 300 10")" ' 0 wrong, 0 left'
stop_scraping "warming up" 2
wait_until 10 settled "$(holdings "$HOST_PID")"
before=$(holdings "$HOST_PID") before_kib=$(rss_kib "$HOST_PID")

start_scraping "${paths[@]}"
result=$(order 200 "forks $(long_or_short 30000 4000) 1000 $(long_or_short 60 12)")
echo "# $result"
like "no child ends in another way than it should" "$result" '^[1-9][0-9]{2,} forked, 0 wrong, 0 left'
is "the host says nothing" "$(other_lines "$HOST_ERR")" ""
stop_scraping "storm of forks" 4
check_settled "after the storm" "$before"
after_kib=$(rss_kib "$HOST_PID")
check "no memory stays: $before_kib KiB before, $after_kib after" test "$after_kib" -le $((before_kib + 6000))
# A heap profile while nobody else is there: only the parent's.
is "then the heap is served" "$(status_of /debug/pprof/heap)" 200
stop_host
is "it ends on SIGTERM as ever" "$HOST_STATUS" 143
finish
