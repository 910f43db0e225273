#!/bin/sh
# build.sh FOLDER OUT.cpp AUTO|ON: installs what the page is made of into FOLDER, if the lock file has changed, and writes the page
# as a C++ source. With AUTO a failure (no registry can be reached) gives a program without the page, and says so.
set -u
here=$(cd "$(dirname "$0")" && pwd)
folder=$1 out=$2 mode=$3

install() {
  cmp -s "$here/package-lock.json" "$folder/node_modules/.beltway-lock" && return 0
  mkdir -p "$folder" && cp "$here/package.json" "$here/package-lock.json" "$folder/" &&
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error) </dev/null &&
    cp "$here/package-lock.json" "$folder/node_modules/.beltway-lock"
}

if install && (cd "$folder" && node "$here/build.mjs" "$out"); then exit 0; fi
if [ "$mode" = ON ]; then
  echo "beltway: the page of \"beltway web\" cannot be built; -DBELTWAY_BUILD_PAGE=OFF builds the tool without it" >&2
  exit 1
fi
echo "beltway: warning: the tool is built without the page of \"beltway web\"; to try again, remove $out" >&2
cp "$here/no_page.cpp.in" "$out"
