#!/usr/bin/env bash
# The Python package from its sources to its user: a source distribution, the wheel that is built of it alone, an environment that
# has that wheel, and a program that starts the daemon inside of it.
#
#   wheel.sh               needs python3-build, python3-venv and what the library is built with
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d /tmp/beltway-wheel-XXXXXX)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon" 2>/dev/null; rm -rf "$work"' EXIT
fail() { echo "wheel.sh: $*" >&2; exit 1; }
python=/usr/bin/python3

# A copy: the build writes beside its sources. The wheel is built in another folder, from what the source distribution has.
mkdir "$work/source"
(cd "$source" && git -c safe.directory='*' ls-files -z --cached --others --exclude-standard | tar -c --null -T - --ignore-failed-read) |
  tar -x -C "$work/source"
(cd "$work/source" && "$python" -m build --no-isolation --outdir "$work/dist") >"$work/build.log" 2>&1 ||
  { tail -40 "$work/build.log" >&2; fail "the build failed"; }
[ "$(find "$work/dist" -name 'beltway-*.tar.gz' | wc -l)" -eq 1 ] || fail "there is no source distribution"
wheel=$(find "$work/dist" -name 'beltway-*-cp311-abi3-*.whl')
[ -n "$wheel" ] || fail "there is no wheel for Python 3.11 and later: $(ls "$work/dist")"

"$python" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-index --disable-pip-version-check "$wheel"
rm -rf "$work/source" "$work/dist"
mkdir -m 700 "$work/run"
cat >"$work/use.py" <<'P'
import beltway

with beltway.connect() as link:
    queue = link.declare("orders", groups=["workers"])
    queue.producer().publish(b"one order")
    print(queue.consumer(group="workers").receive_bytes(10).decode(), link.ping().pid)
P
read -r one order daemon < <(cd / && env -i PATH=/usr/bin:/bin XDG_RUNTIME_DIR="$work/run" "$work/venv/bin/python" "$work/use.py")
[ "$one $order" = "one order" ] || fail "the program printed \"$one $order\""
program=$(readlink "/proc/$daemon/exe")
case $program in
  "$work"/venv/*/beltway/bin/beltwayd) ;;
  *) fail "the daemon is $program, and not that of the wheel" ;;
esac
# pika's first example, with the package alone.
env -i PATH=/usr/bin:/bin XDG_RUNTIME_DIR="$work/run" "$work/venv/bin/python" -m beltway.pika "$source/examples/python/hello_send.py" |
  grep -q "Sent 'Hello World!'" || fail "beltway.pika"
kill "$daemon"
for _ in $(seq 400); do [ -e "/proc/$daemon" ] || break; sleep 0.05; done
[ ! -e "/proc/$daemon" ] || fail "the daemon does not end"
daemon=
"$work/venv/bin/pip" uninstall --quiet --yes beltway
[ -z "$(find "$work/venv" -iname '*beltway*')" ] || fail "the removal has left: $(find "$work/venv" -iname '*beltway*')"
echo "the wheel was built from its sources, installed, used and removed"
