#!/bin/bash
# porthole convert: every format in, every format out, with symbols; what is no profile is refused in one line.
. "$(dirname "$0")/../lib.sh"

PORTHOLE=$BUILD/tools/porthole
GOLDEN=$SRC/tests/golden
cd "$WORK" || exit 1

# convert ARGUMENT... - it ends with 0 and says nothing; else the reason.
convert() {
    timeout 60 "$PORTHOLE" convert "$@" >out 2>err </dev/null && [ ! -s err ] || {
        echo "status $?: $(head -n 5 err)"
        return 1
    }
}

# told WHAT STATUS PATTERN ARGUMENT... - convert ends with STATUS and says PATTERN in one line on stderr, and leaves no file.
told() {
    local what=$1 status=$2 pattern=$3 got
    shift 3
    rm -f told.*
    timeout 60 "$PORTHOLE" convert "$@" >out 2>err </dev/null
    got="status $? lines $(wc -l <err) output $(wc -c <out) files $(find . -name 'told.*' | wc -l)"
    is "$what" "$got $(grep -cE -- "^porthole[ a-z]*: .*$pattern" err)" "status $status lines 1 output 0 files 0 1"
    [ "$(grep -cE -- "$pattern" err)" = 1 ] || sed 's/^/#   /' err
}

# in_bytes FILE [INDEX] - the total that go tool pprof sees.
in_bytes() {
    top "$1" ${2:+-sample_index="$2"} | awk '$6 != "" && $1 ~ /^[0-9]+B?$/ { sub(/B$/, "", $1); sum += $1 } END { printf "%d\n", sum }'
}

# ---- Formats --------------------------------------------------------------------------------------------------------

printf 'main;serve;parse header 4096\nmain;serve;cache_insert 1048576\n' >stacks
# The libraries of this machine are not those of the dump, and to hear so is another test's.
sed 's|/usr/lib/|/none/lib/|' "$GOLDEN/jemalloc.heap" >jemalloc.heap
gzip -k stacks && gzip -c jemalloc.heap >jemalloc.gz && gzip -c "$GOLDEN/go119_heap.txt" >text.gz
zcat "$GOLDEN/go119_heap.pb.gz" >bare
for input in stacks stacks.gz jemalloc.heap jemalloc.gz "$GOLDEN/go119_heap.txt" text.gz \
    "$GOLDEN/go119_heap.pb.gz" bare; do
    name=${input##*/}
    check "$name becomes a pprof profile" convert "$input" -o "to.$name.pb.gz"
    check "$name: go tool pprof reads it" timeout 60 go tool pprof -raw "to.$name.pb.gz"
    check "$name becomes folded stacks" convert "$input" -o "to.$name.folded"
    is "$name: every line is a stack and a count" "$(grep -cvE '^[^ ;].* -?[0-9]+$' "to.$name.folded")" 0
    is "$name: folded stacks sum up to what pprof sees" \
        "$(awk '{ sum += $NF } END { printf "%d\n", sum }' "to.$name.folded")" "$(in_bytes "to.$name.pb.gz" inuse_space)"
    check "$name becomes a flame graph" convert "$input" -o "to.$name.svg"
    check "$name: it is XML" python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "to.$name.svg"
done
is "gzip changes nothing" "$(cat to.stacks.gz.folded to.jemalloc.gz.folded to.text.gz.folded)" \
    "$(cat to.stacks.folded to.jemalloc.heap.folded to.go119_heap.txt.folded)"
is "folded stacks survive the way through pprof" \
    "$("$PORTHOLE" convert to.stacks.pb.gz -o - --format folded | sort)" "$(sort stacks)"
is "a pprof profile stays what it is" "$(top to.go119_heap.pb.gz.pb.gz)" "$(top "$GOLDEN/go119_heap.pb.gz")"
is "- is the standard output" "$("$PORTHOLE" convert stacks -o - --format=folded)" "$(cat stacks)"
check "the format may be given" convert stacks --format svg --output picture
like "and is used" "$(head -n 2 picture)" '<svg '
check "a metric may be chosen" convert "$GOLDEN/go119_heap.pb.gz" -o objects.folded --metric alloc_objects
is "its values are written" "$(awk '{ sum += $NF } END { printf "%d\n", sum }' objects.folded)" \
    "$(timeout 60 go tool pprof -top -sample_index=alloc_objects "$GOLDEN/go119_heap.pb.gz" 2>&1 | sed -n 's/.* of \([0-9]*\) total.*/\1/p')"
check "folded counts may be objects" convert stacks -o counts.pb.gz --metric inuse_objects
like "pprof is told so" "$(timeout 60 go tool pprof -raw counts.pb.gz 2>&1)" '^inuse_objects/count'

# ---- Flame graphs ---------------------------------------------------------------------------------------------------

printf 'main;a<b>&"c";\e[31mred\x01\xff %s\nmain;std::vector<int>::push_back(int const&) 7\n' 5 >odd
check "names with markup and control characters become a flame graph" convert odd -o odd.svg
titles=$(python3 - odd.svg <<'PYTHON'
import sys, xml.dom.minidom
for title in xml.dom.minidom.parse(sys.argv[1]).getElementsByTagName("title")[1:]:
    print(title.firstChild.data)
PYTHON
)
like "every box has its whole name, value and share as its title" "$titles" '^a<b>&"c" \(5 B, 41\.67%\)$'
like "control characters are shown, not sent" "$titles" '^\\x1b\[31mred\\x01'
is "no control character is in the file" "$(tr -d '\n' <odd.svg | LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f]')" 0
unlike "it needs nothing from elsewhere" "$(grep -v xmlns= odd.svg)" 'https?:|href|src='
python3 -c 'print(";".join(["recurse"] * 100000), 3)' >deep
check "a recursion of 100,000 frames becomes a flame graph" convert deep -o deep.svg
check "of bounded size" test "$(wc -c <deep.svg)" -lt 1000000
like "that says what it leaves out" "$(cat deep.svg)" 'only the first 500 frames'

# ---- Symbols --------------------------------------------------------------------------------------------------------

cat >leak.c <<'C'
int sink(int value);
int outer(int value);
__attribute__((noinline)) int sink(int value) { __asm__ volatile("" : "+r"(value)); return value; }
static inline __attribute__((always_inline)) int inner(int value)
{
    return sink(value + 1) * 3;
}
__attribute__((noinline)) int outer(int value)
{
    return inner(value) + 7;
}
int main(int argc, char **argv) { (void)argv; return outer(argc) == 0; }
C
# Dumps hold return addresses: the one behind the first call in outer() is that of the inlined inner().
gcc -O2 -g -no-pie -fno-pie -Wl,--build-id=sha1 -o leak leak.c && gcc -O2 -g -no-pie -fno-pie -DX -Wl,--build-id=0x1234 -o other leak.c
return_address=$(objdump -d --no-show-raw-insn leak | awk '/<outer>:/ { in_outer = 1 } in_outer && found { sub(":", "", $1); print $1; exit } in_outer && /call/ { found = 1 }')
read -r offset address size < <(readelf -lW leak | awk '$1 == "LOAD" && /R E/ { print $2, $3, $5 }')
range=$(printf '%x-%x r-xp %08x' $((address & ~4095)) $(((address + size + 4095) & ~4095)) $((offset & ~4095)))
dump() { # PATH - a dump of jemalloc with one stack
    printf 'heap_v2/524288\n  t*: 1: 100 [0: 0]\n@ 0x%s\n  t*: 1: 100 [0: 0]\n\nMAPPED_LIBRARIES:\n%s 00:01 77 %s\n' \
        "$return_address" "$range" "$1"
}
dump /opt/nosuch/leak >leak.heap
check "a dump without its program is converted" convert leak.heap -o bare.folded
like "addresses are module and offset then" "$(cat bare.folded)" '^leak\+0x[0-9a-f]+ [0-9]+$'
check "--binary names it" convert leak.heap --binary leak -o named.pb.gz
raw=$(timeout 60 go tool pprof -raw named.pb.gz 2>&1)
like "with file and line of the inlined call" "$raw" ' inner .*leak\.c:6'
like "and of its caller" "$raw" ' outer .*leak\.c:10'
like "and the build id, for pprof to find it" "$raw" "$(readelf -n leak | sed -n 's/.*Build ID: //p')"
convert leak.heap --binary leak -o named.folded
like "folded stacks have both" "$(cat named.folded)" '^outer;inner [0-9]+$'

# pprof's own profile of it, with the build id and without names
convert leak.heap --binary leak -o known.pb.gz
python3 - bare.heap "$return_address" <<'PYTHON' || echo "# no bare.heap"
import sys
open(sys.argv[1], "w").write("heap profile: 1: 100 [1: 100] @ heapprofile\n1: 100 [1: 100] @ 0x%s\n" % sys.argv[2])
PYTHON
check "the text of gperftools without a list of files is named from --binary" convert bare.heap --binary leak -o text.folded
is "with the inlined call" "$(cut -d ' ' -f 1 text.folded)" "outer;inner"

objcopy --only-keep-debug leak leak.debug && cp leak stripped && strip stripped && objcopy --add-gnu-debuglink=leak.debug stripped
mkdir debug && mv leak.debug debug/
check "--debug-dir adds lines to a stripped program" convert leak.heap --binary stripped --debug-dir debug -o stripped.folded
is "the same" "$(cat stripped.folded)" "$(cat named.folded)"

convert leak.heap --binary leak -o id.pb.gz
sed 's/ 00:01 77 .*/ 00:01 77 '"${WORK//\//\\/}"'\/leak/' leak.heap >moved.heap
timeout 60 "$PORTHOLE" convert moved.heap -o moved.folded 2>err
like "a file that is not the one that was mapped is not used, which is said" "$? $(cat err)" '^0 porthole: .*/leak is not the file'
like "and its addresses stay addresses" "$(cat moved.folded)" '^leak\+0x'

timeout 60 "$PORTHOLE" convert leak.heap --binary /usr/bin/env -o useless.folded 2>err
like "a program that names nothing is told" "$? $(cat err)" '^0 porthole: /usr/bin/env names no address of the profile$'
timeout 60 "$PORTHOLE" convert named.pb.gz --binary other -o useless.folded 2>err
like "another build is told where nothing lacks a name" "$? $(cat err)" '^0 porthole: other is another build \(build id 1234\)'
is "the right one needs no word" "$(timeout 60 "$PORTHOLE" convert named.pb.gz --binary leak -o - --format folded 2>&1)" \
    "$(cat named.folded)"

unlike "the agent carries no libdw into its host" "$(ldd "$BUILD/lib/.libs/libporthole-agent.so")" 'libdw'
check "libdw asks no server" env DEBUGINFOD_URLS=http://127.0.0.1:9 "$PORTHOLE" convert leak.heap --binary stripped -o asked.folded

# ---- Errors ---------------------------------------------------------------------------------------------------------

told "without -o it says what is missing" 2 "expected -o OUT" stacks
told "a name without format needs one" 2 "expected --format" stacks -o told.bin
told "an unknown format is refused" 2 "--format gif: expected pprof, folded or svg" stacks -o told.svg --format gif
told "two inputs are refused" 2 "expected one file" stacks stacks -o told.svg
told "a file that is not there is told" 1 "nosuch: no such file" nosuch -o told.svg
told "a metric that is not there is told with those that are" 1 "has no wall, but alloc_objects" \
    "$GOLDEN/go119_heap.pb.gz" -o told.svg --metric wall
told "a binary that is not there is told" 1 "--binary nosuch: No such file" leak.heap --binary nosuch -o told.svg
told "a debug folder that is not there is told" 1 "--debug-dir nosuch: No such file" leak.heap --debug-dir nosuch -o told.svg
told "a full disk is a failure" 1 "cannot write /dev/full: No space" stacks -o /dev/full --format svg
told "a folder that is not there is told" 1 "cannot write nosuch/told.svg: No such file" stacks -o nosuch/told.svg
timeout 60 "$PORTHOLE" convert stacks -o - --format folded >/dev/full 2>err
like "a full standard output is a failure" "$? $(cat err)" '^1 porthole: cannot write standard output: No space'
mkdir kept && echo before >kept/out.svg && ln -s out.svg kept/link.svg
( ulimit -f 1; trap '' XFSZ; timeout 60 "$PORTHOLE" convert deep -o kept/out.svg 2>err )
like "a file that grows too large is a failure" "$? $(cat err)" '^1 porthole: cannot write .*out.svg: File too large'
is "what was there stays, and nothing else" "$(cat kept/out.svg; ls kept)" $'before\nlink.svg\nout.svg'
chmod 640 kept/out.svg
check "a link is followed" convert stacks -o kept/link.svg
is "the file behind it is replaced and keeps its permissions" \
    "$(readlink kept/link.svg) $(stat -c %a kept/out.svg) $(grep -c '<svg ' kept/out.svg)" "out.svg 640 1"

# ---- Bad input ------------------------------------------------------------------------------------------------------

printf '<!DOCTYPE html>\n<title>404</title>\n' >page
printf '{"error":"no"}' >json
: >empty
gzip -c empty >empty.gz
truncate -s 10G sparse
truncate -s 100M zeros
head -c 300000 /dev/zero | tr '\0' '\n' >lines
head -c 100 "$GOLDEN/go119_heap.pb.gz" >cut.gz
head -c 200 bare >cut.pb
head -c 200 "$GOLDEN/jemalloc.heap" >cut.heap
printf 'hello world\n' >prose
printf 'heap_v2/524288\n  t*: 1: 100 [0: 0]\n@ 0x1\n  t*: 99999999999999999999: 100 [0: 0]\n' >over.heap
printf 'heap_v2/524288\n  t*: 1: 100 [0: 0]\n@ 0x1\n  t*: -1: 100 [0: 0]\n' >minus.heap
printf 'heap profile: 1: 2 [3: 4] @ heap_v2/512\n99999999999999999999: 1 [1: 1] @ 0x1\n' >over.text
printf 'main;f 99999999999999999999\n' >over.folded
printf 'main;f 5\nmain;f five\n' >words.folded
head -c 4096 /dev/urandom | tr '\0-\377' '\200-\377\200-\377' >junk
for row in "page:byte 0: HTML" "json:byte 0: HTML or JSON" "empty:byte 0: empty" "empty.gz:byte 0: empty" \
    "zeros:byte 0: expected a profile" "lines:expected a profile" "cut.gz:byte [0-9]+" "cut.pb:byte [0-9]+" \
    "cut.heap:line [0-9]+, column [0-9]+" "prose:line 1, column 1: expected a profile" \
    "over.heap:line 4, column 7: expected a count" "minus.heap:line 4, column 7: expected a count" \
    "over.text:line 2, column 1: expected counts" "over.folded:line 1, column 8: expected a count" \
    "words.folded:line 2, column 8: expected a count" "junk:byte [0-9]+: expected" \
    "sparse:larger than 1 GiB" "/bin/true:byte 0: a program"; do
    told "${row%%:*} is refused with a place" 1 "${row#*:}" "${row%%:*}" -o told.svg
done
printf 'heap_v2/524288\n  t*: 1: 100 [0: 0]\n@ 0x1\n  t*: 0: 100 [0: 7]\n' >odd.heap
check "bytes without objects are converted" convert odd.heap -o odd.pb.gz
check "pprof reads that" timeout 60 go tool pprof -raw odd.pb.gz
printf 'main;f -4096\nmain;g 100\n' >minus.folded
check "negative values are converted" convert minus.folded -o minus.pb.gz
like "pprof sees them" "$(top minus.pb.gz)" '^ *-4096B .* f$'
check "a flame graph of them is drawn" convert minus.folded -o minus.svg
like "and says that they are not shown" "$(cat minus.svg)" '1 of them negative: not shown'
python3 - recursion.heap <<'PYTHON'
import sys
with open(sys.argv[1], "w") as out:
    out.write("heap_v2/524288\n  t*: 1: 100 [0: 0]\n@" + " 0x401000" * 1000000 + "\n  t*: 1: 100 [0: 0]\n")
PYTHON
check "a recursion of a million frames becomes a pprof profile" convert recursion.heap -o recursion.pb.gz
check "and folded stacks" convert recursion.heap -o recursion.folded
check "and a flame graph" convert recursion.heap -o recursion.svg
check "memory is bounded for 100 MB that unpack to 10 GB" bash -c '
    head -c 1000000000 /dev/zero | gzip -1 >bomb.part && for _ in 1 2 3; do cat bomb.part; done >bomb.gz
    ulimit -v 4000000
    timeout 60 "$1" convert bomb.gz -o told.svg 2>err
    [ $? = 1 ] && grep -q "more than .* bytes" err' - "$PORTHOLE"
finish
