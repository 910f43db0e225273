// When a consumer that spins should let its producer get ahead before it looks again.
//
// A producer streams large messages, and its consumer is faster: it then stands at the slot that is being written, and it, or
// what its processor fetches ahead of it, takes away lines that the producer is about to write. Each message costs both
// several times what it costs at a distance: 1 KiB one by one 4 to 6 million a second, and 12 to 20 with a head start.
// So once a stream is recognised, a consumer that has caught up stays away for a moment. A stream is what comes faster than
// requests and replies can, and not one by one: whoever waits for each reply is never delayed.
//
// Thread safety: none, it belongs to its consumer's thread.
#pragma once

#include <cstdint>

#include "layout.hpp"

namespace beltway {

class HeadStart {
 public:
  HeadStart(std::uint32_t slots, std::uint32_t slot_bytes) noexcept
      : stream_ns_(slots < k_least_slots || slot_bytes < k_least_slot_bytes
                       ? 0
                       : k_stream_base_ns + slot_bytes / k_slot_bytes_a_ns) {}

  /// False: always 0.
  [[nodiscard]] bool ever() const noexcept { return stream_ns_ != 0; }

  /// A consumer has taken all before `read` and found nothing there at `now_ns`. For how long it should not look.
  [[nodiscard]] std::uint64_t wait_ns(Position read, std::uint64_t now_ns) noexcept {
    const auto taken = static_cast<std::uint64_t>(distance(read, read_));
    const bool fast = now_ns_ != 0 && taken != 0 && now_ns - now_ns_ < taken * stream_ns_;
    read_ = read;
    now_ns_ = now_ns;
    waits_ = fast ? waits_ + 1 : 0;
    messages_ = fast ? messages_ + taken : 0;
    return waits_ >= k_waits && messages_ > waits_ ? k_head_start_ns : 0;
  }

 private:
  static constexpr std::uint32_t k_least_slots = 64;        // a smaller ring may fill while its consumer stays away
  static constexpr std::uint32_t k_least_slot_bytes = 256;  // smaller messages stream well without
  // A message of a stream takes less than this, a round trip more (1 KiB: 230 and 780 ns where a line takes 55).
  static constexpr std::uint64_t k_stream_base_ns = 128;
  static constexpr std::uint32_t k_slot_bytes_a_ns = 4;
  static constexpr std::uint64_t k_waits = 16;
  // Of 300, 600, 1200 and 2500 ns, longer was better, but it is latency, too.
  static constexpr std::uint64_t k_head_start_ns = 1500;

  const std::uint64_t stream_ns_;
  Position read_ = 0;           // at the last wait
  std::uint64_t now_ns_ = 0;    // likewise; 0: there was none yet
  std::uint64_t waits_ = 0;     // fast ones, in a row
  std::uint64_t messages_ = 0;  // taken between them
};

}  // namespace beltway
