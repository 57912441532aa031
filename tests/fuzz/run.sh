#!/usr/bin/env bash
# run.sh SOURCE BUILD SECONDS - every parser under libFuzzer with the address and undefined-behaviour sanitizers.
#
# The kept corpus (corpus/TARGET; all of them for those that read any format) is read, new finds go to a temporary folder; a crash leaves its input in
# BUILD/tests/fuzz/ and fails. Two targets run at a time.
set -u
source_dir=$1 build_dir=$2 seconds=$3
clang=${CLANG:-clang}
out=$build_dir/tests/fuzz
work=$(mktemp -d "${TMPDIR:-/tmp}/porthole-fuzz.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

flags=(-std=gnu11 -D_GNU_SOURCE -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined
    -fno-sanitize-recover=undefined -I"$source_dir/lib" -I"$build_dir/lib" -I"$source_dir")

compile() { # the rooms once, for all targets
    local file
    cd "$work" || return
    for file in "$source_dir"/lib/{base,model,elf,growth}/*.c "$build_dir"/lib/model/profile.pb-c.c \
        "$source_dir"/tools/{cpu_*,decode,flame_script,flame_svg,flame_tree,heading,heap_family,paint,table,thread_*,top_table}.c; do
        case $file in */unwind_aarch64.c | */unwind_x86_64.c) [[ $file == */unwind_$(uname -m).c ]] || continue ;; esac
        "$clang" "${flags[@]}" -fsanitize=fuzzer-no-link -c "$file" -o "${file##*/}.o" || return
    done
}

fuzz() { # TARGET
    local target=$1 log=$work/$1.log corpus=("$source_dir/tests/fuzz/corpus/$1") link=()
    [ "$target" != fuzz_decode ] || link=(-Wl,--wrap=ph_image_open)
    case $target in fuzz_decode | fuzz_growth) corpus=("$source_dir"/tests/fuzz/corpus/*) ;; esac
    "$clang" "${flags[@]}" -fsanitize=fuzzer "${link[@]}" "$source_dir/tests/fuzz/$target.c" "$work"/*.o \
        -lprotobuf-c -ljansson -lz -liberty -ldw -lelf -llzma -lm -o "$out/$target" || return
    mkdir -p "$work/new/$target"
    if timeout $((seconds + 120)) "$out/$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3072 \
        -max_len=65536 -artifact_prefix="$out/$target-" -print_final_stats=1 \
        "$work/new/$target" "${corpus[@]}" >"$log" 2>&1; then
        echo "ok - $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in ${seconds} s"
    else
        tail -40 "$log"
        echo "not ok - $target"
        return 1
    fi
}

compile || { echo "not ok - the fuzz targets do not compile"; exit 1; }
failed=0 running=()
for path in "$source_dir"/tests/fuzz/fuzz_*.c; do
    fuzz "$(basename "$path" .c)" &
    running+=($!)
    if [ ${#running[@]} -eq 2 ]; then
        for pid in "${running[@]}"; do wait "$pid" || failed=1; done
        running=()
    fi
done
for pid in "${running[@]}"; do wait "$pid" || failed=1; done
exit $failed
