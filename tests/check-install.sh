#!/bin/bash
# check-install.sh BUILDDIR - `make install` into the configured prefix (a scratch one: it is removed again), what is
# installed works, DESTDIR is honoured, `make uninstall` leaves nothing. TAP.
. "$(dirname "$0")/lib.sh"

prefix=$(sed -n 's/^prefix = //p' "$BUILD/Makefile")
case $prefix in
*/porthole-*) ;;
*)
    echo "Bail out! will not install into $prefix: configure with a scratch --prefix"
    exit 1
    ;;
esac

check "make install DESTDIR=…" make -s -C "$BUILD" install "DESTDIR=$WORK/dest"
check_not "writes nothing outside of DESTDIR" test -e "$prefix"
check "make install" make -s -C "$BUILD" install
is "installs the same files in both" "$(cd "$prefix" && find . ! -type d | sort)" \
    "$(cd "$WORK/dest$prefix" && find . ! -type d | sort)"

for file in bin/porthole lib/libporthole.so lib/porthole/libporthole-agent.so include/porthole/porthole.h \
    lib/pkgconfig/porthole.pc share/man/man1/porthole.1 share/man/man3/libporthole.3 \
    share/man/man7/porthole-env.7; do
    check "$file is installed" test -e "$prefix/$file"
done
is "the agent is installed without a static archive or .la" "$(find "$prefix" -name '*agent*' ! -name '*.so')" \
    "$(find "$prefix" -name '*agent*.la')"

# ---- porthole run ----------------------------------------------------------------------------------------------------

build_host host_lines
HOST_PORT=$(free_port)
ENDPOINT_PORT=$(free_port)
HOST_URL=http://127.0.0.1:$ENDPOINT_PORT
start_host without run "$prefix/bin/porthole" run --listen "127.0.0.1:$ENDPOINT_PORT" --heap-sample 4KiB -- \
    "$WORK/host_lines" "$HOST_PORT"
wait_for_port "$HOST_PORT"
check "porthole run: the endpoint opens" wait_for_port "$ENDPOINT_PORT"
like "it is the installed library" "$(cat "/proc/$HOST_PID/maps")" " $prefix/lib/libporthole\.so"
like "and the installed agent" "$(cat "/proc/$HOST_PID/maps")" " $prefix/lib/porthole/libporthole-agent\.so"
ask "$HOST_PORT" "keep 3000000" >/dev/null
like "porthole ps shows it" "$("$prefix/bin/porthole" ps 2>&1)" "$HOST_PID .*$HOST_URL"
like "porthole heap PID names who holds the memory" "$("$prefix/bin/porthole" heap "$HOST_PID" 2>&1)" keep_memory
like "porthole --version" "$("$prefix/bin/porthole" --version)" '[0-9]+\.[0-9]+\.[0-9]+'
stop_host
check "the man page can be read" mandoc -T ascii "$prefix/share/man/man1/porthole.1"

# ---- linked use ------------------------------------------------------------------------------------------------------

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
read -r -a flags <<<"$(pkg-config --cflags --libs porthole)"
check "embed.c builds with the line in its comment" \
    gcc -g -Wall -Wextra -Werror -o "$WORK/embed" "$SRC/examples/embed.c" "${flags[@]}"
cat >"$WORK/embed.cc" <<'CC'
#include <porthole/porthole.h>
#include <cstring>
static int work()
{
    PORTHOLE_LABEL("handler", "/x");
    porthole::label stage("stage", "render");
    return porthole_label_set("pid", "1");
}
int main()
{
    if (work() == 0)
        return 1;
    struct porthole_options options = {};
    options.listen = "off";
    options.log = "quiet";
    int result = porthole_init(&options);
    porthole_shutdown();
    return result != 0 || std::strlen(porthole_version()) == 0;
}
CC
check "a C++ program builds against the header" \
    g++ -std=c++11 -pedantic -Wall -Wextra -Werror -o "$WORK/embed_cc" "$WORK/embed.cc" "${flags[@]}"
check "and opens and closes its window" env "LD_LIBRARY_PATH=$prefix/lib" timeout 30 "$WORK/embed_cc"

check "and, with PORTHOLE_WEAK, without the library" \
    g++ -std=c++11 -Wall -Wextra -Werror -DPORTHOLE_WEAK -c -o "$WORK/embed_weak.o" "$WORK/embed.cc" "-I$prefix/include"
read -r -a includes <<<"$(pkg-config --cflags porthole)"
check "labelled_httpd.c builds with the line in its comment" \
    gcc -g -Wall -Wextra -Werror -o "$WORK/labelled_httpd" "$SRC/examples/labelled_httpd.c" "${includes[@]}"

run_embed() {
    echo | timeout 30 env "LD_LIBRARY_PATH=$prefix/lib" "$WORK/embed" "$@"
}
like "embed runs" "$(run_embed "$WORK/embed.pb.gz" 2>"$WORK/embed.err")" 'press Enter'
like "and says where its window is" "$(cat "$WORK/embed.err")" '^porthole: .*http://127\.0\.0\.1:60[0-9]+'
held=$(flat_bytes "$WORK/embed.pb.gz" order_new)
# 20,000 KiB at one sample in 512 KiB: 3 sigma is half of it.
check "its profile shows its orders (20,480,000 bytes: $held)" test "$held" -gt 9000000 -a "$held" -lt 32000000
is "a profile that cannot be written is an error" "$(run_embed /dev/full >/dev/null 2>&1; echo $?)" 1

# ---- uninstall -------------------------------------------------------------------------------------------------------

check "make uninstall" make -s -C "$BUILD" uninstall
is "leaves nothing" "$(find "$prefix" ! -type d 2>/dev/null)" ""
rm -rf "$prefix"
finish
