// What can be measured: Beltway, the raw limits of the machine, and peers, all behind one interface.
//
// A channel is a one-way connection, a plain class with two nested ones:
//
//   struct Channel {
//     static constexpr Traits k_traits;
//     explicit Channel(const Spec&, const std::string& name);     // in the parent, before it forks: memory, pipes; no threads
//     std::uint64_t bytes_in_flight() const;                      // at most, payload with what surrounds it
//     struct Sender   { Sender(Channel&, std::uint32_t index);   void send(std::uint64_t value); };
//     struct Receiver { Receiver(Channel&, std::uint32_t index); std::uint64_t receive(); };
//   };
//
// Senders and receivers are made in their workers, and calls are not virtual: a worker knows only Endpoint, whose virtual
// functions run a whole slice. send() writes all bytes of a message with tool::fill(), receive() reads them all with
// read_back(). Both wait as their candidate's users would. Optional members: send_many(first value, count),
// receive_many(most), which returns how many there were, and `bool try_receive(value&)`, for consumers that share.
#pragma once

#include <sched.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "candidates/spec.hpp"
#include "tool/bench/bench_bytes.hpp"
#include "tool/bench/histogram.hpp"

namespace beltway::bench {

/// What a channel can do beside one to one.
struct Traits {
  bool many_producers = false;
  bool broadcast = false;  ///< several consumers, each gets all
  bool shared = false;     ///< several consumers, each message goes to one
  bool round_trips_only = false;
  bool throughput_only = false;
};

/// All that the channel's messages are read by: throws Failure if the bytes are not one message's; returns its value.
[[noreturn]] void throw_torn();
[[nodiscard]] inline std::uint64_t read_back(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  if (!tool::adds_up(bytes)) [[unlikely]]
    throw_torn();
  return value;
}

/// A worker's side of a candidate. Each function is the worker's part of one slice.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  /// The leader's side of round trips; records each in ticks.
  virtual void ping(std::uint64_t rounds, tool::Histogram& ticks) = 0;
  virtual void pong(std::uint64_t rounds) = 0;
  virtual void produce(std::uint64_t count) = 0;
  virtual void consume(std::uint64_t count) = 0;
  /// Consumers that share: until `taken`, to which each adds what it got, has come to `goal`.
  virtual void consume_share(std::atomic<std::uint64_t>& taken, std::uint64_t goal) = 0;
  /// A message each `interval_ticks`, its value the tick at which it was due, however late it is sent.
  virtual void produce_at(std::uint64_t count, std::uint64_t interval_ticks) = 0;
  virtual void consume_timed(std::uint64_t count, tool::Histogram& ticks) = 0;
};

class Candidate {
 public:
  virtual ~Candidate() = default;
  /// In the worker. Workers are numbered as in the tool's bench: 0 the first producer, 1 the first consumer, then the other
  /// producers, then the other consumers.
  [[nodiscard]] virtual std::unique_ptr<Endpoint> attach(std::uint32_t worker) = 0;
  [[nodiscard]] virtual std::uint64_t bytes_in_flight() const = 0;
};

struct Entry {
  std::string name;
  std::string what;  ///< one line
  std::function<bool(const Spec&)> fits;
  std::function<std::unique_ptr<Candidate>(const Spec&)> make;
};
using Entries = std::vector<Entry>;

void add_raw(Entries& entries);
void add_beltway(Entries& entries);
#ifdef BELTWAY_BENCH_C
void add_beltway_c(Entries& entries);
#endif
void add_boost(Entries& entries);
void add_kernel(Entries& entries);
#ifdef BELTWAY_BENCH_ICEORYX
void add_iceoryx(Entries& entries);
#endif
#ifdef BELTWAY_BENCH_ZEROMQ
void add_zeromq(Entries& entries);
#endif
#ifdef BELTWAY_BENCH_NNG
void add_nng(Entries& entries);
#endif

/// All there are in this build, in the order of the tables.
[[nodiscard]] Entries all_candidates();

/// Memory that the forked workers share, zero at first, populated.
class SharedMemory {
 public:
  explicit SharedMemory(std::size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  [[nodiscard]] std::byte* data() const noexcept { return data_; }

 private:
  std::byte* data_;
  std::size_t bytes_;
};

/// While it lives this thread may run anywhere, and so may threads that a library starts meanwhile: they would otherwise all
/// be pinned to the worker's own processor.
class Unpinned {
 public:
  Unpinned();
  ~Unpinned();
  Unpinned(const Unpinned&) = delete;
  Unpinned& operator=(const Unpinned&) = delete;

 private:
  cpu_set_t before_{};
};

}  // namespace beltway::bench
