#!/usr/bin/env bash
# Every test: installs what is missing, then builds and tests all presets, and lints.
#
#   tests/run.sh                 everything that CI does: format dev clang asan tsan fuzz
#   tests/run.sh dev tsan        some of: format dev clang asan tsan tidy coverage fuzz tool_asan soak interop packages
#                                arm64
#
# The part fuzz runs the fuzz targets, which preset asan builds with its own library.
# The part tool_asan runs the tests of the tool with the sanitizers of asan.
# The part soak kills and stops processes at random, for ten minutes with all options, for two without, and for two with
# actors in C, Python and Node.js. Then it stages troubles in random pairs, which must give both verdicts each, and lets the
# doctor look at a healthy load for ten minutes, which must give none. It prints the seed of the pairs; BELTWAY_TROUBLE_SEED=N
# stages the same ones again, and BELTWAY_TROUBLE_PAIRS=N more of them. The part interop kills bridge and RabbitMQ at random,
# passes a million messages each way, and compares the bridge's rate with that of RabbitMQ's own client. The part packages makes the
# packages for Debian, a wheel and a package of npm, and uses them; it installs and purges the packages, so it wants a machine
# without Beltway, and root. The part arm64 compiles for 64-bit Arm with Debian's cross compiler, and runs those tests that need one
# process, under qemu-user.
#
# Needs no terminal and no input. Ends with one line that counts all tests; exit code 0 only if all is well.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=tests/support/packages.sh
. tests/support/packages.sh

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(format dev clang asan tsan fuzz)
known="format dev clang asan tsan tidy coverage fuzz tool_asan soak interop packages arm64"
for part in "${parts[@]}"; do
  [[ " $known " == *" $part "* ]] || { echo "tests/run.sh: no part \"$part\"; there are $known" >&2; exit 2; }
done
wants() { [[ " ${parts[*]} " == *" $1 "* ]]; }

packages=(git)
if [ "${parts[*]}" != format ]; then
  packages+=(cmake ninja-build ccache g++ pkg-config libboost1.81-dev nlohmann-json3-dev libspdlog-dev libcli11-dev
    libgtest-dev libbenchmark-dev valgrind abigail-tools libncurses-dev librabbitmq-dev)
fi
if wants dev || wants interop; then packages+=(rabbitmq-server python3-pika); fi
if wants dev; then
  packages+=(groff-base)
  packages+=(prometheus)  # promtool: metrics and alert rules
  packages+=(tmux)  # the screen of beltway top
  packages+=(chromium)  # the page of beltway web
  packages+=(python3-dev python3-numpy python3-uvloop mypy python3-build python3-setuptools python3-wheel)
fi
if wants asan; then packages+=(python3-dev python3-numpy); fi
if wants dev || wants soak; then packages+=(python3-dev node-typescript); fi
if wants dev || wants soak || wants packages; then
  # Another Node.js than Debian's brings its headers along, and libnode-dev would be in its way.
  [ -e /usr/include/node/node_api.h ] || packages+=(nodejs libnode-dev)
  # It comes along with such a Node.js; Debian has it apart.
  command -v npm >/dev/null || packages+=(npm)
fi
if wants arm64; then packages+=(g++-aarch64-linux-gnu qemu-user); fi
if wants clang || wants tidy; then packages+=(clang-14); fi
if wants asan || wants tsan || wants fuzz || wants tool_asan; then packages+=(clang-19 libclang-rt-19-dev llvm-19 lld-19); fi
if wants tidy; then packages+=(clang-tidy-19); fi
if wants format; then packages+=(clang-format-19); fi
if wants coverage; then packages+=(gcovr); fi
if wants packages; then
  packages+=(lintian file dpkg-dev man-db python3 python3-dev python3-build python3-setuptools python3-wheel python3-venv)
  packages+=(debootstrap systemd systemd-container)  # a Debian of the test's own, whose systemd starts in a container
fi
need_packages "${packages[@]}" || exit 1

jobs=$(nproc)
test_jobs=$((jobs + 1))  # tests wait more than they work
busy_test_jobs=$((2 * jobs + 1))  # where those that only work count as two: see busy_test in tests/CMakeLists.txt
passed=0
total=0
failures=()
failed() { failures+=("$1"); echo "-- FAILED: $1" >&2; }
# What is no ctest test counts as one in the closing line.
one_passed() { total=$((total + 1)); passed=$((passed + 1)); }
one_failed() { total=$((total + 1)); failed "$1"; }

# Builds and tests a preset, and adds its tests to the count.
preset() {
  local name=$1 log="build/$1/ctest.log" at_once=$test_jobs summary
  [ "$name" != dev ] || at_once=$busy_test_jobs
  echo "== $name"
  cmake --preset "$name" >"build/$name.configure.log" 2>&1 ||
    { cat "build/$name.configure.log" >&2; one_failed "$name: configure"; return; }
  cmake --build --preset "$name" -j "$jobs" -- --quiet || { one_failed "$name: build"; return; }
  if ! ctest --preset "$name" -j "$at_once" --output-log "$log" --no-tests=error; then
    failed "$name: tests"
    # Said once more at the very end, of which alone some logs of CI keep anything: each failed test and what it printed.
    awk '/^ *[0-9]+\/[0-9]+ Test +#/ { failed = /\*\*\*/; lines = 0 } /^ *Start +[0-9]+:|^[0-9]+% tests passed/ { failed = 0 }
      failed && lines++ < 60' "$log" >>build/failed-tests
  fi
  # "97% tests passed, 3 tests failed out of 100"
  summary=$(grep -aE 'tests passed, [0-9]+ tests failed out of [0-9]+' "$log" | tail -1)
  if [[ $summary =~ ([0-9]+)\ tests\ failed\ out\ of\ ([0-9]+) ]]; then
    total=$((total + BASH_REMATCH[2]))
    passed=$((passed + BASH_REMATCH[2] - BASH_REMATCH[1]))
  fi
}

check_format() {
  echo "== format"
  if git -c safe.directory='*' ls-files '*.hpp' '*.cpp' '*.h' '*.c' | xargs clang-format-19 --dry-run --Werror; then
    one_passed
  else
    one_failed format
  fi
}

tidy() {
  echo "== tidy"
  cmake --preset clang -B build/tidy -DBELTWAY_PRECOMPILE=OFF -DBELTWAY_UNITY=OFF >/dev/null ||
    { one_failed "tidy: configure"; return; }
  # Headers are seen through the sources that include them. Tests are left out: GoogleTest's macros are not ours.
  local log=build/tidy.log status
  run-clang-tidy-19 -quiet -j "$jobs" -p build/tidy "^$PWD/(src|daemon|examples)/.*\.cpp$" >"$log" 2>&1
  status=$?  # of what does not compile: findings are warnings
  # The analyzer follows calls into the headers of others and reports what it finds there; no header filter stops that.
  if grep -aE -A4 "^$PWD/.*: warning: |^(/.*: )?error: " "$log" >&2 || [ $status -ne 0 ]; then
    one_failed "tidy: see $log"
  else
    one_passed
  fi
}

fuzz() {
  echo "== fuzz"
  cmake --preset asan >build/asan.configure.log 2>&1 ||
    { cat build/asan.configure.log >&2; one_failed "fuzz: configure"; return; }
  cmake --build --preset fuzz -j "$jobs" -- --quiet || { one_failed "fuzz: build"; return; }
  if tests/fuzz/run.sh build/asan; then one_passed; else one_failed fuzz; fi
}

soak() {
  echo "== soak"
  cmake --preset dev >build/dev.configure.log 2>&1 ||
    { cat build/dev.configure.log >&2; one_failed "soak: configure"; return; }
  cmake --build --preset dev -j "$jobs" --target soak_test languages_soak tool_tests beltwayd beltway_tool -- --quiet ||
    { one_failed "soak: build"; return; }
  local program=build/dev/bin/soak_test
  export BELTWAY_TEST_TIMEOUT_S=900
  if BELTWAY_SOAK_S=600 $program --gtest_filter='*all_options' && BELTWAY_SOAK_S=60 $program --gtest_filter='-*all_options' &&
    BELTWAY_SOAK_S=120 build/dev/languages_soak.sh
  then
    one_passed
  else
    one_failed soak
  fi
  soak_verdicts build/dev/bin/tool_tests
}

# Each is one test, and takes longer than a test may: a pair some 20 s, and minutes if its remedy does not mend it.
soak_verdicts() {
  local program=$1 seed=${BELTWAY_TROUBLE_SEED:-$RANDOM}
  echo "-- troubles in random pairs: BELTWAY_TROUBLE_SEED=$seed"
  if BELTWAY_TROUBLE_SEED=$seed BELTWAY_TEST_TIMEOUT_S=3600 $program --gtest_filter='*.random_pairs_give_both_verdicts_each'; then
    one_passed
  else
    one_failed "soak: troubles in random pairs; BELTWAY_TROUBLE_SEED=$seed tests/run.sh soak stages them again"
  fi
  if BELTWAY_HEALTHY_S=600 BELTWAY_TEST_TIMEOUT_S=900 $program --gtest_filter='*.healthy_load_gives_no_verdict'; then
    one_passed
  else
    one_failed "soak: healthy load"
  fi
}

# Takes some twenty minutes.
interop() {
  echo "== interop"
  cmake --preset dev >build/dev.configure.log 2>&1 ||
    { cat build/dev.configure.log >&2; one_failed "interop: configure"; return; }
  cmake --build --preset dev -j "$jobs" --target beltway_tool beltwayd beltway_bridge_planted rabbitmq_client -- --quiet ||
    { one_failed "interop: build"; return; }
  if /usr/bin/python3 tests/bridge/faults_test.py build/dev/bin Random && BELTWAY_BRIDGE_MESSAGES=1000000 \
    /usr/bin/python3 tests/bridge/bridge_test.py build/dev/bin Traffic.test_messages_pass_both_ways_in_order &&
    BELTWAY_BRIDGE_MESSAGES=1000000 /usr/bin/python3 tests/bridge/faults_test.py build/dev/bin \
      Random.test_all_together_lose_and_double_nothing
  then
    one_passed
  else
    one_failed "interop: a million messages each way"
  fi
  if /usr/bin/python3 tests/bridge/rates.py build/dev/bin; then one_passed; else one_failed "interop: rates"; fi
}

packages() {
  echo "== packages"
  cmake --workflow --preset packages >build/packages.log 2>&1 || { tail -40 build/packages.log >&2; one_failed "packages: make"; return; }
  rm -rf build/debs
  if tests/package/debian.sh make build/packages build/debs && tests/package/debian.sh try build/debs; then
    one_passed
  else
    one_failed "packages: debian"
  fi
  if tests/package/wheel.sh; then one_passed; else one_failed "packages: wheel"; fi
  if tests/package/npm.sh build/packages; then one_passed; else one_failed "packages: npm"; fi
  systemd_units
}

# Takes the packages that packages() has made.
systemd_units() {
  local status=0
  tests/package/systemd.sh build/debs || status=$?
  case $status in
    0) one_passed ;;
    77) echo "-- NOT TESTED: the units of systemd at work; see above" >&2 ;;
    *) one_failed "packages: systemd" ;;
  esac
}

mkdir -p build
: >build/failed-tests
start=$SECONDS
for part in "${parts[@]}"; do
  part_start=$SECONDS
  case $part in
    format) check_format ;;
    tidy) tidy ;;
    fuzz) fuzz ;;
    soak) soak ;;
    interop) interop ;;
    packages) packages ;;
    *) preset "$part" ;;
  esac
  if [ "$part" = coverage ]; then
    cmake --build --preset coverage --target coverage -- --quiet || failed "coverage: report"
  fi
  echo "-- $part took $((SECONDS - part_start)) s"
done

echo
cat build/failed-tests
for failure in "${failures[@]}"; do echo "FAILED: $failure"; done
echo "$((total == 0 ? 100 : 100 * passed / total))% tests passed, $((total - passed)) tests failed out of $total" \
  "(${parts[*]}; ${#failures[@]} parts failed; $((SECONDS - start)) s)"
[ ${#failures[@]} -eq 0 ]
