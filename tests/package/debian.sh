#!/usr/bin/env bash
# The packages for Debian, as an administrator and a user have them: checked by lintian, installed, used, upgraded while a queue
# holds messages, and purged.
#
#   debian.sh make BUILD OUT   makes the packages of BUILD, a build folder of the preset packages: OUT/1 is the version before OUT/2
#   debian.sh try OUT          tries them: as root, where no Beltway is installed, since it changes the system
set -euo pipefail
way=$1
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
fail() { echo "debian.sh: $*" >&2; exit 1; }
say() { echo "== $*"; }

if [ "$way" = make ]; then
  build=$(cd "$2" && pwd) out=$3
  for release in 2 1; do
    say "make release $release"
    mkdir -p "$out/$release"
    # The papers of a release name its version.
    cmake -B "$build" -DCPACK_DEBIAN_PACKAGE_RELEASE=$release >"$out/configure.log"
    to=$(cd "$out" && pwd)/$release
    (cd "$build" && cpack -G DEB -B "$to") >"$out/cpack.log" 2>&1 || { cat "$out/cpack.log" >&2; fail "cpack"; }
    rm -rf "$out/$release/_CPack_Packages"
  done
  exit 0
fi

[ "$way" = try ] || fail "no such way: $way"
packages=$(cd "$2" && pwd)
[ "$(id -u)" -eq 0 ] || fail "only root can install packages"
if dpkg-query -W -f '${Status}' beltway 2>/dev/null | grep -q 'ok installed'; then fail "beltway is installed here"; fi
work=$(mktemp -d /tmp/beltway-debian-XXXXXX)
user=beltway-test
daemon=
finish() {
  [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
  apt-get purge -y -qq 'libbeltway*' beltway python3-beltway >/dev/null 2>&1 || true
  userdel "$user" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
as_user() {
  setpriv --reuid "$user" --regid "$user" --clear-groups env -i PATH=/usr/bin:/bin XDG_RUNTIME_DIR="$work/run" "$@"
}
daemon_pid() { as_user beltway ping --format json 2>/dev/null | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2; }
install() {
  apt-get install -y -qq --no-install-recommends "$@" >"$work/apt.log" 2>&1 || { cat "$work/apt.log" >&2; fail "apt-get $*"; }
}
for package in libbeltway0.2 libbeltway-c0 libbeltway-dev beltway python3-beltway; do
  ls "$packages"/2/"$package"_*-2_*.deb >/dev/null || fail "there is no package $package"
done

say "lintian"
lintian --allow-root --tag-display-limit 0 "$packages"/2/*.deb | tee "$work/lintian"
if grep -q '^E:' "$work/lintian"; then fail "lintian finds the errors above"; fi

say "install"
useradd --system --no-create-home "$user"
mkdir -m 700 "$work/run"
chown "$user" "$work/run"
chmod 711 "$work"
install "$packages"/1/*.deb
version=$(dpkg-deb -f "$packages"/1/beltway_*.deb Version)
[ "$(dpkg-query -W -f '${Version}' beltway)" = "$version" ] || fail "the version"
for file in man/man1/beltway.1.gz man/man8/beltwayd.8.gz bash-completion/completions/beltway; do
  dpkg -L beltway | grep -qx "/usr/share/$file" || fail "beltway does not have $file"
done

say "use"
as_user beltway declare orders --group billing
as_user beltway pub orders first second third
daemon=$(daemon_pid)
cat >"$work/use.c" <<'C'
#include <beltway/beltway.h>
#include <stdio.h>
int main(void) {
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  if (beltway_open(NULL, &link) != BELTWAY_OK || beltway_open_queue(link, "orders", &queue) != BELTWAY_OK) return 1;
  printf("%s from C\n", beltway_queue_name(queue));
  return 0;
}
C
cat >"$work/use.cpp" <<'C'
#include <beltway/beltway.hpp>
#include <iostream>
int main() { std::cout << beltway::Connection::open().open_queue("orders").name() << " from C++\n"; }
C
# shellcheck disable=SC2046 # the flags are several words
cc -std=c11 "$work/use.c" $(pkg-config --cflags --libs beltway-c) -o "$work/use-c"
# shellcheck disable=SC2046
c++ -std=c++20 "$work/use.cpp" $(pkg-config --cflags --libs beltway) -o "$work/use-cpp"
[ "$(as_user "$work/use-c")" = "orders from C" ] || fail "C"
[ "$(as_user "$work/use-cpp")" = "orders from C++" ] || fail "C++"
[ "$(as_user python3 -c 'import beltway; print(beltway.connect().open_queue("orders").name)')" = orders ] || fail "Python"
[ "$(as_user python3 -m beltway.pika "$source/examples/python/hello_send.py")" = " [x] Sent 'Hello World!'" ] || fail "pika"

say "upgrade while a queue holds messages"
install "$packages"/2/*.deb
[ "$(dpkg-query -W -f '${Version}' beltway)" != "$version" ] || fail "the version is the old one"
[ "$(daemon_pid)" = "$daemon" ] || fail "the daemon of a user was ended"
before=$daemon
kill -USR2 "$before"
for _ in $(seq 400); do
  daemon=$(daemon_pid || true)
  [ -n "$daemon" ] && [ "$daemon" != "$before" ] && break
  sleep 0.05
done
if [ -z "$daemon" ] || [ "$daemon" = "$before" ]; then fail "the daemon did not start anew"; fi
program=$(readlink "/proc/$daemon/exe")
[ "$program" = /usr/bin/beltwayd ] || fail "the daemon does not run the new program: $program"
messages=$(as_user beltway sub orders --group billing --count 3 --timeout 20)
[ "$messages" = $'first\nsecond\nthird' ] || fail "messages are missing: $messages"
[ "$(as_user "$work/use-c")" = "orders from C" ] || fail "a program in C that was compiled before the upgrade"

say "purge"
kill "$daemon"
for _ in $(seq 400); do [ -e "/proc/$daemon" ] || break; sleep 0.05; done
daemon=
apt-get purge -y -qq 'libbeltway*' beltway python3-beltway >"$work/apt.log" 2>&1 ||
  { cat "$work/apt.log" >&2; fail "purge"; }
left=$(find / -xdev \( -path /proc -o -path /sys -o -path /tmp -o -path "$packages" -o -path "$source" -o -path /var/lib/apt \
  -o -path /var/cache -o -path /var/log \) -prune -o -iname '*beltway*' -print)
[ -z "$left" ] || fail "the purge has left: $left"
say "all went well"
