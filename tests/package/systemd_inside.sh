#!/usr/bin/env bash
# Runs inside of the container of systemd.sh, as a service of its systemd: installs the packages and uses the units. Ends the
# container. /test/passed is there if all went well.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin BELTWAY_SOCKET=/run/beltway/beltwayd.sock
unset NOTIFY_SOCKET
finish() {
  local status=$?
  if [ "$status" -ne 0 ]; then
    systemctl --no-pager --full status 'beltway*' || true
    journalctl --no-pager -n 60 || true
  fi
  systemctl exit "$status"
}
trap finish EXIT
fail() { echo "systemd_inside.sh: $*"; exit 1; }
say() { echo "-- $*"; }
# The value of a unit's property. $unit, and $manager: --system, or --user for the test's user.
unit=beltwayd.service
property() { systemctl show -p "$1" --value "$unit"; }
# Waits until the command succeeds; for a minute, which only a failure takes.
eventually() {
  for _ in $(seq 600); do
    if "$@"; then return 0; fi
    sleep 0.1
  done
  fail "it never came: $*"
}
is_new_daemon() { [ "$(property MainPID)" != "$1" ] && [ "$(property MainPID)" != 0 ] && [ "$(property ActiveState)" = active ]; }
received_lines() { [ "$(wc -l </test/received)" -ge "$1" ]; }
install() { dpkg --install /test/"$1"/beltway_*.deb >/test/dpkg.log 2>&1 || { cat /test/dpkg.log; fail "dpkg --install"; }; }
expect_pid_of_unit() {
  local pid
  pid=$(beltway ping --format json | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2)
  [ "$pid" = "$(property MainPID)" ] || fail "process $pid answers, and the unit's is $(property MainPID)"
}
# The group "kept" has got nothing since the first message: all three wait for it.
expect_kept() {
  local messages
  messages=$(beltway peek orders --group kept)
  for text in first second third; do
    grep -q "$text" <<<"$messages" || fail "$text is missing after $1: $messages"
  done
}

[ "$(cat /proc/1/comm)" = systemd ] || fail "process 1 is $(cat /proc/1/comm)"
say "$(systemctl --version | head -1) is process 1"
install 1
[ "$(property LoadState)" = loaded ] || fail "the unit is not there after the installation"

say "the first client's connection starts the daemon, which is ready when systemd says so"
systemctl enable --now --quiet beltwayd.socket
[ "$(property ActiveState)" = inactive ] || fail "the service runs before a client has come"
beltway declare orders --group kept --group read
[ "$(property ActiveState) $(property SubState) $(property Type)" = "active running notify" ] || fail "the service does not run"
expect_pid_of_unit
beltway pub orders first second third
expect_kept "nothing at all"
setpriv --reuid nobody --regid nogroup --clear-groups beltway ping >/dev/null || fail "another user cannot connect"

say "systemctl restart, SIGKILL and SIGUSR2 keep queues and messages, and attached processes go on"
beltway sub orders --group read >/test/received &
reader=$!
eventually received_lines 3
for way in restart SIGKILL SIGUSR2; do
  before=$(property MainPID)
  if [ "$way" = restart ]; then systemctl restart beltwayd; else kill -s "${way#SIG}" "$before"; fi
  eventually is_new_daemon "$before"
  [ "$(property NFileDescriptorStore)" -gt 0 ] || fail "the store is empty after $way"
  expect_pid_of_unit
  expect_kept "$way"
  beltway pub orders "after $way"
  eventually grep -q "after $way" /test/received
done

say "the watchdog leaves a daemon that runs alone, and replaces one that is stopped"
mkdir -p /run/systemd/system/beltwayd.service.d
[ "$(property WatchdogUSec)" = 1min ] || fail "WatchdogSec= is $(property WatchdogUSec)"
printf '[Service]\nWatchdogSec=2\n' >/run/systemd/system/beltwayd.service.d/short.conf
systemctl daemon-reload
systemctl restart beltwayd
before=$(property MainPID)
sleep 7
[ "$(property MainPID)" = "$before" ] || fail "the watchdog killed a daemon that runs"
restarts=$(property NRestarts)
kill -STOP "$before"
eventually is_new_daemon "$before"
[ "$(property NRestarts)" -gt "$restarts" ] || fail "systemd did not restart the daemon"
was_the_watchdog() { journalctl --no-pager -u beltwayd | grep -q 'Watchdog timeout'; }
eventually was_the_watchdog
expect_pid_of_unit
expect_kept "a watchdog timeout"
beltway pub orders "after the watchdog"
eventually grep -q "after the watchdog" /test/received
rm -r /run/systemd/system/beltwayd.service.d
systemctl daemon-reload

say "an upgrade of the package keeps queues and messages"
before=$(property MainPID)
install 2
eventually is_new_daemon "$before"
expect_pid_of_unit
expect_kept "an upgrade"
kill "$reader"
wait "$reader" || true
[ "$(beltway sub orders --group kept --count 3 --timeout 20)" = $'first\nsecond\nthird' ] || fail "messages are missing"

say "a bridge's unit starts, looks for its server, and ends when told"
mkdir -p /etc/beltway
echo '{"name": "shop", "url": "amqp://127.0.0.1:1", "routes": [{"direction": "out", "queue": "orders", "group": "kept", "remote": "x"}]}' \
  >/etc/beltway/bridge-shop.json
printf 'user\npassword\n' >/etc/beltway/bridge-shop.credentials
chmod 600 /etc/beltway/*
systemctl start beltway-bridge@shop
bridge_looks() { beltway bridge --status | grep -q reconnecting; }
eventually bridge_looks
[ "$(systemctl is-active beltway-bridge@shop)" = active ] || fail "the bridge does not run"
systemctl stop beltway-bridge@shop
[ "$(systemctl show -p Result --value beltway-bridge@shop)" = success ] || fail "the bridge did not end well"
rm -r /etc/beltway

say "the unit of a user"
useradd --create-home tester
uid=$(id -u tester)
loginctl enable-linger tester
eventually test -S "/run/user/$uid/systemd/private"
as_tester() {
  setpriv --reuid tester --regid tester --init-groups env -i HOME=/home/tester PATH=/usr/bin:/bin XDG_RUNTIME_DIR="/run/user/$uid" "$@"
}
user_pid() { as_tester systemctl --user show -p MainPID --value beltwayd.service; }
is_new_user_daemon() { [ "$(user_pid)" != "$1" ] && [ "$(user_pid)" != 0 ]; }
as_tester systemctl --user enable --now --quiet beltwayd.socket
as_tester beltway declare own --group kept
as_tester beltway pub own mine
before=$(user_pid)
[ "$before" != 0 ] || fail "the user's service does not run"
grep -q "user@$uid.service" "/proc/$before/cgroup" || fail "the daemon lies in $(cat "/proc/$before/cgroup")"
[ "$(as_tester systemctl --user show -p WatchdogUSec --value beltwayd.service)" = 1min ] || fail "the user's service has no watchdog"
as_tester systemctl --user restart beltwayd
eventually is_new_user_daemon "$before"
[ "$(as_tester beltway sub own --group kept --count 1 --timeout 20)" = mine ] || fail "the user's message is missing"
as_tester systemctl --user stop beltwayd.socket beltwayd.service

say "a purge stops the daemon and leaves nothing"
dpkg --purge beltway >/test/dpkg.log 2>&1 || { cat /test/dpkg.log; fail "dpkg --purge"; }
[ "$(property ActiveState)" = inactive ] || fail "the service runs"
# The test's own unit is no part of the package.
left=$(find /etc /run /usr /var/lib -xdev -iname '*beltway*' ! -path '*beltway-test.service*' -print)
[ -z "$left" ] || fail "the purge has left: $left"
touch /test/passed
