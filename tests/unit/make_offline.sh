#!/bin/sh
# Builds lib_offline.c as test_offline.c wants it: make_offline.sh CC SOURCE FOLDER
#
#   full.so       with DWARF
#   stripped.so   without; its separate debug file is in FOLDER/debug/.build-id
#   linked.so     without and without build id; its separate debug file is FOLDER/named/linked.debug, by .gnu_debuglink
#   table.so      no DWARF, but .symtab
#   other.so      another build; FOLDER/wrong/stripped.so.debug is its debug file under a name that does not fit
#   moved.so      stripped.so after prelink: its addresses moved by 0x10000000
#   pie, fixed    programs, of which the second is not relocated; fixed has several load segments
#   NAME.txt      nm's table of each
set -eu
cc=$1 source=$2 folder=$3

rm -rf "$folder"
mkdir -p "$folder"
build() # NAME FLAGS...
{
    name=$1
    shift
    # $cc may be a command with arguments.
    $cc -O2 "$@" -o "$folder/$name" "$source"
    nm -S "$folder/$name" >"$folder/$name.txt"
}
build full.so -shared -fPIC -g -Wl,--build-id=sha1
build linked.so -shared -fPIC -g -Wl,--build-id=none
build table.so -g0 -shared -fPIC -Wl,--build-id=sha1
build other.so -shared -fPIC -g -Wl,--build-id=sha1 -DOFFLINE_BUILD=2
build pie -pie -fPIE -g -DOFFLINE_MAIN -Wl,--build-id=sha1
build fixed -no-pie -fno-pie -g -DOFFLINE_MAIN -Wl,--build-id=sha1 -Wl,-z,separate-code

cd "$folder"
id=$(readelf -n full.so | sed -n 's/.*Build ID: //p')
rest=${id#??}
mkdir -p "debug/.build-id/${id%"$rest"}" named wrong
objcopy --only-keep-debug full.so "debug/.build-id/${id%"$rest"}/$rest.debug"
objcopy --strip-all full.so stripped.so
objcopy --only-keep-debug other.so wrong/stripped.so.debug
objcopy --only-keep-debug linked.so named/linked.debug
objcopy --strip-all --add-gnu-debuglink=named/linked.debug linked.so

# The program headers of moved.so: e_phoff at 32, e_phnum at 56; p_vaddr at 16 and p_paddr at 24 of 56 bytes each.
cp stripped.so moved.so
number() # OFFSET BYTES
{
    od -An -t "u$2" -j "$1" -N "$2" moved.so | tr -d ' '
}
at=$(number 32 8) count=$(number 56 2)
while [ "$count" -gt 0 ]; do
    for field in $((at + 16)) $((at + 24)); do
        moved=$(($(number "$field" 8) + 0x10000000))
        # Only the fourth byte changes: addresses of so small a file stay below it.
        printf "\\$(printf %o $((moved >> 24 & 255)))" | dd of=moved.so bs=1 seek=$((field + 3)) conv=notrunc 2>/dev/null
    done
    at=$((at + 56)) count=$((count - 1))
done
