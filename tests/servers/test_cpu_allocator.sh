#!/bin/bash
# Time in the allocator: one frame, named as what the program has called, under whoever called it.
. "$(dirname "$0")/../lib.sh"
build_host host_churn

HOST_PORT=$(free_port)
start_host with churn "$WORK/host_churn" "$HOST_PORT"
wait_for_port "$HOST_PORT"
wait_for_port "$ENDPOINT_PORT"

# stacks_of KIND - of a profile: one line a stack, leaf first.
stacks_of() {
    timeout 60 go tool pprof -traces "$WORK/$1.pb.gz" 2>/dev/null | awk '/^-+\+-/ { if (line != "") print line; line = ""; next }
        NF { line = line (line == "" ? "" : " ") $NF } END { print line }'
}

for kind in profile wall; do
    is "$kind: it is served" "$(curl -sS --max-time 60 -o "$WORK/$kind.pb.gz" -w '%{http_code}' \
        "$HOST_URL/debug/pprof/$kind?seconds=3&hz=250")" 200
    stacks=$(stacks_of "$kind")
    like "$kind: time in malloc() is under its caller" "$stacks" 'malloc takes_memory churn'
    like "$kind: time in free() is under its caller" "$stacks" 'free gives_back churn'
    like "$kind: time in realloc() is under its caller" "$stacks" 'realloc grows_memory churn'
    unlike "$kind: what the allocator is made of is not in it" "$stacks" 'je_|do_rallocx|arena_|tcache|libporthole'
done
is "a heap profile is served" "$(curl -sS --max-time 60 -o "$WORK/allocs.pb.gz" -w '%{http_code}' \
    "$HOST_URL/debug/pprof/allocs")" 200
stacks=$(stacks_of allocs)
like "it tells who allocated" "$stacks" 'grows_memory churn'
unlike "not that it was by malloc()" "$stacks" '(^| )(malloc|realloc)( |$)'
stop_host
is "the host ends on SIGTERM as ever" "$HOST_STATUS" 143
finish
