// Counts the instructions of hot operations, for the program that instructions_test runs under callgrind.
#pragma once

#include <valgrind/callgrind.h>

#include <cstdlib>
#include <list>
#include <string>

#include "local_queue.hpp"

namespace beltway::test {

inline constexpr std::size_t k_burst = 256;
inline constexpr unsigned k_warm_up_bursts = 8;  // two laps of the ring
inline constexpr unsigned k_bursts = 40;
inline constexpr std::size_t k_batch = 32;
inline constexpr const char* k_group = "group";

inline QueueOptions options(std::uint32_t producers, std::uint32_t consumers = 1, bool group = false) {
  QueueOptions made{.slots = 512,
                    .slot_bytes = 128,
                    .lane_bytes = 1U << 20,
                    .max_producers = producers,
                    .max_consumers = consumers,
                    .max_groups = 1};
  if (group) made.groups = {k_group};
  return made;
}

/// Counts `hot`, which handles `each` messages a call, in bursts; `before` and `after` a burst is not counted.
template <class Before, class Hot, class After>
void count(const std::string& name, std::size_t each, const Before& before, const Hot& hot, const After& after) {
  for (unsigned burst = 0; burst < k_warm_up_bursts + k_bursts; ++burst) {
    before();
    const bool counts = burst >= k_warm_up_bursts;
    if (counts) CALLGRIND_TOGGLE_COLLECT;
    for (std::size_t i = 0; i < k_burst; i += each) hot();
    if (counts) CALLGRIND_TOGGLE_COLLECT;
    after();
  }
  // valgrind reads the text when it writes the dump, which is later.
  static std::list<std::string> texts;
  texts.push_back(name + " messages " + std::to_string(k_bursts * k_burst));
  CALLGRIND_DUMP_STATS_AT(texts.back().c_str());
}

inline void nothing() {}

inline void must(bool condition) {
  if (!condition) std::abort();
}

inline void drain(Consumer& consumer) {
  for (;;) {
    Result<Message> received = consumer.try_receive();
    if (!received) return;
    received->ack();
  }
}

inline void fill(Producer& producer) {
  for (std::size_t i = 0; i < k_burst; ++i) producer.publish("8 bytes.");
}

}  // namespace beltway::test
