#!/bin/bash
# tests/run.sh [--only PATTERN] [--keep] - install what the tests need, build out of tree, run everything.
#
# The last line is `N passed, N failed`, counting single test cases; the exit status is 0 only if none failed.
# A program that fails is run a second time, alone: what then passes is told as unsteady, with what it said at first.
#   --only PATTERN   only stages whose name matches this extended regular expression (the build they need comes first)
#   --keep           leave the temporary folder, with the log of each stage, and say where it is
#
# PORTHOLE_ARTEFACTS=DIR keeps the screenshots of pages there.
#
# Nothing is written to the source tree: it is copied, and everything happens in a temporary folder.
set -u
export LC_ALL=C CMOCKA_MESSAGE_OUTPUT=TAP
unset LD_PRELOAD MAKEFLAGS MAKELEVEL CFLAGS CPPFLAGS LDFLAGS CC MALLOC_CONF TAP_DRIVER
for name in $(compgen -e PORTHOLE_ | grep -v '^PORTHOLE_ARTEFACTS$'); do unset "$name"; done

only=. keep=
while [ $# -gt 0 ]; do
    case $1 in
    --only) only=${2:?--only needs a pattern} && shift 2 ;;
    --keep) keep=1 && shift ;;
    *)
        sed -n '2,9s/^# \{0,1\}//p' "$0"
        exit 2
        ;;
    esac
done

root=$(cd "$(dirname "$0")/.." && pwd)
bash "$root/tests/install-packages.sh" test || exit 1
umask 022
work=$(mktemp -d "${TMPDIR:-/tmp}/porthole-run.XXXXXX")
chmod 755 "$work" # some tests go on as nobody
export TMPDIR=$work/tmp
source=$work/src build=$work/gcc prefix=$work/porthole-prefix
mkdir "$TMPDIR" "$source" "$work/logs"
passed=0 failed=0 skipped=0 unsteady=0 running=()

clean_up() {
    local pid
    for pid in "${running[@]}"; do kill "$pid" 2>/dev/null; done
    wait
    [ -n "$keep" ] || { chmod -R u+w "$work" && rm -rf "$work"; }
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# ---- Counting ----------------------------------------------------------------------------------------------------------

# count_tap FILE... - "passed failed skipped" of TAP lines; cmocka writes skipped tests as "not ok N # SKIP".
count_tap() {
    cat "$@" | awk '
        /^(ok|not ok)[ 0-9]*# SKIP|^ok .*# SKIP/ { skipped++; next }
        /^ok( |$)/ { passed++ }
        /^not ok( |$)/ { failed++ }
        END { print passed + 0, failed + 0, skipped + 0 }'
}

# count_one STATUS LOG - a stage that is one case by itself.
count_one() {
    [ "$1" -eq 0 ] && echo "1 0 0" || echo "0 1 0"
}

# count_script STATUS LOG - a TAP script; one that ends badly without saying so has failed all the same.
count_script() {
    local p f s
    read -r p f s < <(count_tap "$2")
    [ "$1" -eq 0 ] || [ "$f" -gt 0 ] || f=1
    [ $((p + f + s)) -gt 0 ] || f=1
    echo "$p $f $s"
}

# count_check STATUS LOG - automake's: the log and the verdict of each program that BUILD/tests holds.
count_check() {
    local p=0 f=0 s=0 trs counts
    while read -r trs; do
        read -r -a counts < <(count_tap "${trs%.trs}.log")
        p=$((p + counts[0])) f=$((f + counts[1])) s=$((s + counts[2]))
        grep -q '^:test-result: *\(PASS\|SKIP\|XFAIL\)' "$trs" || [ "${counts[1]}" -gt 0 ] || f=$((f + 1))
    done < <(find "$build" -name '*.trs' | sort)
    [ "$1" -eq 0 ] || [ $f -gt 0 ] || f=1
    [ $p -gt 0 ] || f=1
    echo "$p $f $s"
}

# count_programs STATUS LOG - the same, one case a program: they have been counted in full before.
count_programs() {
    local p f
    p=$(find "$work/sanitizers" -name '*.trs' -exec grep -l '^:test-result: *PASS' {} + | wc -l)
    f=$(find "$work/sanitizers" -name '*.trs' -exec grep -L '^:test-result: *\(PASS\|SKIP\|XFAIL\)' {} + | wc -l)
    [ "$1" -eq 0 ] || [ "$f" -gt 0 ] || f=1
    [ "$p" -gt 0 ] || f=1
    echo "$p $f 0"
}

# what_failed LOG - the cases that failed, and why, in words that count as no case.
what_failed() {
    grep -A 8 -E '^not ok' "$1" | grep -E '^(not ok|#)' | sed 's/^not ok/unsteady/'
}

# may_run_again LOG... - a few that lost a race may; a crash, or what a sanitizer found, counts at its first time.
may_run_again() {
    local log
    [ $# -gt 0 ] && [ $# -le 5 ] || return 1
    for log in "$@"; do
        grep -q '^not ok' "$log" && ! grep -qE 'Sanitizer|runtime error:|with exception:|core dumped' "$log" || return 1
    done
}

# report NAME SECONDS COUNTER STATUS LOG
report() {
    local p f s
    read -r p f s < <("$3" "$4" "$5")
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    printf '%-4s  %-34s %4d passed, %d failed%s  %d s\n' "$([ "$f" -eq 0 ] && echo ok || echo FAIL)" "$1" "$p" "$f" \
        "$([ "$s" -eq 0 ] || echo ", $s skipped")" "$2"
    grep -hE '^(not )?ok .*# SKIP' "$5" | sed 's/^/      /'
    unsteady=$((unsteady + $(grep -c '^unsteady' "$5")))
    grep -A 8 '^unsteady' "$5" | grep -E '^(unsteady|#)' | sed 's/^/      /'
    [ "$f" -gt 0 ] || return 0
    if [ "$4" -eq 124 ] || [ "$4" -eq 137 ]; then echo "      took too long"; else echo "      ended with status $4"; fi
    { grep -qE '^not ok' "$5" && grep -A 12 -E '^not ok|^# ended early' "$5" | grep -vE '^ok ' || tail -n 40 "$5"; } |
        head -n 120 | sed 's/^/      /'
}

# ---- Stages ------------------------------------------------------------------------------------------------------------

wanted() {
    [[ $1 =~ $only ]]
}

# stage NAME SECONDS COUNTER COMMAND... - in the foreground, bounded.
stage() {
    local name=$1 limit=$2 counter=$3 log started=$SECONDS status
    shift 3
    log=$work/logs/${name//[^A-Za-z0-9_.-]/_}.log
    timeout -k 15 "$limit" "$@" >"$log" 2>&1 </dev/null &
    running=($!)
    wait "${running[0]}"
    status=$?
    running=()
    report "$name" $((SECONDS - started)) "$counter" $status "$log"
    return $status
}

# log_of FILE - its name alone would not do: two folders have a test_nginx.sh.
log_of() {
    local name=${1#"$source"/tests/}
    echo "$work/logs/${name//\//-}.log"
}

# scripts SECONDS FILE... - TAP scripts on the gcc build, two at a time, reported in order.
scripts() {
    local limit=$1 file log status took failing=() logs=()
    local -A pids=()
    shift
    for file in "$@"; do
        wanted "${file#"$source"/tests/}" || continue
        log=$(log_of "$file")
        (
            start=$SECONDS
            timeout -k 15 "$limit" bash "$file" "$build" >"$log" 2>&1 </dev/null &
            trap 'kill $!; wait' TERM
            wait $!
            echo "$? $((SECONDS - start))" >"$log.status"
        ) &
        pids[$file]=$!
        running+=($!)
        while [ "$(jobs -pr | wc -l)" -ge 2 ]; do wait -n; done
    done
    wait
    running=()
    for file in "${!pids[@]}"; do
        status=1
        read -r status _ <"$(log_of "$file").status"
        [ "$status" -eq 0 ] || failing+=("$file") logs+=("$(log_of "$file")")
    done
    may_run_again "${logs[@]}" && scripts_again "$limit" "${failing[@]}"
    for file in "$@"; do
        [ -n "${pids[$file]-}" ] || continue
        log=$(log_of "$file")
        status=1 took=0
        read -r status took <"$log.status"
        report "${file#"$source"/tests/}" "$took" count_script "$status" "$log"
    done
}

# scripts_again SECONDS FILE... - once more and one at a time: other programs on the machine can make a test lose a race.
scripts_again() {
    local limit=$1 file log status took start
    shift
    for file in "$@"; do
        log=$(log_of "$file") start=$SECONDS
        read -r status took <"$log.status"
        mv "$log" "$log.first"
        timeout -k 15 "$limit" bash "$file" "$build" >"$log" 2>&1 </dev/null &
        running=($!)
        wait "${running[0]}"
        status=$?
        running=()
        what_failed "$log.first" >>"$log"
        echo "$status $((took + SECONDS - start))" >"$log.status"
    done
}

# files GLOB... - those that exist.
files() {
    local file
    for file in "$@"; do [ ! -f "$file" ] || echo "$file"; done
}

copy_source() {
    if git -C "$root" -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
        git -C "$root" -c safe.directory='*' ls-files -z --cached --others --exclude-standard
    else
        (cd "$root" && find . -type f -print0)
    fi | tar -C "$root" --null --ignore-failed-read -cf - -T - 2>/dev/null | tar -C "$source" -xf -
    cd "$source" && autoreconf -fi
}

# build_in FOLDER [CONFIGURE ARGUMENTS...] - everything, the test programs too.
build_in() {
    local folder=$1
    shift
    mkdir -p "$folder" && cd "$folder" && "$source/configure" --quiet "$@" &&
        make -j2 -s && make -j2 -s check TESTS=
}

# failed_in FOLDER - the test programs that failed there, by their paths without an ending.
failed_in() {
    find "$1" -name '*.trs' -exec grep -L '^:test-result: *\(PASS\|SKIP\|XFAIL\)' {} + | sed 's/\.trs$//'
}

# What the programs that failed have written comes last: their verdict alone helps nobody.
check_in() {
    make -C "$1" -k -j2 check && return
    local program programs
    mapfile -t programs < <(failed_in "$1")
    if may_run_again "${programs[@]/%/.log}"; then
        for program in "${programs[@]}"; do what_failed "$program.log"; done >"$1/unsteady"
        make -C "$1" -k -j1 recheck
        cat "$1/unsteady"
        mapfile -t programs < <(failed_in "$1")
        [ "${#programs[@]}" -gt 0 ] || return 0
    fi
    for program in "${programs[@]}"; do
        echo "not ok - ${program#"$1"/}"
        { grep -E -A 12 '^not ok' "$program.log" || tail -n 20 "$program.log"; } | sed 's/^/    /'
    done
    return 1
}

check_format() {
    cd "$source" && find lib tools tests examples include -name '*.[ch]' -o -name '*.cc' | sort |
        xargs clang-format --dry-run --Werror
}

check_man() {
    mandoc -T lint -W warning "$source"/doc/*.[1-9]
}

check_shell() {
    command -v shellcheck >/dev/null || {
        echo "ok 1 - shell scripts # SKIP shellcheck is not installed"
        return
    }
    cd "$source" && find tests examples .ci -name '*.sh' -o -name run -type f | sort |
        xargs shellcheck -x -S warning -e SC2034,SC2054 && echo "ok 1 - shell scripts"
}

# What is packed builds, passes its tests, installs and uninstalls.
check_dist() {
    cd "$build" && make -j2 -s distcheck && return
    find . -path '*/_build/*' -name '*.trs' -exec grep -L '^:test-result: *\(PASS\|SKIP\|XFAIL\)' {} + | while read -r trs; do
        echo "not ok - ${trs%.trs}"
        grep -A 12 '^not ok' "${trs%.trs}.log" | sed 's/^/    /'
    done
    return 1
}

# A host that should have Porthole and has not: the tests must notice, else they prove nothing.
check_tests() {
    local name
    for name in test_throw test_stress test_cost; do
        if PORTHOLE_TEST_NO_PRELOAD=1 timeout 200 bash "$source/tests/servers/$name.sh" "$build" >"$TMPDIR/$name.log" 2>&1; then
            echo "not ok - $name passes without Porthole"
        else
            echo "ok - $name fails without Porthole"
        fi
    done
}

# The example, as a newcomer runs it, in a tree of its own; it must leave nothing behind.
check_quickstart() {
    local before
    before=$(find "$source" "$TMPDIR" | sort)
    bash "$source/examples/quickstart.sh" || return
    [ "$(find "$source" "$TMPDIR" | sort)" = "$before" ] || {
        echo "it left files behind:"
        diff <(echo "$before") <(find "$source" "$TMPDIR" | sort)
        return 1
    }
}

quickstart_says() {
    local log=$work/logs/quickstart.log what
    for what in thumbnail_render 'go tool pprof' 'http://127\.0\.0\.1:[0-9]+/debug'; do
        if grep -qE "$what" "$log"; then echo "ok - it says $what"; else echo "not ok - it does not say $what"; fi
    done
}

export -f copy_source build_in what_failed may_run_again failed_in check_in check_format check_man check_shell check_dist check_tests check_quickstart quickstart_says
export root source build work prefix

# gcc's build comes first: most of the rest works on it.
stage copy 120 count_one bash -c copy_source || { echo "$passed passed, $failed failed"; exit 1; }
stage build-gcc 400 count_one bash -c 'build_in "$build" --enable-werror --prefix="$prefix"' ||
    { echo "$passed passed, $failed failed"; exit 1; }

wanted check-layers && stage check-layers 60 count_script bash "$source/tests/check-layers.sh"
wanted check-exports && stage check-exports 60 count_script bash "$source/tests/check-exports.sh" "$build"
wanted format && stage format 60 count_one bash -c check_format
wanted man && stage man 60 count_one bash -c check_man
wanted shellcheck && stage shellcheck 120 count_script bash -c check_shell
wanted check && stage check 400 count_check bash -c 'check_in "$build"'
wanted build-clang && stage build-clang 400 count_one bash -c 'build_in "$work/clang" CC=clang --enable-werror'
wanted sanitizers && stage sanitizers 900 count_programs \
    bash -c 'build_in "$work/sanitizers" --enable-werror --enable-sanitizers && check_in "$work/sanitizers"'
wanted tsan && stage tsan 200 count_script bash "$source/tests/tsan/run.sh" "$source" "$build"
wanted distcheck && stage distcheck 600 count_one bash -c check_dist
wanted check-install && stage check-install 200 count_script bash "$source/tests/check-install.sh" "$build"
mapfile -t found < <(files "$source"/tests/{servers/matrix,servers,clients,hooks,storms}/test_*.sh)
scripts 300 "${found[@]}"
wanted tests-can-fail && stage tests-can-fail 600 count_script bash -c check_tests
wanted quickstart && stage quickstart 400 count_one bash -c check_quickstart &&
    stage quickstart-says 10 count_script bash -c quickstart_says
wanted fuzz && stage fuzz 600 count_script make -s -C "$build" fuzz FUZZ_SECONDS=60

[ $unsteady -eq 0 ] || echo "$unsteady unsteady: failed at first, see above"
[ $skipped -eq 0 ] || echo "$skipped skipped: see SKIP above"
[ -z "$keep" ] || echo "kept: $work"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
