#!/bin/bash
# install-packages.sh build|test - install what is missing of packages.txt; test includes build.
# Says nothing and needs no rights if nothing is missing. Services are not started: the tests start their own.
set -u
here=$(cd "$(dirname "$0")" && pwd)

wanted() {
    awk -v kind="$1" '!/^#/ && NF && ($2 == "build" || $2 == kind) { print $1 }' "$here/packages.txt"
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

case ${1-} in
build | test) ;;
*)
    echo "usage: install-packages.sh build|test" >&2
    exit 2
    ;;
esac

missing=()
for package in $(wanted "$1"); do
    is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
echo "installing ${missing[*]}"

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "install-packages.sh: not root and no sudo; as root: apt-get install ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi

# Debian starts a service when its package is installed, unless this file says no. One that is there stays as it is.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod +x "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi

log=$(mktemp)
install_once() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "${missing[@]}"
}
install_once >"$log" 2>&1 || { sleep 5; install_once >"$log" 2>&1; }
status=$?
[ $status -eq 0 ] || { tail -n 20 "$log"; echo "install-packages.sh: apt-get failed: see above" >&2; }
rm -f "$log"
exit $status
