#!/bin/bash
# Raised privileges: a program with the set-user-ID bit that is linked to Porthole must be inert (AT_SECURE), whatever
# the environment of the user who calls it says.
. "$(dirname "$0")/../lib.sh"

cat >"$WORK/secure.c" <<'C'
#include <netinet/in.h>
#include <porthole/porthole.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <unistd.h>

/* Prints AT_SECURE, what porthole_init() says, and how many threads there are after a listen(). */
int main(void)
{
    char line[64];
    int threads = 0;
    int result = porthole_init(NULL);
    listen(socket(AF_INET, SOCK_STREAM, 0), 1);
    usleep(300000);
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof(line), status))
        sscanf(line, "Threads: %d", &threads);
    printf("secure %lu init %d threads %d\n", getauxval(AT_SECURE), result, threads);
    return 0;
}
C
check "a program linked to Porthole builds" gcc -I"$SRC/include" -o "$WORK/secure" "$WORK/secure.c" \
    -L"$BUILD/lib/.libs" -lporthole "-Wl,-rpath,$BUILD/lib/.libs"

# The library must be readable by others, which it is not below a home folder.
as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
if [ "$(id -u)" -ne 0 ]; then
    skip "set-user-ID" "not root"
elif ! chmod 755 "$WORK" || ! "${as_nobody[@]}" test -r "$PROBE" -a -x "$WORK/secure"; then
    skip "set-user-ID" "another user cannot read the build tree"
else
    port=$(free_port)
    run_secure() {
        "${as_nobody[@]}" env PORTHOLE_START=now PORTHOLE_LISTEN="127.0.0.1:$port" "$WORK/secure" 2>"$WORK/err"
    }
    like "as an ordinary program it opens its window" "$(run_secure)" '^secure 0 init 0 threads [2-9]'
    like "and says so" "$(cat "$WORK/err")" '^porthole: .*http://127'
    chmod u+s "$WORK/secure"
    output=$(run_secure)
    if [[ $output == "secure 0"* ]]; then
        skip "set-user-ID" "the file system is mounted nosuid"
    else
        is "with raised privileges porthole_init() is refused and no thread starts" "$output" "secure 1 init -125 threads 1"
        is "and nothing is said" "$(cat "$WORK/err")" ""
    fi
fi
finish
