#!/bin/sh
# screenshots.sh BUILD FOLDER: pictures of the page for the documents, by the programs of a build folder (build/dev) and Debian's
# chromium. Takes about two minutes; needs no terminal and leaves nothing behind but FOLDER/*.png.
set -eu
build=$(cd "$1" && pwd)
folder=$2
top=$(cd "$(dirname "$0")/../../.." && pwd)
"$top/tests/web/install.sh" "$build/tests/web"
BELTWAY_TEST_PROGRAMS=$build/bin BELTWAY_TEST_MODULES=$build/tests/web/node_modules \
  BELTWAY_TEST_BROWSER=$(command -v chromium) node "$top/tests/web/screenshots.js" "$folder"
