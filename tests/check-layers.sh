#!/bin/bash
# check-layers.sh [TREE] - proves that includes in lib/ and tools/ point downward only. TAP.
#
# The rooms and who may see whom are the table below. Besides: of the probe, agent-side code sees only probe/probe.h;
# in collect, kinds of observation never include one another, and a part belongs to one of them; local includes are
# written "room/file.h". The check is then tried on forbidden includes, each of which it must find.
set -u
export LC_ALL=C
tree=${1:-$(cd "$(dirname "$0")/.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# room: the rooms it may include, or single headers
rules='
base      base
model     base model
elf       base model elf
probe     base probe porthole/porthole.h model/labels.h
growth    base model growth
task      base model elf task probe/probe.h
collect   base model elf task collect probe/probe.h
family    base model elf task collect family probe/probe.h
server    base model elf task collect family server probe/probe.h
agent     base model elf task collect family server agent probe/probe.h
tools     base model elf growth tools
'

# includes TREE - "file header" for every local include. The public header is looked at, too.
includes() {
    (cd "$1" && find lib tools include -name '*.[ch]' -o -name '*.def' -o -name '*.in' | sort |
        xargs -r grep -HE '^[[:space:]]*#[[:space:]]*include[[:space:]]*("|<porthole/)' /dev/null |
        sed -E 's/^([^:]*):[[:space:]]*#[[:space:]]*include[[:space:]]*["<]([^">]*)[">].*/\1 \2/')
}

# violations TREE - one line each; nothing if the tree is in order.
violations() {
    includes "$1" | awk -v rules="$rules" '
        BEGIN {
            count = split(rules, lines, "\n")
            for (i = 1; i <= count; i++) {
                n = split(lines[i], word, " ")
                for (j = 2; j <= n; j++)
                    allowed[word[1], word[j]] = 1
                if (n)
                    known[word[1]] = 1
            }
        }
        {
            file = $1; header = $2
            split(file, part, "/")
            room = part[1] == "lib" ? part[2] : part[1]
            target = header; sub(/\/.*/, "", target)
            stem = file; sub(/^.*\//, "", stem); sub(/\.[a-z]+(\.in)?$/, "", stem)
            part_name = header; sub(/^.*\//, "", part_name); sub(/\.h$/, "", part_name)
            if (header == "config.h")
                next
            if (room == "include")
                print file ": the public header includes \"" header "\""
            else if (!(room in known))
                print file ": room " room " is not in the table of tests/check-layers.sh"
            else if (header !~ /\//)
                print file ": \"" header "\" is not written \"room/file.h\""
            else if (!((room, target) in allowed) && !((room, header) in allowed))
                print file ": " room " may not include \"" header "\""
            if (target == "collect" && room == "collect" && stem != part_name)
                users[part_name] = users[part_name] " " stem
            if (target == "collect" && room != "collect")
                offered[part_name] = 1
        }
        END {
            for (name in users) {
                if (name in offered)
                    print "lib/collect: \"collect/" name ".h\" is an observation of its own, yet included by" users[name]
                else if (split(users[name], user, " ") > 1 && !one_user(users[name]))
                    print "lib/collect: \"collect/" name ".h\" is a part of more than one observation:" users[name]
            }
        }
        function one_user(list,    i, n, user) {
            n = split(list, user, " ")
            for (i = 2; i <= n; i++)
                if (user[i] != user[1])
                    return 0
            return 1
        }'
}

number=0 failed=0
ok() {
    number=$((number + 1))
    if [ "$1" = "$2" ]; then
        echo "ok $number - $3"
    else
        failed=$((failed + 1))
        echo "not ok $number - $3"
        printf '%s\n' "$1" | sed 's/^/#   /'
    fi
}

ok "$(violations "$tree")" "" "every include points downward"
ok "$(includes "$tree" | awk '$1 ~ /^lib\/(base|probe)\// { found = 1 } END { print found + 0 }')" 1 "includes were looked at"

# finds FILE HEADER WHY [FILE HEADER]... - the check finds this include in a tree that has nothing else.
finds() {
    local why=$1
    shift
    rm -rf "$work/tree"
    mkdir -p "$work/tree/lib" "$work/tree/tools" "$work/tree/include"
    while [ $# -gt 0 ]; do
        mkdir -p "$(dirname "$work/tree/$1")"
        printf '#include "%s"\n' "$2" >>"$work/tree/$1"
        shift 2
    done
    ok "$(violations "$work/tree" | wc -l)" 1 "it finds $why"
}

finds "base looking up" lib/base/buf.c model/profile.h
finds "model looking up" lib/model/merge.c elf/symbols.h
finds "elf looking into collect" lib/elf/symbols.c collect/heap.h
finds "the probe looking at the model" lib/probe/init.c model/profile.h
finds "the probe looking at the server" lib/probe/load.h server/server.h
finds "collect looking past probe.h" lib/collect/heap.c probe/own_fd.h
finds "the server looking past probe.h" lib/server/router.c probe/symbols.def
finds "the agent looking past probe.h" lib/agent/agent.c probe/guard.h
finds "collect looking up" lib/collect/heap.c server/reply.h
finds "a tool looking at the probe" tools/cmd_run.c probe/probe.h
finds "a tool looking at collect" tools/cmd_heap.c collect/heap.h
finds "an include without its room" lib/base/buf.c buf.h
finds "a room that is not in the table" lib/utilities/misc.c base/buf.h
finds "the public header including ours" include/porthole/porthole.h base/error.h
finds "one observation including another" lib/collect/threads.c collect/heap.h lib/server/heap.c collect/heap.h
finds "a part with two owners" lib/collect/heap.c collect/dump.h lib/collect/threads.c collect/dump.h

rm -rf "$work/tree"
mkdir -p "$work/tree/lib/server" "$work/tree/lib/collect" "$work/tree/tools" "$work/tree/include"
printf '#include "%s"\n' collect/heap.h model/merge.h server/http.h probe/probe.h >"$work/tree/lib/server/heap.c"
printf '#include "%s"\n' collect/dump.h elf/symbols.h >"$work/tree/lib/collect/heap.c"
printf '#include "%s"\n' collect/dump.h >"$work/tree/lib/collect/dump.c"
ok "$(violations "$work/tree")" "" "it lets what is allowed pass"

echo "1..$number"
[ $failed -eq 0 ]
