#!/usr/bin/env bash
# The units under a real systemd: a Debian 12 of the test's own is installed below a temporary folder, systemd-nspawn starts its
# systemd as process 1 of a container, and systemd_inside.sh there installs the packages and uses the units.
#
#   systemd.sh PACKAGES [BASE]     as root. PACKAGES is what `debian.sh make` has made: PACKAGES/1 is the version before PACKAGES/2.
#                                  BASE is a tar of a Debian 12 base system. Without BASE, debootstrap makes one.
#
# Exit code 77: systemd cannot run as process 1 in a container on this machine. Then the units are verified by systemd-analyze only,
# and the output says so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
packages=$(cd "$1" && pwd)
base=${2:-}
fail() { echo "systemd.sh: $*" >&2; exit 1; }
say() { echo "== $*"; }
[ "$(id -u)" -eq 0 ] || fail "only root can start a container"
work=$(mktemp -d /var/tmp/beltway-systemd-XXXXXX)
root=$work/root
# The container's own part of each cgroup tree: nspawn puts its groups below that of its own process.
group=${work##*/}
trees=()
for tree in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
  if [ -e "$tree/cgroup.procs" ]; then trees+=("$tree"); fi
done
container=
finish() {
  local status=$? tree mounted
  trap - EXIT
  # Process 1 of the container is the child of systemd-nspawn. All processes of the container end with it.
  if [ -n "$container" ] && [ -e "/proc/$container" ]; then
    pkill -KILL -P "$container" || true
    wait "$container" 2>/dev/null || true
  fi
  for mounted in proc tmp; do if mountpoint -q "$root/$mounted"; then umount -l "$root/$mounted"; fi; done
  for tree in "${trees[@]}"; do
    [ ! -d "$tree/$group" ] || find "$tree/$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
  [ -n "${KEEP:-}" ] || rm -rf --one-file-system "$work"
  exit "$status"
}
trap finish EXIT
in_root() { chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@" </dev/null; }

say "a Debian 12 of its own"
mkdir "$root"
if [ -n "$base" ]; then
  tar -C "$root" -xf "$base"
else
  mirror=$(apt-cache policy | awk '$2 ~ /^https?:/ && $0 ~ /bookworm\/main/ {print $2; exit}')
  [ -n "$mirror" ] || fail "apt-get update has not run here"
  debootstrap --variant=minbase bookworm "$root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
    { tail -20 "$work/debootstrap.log" >&2; fail "debootstrap"; }
fi
chmod 755 "$root"  # a base system may be as private as the folder where it was made; users live here, too
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
find /etc/apt/apt.conf.d \( -name '*proxy*' -o -name '*registry*' \) -exec cp {} "$root/etc/apt/apt.conf.d/" \;
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
# What the packages depend on comes along here, since the container has no network.
depends=$(dpkg-deb -f "$packages"/2/beltway_*.deb Depends | tr ',' '\n' | sed 's/(.*//; s/|.*//; s/ //g' | grep -v '^libbeltway')
# shellcheck disable=SC2086 # several packages
in_root sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends systemd systemd-sysv dbus libpam-systemd "$@"' \
  sh $depends >"$work/apt.log" 2>&1 || { tail -20 "$work/apt.log" >&2; fail "apt-get"; }
mkdir "$root/test"
cp -r "$packages/1" "$packages/2" "$here/systemd_inside.sh" "$root/test/"

say "systemd-analyze verify"
in_root sh -c "dpkg --unpack /test/2/beltway_*.deb" >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log" >&2; fail "dpkg"; }
for units in system user; do
  flags=(--man=no --recursive-errors=no)
  names="beltwayd.socket beltwayd.service"
  if [ "$units" = user ]; then flags+=(--user); else names+=" beltway-bridge@shop.service"; fi
  mkdir -p "$root/run/user/0"
  # shellcheck disable=SC2086
  in_root env XDG_RUNTIME_DIR=/run/user/0 systemd-analyze verify "${flags[@]}" $names >"$work/verify" 2>&1 ||
    { cat "$work/verify" >&2; fail "systemd-analyze verify: the $units units"; }
  [ ! -s "$work/verify" ] || { cat "$work/verify" >&2; fail "systemd ignores what it does not know in the $units units"; }
done
say "systemd-analyze security"
# The exposure in tenths, by systemd's own measure: 0 is best, and 92 a unit without any setting.
for unit in beltwayd.service:25 beltway-bridge@.service:25; do
  in_root systemd-analyze security --offline=true --threshold="${unit#*:}" --no-pager "${unit%:*}" >"$work/security" 2>&1 ||
    { cat "$work/security" >&2; fail "${unit%:*} is more exposed than ${unit#*:}"; }
  tail -1 "$work/security"
done
in_root dpkg --purge --force-depends beltway >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log" >&2; fail "dpkg --purge"; }

say "start systemd as process 1"
umount "$root/proc" "$root/tmp"
cat >"$root/etc/systemd/system/beltway-test.service" <<'U'
[Unit]
After=basic.target dbus.service systemd-logind.service
[Service]
Type=exec
ExecStart=/bin/bash /test/systemd_inside.sh
StandardOutput=file:/test/log
StandardError=inherit
U
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../beltway-test.service "$root/etc/systemd/system/multi-user.target.wants/"
(
  for tree in "${trees[@]}"; do mkdir "$tree/$group" && echo "$BASHPID" >"$tree/$group/cgroup.procs"; done
  exec systemd-nspawn --boot --directory "$root" --machine "$group" --register=no --keep-unit --private-network --console=pipe \
    </dev/null >"$work/boot.log" 2>&1
) &
container=$!
# Each step inside has an end of its own. This is for a systemd that does not start.
for _ in $(seq 1800); do
  if [ -e "$root/test/log" ] || ! kill -0 "$container" 2>/dev/null; then break; fi
  sleep 0.1
done
if [ ! -e "$root/test/log" ]; then
  tail -40 "$work/boot.log" >&2
  cat >&2 <<'T'
****************************************************************************************
NOT TESTED: systemd does not start as process 1 in a container here. The output is above.
The units were verified by systemd-analyze only. Run this test on a machine that can:
  tests/package/systemd.sh
****************************************************************************************
T
  exit 77
fi
status=0
wait "$container" || status=$?
container=
cat "$root/test/log"
if [ ! -e "$root/test/passed" ] || [ "$status" -ne 0 ]; then
  tail -20 "$work/boot.log" >&2
  fail "systemd_inside.sh failed with status $status"
fi
say "all went well"
