// What one scenario of the harness measures: a way of measuring, a size, a topology, and how much may be in flight.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>

namespace beltway::bench {

enum class Mode : std::uint8_t {
  latency,     ///< round trips between two processes
  one_way,     ///< from the moment a message was due at a fixed rate to its receipt
  throughput,  ///< as fast as it goes
};

/// How consumers share what is sent, if there are several.
enum class Fanout : std::uint8_t {
  all,     ///< each gets every message
  shared,  ///< each message goes to one of them
};

struct Spec {
  Mode mode = Mode::latency;
  std::uint64_t size_bytes = 8;
  std::uint32_t producers = 1;
  std::uint32_t consumers = 1;
  Fanout fanout = Fanout::all;
  std::uint64_t slots = 0;            ///< power of two; 0: as many as the footprint holds
  std::uint64_t slot_bytes = 0;       ///< 0: the smallest multiple of 64 that holds message and head
  std::uint64_t footprint_bytes = 0;  ///< memory that one ring goes through; 0: by size
  std::uint32_t batch = 32;           ///< messages of a batch, for candidates that have batches
  std::uint64_t rate = 100'000;       ///< one way: messages a second
  std::string socket;                 ///< of the scenario's own beltwayd
  std::string name;                   ///< unique for this scenario: for queues, sockets, services
  std::string folder;                 ///< of its own, for what needs files

  static constexpr std::uint64_t k_head_bytes = 16;
  static constexpr std::uint64_t k_line_bytes = 64;
  static constexpr std::uint64_t k_small_bytes = 256;
  static constexpr std::uint64_t k_small_footprint_bytes = 256U << 10;
  static constexpr std::uint64_t k_footprint_bytes = 4U << 20;
  static constexpr std::uint64_t k_least_slots = 4;

  [[nodiscard]] std::uint64_t slot() const noexcept {
    return slot_bytes != 0 ? slot_bytes : (size_bytes + k_head_bytes + k_line_bytes - 1) / k_line_bytes * k_line_bytes;
  }
  [[nodiscard]] std::uint64_t footprint() const noexcept {
    if (slots != 0) return slots * slot();
    if (footprint_bytes != 0) return footprint_bytes;
    return size_bytes <= k_small_bytes ? k_small_footprint_bytes : k_footprint_bytes;
  }
  /// How many elements of `stride` bytes go through the footprint: a power of two.
  [[nodiscard]] std::uint64_t elements(std::uint64_t stride) const noexcept {
    return std::max(k_least_slots, std::bit_floor(footprint() / stride));
  }
  [[nodiscard]] std::uint64_t ring_slots() const noexcept { return slots != 0 ? slots : elements(slot()); }
  [[nodiscard]] std::uint32_t workers() const noexcept { return producers + consumers; }
};

}  // namespace beltway::bench
