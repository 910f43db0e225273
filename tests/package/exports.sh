#!/usr/bin/env bash
# Compares what the shared library exports with what the public headers declare.
#
#   exports.sh SHARED_LIBRARY STATIC_LIBRARY INCLUDE_DIR EXPORTS_MAP
#
# Fails if the library exports a function that no header declares, or hides a member of a public class or a public function,
# and if the map has a name that the library does not have.
set -euo pipefail
shared=$1 static=$2 include=$3 map=$4
work=$(mktemp -d /tmp/beltway-exports-XXXXXX)
trap 'rm -rf "$work"' EXIT
failed=0

# Demangled names without arguments: "beltway::Producer::fd".
names() { sed -E 's/^[0-9a-f]* +[A-Za-z] //; s/^(typeinfo( name)?|vtable) for (.*)/\3::~/; s/operator\(\)/call_operator/; s/[[(].*//' | sort -u; }
nm -DC --defined-only "$shared" | names >"$work/exported"
nm -C --defined-only "$static" 2>/dev/null | grep -E '^[0-9a-f]+ [TRDB] beltway::' | names >"$work/defined"

# The headers as one file each, since they are searched for every name.
find "$include" -type f -exec cat {} + >"$work/all_headers"
cat "$include"/beltway/*.hpp >"$work/public"
declared_class() { grep -qE "^ *(class|struct)( \[\[[a-z]+\]\])? $1\b" "$2"; }
declared_name() { grep -qE "\b$1\b" "$2"; }

# Nothing internal: owner and name stand in a header.
while read -r symbol; do
  name=${symbol##*::} owner=${symbol%::*}
  owner=${owner##*::}
  case $owner in
    beltway | detail) declared_name "$name" "$work/all_headers" && continue ;;
    *) declared_class "$owner" "$work/all_headers" && continue ;;
  esac
  echo "exported, but in no header: $symbol" >&2
  failed=1
done <"$work/exported"

# All that is public: what the library defines of classes and functions of the headers outside of detail/.
public=0
while read -r symbol; do
  name=${symbol##*::} owner=${symbol%::*}
  case $owner in
    beltway) grep -qE "^[^ /].*\b$name\(" "$work/public" || continue ;;
    beltway::*::*) continue ;;  # an inner namespace
    *) declared_class "${owner##*::}" "$work/public" || continue ;;
  esac
  public=$((public + 1))
  grep -qxF "$symbol" "$work/exported" && continue
  echo "public, but not exported: $symbol" >&2
  failed=1
done <"$work/defined"
[ "$public" -ge 40 ] || { echo "only $public public functions found: this test no longer reads the symbols" >&2; exit 1; }

# The map has no name of the past.
while read -r name; do
  grep -qF "$name" "$work/exported" && continue
  echo "in the map, but not in the library: $name" >&2
  failed=1
done < <(grep -oE '^ +"?[a-z: ]*beltway::[A-Za-z_:]+' "$map" | sed -E 's/.* //; s/^"//')
exit $failed
