#!/bin/bash
# Shells and helpers inherit the preload: a script of 100 commands must behave identically, and no window may open.
. "$(dirname "$0")/../lib.sh"

cat >"$WORK/script.sh" <<'SCRIPT'
cd "$1" || exit 9
mkdir d; cd d; pwd | wc -l
for i in 1 2 3 4 5 6 7 8 9 10; do
    echo "$i" >"file$i"; cat "file$i"; wc -c <"file$i"; cp "file$i" copy; cmp "file$i" copy && echo same
done
ls | sort -r | head -n 3; ls missing; echo "status $?"
seq 1000 | awk '{ s += $1 } END { print s }'
seq 100000 | sort -rn | sed -n '5p'
seq 5 | xargs -n 1 -P 2 echo | sort
echo text | tee a b >/dev/null; paste a b; rm a b
sh -c 'exit 42'; echo "status $?"
sh -c 'kill -TERM $$'; echo "status $?"
bash -c 'kill -SEGV $$'; echo "status $?"
(exit 3) || echo "subshell $?"
x=$(printf '%s' abc | tr a-c A-C); echo "$x"
cat <<HERE | grep -n line
first line
second
HERE
{ sleep 0.05; echo background; } & wait $!; echo "waited $?"
trap 'echo trapped' USR1; kill -USR1 $$; trap - USR1
exec 7>seven; echo to seven >&7; exec 7>&-; cat seven
ulimit -n; ulimit -s; umask
find . -name 'file*' -exec basename {} \; | sort | tr '\n' ' '; echo
tar cf - file1 file2 | tar tf -; gzip -c file1 | gunzip; date -u -d @0 +%Y
python3 -c 'import sys; print("python"); print("error", file=sys.stderr); sys.exit(5)'; echo "status $?"
perl -e 'print "perl\n"; warn "warning\n"; exit 6'; echo "status $?"
timeout 0.1 sleep 5; echo "status $?"
env -i sh -c 'echo clean'; nohup true </dev/null; nice true; echo "status $?"
readlink -f . | wc -l; stat -c %s file10; du -b file10 | cut -f 1; md5sum file1; od -c file1 | head -n 1
false | true; echo "status $?"; ! true; echo "status $?"
yes | head -n 2; dd if=/dev/zero bs=1k count=4 2>/dev/null | wc -c; expr 6 \* 7; test -d . && echo folder
no-such-command; echo "status $?"
echo done >&2; exit 17
SCRIPT

for mode in without with; do
    mkdir "$WORK/$mode"
    start_host $mode shell sh "$WORK/script.sh" "$WORK/$mode"
    wait_host 60
    echo "status $HOST_STATUS" >>"$HOST_OUT"
    sed -i "s|$WORK/$mode|WORK|g" "$HOST_ERR"
    sed -i "s|^[0-9]* |PID |; s|line [0-9]*: [0-9]* |line N: PID |; s|pid [0-9]*|PID|" "$HOST_ERR"
    [ $mode = with ] || HOST_ERR_PLAIN=$HOST_ERR
done
lines=$(wc -l <"$WORK/shell.without.out")
check "the script did run ($lines lines)" test "$lines" -gt 80
is "a script prints the same on stdout" "$(cat "$WORK/shell.with.out")" "$(cat "$WORK/shell.without.out")"
is "and the same on stderr" "$(cat "$HOST_ERR")" "$(cat "$HOST_ERR_PLAIN")"
like "and exits with the same status" "$(tail -n 1 "$WORK/shell.with.out")" '^status 17$'

# That the preload was in force at all is told by the loader.
start_host with maps sh -c 'cat /proc/self/maps'
wait_host
like "the helpers of a shell do carry the probe" "$(cat "$HOST_OUT")" 'libporthole\.so'
start_host with tasks sh -c 'ls /proc/self/task | wc -l; awk "/Threads/ { print \$2 }" /proc/self/status'
wait_host
is "and have one thread" "$(tr '\n' ' ' <"$HOST_OUT")" "1 1 "
finish
