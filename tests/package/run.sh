#!/usr/bin/env bash
# Installs a build below a temporary prefix, moves it, and uses it as users do.
#
#   run.sh BUILD_DIR COMPILER find_package|pkg_config|add_subdirectory_shared|misuse
set -euo pipefail
build=$1 compiler=$2 way=$3
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
example=$source/examples/typed_messages.cpp
work=$(mktemp -d /tmp/beltway-package-XXXXXX)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon" 2>/dev/null; rm -rf "$work"' EXIT
launcher=$(command -v ccache || true)

# Installs $1 somewhere, then moves it: nothing installed may know where it was.
install_moved() {
  cmake --install "$1" --prefix "$work/first" >"$work/install.log"
  mv "$work/first" "$work/prefix"
  if grep -rIl "$work/first" "$work/prefix"; then echo "the files above know where they were installed" >&2; exit 1; fi
  if grep -rIl "$source" "$work/prefix"; then echo "the files above know where they were built" >&2; exit 1; fi
}

configure_user() {
  cmake -S "$here/user" -B "$work/user" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DUSER_SOURCE="$example" \
    -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" "$@" >"$work/configure.log" 2>&1 ||
    { cat "$work/configure.log" >&2; exit 1; }
}

# The program must work, and not only link: it starts the installed daemon's twin and talks to it.
try_program() {
  "${2:-$build/bin/beltwayd}" --socket "$work/socket" >"$work/daemon.log" 2>&1 &
  daemon=$!
  for _ in $(seq 200); do [ -S "$work/socket" ] && break; sleep 0.05; done
  BELTWAY_SOCKET=$work/socket "$1" | tee "$work/out"
  grep -qx "${3:-3: 30 at 101.5}" "$work/out"
  kill "$daemon"
  wait "$daemon"
  daemon=
}

case $way in
  find_package)
    install_moved "$build"
    configure_user -DCMAKE_PREFIX_PATH="$work/prefix"
    cmake --build "$work/user"
    try_program "$work/user/user" "$work/prefix/bin/beltwayd"
    ;;
  pkg_config)
    install_moved "$build"
    export PKG_CONFIG_PATH
    PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name beltway.pc)")
    # shellcheck disable=SC2046 # the flags are several words
    "$compiler" -std=c++20 "$example" $(pkg-config --cflags --libs --static beltway) -o "$work/program"
    try_program "$work/program"
    # What is inline in them is compiled as they like it.
    for flags in '' -O2 '-O2 -masm=intel'; do
      # shellcheck disable=SC2046,SC2086
      "$compiler" -std=c++20 $flags "$here/user/inline_ways.cpp" $(pkg-config --cflags --libs --static beltway) -o "$work/program"
      try_program "$work/program" "" "all as sent"
    done
    ;;
  add_subdirectory_shared)
    # Two ways in one, since both compile the library anew: as a part of the user's build, and as a shared library; which is
    # then installed and used from there.
    configure_user -DBELTWAY_SOURCE="$source" -DBUILD_SHARED_LIBS=ON -DBELTWAY_INSTALL=ON
    cmake --build "$work/user" -j "$(nproc)"
    library=$(find "$work/user" -name libbeltway.so)
    foreign=$(nm -DC --defined-only "$library" | grep -vE ' (beltway::|(typeinfo( name)?|vtable) for beltway::)' || true)
    [ -z "$foreign" ] || { printf 'exports what is not its own:\n%s\n' "$foreign" >&2; exit 1; }
    try_program "$work/user/user"
    install_moved "$work/user"
    rm -rf "$work/user"
    configure_user -DCMAKE_PREFIX_PATH="$work/prefix"
    cmake --build "$work/user"
    try_program "$work/user/user"
    ;;
  misuse)
    install_moved "$build"
    configure_user -DCMAKE_PREFIX_PATH="$work/prefix"
    cmake --build "$work/user" --target misuse_0
    for number in 1 2 3 4 5 6; do
      if cmake --build "$work/user" --target "misuse_$number" >"$work/log" 2>&1; then
        echo "misuse $number compiles" >&2; exit 1
      fi
      # For its own reason, and not since a file is missing.
      { grep -q 'error' "$work/log" && grep -q 'misuse\.cpp:[0-9]' "$work/log"; } || { cat "$work/log" >&2; exit 1; }
      # A wrong message type is one error, which begins with our name.
      [ "$number" -gt 3 ] || { [ "$(grep -c ' error: ' "$work/log")" = 1 ] && grep -q 'beltway: ' "$work/log"; } ||
        { cat "$work/log" >&2; exit 1; }
      [ "$number" != 2 ] || grep -q 'static constexpr std::string_view beltway_name' "$work/log" ||
        { cat "$work/log" >&2; exit 1; }
    done
    ;;
  *) echo "no such way: $way" >&2; exit 2 ;;
esac
