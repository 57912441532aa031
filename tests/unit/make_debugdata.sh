#!/bin/sh
# Builds lib_symbols.c as the tests of lib/elf want it: make_debugdata.sh CC SOURCE FOLDER
#
#   plain.so      with .symtab
#   stripped.so   .dynsym only; its separate debug file is in FOLDER/debug/.build-id
#   mini.so       .dynsym and .gnu_debugdata, made as the GDB manual ("MiniDebugInfo") describes it
#   bare.so       as plain.so, without a build id
#   other.so      another build of the same source, with a build id of its own; otherbare.so: without
set -eu
cc=$1 source=$2 folder=$3

rm -rf "$folder"
mkdir -p "$folder"
build() # NAME FLAGS...
{
    name=$1
    shift
    # $cc may be a command with arguments.
    $cc -shared -fPIC -O1 -g "$@" -o "$folder/$name" "$source"
}
build plain.so -Wl,--build-id=sha1
build bare.so -Wl,--build-id=none
build other.so -Wl,--build-id=sha1 -DSYMBOLS_BUILD=2
build otherbare.so -Wl,--build-id=none -DSYMBOLS_BUILD=2

cd "$folder"
id=$(readelf -n plain.so | sed -n 's/.*Build ID: //p')
rest=${id#??}
debug=debug/.build-id/${id%"$rest"}
mkdir -p "$debug"
objcopy --only-keep-debug plain.so "$debug/$rest.debug"
objcopy --strip-all plain.so stripped.so

nm -D --format=posix --defined-only plain.so | awk '{ print $1 }' | sort >dynamic.txt
nm --format=posix --defined-only plain.so | awk '$2 == "T" || $2 == "t" { print $1 }' | sort >functions.txt
comm -13 dynamic.txt functions.txt >keep.txt
objcopy -S --remove-section .comment --keep-symbols=keep.txt "$debug/$rest.debug" mini.debug
xz --force --keep mini.debug
objcopy --strip-all --add-section .gnu_debugdata=mini.debug.xz plain.so mini.so
rm -f dynamic.txt functions.txt keep.txt mini.debug mini.debug.xz
