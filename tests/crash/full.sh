#!/usr/bin/env bash
# full.sh FOLDER [PROGRAM ...]: the crash images of that build folder (build/dev) to the end: every beginning, where the ordinary
# suite takes a few spread evenly. All programs but the planted bugs, or those named; a line each with what it took.
#
# On two slow cores, at nice 19: access_eviction and access half a minute each, interrupt and daemon a few minutes, pair about
# a quarter of an hour; those by instructions, eviction and kill, about an hour each, nearly all of it in the kernel's traps.
#
# It sets BELTWAY_CRASH_FULL=1, which also lets the watchdog wait a day for a test. To have ctest do the same, set it for
# cmake as well, which gives these tests a day each: BELTWAY_CRASH_FULL=1 cmake --preset dev && BELTWAY_CRASH_FULL=1 ctest
# --preset dev -L crash.
set -uo pipefail
folder=$(cd "$1" && pwd)
shift
programs=("$@")
[ ${#programs[@]} -gt 0 ] || programs=(crash_access_eviction_test crash_access_test crash_interrupt_test crash_pair_test
  crash_daemon_test crash_eviction_test crash_kill_test)
export BELTWAY_CRASH_FULL=1
failed=0
for program in "${programs[@]}"; do
  start=$SECONDS
  log=$folder/$program.full.log
  if nice -n 19 "$folder/bin/$program" >"$log" 2>&1; then
    # What report() prints: name, N runs, N images, N pairs.
    counted=$(grep -aE ' runs +[0-9]+ images +[0-9]+ pairs$' "$log" |
      awk '{ images += $(NF - 3); pairs += $(NF - 1) } END { print images + 0 " images, " pairs + 0 " pairs" }')
    echo "$program: passed, $counted, $((SECONDS - start)) s"
  else
    echo "$program: FAILED after $((SECONDS - start)) s, see $log"
    failed=1
  fi
done
exit $failed
