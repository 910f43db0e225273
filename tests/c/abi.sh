#!/usr/bin/env bash
# Compares the C library's ABI with the committed one, tests/c/libbeltway-c.abi.
#
#   abi.sh LIBRARY ABIDW ABIDIFF           fails if the ABI differs
#   abi.sh LIBRARY ABIDW ABIDIFF renew     writes the committed file anew
set -euo pipefail
library=$1 abidw=$2 abidiff=$3 way=${4:-compare}
here=$(cd "$(dirname "$0")" && pwd)
committed=$here/libbeltway-c.abi
work=$(mktemp -d /tmp/beltway-abi-XXXXXX)
trap 'rm -rf "$work"' EXIT

# What users see: their headers' types. All others are opaque.
"$abidw" --headers-dir "$here/../../include/beltway" --drop-private-types --no-show-locs --no-comp-dir-path --no-corpus-path \
  --no-elf-needed --no-parameter-names --exported-interfaces-only --type-id-style hash --out-file "$work/abi" "$library"
# Not where it was compiled.
sed -i -E "s|<abi-instr address-size='64' path='[^']*'|<abi-instr address-size='64' path='src/c'|" "$work/abi"
if [ "$way" = renew ]; then
  cp "$work/abi" "$committed"
  exit 0
fi
if "$abidiff" --no-linkage-name "$committed" "$work/abi" >"$work/differences"; then
  exit 0
fi
cat "$work/differences" >&2
echo "The ABI of libbeltway-c differs from tests/c/libbeltway-c.abi. Programs that are compiled already must go on to work:
- A call, an enumerator, or a member at the end of a struct that begins with its size may be added. Then renew the file:
  $0 $library $abidw $abidiff renew
- Nothing else may change under the name libbeltway-c.so.0." >&2
exit 1
