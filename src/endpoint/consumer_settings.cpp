// Options of a group that its owner may change while the consumer is attached. See consumer_core.hpp.
//
// The daemon stores the words of the options, then posts a notice with a new epoch, then wakes all sleepers. A consumer that sees
// the epoch sees the words.
#include "endpoint/consumer_core.hpp"

namespace beltway::endpoint {

void ConsumerCore::read_settings(std::uint32_t epoch) noexcept {
  settings_epoch_ = epoch;
  if (named_) named_->refresh_lease_timeout();
  choose_path();
}

void ConsumerCore::choose_path() noexcept {
  const bool open = !attachment_.evictable && !waiter_.event_mode();
  fast_named_reader_ = named_ && open ? &*named_ : nullptr;
  // In a named group other threads may end messages, and read it: there it stays 0.
  if (!is_private()) return;
  inline_size_limit_ = 0;
  // plant: thrown_out_reads_in_place
  if (open) inline_size_limit_ = attachment_.memory.geometry.inline_bytes() + 1;
}

}  // namespace beltway::endpoint
