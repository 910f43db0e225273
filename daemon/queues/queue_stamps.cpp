// The daemon's part in stamps: whether producers stamp their messages, the difference of the clocks, and the search for a time.
// See ring/stamps.hpp.
#include <chrono>

#include "os/kernel.hpp"
#include "queues/queue.hpp"
#include "ring/floors.hpp"
#include "ring/stamps.hpp"

namespace beltway::daemon {

namespace {

/// CLOCK_REALTIME - CLOCK_MONOTONIC.
std::int64_t clock_offset_us() noexcept {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return duration_cast<microseconds>(now).count() - static_cast<std::int64_t>(os::now_ns() / 1000);
}

}  // namespace

bool store_stamping(const QueueRecord& record, const ring::QueueMemory& memory) noexcept {
  detail::Word& word = memory.shared_status().stamping;
  const ring::Stamping before = ring::Stamping::of(word.load_relaxed());
  const ring::Stamping now = stamping(record);
  if (before.word() == now.word()) return false;
  if (ring::stamps_of(before) == Stamps::off) ring::clear_stamps(memory);
  word.store_release(now.word());
  return true;
}

void Queue::store_clock_offset() noexcept {
  memory_.shared_status().clock_offset_us.store_relaxed(static_cast<std::uint64_t>(clock_offset_us()));
}

ring::Position find_published(const ring::QueueMemory& memory, std::uint64_t published_us, const std::string& context) {
  const auto wanted_us = static_cast<std::int64_t>(published_us) - clock_offset_us();
  const ring::Position tail = ring::load_tail(memory);
  bool has_message = false;
  bool has_stamp = false;
  for (std::uint64_t left = std::min<std::uint64_t>(tail, memory.geometry.slots); left != 0; --left) {
    const ring::Position position = ring::wrap(tail - left);
    if (!ring::SlotState::is_ready(memory.slot(position).state.load_acquire(), position)) continue;
    has_message = true;
    const std::uint64_t stamp_us = ring::load_stamp(memory, position);
    has_stamp = has_stamp || stamp_us != 0;
    if (stamp_us != 0 && static_cast<std::int64_t>(stamp_us) >= wanted_us) return position;
  }
  if (has_message && !has_stamp) {
    throw Error(Errc::invalid_option, context +
                                          ": its messages do not tell when they were published; name a position, "
                                          "\"oldest\" or \"latest\", and let it stamp messages from now on with "
                                          "--stamps coarse");
  }
  return tail;
}

}  // namespace beltway::daemon
