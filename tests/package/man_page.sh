#!/usr/bin/env bash
# The man page of beltwayd has all that the program says with --help, and man reads it without a warning.
#
#   man_page.sh BIN       the folder of beltwayd
set -euo pipefail
bin=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d /tmp/beltway-man-XXXXXX)
trap 'rm -rf "$work"' EXIT
fail() { echo "man_page.sh: $*" >&2; exit 1; }

page=$work/beltwayd.8
cmake -DPROGRAM="$bin/beltwayd" -DNAME=beltwayd -DSECTION=8 -DVERSION=1.2.3 -DOUT="$page" -P "$here/../../packages/man_page.cmake"
# As a reader sees it, without roff's marks.
sed -e 's/\\-/-/g' -e 's/\\&//g' -e 's/\\e/\\/g' "$page" >"$work/text"
grep -q "^beltwayd - The Beltway daemon" "$work/text" || fail "there is no line of what it is"
lines=0
while read -r line; do
  grep -qF -- "$line" "$work/text" || fail "the page does not have: $line"
  lines=$((lines + 1))
done < <("$bin/beltwayd" --help | sed "s|$bin/||g" | grep .)
[ "$lines" -gt 20 ] || fail "--help has $lines lines only"
if command -v man >/dev/null; then
  warnings=$(LC_ALL=C.UTF-8 MANWIDTH=300 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
  [ -z "$warnings" ] || fail "$warnings"
else
  echo "NOT TESTED: whether man reads the page, since there is no man"
fi
