#!/usr/bin/env bash
# run.sh FOLDER: each fuzz target of that build folder, its corpus first and then a fixed number of inputs from a fixed seed, so
# that two runs try the same. What a target finds is left in FOLDER/fuzz/ (crash-*), to be given to it as an argument.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$1" && pwd)
declare -A runs=([protocol]=60000 [requests]=3000 [memory]=4000 [attach]=1500 [properties]=200000 [definitions]=60000 [web]=100000 [bridge]=100000)

fuzz_one() {
  local name=$1 found=$folder/fuzz/$1
  rm -rf "$found" && mkdir -p "$found/new"
  # Not: leaks that LeakSanitizer looks for after each input; once, at the end, is enough and far quicker.
  if "$folder/bin/fuzz_$name" -runs="${runs[$name]}" -seed=1 -max_len=4096 -timeout=30 -detect_leaks=0 -verbosity=0 \
    -print_final_stats=1 -dict="$here/words.dict" -artifact_prefix="$found/" "$found/new" "$here/corpus/$name" \
    >"$found/log" 2>&1; then
    echo "fuzz_$name: $(grep -ao 'number_of_executed_units: *[0-9]*' "$found/log" | grep -o '[0-9]*$') inputs, none failed"
  else
    tail -n 60 "$found/log" >&2
    echo "fuzz_$name failed; its input is in $found" >&2
    return 1
  fi
}

failed=0
running=0
for name in memory attach requests protocol properties definitions web bridge; do  # the longest first, as many at once as processors
  if [ "$running" -ge "$(nproc)" ]; then
    wait -n || failed=1
    running=$((running - 1))
  fi
  fuzz_one "$name" &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
  wait -n || failed=1
  running=$((running - 1))
done
exit "$failed"
