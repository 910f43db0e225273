#!/usr/bin/env bash
# Starts a daemon of its own, and sends real data through one queue, from producer processes to three consumers: two that share the
# work as a group, and one that sees everything. Then compares what was sent with what came, and reports throughput and latency.
# Fails if a single byte differs.
#
#   quickstart_messages.sh PROGRAMS [MODULES]
#
# PROGRAMS: the folder of beltwayd and beltway. MODULES: the folder of the Python package; without it no worker in Python takes part.
# QUICKSTART_MESSAGES, QUICKSTART_LINES, QUICKSTART_FILE_BYTES and QUICKSTART_LATENCY set other counts.
# Needs no terminal and no input; leaves nothing behind.
set -euo pipefail
PATH=$(realpath "$1"):$PATH
modules=${2:-}
python=/usr/bin/python3
messages=${QUICKSTART_MESSAGES:-1000000}  # small ones
lines=${QUICKSTART_LINES:-200000}         # for the worker in Python
file_bytes=${QUICKSTART_FILE_BYTES:-64000000}
latency_count=${QUICKSTART_LATENCY:-20000}

say() { printf '\n== %s\n' "$*"; }

tmp=$(mktemp -d /tmp/beltway-quickstart-XXXXXX)
export BELTWAY_SOCKET=$tmp/beltwayd.sock
clean_up() {
  local status=$? processes
  trap - EXIT
  processes=$(jobs -p)
  # shellcheck disable=SC2086 # several process ids
  [ -z "$processes" ] || kill $processes 2>/dev/null || true
  wait
  rm -rf "$tmp"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Waits until a command succeeds, up to ten seconds.
until_true() {
  local tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || { echo "gave up waiting for: $*; the daemon's log:" >&2; cat "$tmp/daemon.log" >&2; return 1; }
    sleep 0.05
  done
}
# True if the queue $1 has exactly $2 consumers and $3 producers attached.
attached() {
  local ends
  ends=$(beltway show "$1" --format json | grep -o '"endpoints":\[[^]]*\]') || return 1
  [ "$(grep -o '"role":"consumer"' <<<"$ends" | wc -l)" = "$2" ] && [ "$(grep -o '"role":"producer"' <<<"$ends" | wc -l)" = "$3" ]
}

say "Starting a daemon, and a queue with a group \"workers\""
beltwayd --socket "$BELTWAY_SOCKET" >"$tmp/daemon.log" 2>&1 &
until_true eval 'beltway ping >/dev/null 2>&1'
beltway ping
beltway declare stream --slots 4096 --slot-bytes 64 --lane-bytes 16M --group workers

# What is sent is made beforehand, so that neither tar nor seq is what gets measured. Some machines have gigabytes of headers.
find /usr/include -type f -printf '%s\t%p\n' | sort -k2 | awk -F'\t' -v most="$file_bytes" \
  '{ sum += $1 } sum < most { print $2 }' >"$tmp/list"
tar -cf "$tmp/files.tar" -P -T "$tmp/list"
seq 1 "$messages" >"$tmp/numbers"

say "Starting three consumers: two workers that share, and one that sees everything"
beltway sub stream --group workers --end-of-stream drained --digest --timeout 60 >"$tmp/worker1" &
worker1=$!
beltway sub stream --group workers --end-of-stream drained --digest --timeout 60 >"$tmp/worker2" &
worker2=$!
beltway sub stream --raw --timeout 60 >"$tmp/everything" &
everything=$!
# The stream ends when its last producer leaves: this one, which sends nothing until file 9 is closed, keeps it open.
exec 9> >(exec beltway pub stream)
until_true attached stream 3 1

say "Sending the files below /usr/include as one tar stream, in chunks of 64 KiB"
beltway pub stream --file "$tmp/files.tar" --chunk 64K --timeout 60 --digest --summary >"$tmp/sent1"
say "Sending $messages small messages"
beltway pub stream --timeout 60 --digest --summary <"$tmp/numbers" >"$tmp/sent2"
exec 9>&-
wait "$worker1" "$worker2"
wait "$everything"

say "Comparing"
sent=$(beltway digest "$tmp/sent1" "$tmp/sent2")
shared=$(beltway digest "$tmp/worker1" "$tmp/worker2")
echo "sent:          $sent"
echo "worker 1:      $(cat "$tmp/worker1")"
echo "worker 2:      $(cat "$tmp/worker2")"
echo "both workers:  $shared"
# The third consumer's bytes lie end to end, in the order in which they were sent: this does without our own digest.
sent_sum=$({ cat "$tmp/files.tar"; tr -d '\n' <"$tmp/numbers"; } | sha256sum | cut -d' ' -f1)
seen_sum=$(sha256sum <"$tmp/everything" | cut -d' ' -f1)
echo "sent:          sha256 $sent_sum"
echo "everything:    sha256 $seen_sum"
[ "$sent" = "$shared" ] || { echo "FAILED: what the workers got together is not what was sent" >&2; exit 1; }
[ "$sent_sum" = "$seen_sum" ] || { echo "FAILED: the consumer that sees everything saw something else" >&2; exit 1; }
chunks=$((($(stat -c %s "$tmp/files.tar") + 65535) / 65536))
[[ $sent == "messages=$((chunks + messages)) "* ]] || { echo "FAILED: not all was sent" >&2; exit 1; }

if [ -n "$modules" ]; then
  say "A worker in Python shares $lines messages with one in C++"
  beltway declare lines --group workers
  beltway sub lines --group workers --end-of-stream drained --timeout 60 >"$tmp/lines1" &
  cpp_worker=$!
  PYTHONPATH=$modules $python - >"$tmp/lines2" <<'END' &
import beltway

with beltway.connect() as link:
    for message in link.open_queue("lines").consumer(group="workers", end_of_stream="drained"):
        print(message.text())
        message.ack()
END
  python_worker=$!
  exec 9> >(exec beltway pub lines)  # keeps the stream open, as above
  until_true attached lines 2 1
  seq 1 "$lines" | beltway pub lines --timeout 60
  exec 9>&-
  wait "$cpp_worker" "$python_worker"
  echo "C++: $(wc -l <"$tmp/lines1") messages, Python: $(wc -l <"$tmp/lines2") messages"
  cmp <(sort -n "$tmp/lines1" "$tmp/lines2") <(seq 1 "$lines") || { echo "FAILED: not all came, or not once" >&2; exit 1; }
fi

say "Latency between two processes, one message at a time"
beltway bench latency --count "$latency_count"
say "Throughput between two processes"
beltway bench throughput --count "$messages"

say "All as sent: $((chunks + messages)) messages, each seen twice, no byte differs"
