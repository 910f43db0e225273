#!/usr/bin/env bash
# Beltway at work, in one command: installs what is missing, builds, and lets quickstart_messages.sh send real data through queues,
# with a worker in Python where there is Python. Fails if a single byte differs.
#
# Needs no terminal and no input; leaves only build/release behind.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tests/support/packages.sh
. tests/support/packages.sh

printf '\n== Building (release)\n'
packages=(cmake ninja-build g++ libboost1.81-dev nlohmann-json3-dev libspdlog-dev libcli11-dev)
# Where there is Python, a worker in Python takes part. Its module needs a package more, which only root can install.
python=/usr/bin/python3
[ ! -x $python ] || [ "$(id -u)" != 0 ] || packages+=(python3-dev)
need_packages "${packages[@]}"
mkdir -p build
cmake --preset release >build/release.configure.log 2>&1 || { cat build/release.configure.log >&2; exit 1; }
targets=(beltwayd beltway_tool)
why_no_python=
if [ ! -x $python ]; then
  why_no_python="there is no $python"
elif grep -q "Python.h is not installed" build/release.configure.log; then
  why_no_python="its module needs Python.h (sudo apt-get install python3-dev, then start again)"
elif ! grep -q beltway_python build/release/build.ninja; then
  why_no_python="build/release is configured without its module (BELTWAY_BUILD_PYTHON)"
fi
modules=
if [ -z "$why_no_python" ]; then
  targets+=(beltway_python)
  modules=build/release/python
else
  echo "No worker in Python takes part: $why_no_python."
fi
cmake --build --preset release --target "${targets[@]}" -- --quiet
exec examples/quickstart_messages.sh build/release/bin ${modules:+"$modules"}
