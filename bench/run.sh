#!/usr/bin/env bash
# Builds the bench with peers, measures, and makes tables and pictures: one command.
#
#   bench/run.sh quick [FOLDER]     a few minutes: latency and throughput one to one, the smallest sizes
#   bench/run.sh full [FOLDER]      20 minutes, or hours where few slices are near: all sizes, topologies and ways to wait
#   bench/run.sh report FOLDER      only tables and pictures, from results that are there
#
# Results go to FOLDER (else build/bench/results-DATE): results.jsonl, machine.txt, tables.md, *.svg. The machine should have
# nothing else to do. BELTWAY_BENCH_BUILD names a build folder to use as it is, instead of building. BELTWAY_BENCH_NEAR=FROM:TO
# is the band of raw probes, ns, that counts as near: 200:450 where the two processors share no cache.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tests/support/packages.sh
. tests/support/packages.sh

what=${1:-quick}
folder=${2:-build/bench/results-$(date -u +%Y%m%d-%H%M%S)}
build=${BELTWAY_BENCH_BUILD:-build/bench}
results=$folder/results.jsonl

make_report() {
  need_packages python3 gnuplot-nox
  python3 bench/harness/report.py "$results" "$folder"
  echo "-- $folder/tables.md"
}

build_it() {
  [ -z "${BELTWAY_BENCH_BUILD:-}" ] || return 0
  need_packages cmake ninja-build ccache g++ pkg-config libboost1.81-dev nlohmann-json3-dev libspdlog-dev libcli11-dev \
    libbenchmark-dev iceoryx libiceoryx-posh-dev libiceoryx-hoofs-dev libzmq3-dev libnng-dev
  cmake --preset bench -DBELTWAY_BENCH_PEERS=ON
  cmake --build --preset bench --target beltway_bench
}

describe_machine() {
  {
    echo "date: $(date -u +%Y-%m-%dT%H:%MZ)"
    echo "commit: $(git -c safe.directory='*' describe --always --dirty 2>/dev/null || echo unknown)"
    echo "kernel: $(uname -r)"
    lscpu | grep -E '^(Model name|CPU\(s\)|L[123])' | sed 's/  */ /g'
  } >"$folder/machine.txt"
}

# measure ARGUMENTS...: a failing scenario does not end the others; the last line tells.
failed=0
measure() {
  local near=()
  [ -z "${BELTWAY_BENCH_NEAR:-}" ] || [[ " $* " == *" --near "* ]] || near=(--near "$BELTWAY_BENCH_NEAR")
  echo "-- $*" >&2
  "$build/bin/beltway_bench" "$@" "${near[@]}" --output "$results" || { failed=$((failed + 1)); echo "-- FAILED: $*" >&2; }
}

quick() {
  measure --mode latency --sizes 8,64 --runs 3 --slices 5 --run-seconds 6 \
    --candidates 'raw-flag,raw-slots,raw-slots-eager,beltway,beltway-mp,beltway-group,boost-spsc,boost-queue,boost-mq,iceoryx'
  measure --mode throughput --sizes 8,64,1K --runs 3 --slices 5 --run-seconds 6 \
    --candidates 'raw-slots,beltway,beltway-batch,beltway-mp,beltway-group,beltway-group-batch,boost-spsc*,boost-queue,iceoryx'
  # Small messages again, through more than a processor's L2 cache holds.
  measure --mode throughput --sizes 8,64 --footprint 4M --runs 3 --slices 5 --run-seconds 6 \
    --candidates 'raw-slots,beltway,beltway-batch,beltway-mp,beltway-group,beltway-group-batch,boost-spsc*,boost-queue,iceoryx'
}

full() {
  local small=8,64,256,1K,4K large=64K,1M,16M
  local spinning='raw-flag*,raw-slots*,raw-lanes*,beltway,beltway-place,beltway-loan,beltway-mp,beltway-group,beltway-mp-group,boost-*'
  local all="$spinning,raw-memcpy,beltway-batch,beltway-receive-batch,beltway-group-batch,iceoryx,posix-mq,pipe,unix-*,zeromq,nng"
  local sleeping='raw-eventfd,beltway:*,beltway-group:*,boost-mq:sleep,posix-mq,pipe,unix-*,zeromq,nng'
  measure --mode latency --sizes $small --candidates "$spinning,iceoryx,posix-mq,pipe,unix-*,zeromq,nng" --run-seconds 120
  measure --mode latency --sizes $large --candidates "$spinning,iceoryx,pipe,unix-*,zeromq,nng" --run-seconds 120
  measure --mode throughput --sizes $small --candidates "$all" --run-seconds 120
  measure --mode throughput --sizes $large --candidates "$all" --run-seconds 120
  measure --mode throughput --sizes 8,64,256 --footprint 4M --candidates "$all" --run-seconds 120
  # One way: what a reader that spins sees under load, and what one that sleeps sees.
  measure --mode one-way --rate 1000000 --sizes 64 --candidates "raw-slots,beltway*,boost-spsc,boost-queue,iceoryx" --run-seconds 120
  measure --mode one-way --rate 1000 --slice-ms 200 --sizes 64 --candidates "$sleeping" --run-seconds 240
  # More than two workers: labelled as oversubscribed where there are not as many processors; nobody is near then.
  local many
  for many in 2 4; do
    local anywhere=()
    [ "$(nproc)" -gt $((many + 1)) ] || anywhere=(--near 30:100000)
    measure --mode throughput --producers $many --sizes 8,64,1K "${anywhere[@]}" --run-seconds 60 \
      --candidates 'beltway-mp,beltway-mp-group,boost-queue,boost-mq,posix-mq,zeromq,nng'
    measure --mode throughput --consumers $many --fanout all --sizes 8,64,1K "${anywhere[@]}" --run-seconds 60 \
      --candidates 'beltway,beltway-mp,iceoryx'
    measure --mode throughput --consumers $many --fanout shared --sizes 8,64,1K "${anywhere[@]}" --run-seconds 60 \
      --candidates 'beltway-group,beltway-mp-group,boost-queue,boost-mq,posix-mq,zeromq,nng'
    measure --mode throughput --producers $many --consumers $many --fanout shared --sizes 8,64,1K "${anywhere[@]}" --run-seconds 60 \
      --candidates 'beltway-mp-group,boost-queue,boost-mq,posix-mq'
  done
}

case $what in
  quick | full)
    mkdir -p "$folder"
    build_it
    describe_machine
    "$what"
    make_report
    [ "$failed" = 0 ] || { echo "-- $failed scenarios failed" >&2; exit 1; }
    ;;
  report) make_report ;;
  *) echo "bench/run.sh: quick, full or report, not \"$what\"" >&2; exit 2 ;;
esac
