#!/bin/bash
# nginx is told to reload again and again while heap and processes are scraped: each generation of workers joins the family
# and leaves it; nothing of the old ones is left, and the port is open all the time.
. "$(dirname "$0")/storm.sh"
PATH=$PATH:/usr/sbin
cycles=$(long_or_short 2000 50)

HOST_PORT=$(free_port)
mkdir -p "$WORK/tmp" "$WORK/www"
echo "a small page" >"$WORK/www/index.html"
cat >"$WORK/nginx.conf" <<CONF
daemon off;
worker_processes 2;
pid $WORK/nginx.pid;
error_log stderr warn;
$([ "$(id -u)" -ne 0 ] || echo "user www-data;")
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path $WORK/tmp/body;
    proxy_temp_path $WORK/tmp/proxy;
    fastcgi_temp_path $WORK/tmp/fastcgi;
    uwsgi_temp_path $WORK/tmp/uwsgi;
    scgi_temp_path $WORK/tmp/scgi;
    server { listen 127.0.0.1:$HOST_PORT; root $WORK/www; }
}
CONF
chmod 755 "$WORK" # the workers are of another user

workers() {
    tr ' ' '\n' <"/proc/$HOST_PID/task/$HOST_PID/children" | sort -n | xargs
}

# has_renewed OLD - two workers, none of them of the old ones.
has_renewed() {
    local now
    now=$(workers)
    [ "$(wc -w <<<"$now")" -eq 2 ] && [ -z "$(comm -12 <(tr ' ' '\n' <<<"$1" | sort) <(tr ' ' '\n' <<<"$now" | sort))" ]
}

# reload COUNT - how many of so many reloads brought new workers within ten seconds.
reload() {
    local i old good=0
    for ((i = 0; i < $1; i++)); do
        old=$(workers)
        nginx -e stderr -c "$WORK/nginx.conf" -s reload 2>/dev/null || break
        wait_until 10 has_renewed "$old" && good=$((good + 1))
    done
    echo "$good"
}

family_is_whole() {
    [ "$(members)" = "$(echo "$HOST_PID" "$(workers)" | tr ' ' '\n' | sort -n | xargs)" ]
}

start_host with reload nginx -e stderr -c "$WORK/nginx.conf"
wait_for_port "$HOST_PORT" && wait_for_port "$ENDPOINT_PORT"
start_scraping /debug/pprof/heap "/debug/processes?format=json"
is "warming up" "$(reload 10)" 10
stop_scraping "warming up" 2
check "the family is master and workers" wait_until 10 family_is_whole
before=$(holdings "$HOST_PID") before_kib=$(rss_kib "$HOST_PID")

start_scraping /debug/pprof/heap "/debug/processes?format=json" /metrics
is "$cycles reloads, each with new workers" "$(reload "$cycles")" "$cycles"
stop_scraping "reloads" 5
check "the family is master and the last workers" wait_until 10 family_is_whole
is "its list has nobody else" "$(members | wc -w)" 3
is "the master holds the descriptors and threads that it held" "$(holdings "$HOST_PID")" "$before"
watched=$(watchers "$HOST_PID")
# Its own, and two sockets for each of two workers at most.
check "what has gone watches no more: $watched sockets have the front's name" test "$watched" -ge 1 -a "$watched" -le 5
after_kib=$(rss_kib "$HOST_PID")
# nginx itself keeps some of each configuration; with Porthole it may not be more than that: 1 KiB a reload.
check "its memory stays: $before_kib KiB before, $after_kib after" \
    test "$after_kib" -le $((before_kib + 4000 + cycles))
is "nginx answers" "$(curl -s --max-time 5 "http://127.0.0.1:$HOST_PORT/")" "a small page"
unlike "nginx has nothing to say" "$(other_lines "$HOST_ERR")" 'alert|emerg|crit|exited on signal'
stop_host QUIT
is "it ends with 0" "$HOST_STATUS" 0
finish
