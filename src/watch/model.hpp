// What an operator sees of a daemon's queues: rates, lags, ages, holders, and verdicts that say why a queue is in trouble.
//
// One model for all faces: `beltway top`, `beltway web`, metrics, `beltway doctor`, `list` and `show`. The values here are plain
// data; Watcher fills them. README.md lists the kinds of verdicts.
// Thread safety: values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "beltway/connection.hpp"
#include "beltway/info.hpp"
#include "client/quota.hpp"

namespace beltway::watch {

using Nanoseconds = std::chrono::nanoseconds;

/// A command that mends what a verdict tells, exactly as a shell takes it, and what the command does.
struct Remedy {
  std::string command;
  std::string effect;
};

enum class Severity : std::uint8_t {
  note,     ///< worth knowing; nothing waits and nothing will be lost
  warning,  ///< no process waits yet, but one will, or messages come late
  trouble,  ///< a process waits because of it, or messages are lost
};

/// One finding. A sentence is `subject: cause; evidence; for how long; forecast; remedy`, see text_of().
struct Verdict {
  std::string kind;  ///< a name of README.md's table, e.g. "ring_full_by_consumer"
  Severity severity = Severity::trouble;
  std::string queue = {};     ///< empty: the daemon or the machine
  std::string subject = {};   ///< "orders is full"
  std::string cause = {};     ///< "group billing, consumer 2 (pid 4711 worker, stopped by a signal) holds position 88"
  std::string evidence = {};  ///< "1024 of 1024 slots are used, 3 producers wait"; may be empty
  std::optional<Nanoseconds> since = {};  ///< how long it has lasted; nothing: not known
  bool since_is_least = false;            ///< it was there at the first look: it has lasted longer than `since`
  std::string forecast = {};              ///< "full in 4 s at this rate"; may be empty
  std::vector<Remedy> remedies = {};      ///< the best one first
  std::string group = {};
  std::optional<unsigned> producer = {};
  std::optional<unsigned> consumer = {};
  std::optional<int> pid = {};
  std::optional<std::uint64_t> position = {};
  bool blocks = false;                     ///< a process waits because of it now
  std::optional<Nanoseconds> waited = {};  ///< how long a process has slept because of it; nothing: none sleeps
};

/// Sums since the queue was made, of all its endpoints, also those that are gone.
struct Counts {
  std::uint64_t messages_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t messages_out = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t refused = 0;
  std::uint64_t lost = 0;
  std::uint64_t redelivered = 0;
  std::uint64_t discarded = 0;
  std::uint64_t expired = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t unread = 0;
  std::uint64_t wakes = 0;
  std::uint64_t sleeps = 0;
  std::uint64_t repairs = 0;
  std::uint64_t voided = 0;
  std::uint64_t released = 0;

  Counts& operator+=(const Counts& more) noexcept;
};

/// Per second, by the difference of two samples.
struct Rates {
  double in = 0;   ///< messages published
  double out = 0;  ///< messages received, of all groups and private consumers together
  double bytes_in = 0;
  double bytes_out = 0;
  double redelivered = 0;
  double dead_lettered = 0;
  double lost = 0;
};

struct EndpointView {
  EndpointInfo info;
  double messages_per_s = 0;
  double wakes_per_message = 0;  ///< times it was woken for each message
  double busy = 0;               ///< share of the time in which it did not wait, 0 to 1
  std::uint64_t held = 0;        ///< consumers: unacknowledged messages
};

struct GroupView {
  std::string name;
  std::uint64_t lag = 0;                         ///< messages that it has not acknowledged yet
  double in_per_s = 0;                           ///< messages that came for it
  double out_per_s = 0;                          ///< messages that its consumers received
  std::optional<Nanoseconds> delay = {};         ///< lag / rate of receipt (Little's law); nothing: the rate is 0
  std::optional<Nanoseconds> time_to_full = {};  ///< at these rates; nothing: its lag does not grow
  std::optional<Nanoseconds> oldest_age = {};    ///< queues with stamps
  unsigned consumers = 0;
  bool paused = false;
};

/// One second of a queue's past.
struct HistoryPoint {
  std::int64_t at_s = 0;  ///< CLOCK_REALTIME
  float in_per_s = 0;
  float out_per_s = 0;
  float lag = 0;           ///< messages, of the slowest group
  float oldest_age_s = 0;  ///< 0: no stamps, or nothing is left
};

/// A route of a bridge to another machine: see src/bridge/README.md.
struct RouteView {
  std::string direction;   ///< "out" or "in"
  std::string queue;       ///< the local queue
  std::string group = {};  ///< "out": the local group
  std::string remote;      ///< the server's queue; with an exchange the routing key
  std::string exchange = {};
  std::uint32_t window = 0;      ///< messages on their way at most
  std::string state = {};        ///< "starting", "running", "blocked", "reconnecting", "failed" or "stopped"
  std::int64_t since_ms = 0;     ///< when it came into this state, milliseconds since 1970
  std::uint64_t remaining = 0;   ///< messages that wait at the source, as of about a second ago
  std::uint64_t in_flight = 0;   ///< taken from the source, and not acknowledged there
  std::uint64_t forwarded = 0;   ///< sent, also those that were sent again
  std::uint64_t confirmed = 0;   ///< stored at the target and acknowledged at the source
  std::uint64_t duplicates = 0;  ///< "in": recognised and not stored again. "out": sent again after a loss
  std::uint64_t loops = 0;       ///< messages that had been in the local queue before: dropped
  std::uint64_t refused = 0;     ///< messages that the local queue cannot take: given back as dead letters
  std::uint64_t attempts = 0;    ///< to connect
  std::string last_error = {};
  std::int64_t last_error_ms = 0;  ///< when; 0: there was none
};

/// A queue as a line of a list. Costs no scan of its slots.
struct QueueView {
  QueueInfo info;
  bool readable = false;            ///< its memory is mapped: all below is known
  std::string why_unreadable = {};  ///< why its memory is not mapped: no right to read, or no room
  bool removed = false;
  std::uint64_t position = 0;
  std::uint64_t used = 0;    ///< slots that the slowest reliable group still needs
  std::uint64_t parked = 0;  ///< as of the last full look
  std::uint64_t lag = 0;     ///< of the slowest group or private consumer, messages
  Counts counts;
  Rates rates;
  std::optional<Nanoseconds> delay = {};       ///< of the slowest group
  std::optional<Nanoseconds> oldest_age = {};  ///< queues with stamps
  unsigned producers = 0;
  unsigned consumers = 0;
  std::vector<GroupView> groups;
  std::vector<HistoryPoint> history;  ///< the last 60 s, oldest first
  /// How old messages were when consumers got them, all together, as AgeCounts::counts. As of the last Watcher::count_ages();
  /// empty: it was not called, or the queue has no stamps.
  std::vector<std::uint64_t> age_counts;
  std::vector<RouteView> routes = {};  ///< of bridges that concern this queue
  std::vector<Verdict> verdicts;       ///< the gravest first

  /// Of its gravest verdict; nothing: it has none.
  [[nodiscard]] std::optional<Severity> severity() const {
    return verdicts.empty() ? std::nullopt : std::optional(verdicts.front().severity);
  }
};

/// What a slot holds, as a picture of the ring shows it.
enum class SlotLook : std::uint8_t { free, claimed, waiting, leased, acknowledged, delayed, parked, voided, lane };

/// The ring as a strip of cells from the oldest position to the latest. A cell stands for `slots_per_cell` slots and shows the
/// most remarkable one.
struct RingStrip {
  /// Position of the first cell's first slot. On the first lap it is before position 0, as a number of 54 bits.
  std::uint64_t first = 0;
  /// On the first lap: slots of the first cells that no position has reached yet. Later: 0.
  std::uint64_t never_used = 0;
  double slots_per_cell = 1;
  std::vector<SlotLook> cells;
  struct Floor {
    std::string group;      ///< empty: private
    unsigned consumer = 0;  ///< of a private one
    std::uint64_t position = 0;
  };
  std::vector<Floor> floors;
};

/// How old messages with a stamp were when the attached consumers got them.
struct AgeCounts {
  std::string group;      ///< empty: a private consumer's
  unsigned consumer = 0;  ///< of a private one
  /// counts[b]: messages younger than 2^b us that are in no earlier bucket; the last: all others.
  std::vector<std::uint64_t> counts;
};

/// One queue in full. Costs a scan of its slots.
struct QueueDetail {
  QueueView view;  ///< its history is up to an hour long
  QueueSnapshot snapshot;
  std::vector<EndpointView> endpoints;
  RingStrip strip;
  std::vector<AgeCounts> ages;  ///< of queues with stamps
};

/// A process that passes messages to and from another machine.
struct BridgeView {
  std::string name;
  int pid = 0;
  bool lives = false;  ///< its process has not ended
  std::string server;  ///< "amqp://host:5672"
  std::string socket;  ///< of its daemon
  std::vector<RouteView> routes = {};
};

/// All that one daemon has.
struct Fleet {
  bool daemon_answers = false;
  std::optional<Nanoseconds> daemon_gone_for = {};  ///< it has answered before, and does not now
  Connection::DaemonInfo daemon;                    ///< as it answered last
  std::string named_socket;                         ///< the caller named it, and remedies do; empty: it was found
  std::optional<client::Quota> quota = {};          ///< of the caller's user, likewise; nothing: an older daemon
  std::vector<QueueView> queues;                    ///< by trouble: the gravest and longest first, then by name
  std::vector<Verdict> verdicts;                    ///< of the daemon and the machine, the gravest first
  std::vector<BridgeView> bridges;                  ///< to other machines, by name
  bool undecided = false;  ///< something is suspected, and further samples will tell whether it is a verdict
  Rates rates;             ///< of all readable queues
  Counts removed_counts;   ///< of queues that were removed since the watcher began
  std::uint64_t shared_bytes = 0;
};

/// "orders is full: group billing, consumer 2 (...) holds position 88; 3 producers wait; for 9 s; remedy: kill -CONT 4711".
[[nodiscard]] std::string text_of(const Verdict& verdict);
/// "for 9 s", "for at least 9 s". Empty: it is not known, or a look of a moment has shown it for that moment only.
[[nodiscard]] std::string since_text(const Verdict& verdict);
/// True if the text says how long it has lasted: "has waited for 9 s", or the same as since_text().
[[nodiscard]] bool says_since(const std::string& text, const Verdict& verdict);
[[nodiscard]] const char* name_of(Severity severity) noexcept;

}  // namespace beltway::watch
