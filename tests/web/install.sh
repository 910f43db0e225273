#!/bin/sh
# install.sh FOLDER: playwright-core of package-lock.json into FOLDER/node_modules, if it is not there. It brings no browser.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" && cd "$1"
cmp -s "$here/package-lock.json" node_modules/.beltway-lock && exit 0
cp "$here/package.json" "$here/package-lock.json" .
npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error </dev/null
cp "$here/package-lock.json" node_modules/.beltway-lock
