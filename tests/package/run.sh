#!/usr/bin/env bash
# Installs a build below a temporary prefix, moves it, and uses it as users do.
#
#   run.sh BUILD_DIR COMPILER find_package|pkg_config|add_subdirectory_shared|misuse|headers|no_exceptions|relocated|c
set -euo pipefail
build=$1 compiler=$2 way=$3
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
example=$source/examples/typed_messages.cpp
work=$(mktemp -d /tmp/beltway-package-XXXXXX)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon" 2>/dev/null; rm -rf "$work"' EXIT
launcher=$(command -v ccache || true)

# Installs $1 below the prefix $2 and keeps the list of files. Tests that run side by side take turns.
install_below() {
  (
    flock 9
    cmake --install "$1" --prefix "$2" >"$work/install.log"
    cp "$1/install_manifest.txt" "$work/manifest"
  ) 9>"$1/install.lock"
}

# Installs $1 somewhere, then moves it: nothing installed may know where it was, except systemd's units.
install_moved() {
  install_below "$1" "$work/first"
  mv "$work/first" "$work/prefix"
  if grep -rIl --exclude-dir=systemd "$work/first" "$work/prefix"; then
    echo "the files above know where they were installed" >&2; exit 1
  fi
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
    configure_user -DBELTWAY_SOURCE="$source" -DBUILD_SHARED_LIBS=ON -DBELTWAY_INSTALL=ON -DCMAKE_UNITY_BUILD=ON \
      -DCMAKE_UNITY_BUILD_BATCH_SIZE=16
    cmake --build "$work/user" -j "$(nproc)"
    library=$(find "$work/user" -name libbeltway.so)
    "$here/exports.sh" "$library" "$build/src/libbeltway.a" "$source/include" "$source/src/exports.map"
    try_program "$work/user/user"
    # All that inline code calls is exported, too. Not optimised, programs call the most.
    for program in "$here/user/no_exceptions.cpp" "$here/user/inline_ways.cpp" "$source/examples/asio_server.cpp"; do
      $launcher "$compiler" -std=c++20 -O0 -I"$source/include" -c "$program" -o "$work/program.o"
      "$compiler" "$work/program.o" "$library" -pthread -o "$work/program"
    done
    install_moved "$work/user"
    rm -rf "$work/user"
    configure_user -DCMAKE_PREFIX_PATH="$work/prefix"
    cmake --build "$work/user"
    try_program "$work/user/user"
    ;;
  misuse)
    # One error names all packages that are missing, and how to install them.
    if cmake -S "$here/user" -B "$work/missing" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DUSER_SOURCE="$example" \
      -DBELTWAY_SOURCE="$source" -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON \
      >"$work/missing.log" 2>&1; then
      echo "configures without Boost and nlohmann_json" >&2; exit 1
    fi
    { [ "$(grep -c '^CMake Error' "$work/missing.log")" -eq 1 ] &&
      grep -q 'apt-get install libboost1.81-dev nlohmann-json3-dev$' "$work/missing.log"; } ||
      { cat "$work/missing.log" >&2; exit 1; }
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
  headers)
    mapfile -t headers < <(cd "$source/include" && find beltway -name '*.hpp')
    # Each alone, with the warnings that users turn on, and without exceptions.
    # shellcheck disable=SC2016 # for the inner shell
    printf '%s\n' "${headers[@]}" | xargs -P "$(nproc)" -n 1 bash -c 'echo "#include <$3>" | "$0" -std=c++20 -fno-exceptions -Wall \
      -Wextra -Wpedantic -Wconversion -Wshadow -Werror -I"$1/include" -x c++ -fsyntax-only - >"$2/out.${3//\//.}" 2>&1 ||
      { cat "$2/out.${3//\//.}" >&2; exit 1; }' "$compiler" "$source" "$work"
    # Standard headers that take long to compile, and that no header needs, stay out of users' programs.
    heavy=$(echo '#include <beltway/beltway.hpp>' | "$compiler" -std=c++20 -I"$source/include" -M -x c++ - |
      grep -oE '/(algorithm|filesystem|future|iostream|regex) ' || true)
    [ -z "$heavy" ] || { echo "beltway.hpp includes $heavy" >&2; exit 1; }
    # An older C++ gets the reason first, and then nothing but where it stopped.
    for header in "${headers[@]}"; do
      echo "#include <$header>" >"$work/old.cpp"
      if "$compiler" -std=c++17 -I"$source/include" -fsyntax-only "$work/old.cpp" 2>"$work/old.log"; then
        echo "$header compiles as C++17" >&2; exit 1
      fi
      { grep -m 1 'error: ' "$work/old.log" | grep -q 'Beltway needs C++20' && [ "$(grep -c 'error: ' "$work/old.log")" -eq 2 ]; } ||
        { cat "$work/old.log" >&2; exit 1; }
    done
    # Macros: only what is documented stays defined.
    printf '#include <%s>\n' "${headers[@]}" >"$work/all.cpp"
    macros=$("$compiler" -std=c++20 -I"$source/include" -dM -E "$work/all.cpp" | grep -oE '^#define BELTWAY_[A-Z_]*' | sort)
    [ "$macros" = "#define BELTWAY_API" ] || { printf 'macros that leak:\n%s\n' "$macros" >&2; exit 1; }
    foreign=$(grep -rnE '^ *# *define' "$source/include" | grep -vE 'define BELTWAY_' || true)
    [ -z "$foreign" ] || { printf 'macros of other names:\n%s\n' "$foreign" >&2; exit 1; }
    ;;
  no_exceptions)
    "$compiler" -std=c++20 -fno-exceptions -O1 -I"$source/include" "$here/user/no_exceptions.cpp" "$build/src/libbeltway.a" \
      -pthread -o "$work/program"
    try_program "$work/program" "" "goes on after all errors"
    # Containers of another size than the library's are found by the linker.
    if "$compiler" -std=c++20 -D_GLIBCXX_DEBUG -I"$source/include" "$example" "$build/src/libbeltway.a" -pthread \
      -o "$work/program" >"$work/log" 2>&1; then
      echo "a program with other containers than the library's links" >&2; exit 1
    fi
    grep -q 'beltway_must_be_compiled_with_GLIBCXX_DEBUG_as_this_program_is' "$work/log" || { cat "$work/log" >&2; exit 1; }
    ;;
  relocated)
    # Below a prefix that the configuration did not know, all paths are those of the prefix.
    install_below "$build" "$work/other"
    for unit in system user; do
      grep -q "^ExecStart=$work/other/bin/beltwayd " "$work/other/lib/systemd/$unit/beltwayd.service"
    done
    if [ -e "$work/other/bin/beltway" ]; then
      grep -q "^ExecStart=$work/other/bin/beltway " "$work/other/lib/systemd/system/beltway-bridge@.service"
      for file in man/man1/beltway.1 man/man8/beltwayd.8 bash-completion/completions/beltway; do
        [ -s "$work/other/share/$file" ] || { echo "there is no $file" >&2; exit 1; }
      done
      # shellcheck disable=SC2016 # for the inner shell
      bash -c 'set -eu; . "$1"; complete -p beltway' bash "$work/other/share/bash-completion/completions/beltway" >"$work/completion"
    fi
    export PKG_CONFIG_PATH
    PKG_CONFIG_PATH=$(dirname "$(find "$work/other" -name beltway.pc)")
    mkdir -m 700 "$work/elsewhere" "$work/run"
    # shellcheck disable=SC2046 # the flags are several words
    "$compiler" -std=c++20 "$here/user/auto_start.cpp" $(pkg-config --cflags --libs beltway) -o "$work/elsewhere/program"
    if [ ! -e /run/beltway/beltwayd.sock ]; then  # else no client starts a daemon here
      read -r daemon program < <(env -i PATH=/usr/bin:/bin XDG_RUNTIME_DIR="$work/run" "$work/elsewhere/program")
      [ "$program" = "$work/other/bin/beltwayd" ] || { echo "the client started $program" >&2; exit 1; }
      kill "$daemon"
      for _ in $(seq 200); do [ -e "/proc/$daemon" ] || break; sleep 0.05; done
      daemon=
    fi
    module=$(find "$work/other" -name '_beltway.abi3.so')
    if [ -n "$module" ] && [ ! -e /run/beltway/beltwayd.sock ]; then
      read -r daemon < <(env -i PATH=/usr/bin:/bin XDG_RUNTIME_DIR="$work/run" PYTHONPATH="${module%/beltway/*}" \
        PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -c 'import beltway; print(beltway.connect().ping().pid)')
      program=$(readlink "/proc/$daemon/exe")
      [ "$program" = "$work/other/bin/beltwayd" ] || { echo "Python started $program" >&2; exit 1; }
      kill "$daemon"
      for _ in $(seq 200); do [ -e "/proc/$daemon" ] || break; sleep 0.05; done
      daemon=
    fi
    # Where the sysroot or the target of a cross compiler decides, the recompiled path is for that machine, too.
    cross=(-DCMAKE_SYSROOT=/) flags=(--sysroot=/)
    case $("$compiler" --version) in
      *clang*) target=$("$compiler" -dumpmachine) && cross+=(-DCMAKE_CXX_COMPILER_TARGET="$target") flags+=(--target="$target") ;;
    esac
    cmake -S "$source" -B "$work/cross" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DBELTWAY_BUILD_DAEMON=OFF \
      -DBELTWAY_BUILD_TOOL=OFF -DBELTWAY_BUILD_TESTS=OFF -DBELTWAY_BUILD_BENCH=OFF -DBELTWAY_BUILD_EXAMPLES=OFF \
      "${cross[@]}" >"$work/cross.log" 2>&1 || { cat "$work/cross.log" >&2; exit 1; }
    for flag in "${flags[@]}"; do
      grep -q "set(cross_flags .*$flag" "$work/cross/src/installed_daemon.cmake" ||
        { echo "the path of an installed daemon is compiled without $flag" >&2; exit 1; }
    done
    # Uninstalled, nothing is left, and files of others are.
    mkdir -p "$work/other/share"
    touch "$work/other/share/foreign"
    cmake -DMANIFEST="$work/manifest" -P "$source/src/uninstall.cmake" >"$work/uninstall.log"
    [ "$(find "$work/other" -type f -o -type l)" = "$work/other/share/foreign" ] || { find "$work/other" >&2; exit 1; }
    [ "$(ls "$work/other")" = share ] || { find "$work/other" >&2; exit 1; }
    # In a folder for a package: the paths are those where it will be.
    DESTDIR=$work/stage install_below "$build" /opt/beltway
    grep -q "^ExecStart=/opt/beltway/bin/beltwayd " "$work/stage/opt/beltway/lib/systemd/system/beltwayd.service"
    grep -qaF /opt/beltway/bin/beltwayd "$(find "$work/stage" -name libbeltway.a)"
    DESTDIR=$work/stage cmake -DMANIFEST="$work/manifest" -P "$source/src/uninstall.cmake" >"$work/uninstall.log"
    [ -z "$(find "$work/stage" -type f 2>/dev/null)" ] || { find "$work/stage" >&2; exit 1; }
    ;;
  c)
    # The C library, from a project in C.
    install_moved "$build"
    c_compiler=${compiler/clang++/clang}
    c_compiler=${c_compiler/g++/gcc}
    c_compiler=${c_compiler/%c++/cc}
    export PKG_CONFIG_PATH LD_LIBRARY_PATH
    PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name beltway-c.pc)")
    LD_LIBRARY_PATH=$(dirname "$(find "$work/prefix" -name libbeltway-c.so.0)")
    # shellcheck disable=SC2046 # the flags are several words
    "$c_compiler" -std=c11 -Wall -Wextra -Werror -pedantic "$source/examples/c/properties.c" \
      $(pkg-config --cflags --libs beltway-c) -o "$work/program"
    try_program "$work/program" "$work/prefix/bin/beltwayd" "answer to question 1: noon"
    cmake -S "$here/user_c" -B "$work/user" -G Ninja -DCMAKE_C_COMPILER="$c_compiler" -DCMAKE_PREFIX_PATH="$work/prefix" \
      -DUSER_SOURCE="$source/examples/c/properties.c" >"$work/configure.log" 2>&1 || { cat "$work/configure.log" >&2; exit 1; }
    cmake --build "$work/user"
    try_program "$work/user/user_c" "$work/prefix/bin/beltwayd" "answer to question 1: noon"
    # Each header stands alone, in C and in C++.
    while read -r header; do
      echo "#include <$header>" >"$work/header.c"
      "$c_compiler" -std=c11 -Wall -Wextra -Werror -pedantic -I"$work/prefix/include" -fsyntax-only "$work/header.c"
      "$compiler" -x c++ -std=c++11 -Wall -Wextra -Werror -pedantic -I"$work/prefix/include" -fsyntax-only "$work/header.c"
    done < <(cd "$work/prefix/include" && find beltway -name '*.h')
    # The library starts the daemon that lies beside it, wherever both were moved.
    if [ ! -e /run/beltway/beltwayd.sock ]; then  # else no client starts a daemon here
      mkdir -m 700 "$work/run" "$work/elsewhere"
      # shellcheck disable=SC2046
      "$c_compiler" -std=c11 "$here/user_c/auto_start.c" $(pkg-config --cflags --libs beltway-c) -o "$work/elsewhere/program"
      read -r daemon _ < <(env -i PATH=/usr/bin:/bin LD_LIBRARY_PATH="$LD_LIBRARY_PATH" XDG_RUNTIME_DIR="$work/run" "$work/elsewhere/program")
      program=$(readlink "/proc/$daemon/exe")
      [ "$program" = "$work/prefix/bin/beltwayd" ] || { echo "the client started $program" >&2; exit 1; }
      kill "$daemon"
      for _ in $(seq 200); do [ -e "/proc/$daemon" ] || break; sleep 0.05; done
      daemon=
    fi
    ;;
  *) echo "no such way: $way" >&2; exit 2 ;;
esac
