#!/usr/bin/env bash
# Builds one side of the upgrade tests: build_side.sh SIDE SOURCES FOLDER
#   old     beltwayd of the last commit with layout 1.1, from the history
#   other   beltwayd of these sources, with another layout: the next major number, and two words that have changed places
# The tool of a side is side_client.cpp over its library. All without optimisation: they are tested with, not measured. What could
# not be built says why in FOLDER/missing.
set -euo pipefail
side=$1 sources=$2 folder=$3
last_1_1=5582098

missing() {
  echo "$1" >"$folder/missing"
  echo "** upgrade tests: the $side side is missing, and its tests are skipped: $1" >&2
  exit 0
}

# add_client SOURCES: the client as a program of theirs.
add_client() {
  cat >>"$1/CMakeLists.txt" <<END
add_executable(side_client "$(cd "$(dirname "$0")" && pwd)/side_client.cpp")
target_link_libraries(side_client PRIVATE beltway::beltway)
END
}

copy_old() {
  grep -qs side_client "$folder/src/CMakeLists.txt" && return
  git -c safe.directory='*' -C "$sources" cat-file -e "$last_1_1^{commit}" 2>/dev/null ||
    missing "commit $last_1_1 is not in the history (a shallow clone or an archive); git fetch --unshallow brings it"
  rm -rf "$folder/src"
  mkdir -p "$folder/src.part"
  git -c safe.directory='*' -C "$sources" archive "$last_1_1" | tar -x -C "$folder/src.part"
  # That it compiles together: a name that two of its sources have.
  sed -i 's/\bk_what\b/k_record/g' "$folder/src.part/daemon/record_text.cpp"
  add_client "$folder/src.part"
  mv "$folder/src.part" "$folder/src"
}

copy_other() {
  local new=$folder/src.part
  rm -rf "$new"
  mkdir -p "$new"
  (cd "$sources" && cp -r --parents CMakeLists.txt src include daemon packages tests/protocol_sources.cmake "$new/")
  sed -i -E \
    -e 's/(k_layout_major = )([0-9]+);/\1\2 + 1;/' \
    -e 's/^  Word floor;.*/  Word next_@;/; s/^  Word next;.*/  Word floor;/; s/^  Word next_@;/  Word next;/' \
    -e 's/offsetof\(GroupBlock, floor\) == 64 \&\& offsetof\(GroupBlock, next\) == 128/offsetof(GroupBlock, next) == 64 \&\& offsetof(GroupBlock, floor) == 128/' \
    "$new/src/ring/layout.hpp"
  if ! grep -q 'k_layout_major = [0-9]* + 1;' "$new/src/ring/layout.hpp" || ! grep -q 'offsetof(GroupBlock, next) == 64' "$new/src/ring/layout.hpp"; then
    echo "build_side.sh: layout.hpp looks different now" >&2
    exit 1
  fi
  add_client "$new"
  # Only what has changed, and with the time of now: a file with its old time would be older than what was compiled before.
  (cd "$new" && find . -type f) | while read -r file; do
    cmp -s "$new/$file" "$folder/src/$file" && continue
    mkdir -p "$(dirname "$folder/src/$file")"
    cp "$new/$file" "$folder/src/$file"
  done
  (cd "$folder/src" && find . -type f) | while read -r file; do
    [ -e "$new/$file" ] || rm "$folder/src/$file"
  done
  rm -rf "$new"
}

mkdir -p "$folder"
rm -f "$folder/missing"
copy_"$side"
[ -e "$folder/build/build.ninja" ] ||
  cmake -S "$folder/src" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="-O0 -DNDEBUG" \
    -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=12 \
    -DBELTWAY_BUILD_TOOL=OFF -DBELTWAY_BUILD_C=OFF -DBELTWAY_BUILD_PYTHON=OFF -DBELTWAY_BUILD_NODE=OFF -DBELTWAY_BUILD_TESTS=OFF \
    -DBELTWAY_BUILD_BENCH=OFF -DBELTWAY_BUILD_EXAMPLES=OFF -DBELTWAY_INSTALL=OFF >"$folder/configure.log"
cmake --build "$folder/build" --target beltwayd side_client -- --quiet
